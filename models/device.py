"""Chooses the device and the precision for computing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import ConfigError

if TYPE_CHECKING:
    import torch


def choose_device(name: str | None = None) -> torch.device:
    """The device called ``name`` (``cpu``, ``cuda``, ``cuda:1``, …); None uses a GPU if there is one.

    Raises:
        ConfigError: this machine has no such device.
    """
    import torch

    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises one or the other
        reason = str(error).partition("\n")[0].partition(", ")[0]
        raise ConfigError(
            f"device {name!r} cannot be used on this machine ({reason}); name another, e.g. cpu"
        ) from None
    return device


def halves(device: torch.device) -> bool:
    """Whether ``device`` multiplies matrices faster in bfloat16, as GPUs and some processors do."""
    import torch

    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return device.type == "cuda"


def half_precision(device: torch.device) -> torch.autocast:
    """A context in which training multiplies matrices in bfloat16, if that is faster on ``device``.

    Sums and the trained weights stay in float32 (mixed precision; Micikevicius et al. 2018).
    """
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=halves(device))
