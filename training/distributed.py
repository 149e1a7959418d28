"""Several processes that train one model together, as torchrun and accelerate start them."""

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
    """This process among those that train together.

    Attributes:
        device: where it computes.
        rank: its number, from 0; the first writes all files.
        count: how many there are.
    """

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def add_up(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every process the sum of all their gradients; where one has none, it counts as zero."""
        if self.count == 1:
            return
        flat = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in parameters])
        distributed.all_reduce(flat)
        first = 0
        for parameter in parameters:
            parameter.grad = flat[first : first + parameter.numel()].view_as(parameter)
            first += parameter.numel()

    def share(self, module: nn.Module) -> None:
        """Give every process the first one's parameters of ``module``."""
        if self.count > 1:
            for parameter in module.parameters():
                distributed.broadcast(parameter.data, 0)

    def wait(self) -> None:
        """Until all have come here."""
        if self.count > 1:
            distributed.barrier()


def processes() -> int:
    """How many torchrun or accelerate started; 1 where this one runs alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """This process's number among those that torchrun or accelerate started; 0 where it runs alone."""
    return int(os.environ.get("RANK", "0")) if processes() > 1 else 0


@contextmanager
def joined(device: str | None = None) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun or accelerate started, if it did.

    Args:
        device: as in ``choose_device``; among several processes each takes the GPU of its own number.

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
    begun = not distributed.is_initialized()
    if begun:
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(place, distributed.get_rank(), distributed.get_world_size())
    finally:
        if begun:
            distributed.destroy_process_group()
