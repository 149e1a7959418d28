"""Checkpoints: all that a killed training needs to go on, in one safetensors file, written beside and renamed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, run: str) -> None:
    """Keep trained parameters and the optimizer's moments after ``step`` steps of the run with fingerprint ``run``."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        tensors[f"parameter/{name}"] = parameter.detach().cpu().contiguous()
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    save_file(tensors, beside, metadata={"about": json.dumps({"step": step, "run": run})})
    beside.replace(path)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: str) -> int:
    """Restore what :func:`save_checkpoint` kept and return its step; 0 where there is none of this ``run``."""
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            if about["run"] != run:
                return 0
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return 0  # a damaged checkpoint costs time, not the training
    state: dict[str, dict[str, Any]] = {}
    for full, tensor in tensors.items():
        key, _, name = full.partition("/")
        state.setdefault(name, {})[key] = tensor
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                kept = state[name]
                parameter.copy_(kept.pop("parameter").to(parameter.device))
                optimizer.state[parameter] = {
                    key: value if key == "step" else value.to(parameter.device) for key, value in kept.items()
                }
    return int(about["step"])
