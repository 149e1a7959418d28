"""Where a model computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.errors import ConfigError

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
