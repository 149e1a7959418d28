"""A loaded model that labels reports."""

from __future__ import annotations

import ctypes.util
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ModelError
from ..data.read import read_report, report_from_text
from ..data.report import Report, Span
from .about import About
from .decision import Decision
from .device import choose_device
from .files import ENCODER_GRAPH
from .folder import is_model, load_about, load_model, load_tokenizer
from .paths import KNOWN, default_model
from .runtime import OnnxRuntime, Runtime, TorchRuntime
from .unit_positions import UnitPositions
from .windows import SpecialTokens, Unit, Window, Windower

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Annotator:
    """Labels every sentence of a report, with probabilities.

    >>> Annotator.load().annotate("报告.txt").sentences  # doctest: +SKIP
    """

    def __init__(self, runtime: Runtime, tokenizer: Tokenizer, about: About) -> None:
        self.runtime, self.tokenizer, self.about = runtime, tokenizer, about
        self._windower = Windower(tokenizer, about.context)

    @classmethod
    def load(
        cls, folder: str | Path | None = None, *, device: str | None = None, threads: int | None = None
    ) -> Annotator:
        """Load a model folder.

        Args:
            folder: the model folder; None for the default one (:func:`.paths.default_model`).
            device: ``cpu``, ``cuda``, …; None uses a GPU if there is one.
            threads: how many processor threads compute; None for one per core.

        Raises:
            ModelError: there is no model, or a part of it is missing, changed or made for other labels.
            ConfigError: this machine has no such device.
        """
        folder = default_model() if folder is None else Path(folder)
        drawn = is_model(folder) and (folder / ENCODER_GRAPH).is_file()
        if drawn and (device == "cpu" or (device is None and not _gpu())):
            about = load_about(folder)
            annotator = cls(OnnxRuntime(folder, threads), load_tokenizer(folder, about), about)
        else:
            model, tokenizer, about = load_model(folder)
            model.to(choose_device(device))
            annotator = cls(TorchRuntime(model, SpecialTokens.of(tokenizer).pad), tokenizer, about)
        if about.fingerprint != KNOWN:
            annotator._check_answers(folder)
        return annotator

    def _check_answers(self, folder: Path) -> None:
        """Raise a ModelError if the model cannot label a first sentence, because every report would then fail.

        Loading has checked that it ends, and soon: what runs is BERT over a short window, a graph made by pizhu, and a
        tokenizer with few and bounded steps.
        """
        try:
            answer = self.logits(_FIRST)
        except Exception as error:  # runtimes raise whatever their parts raise
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"model folder {folder} cannot be used: it has no answer to a sentence: {reason}"
            ) from error
        if not np.isfinite(answer).all():
            raise ModelError(f"model folder {folder} cannot be used: its answers are not numbers; train it again")

    def annotate(self, report: Report | str | Path) -> Report:
        """The report with ``labels`` and ``scores`` on each sentence; headings and furniture get no labels.

        Raises:
            ReadError: the file cannot be read.
        """
        if not isinstance(report, Report):
            report = read_report(report)
        return next(self.annotate_many([report]))

    def annotate_text(self, text: str, doc: str = "text") -> Report:
        """:meth:`annotate` for a report given as text.

        Args:
            text: the whole text of a report, one paragraph per line.
            doc: the report's name, for records and the sentences' ids.

        Raises:
            ReadError: the text is empty, holds no sentence or is over a limit.
        """
        return self.annotate(report_from_text(text, doc))

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        """:meth:`annotate` for each of ``reports``, in order and lazily: only a few reports are in memory at a time."""
        for report, logits in report_logits(self.runtime, self._windower, reports):
            yield answered(report, self.about.labels.names, self.about.decision, logits)

    def logits(self, report: Report) -> NDArray[np.float32]:
        """Logits (report.sentences, labels); zeros for furniture."""
        found = report_logits(self.runtime, self._windower, [report])
        return next(found)[1]

    def vectors(self, report: Report) -> NDArray[np.float32]:
        """(report.sentences, width) the encoder's vector of each sentence in its window; zeros for furniture."""
        jobs = _jobs(self._windower, [report])
        (_, parts), found = next(self.runtime.encode(jobs))
        result = np.zeros((len(report.sentences), self.runtime.width), dtype=np.float32)
        if parts:
            result[[part.index for part in parts]] = found
        return result


_FIRST = Report.build(
    "",
    "一、工作\n完成任务12件，A\U00020000。",
    (Span(0, 4, "heading", 1), Span(5, 16, "sentence")),
)
"""With a heading, and with characters that are in no vocabulary."""


def annotate_text(text: str, doc: str = "text", annotator: Annotator | None = None) -> Report:
    """Make ``text`` a report, with labels, scores and review marks on its sentences.

    Args:
        text: the whole text of a report, one paragraph per line.
        doc: the report's name, for records and the sentences' ids.
        annotator: the model; None loads the default one, which takes a second each time.

    Raises:
        ReadError: the text is empty, holds no sentence or is over a limit.
        ModelError: there is no default model, or it is damaged.
    """
    return (annotator or Annotator.load()).annotate_text(text, doc)


def answered(report: Report, names: tuple[str, ...], decision: Decision, logits: NDArray[np.float32]) -> Report:
    """``report`` with the labels that ``decision`` derives from ``logits`` (report.sentences, labels)."""
    probabilities = decision.probabilities(logits)
    given, doubted = decision.choose(probabilities), decision.review(probabilities)
    labels: list[tuple[str, ...]] = []
    scores: list[dict[str, float] | None] = []
    review: list[bool] = []
    for sentence, row, yes, doubt in zip(report.sentences, probabilities, given, doubted, strict=True):
        asked = sentence.kind == "sentence"
        labels.append(tuple(n for n, y in zip(names, yes, strict=True) if y) if asked else ())
        scores.append(dict(zip(names, map(float, row), strict=True)) if asked else None)
        review.append(asked and bool(doubt))
    return report.with_labels(labels, scores, review)


def report_logits(
    runtime: Runtime, windower: Windower, reports: Iterable[Report]
) -> Iterator[tuple[Report, NDArray[np.float32]]]:
    """Each report with the logits (report.sentences, labels) of its entries; zeros for furniture."""
    for (report, parts), vectors in runtime.encode(_jobs(windower, reports)):
        result = np.zeros((len(report.sentences), runtime.labels), dtype=np.float32)
        if parts:
            result[[part.index for part in parts]] = runtime.scores(vectors, UnitPositions.of(parts))
        yield report, result


def _jobs(windower: Windower, reports: Iterable[Report]) -> Iterator[tuple[tuple[Report, list[Unit]], list[Window]]]:
    for report in reports:
        parts = windower.units(report)
        yield (report, parts), windower.windows(report, parts)


def _gpu() -> bool:
    """Whether torch would find a GPU; imports torch, which takes seconds, only where a driver is installed."""
    if importlib.util.find_spec("torch") is None or not any(map(ctypes.util.find_library, ("cuda", "nvcuda"))):
        return False
    import torch

    return torch.cuda.is_available()
