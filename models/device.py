"""Where a model computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import ConfigError

if TYPE_CHECKING:
    import torch


def choose_device(name: str | None = None) -> torch.device:
    """The device called ``name`` (``cpu``, ``cuda``, ``cuda:1``, …); None takes a GPU where there is one.

    Raises:
        ConfigError: there is no such device on this machine.
    """
    import torch

    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either
        reason = str(error).partition("\n")[0].partition(", ")[0]
        raise ConfigError(
            f"device {name!r} cannot be used on this machine ({reason}); name another, e.g. cpu"
        ) from None
    return device


def halves(device: torch.device) -> bool:
    """Whether ``device`` multiplies matrices faster in bfloat16: a GPU, or a processor made for it."""
    import torch

    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return device.type == "cuda"


def half_precision(device: torch.device) -> torch.autocast:
    """Where matrices are multiplied in bfloat16 while a model learns, if that is faster on ``device``.

    Sums stay in float32, and so do the weights that are learned (mixed precision; Micikevicius et al. 2018).
    """
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=halves(device))
