"""Checkpoints: everything that an interrupted training needs to continue, in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..base.files import beside

_WHOLE = ({"parameter"}, {"parameter", "step", "exp_avg", "exp_avg_sq"})
"""What is stored of a parameter without a gradient so far, and of one that AdamW has updated."""


@dataclass
class State:
    """The state of a training, apart from its weights.

    Attributes:
        step: steps done.
        scores: macro-F1 at each validation.
        best: the trained parameters by name at the highest of ``scores``; empty if not needed.
    """

    step: int = 0
    scores: list[float] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def note(self, score: float, model: nn.Module | None) -> None:
        """Add the ``score`` of a validation; if it is the highest so far, store the parameters of ``model``."""
        if model is not None and score > max(self.scores, default=-1.0):
            self.best = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
        self.scores.append(score)

    @property
    def stale(self) -> int:
        """Number of validations since the highest score."""
        return len(self.scores) - 1 - self.scores.index(max(self.scores)) if self.scores else 0


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: State, run: str) -> None:
    """Save trained parameters, the optimizer's moments and ``state`` of the run with fingerprint ``run``."""
    tensors: dict[str, Tensor] = {f"best/{name}": tensor.cpu() for name, tensor in state.best.items()}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        tensors[f"parameter/{name}"] = parameter.detach().cpu().contiguous()
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
    about = {"step": state.step, "scores": state.scores, "run": run, "tensors": len(tensors)}
    with beside(path) as part:
        save_file(tensors, part, metadata={"about": json.dumps(about)})


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: str) -> State:
    """Restore what :func:`save_checkpoint` saved; a new state if there is nothing of this ``run``.

    A damaged checkpoint costs time, not the training: in that case nothing is restored.
    """
    learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            if about["run"] != run:
                return State()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        state = State(int(about["step"]), [float(score) for score in about["scores"]])
        if about["tensors"] != len(tensors):
            return State()
        kept: dict[str, dict[str, Tensor]] = {name: {} for name in learned}
        for full, tensor in tensors.items():
            key, _, name = full.partition("/")
            form = () if key == "step" else learned[name].shape  # a count; everything else has the parameter's shape
            if (tensor.shape, tensor.dtype) != (form, learned[name].dtype):
                return State()
            kept[name][key] = tensor
        if any(own.keys() - {"best"} not in _WHOLE for own in kept.values()):
            return State()
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return State()
    with torch.no_grad():
        for name, parameter in learned.items():
            own = {key: value.to(parameter.device) for key, value in kept[name].items()}
            parameter.copy_(own.pop("parameter"))
            if "best" in own:
                state.best[name] = own.pop("best")
            optimizer.state[parameter] = own
    return state
