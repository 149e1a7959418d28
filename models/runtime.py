"""Runs models: ONNX Runtime on processors, torch on GPUs and for models without graphs.

Both give the same answer for a window whatever else they compute with it, so answers do not depend on the batch, on the
order of reports or on the number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ModelError
from ..base.silence import hush_onnxruntime
from .files import ENCODER_GRAPH, HEAD_GRAPH
from .unit_positions import UnitPositions
from .windows import Window

if TYPE_CHECKING:
    import torch

    from .classifier import ReportClassifier

Floats = NDArray[np.float32]
Job = TypeVar("Job")


class Runtime(Protocol):
    """Runs an encoder over windows and a head over the units of a report."""

    width: int
    """Width of a unit's vector."""
    labels: int
    """Number of labels."""
    kind: str
    """The engine, its device and precision: another kind may differ in the last digits."""

    def encode(self, jobs: Iterable[tuple[Job, Sequence[Window]]]) -> Iterator[tuple[Job, Floats]]:
        """For each job, in order: vectors (units, width) of all units that its windows answer.

        Lazy: only a few jobs are read ahead of the one that is yielded.
        """
        ...

    def scores(self, vectors: Floats, outline: UnitPositions) -> Floats:
        """Logits (units, labels) of one report's units in order."""
        ...


class OnnxRuntime:
    """ONNX Runtime on the processor: one window per call without padding, and as many calls at once as threads.

    Measured on two cores, one thread per window is faster than two, and single windows are no slower than batches:
    attention needs no mask and nothing is padded.
    """

    kind = "onnxruntime on cpu"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        import onnxruntime

        hush_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # otherwise a pattern is stored for every window length
        options.log_severity_level = 3
        try:
            self._encoder, self._head = (
                onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
                for name in (ENCODER_GRAPH, HEAD_GRAPH)
            )
        except Exception as error:  # onnxruntime's errors have no common base
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"model folder {folder} cannot be loaded: {reason}") from error
        self.width = int(self._encoder.get_outputs()[0].shape[-1])
        self.labels = int(self._head.get_outputs()[0].shape[-1])
        self._asked = [asked.name for asked in self._head.get_inputs()]  # roles or above, depending on the head
        self.threads = threads or cores()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="pizhu-encoder")

    def encode(self, jobs: Iterable[tuple[Job, Sequence[Window]]]) -> Iterator[tuple[Job, Floats]]:
        """See :class:`Runtime`."""
        ahead: deque[tuple[Job, list[Future[Floats]]]] = deque()
        waiting = 0
        for job, windows in jobs:
            ahead.append((job, [self._pool.submit(self._window, window) for window in windows]))
            waiting += len(windows)
            while len(ahead) > 1 and waiting - len(ahead[0][1]) > 4 * self.threads:
                waiting -= len(ahead[0][1])
                yield self._collect(*ahead.popleft())
        while ahead:
            yield self._collect(*ahead.popleft())

    def scores(self, vectors: Floats, outline: UnitPositions) -> Floats:
        """See :class:`Runtime`."""
        given = {"vectors": vectors, "roles": outline.roles, "above": outline.above}
        result: Floats = self._head.run(None, {name: given[name] for name in self._asked})[0]
        return result

    def _window(self, window: Window) -> Floats:
        tokens = np.asarray([window.tokens], dtype=np.int64)
        hidden: Floats = self._encoder.run(None, {"tokens": tokens})[0][0]
        return np.stack([hidden[start:end].mean(axis=0) for _, start, end in window.spans])

    def _collect(self, job: Job, answers: Sequence[Future[Floats]]) -> tuple[Job, Floats]:
        # Windows follow each other and each unit is answered once, so their concatenated answers are the report's.
        parts = [answer.result() for answer in answers]
        return job, np.concatenate(parts) if parts else np.zeros((0, self.width), dtype=np.float32)


class TorchRuntime:
    """torch on a processor or a GPU: windows of several jobs, sorted by length, in batches of many tokens."""

    def __init__(self, model: ReportClassifier, pad: int, *, half: bool | None = None) -> None:
        """``pad`` fills batches; ``half`` selects bfloat16, None selects it on a GPU."""
        self.model, self.pad = model, pad
        self.device = next(model.parameters()).device
        self.half = self.device.type == "cuda" if half is None else half
        self.kind = _torch_kind(self.device.type, self.half)
        self.width, self.labels = int(model.encoder.config.hidden_size), int(model.out.out_features)
        # On a GPU a batch has to be large to be worth a kernel launch; on a processor it only has to fit the cache.
        self.tokens = 65_536 if self.device.type == "cuda" else 4096

    def encode(self, jobs: Iterable[tuple[Job, Sequence[Window]]]) -> Iterator[tuple[Job, Floats]]:
        """See :class:`Runtime`."""
        group: list[tuple[Job, Sequence[Window]]] = []
        tokens = 0
        for job, windows in jobs:
            group.append((job, windows))
            tokens += sum(len(w.tokens) for w in windows)
            if tokens >= self.tokens:
                yield from self._group(group)
                group, tokens = [], 0
        yield from self._group(group)

    def scores(self, vectors: Floats, outline: UnitPositions) -> Floats:
        """See :class:`Runtime`."""
        import torch

        with torch.inference_mode(), self._autocast():
            given = torch.from_numpy(vectors).to(self.device)
            found = self.model.scores(given, outline)
        result: Floats = found.float().cpu().numpy()
        return result

    def _group(self, group: Sequence[tuple[Job, Sequence[Window]]]) -> Iterator[tuple[Job, Floats]]:
        import torch

        from .classifier import Batch

        found = [np.zeros((sum(len(w.spans) for w in ws), self.width), dtype=np.float32) for _, ws in group]
        places = [(number, window) for number, (_, windows) in enumerate(group) for window in windows]
        for some in batches(places, self.tokens):
            batch = Batch.of([window for _, window in some], self.pad, self.device)
            with torch.inference_mode(), self._autocast():
                vectors = self.model.vectors(batch).float().cpu().numpy()
            rows = iter(vectors)
            for number, window in some:
                for unit, _, _ in window.spans:
                    found[number][unit] = next(rows)
        yield from ((job, vectors) for (job, _), vectors in zip(group, found, strict=True))

    def _autocast(self) -> torch.autocast:
        import torch

        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)


def batches(found: Sequence[tuple[Any, Window]], most: int) -> list[list[tuple[Any, Window]]]:
    """Groups windows of similar length, at most ``most`` tokens per batch after padding."""
    groups: list[list[tuple[Any, Window]]] = []
    for pair in sorted(found, key=lambda pair: -len(pair[1].tokens)):
        if groups and len(groups[-1][0][1].tokens) * (len(groups[-1]) + 1) <= most:
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return groups


def kind_of(folder: Path, *, gpu: bool) -> str:
    """The runtime's kind for the model in ``folder`` on a machine with or without a GPU; loads nothing."""
    if (folder / ENCODER_GRAPH).is_file() and not gpu:
        return OnnxRuntime.kind
    return _torch_kind("cuda" if gpu else "cpu", gpu)


def _torch_kind(device: str, half: bool) -> str:
    return f"torch on {device} in {'bfloat16' if half else 'float32'}"


def cores() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
