"""The teachers' answers about reports: probabilities and unit vectors for a smaller model to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..base.errors import ModelError
from ..base.files import beside
from ..data.report import Report
from ..models.device import halves
from ..models.folder import load_model
from ..models.runtime import TorchRuntime
from ..models.unit_positions import UnitPositions
from ..models.windows import Windower
from .examples import Example
from .provenance import fingerprint, fingerprint_reports

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """The teachers' answers about one report.

    Attributes:
        probabilities: (report.sentences, labels) the mean over the teachers' calibrated probabilities.
        vectors: (report.sentences, width) unit vectors of the first teacher.
    """

    probabilities: Floats
    vectors: Floats


def lessons(
    teachers: Sequence[Path],
    reports: Sequence[Report],
    names: Sequence[str],
    folder: Path,
    device: torch.device,
    tick: Callable[[], None],
) -> list[Lesson]:
    """Ask ``teachers`` about ``reports``; answers are stored in ``folder``, so that a killed run continues from there.

    ``tick`` is called after each answer.

    Raises:
        ModelError: a teacher is unusable or knows other labels.
    """
    per_report: list[list[tuple[Floats, Floats]]] = [[] for _ in reports]
    for teacher in teachers:
        model, tokenizer, about = load_model(teacher)
        if about.labels.names != tuple(names):
            raise ModelError(
                f"teacher {teacher} knows the labels {', '.join(about.labels.names)}, expected {', '.join(names)}"
            )
        windower = Windower(tokenizer, about.context)
        runtime = TorchRuntime(model.to(device), windower.special.pad, half=halves(device))
        for answers, report in zip(per_report, reports, strict=True):
            path = folder / f"{fingerprint([about.fingerprint, fingerprint_reports([report])])[:24]}.safetensors"
            count, width = len(report.sentences), runtime.width
            kept = _kept(path, (count, len(names)), (count, width))
            if kept is None:
                parts = windower.units(report)
                job = ((), windower.windows(report, parts))
                ((_, found),) = runtime.encode([job])
                logits = runtime.scores(found, UnitPositions.of(parts))
                rows = [part.index for part in parts]
                probabilities = np.zeros((count, len(names)), dtype=np.float32)
                probabilities[rows] = about.decision.probabilities(logits)
                vectors = np.zeros((count, width), dtype=np.float32)
                vectors[rows] = found
                kept = probabilities, vectors
                with beside(path) as part:
                    save_file({"probabilities": probabilities, "vectors": vectors}, part)
            answers.append(kept)
            tick()
    return [
        Lesson(np.mean([probabilities for probabilities, _ in answers], axis=0), answers[0][1])
        for answers in per_report
    ]


def taught(example: Example, lesson: Lesson, sentences: Sequence[bool], weight: float) -> Example:
    """``example`` with the answers of ``lesson`` added.

    Args:
        sentences: for each unit whether it is a sentence; only sentences have labels to learn.
        weight: weight of the example's own labels, if any, 0 to 1.
    """
    probabilities = torch.from_numpy(lesson.probabilities[list(example.places)])
    own = example.known.unsqueeze(1)
    targets = torch.where(own, weight * example.targets + (1 - weight) * probabilities, probabilities)
    vectors = torch.from_numpy(lesson.vectors[list(example.places)])
    return replace(example, targets=targets, known=torch.tensor(sentences, dtype=torch.bool), vectors=vectors)


def _kept(path: Path, *shapes: tuple[int, int]) -> tuple[Floats, Floats] | None:
    """The answers stored in ``path``, of ``shapes``; None if they are missing or damaged."""
    try:
        found = load_file(path)
        probabilities, vectors = found["probabilities"], found["vectors"]
    except (OSError, SafetensorError, KeyError):
        return None
    return (probabilities, vectors) if (probabilities.shape, vectors.shape) == shapes else None
