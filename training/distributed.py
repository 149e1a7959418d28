"""Several processes that train one model together, as started by torchrun and accelerate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

from ..models.device import choose_device


@dataclass(frozen=True)
class ProcessGroup:
    """This process within the group that trains together.

    Attributes:
        device: the device that it computes on.
        rank: its number, from 0; process 0 writes all files.
        count: the number of processes.
    """

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def add_up(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every process the sum of all gradients; a missing gradient counts as zero."""
        if self.count == 1:
            return
        flat = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in parameters])
        distributed.all_reduce(flat)
        first = 0
        for parameter in parameters:
            parameter.grad = flat[first : first + parameter.numel()].view_as(parameter)
            first += parameter.numel()

    def share(self, module: nn.Module) -> None:
        """Give every process the parameters that ``module`` has in process 0."""
        if self.count > 1:
            for parameter in module.parameters():
                distributed.broadcast(parameter.data, 0)

    def wait(self) -> None:
        """Wait until all processes have reached this call."""
        if self.count > 1:
            distributed.barrier()


def processes() -> int:
    """The number of processes that torchrun or accelerate started; 1 if this process runs alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """This process's number within the group that torchrun or accelerate started; 0 if it runs alone."""
    return int(os.environ.get("RANK", "0")) if processes() > 1 else 0


@contextmanager
def joined(device: str | None = None) -> Iterator[ProcessGroup]:
    """Join the group of processes that torchrun or accelerate started, if there is one.

    Args:
        device: as in ``choose_device``; in a group, each process takes the GPU with its local number.

    Raises:
        ConfigError: this machine has no such device.
    """
    if processes() == 1:
        yield ProcessGroup(choose_device(device))
        return
    if device in (None, "cuda") and torch.cuda.is_available():
        place = choose_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(place)
    else:
        place = choose_device(device)
    started = not distributed.is_initialized()
    if started:
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(place, distributed.get_rank(), distributed.get_world_size())
    finally:
        if started:
            distributed.destroy_process_group()
