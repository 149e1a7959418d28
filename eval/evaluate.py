"""Evaluates a model on held-out reports, next to baselines that are trained on the same data as the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import DataError, PizhuError
from ..base.progress import Progress, silent
from ..base.scores import Floats
from ..data.labels import DEFAULT_LABELS, LabelSet
from ..data.report import Report, labelled, normalise
from ..models.baseline import FrozenBaseline, TfidfBaseline
from .calibration import Reliability, reliability
from .confusion import Confusion, confusion
from .curves import PrecisionRecall, Reviewed, precision_recall, review_curve
from .held_out import Division, divide
from .learning import Fit, Point, learning_curve, sizes
from .metrics import Scores, score
from .mistakes import Mistake, TrainingIndex, worst
from .predictions import Gold, Predictions, collect
from .rules import KeywordRules
from .significance import Comparison, compare
from .slices import slices

if TYPE_CHECKING:
    from ..models.about import About
    from ..models.annotator import Annotator
    from .attribution import Attribution

MODEL = "model"
RULES = "keyword rules"
TFIDF_ALONE = "tf-idf + logistic regression, sentence alone"
TFIDF = "tf-idf + logistic regression"
FROZEN = "frozen encoder + logistic regression"
NEAREST, ATTRIBUTION, LEARNING = "nearest training sentences", "attributions", "learning curve"
SEEDS = (1, 2, 3)

Explain = Callable[[Report, int, str], "Attribution"]


@dataclass(frozen=True)
class Depth:
    """How much to compute beyond the model's own figures.

    Attributes:
        baselines: score keyword rules and TF-IDF with logistic regression.
        slow: score a frozen encoder too, and find the training sentences nearest to the worst errors.
        errors: how many of the worst errors to show in context.
        learning: train the baselines on subsets of the reports.
    """

    baselines: bool = True
    slow: bool = False
    errors: int = 0
    learning: bool = False


@dataclass(frozen=True)
class Review:
    """How well the model's review marks find its errors.

    Attributes:
        flagged: sentences that the model marks for review; ``flagged_wrong`` of them are wrong, of ``wrong`` in all.
        rest: scores of the other sentences; None if there are none.
        curve: by the share that is reviewed, the least certain sentences first.
    """

    flagged: int
    flagged_wrong: int
    wrong: int
    rest: Scores | None
    curve: tuple[Reviewed, ...]


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        about: the model's labels, decision rule and origin.
        division: the reports, and those that are left out because the model was trained on them.
        training: (reports, labelled sentences) that the baselines are trained on.
        repeated: sentences that also occur, word for word, in the training reports.
        systems: scores of each system on the same sentences, the model first.
        comparisons: the model's figures minus those of each other system.
        curves: precision and recall by label, for each system with probabilities.
        reliability, confusion, review, slices, mistakes: of the model.
        learning: points of the learning curves.
        left_out: what was not computed, and why.
    """

    about: About
    division: Division
    training: tuple[int, int]
    repeated: int
    systems: dict[str, Scores]
    comparisons: dict[str, Comparison]
    curves: dict[str, dict[str, PrecisionRecall | None]]
    reliability: dict[str, Reliability]
    confusion: Confusion
    review: Review
    slices: dict[str, dict[str, Scores]]
    mistakes: list[Mistake]
    learning: list[Point]
    left_out: dict[str, str]

    @property
    def labels(self) -> LabelSet:
        """The model's labels."""
        return self.about.labels

    @property
    def docs(self) -> tuple[str, ...]:
        """Names of the scored reports."""
        return tuple(report.doc for report in self.division.scored)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        names, decision = self.labels.names, self.about.decision
        return {
            "model": {
                "name": self.about.name,
                "fingerprint": self.about.fingerprint,
                "thresholds": dict(zip(names, decision.thresholds, strict=True)),
                "temperatures": dict(zip(names, decision.temperatures, strict=True)),
                "review_below": decision.review_below,
                "seed": seed(self.about.origin),
                "versions": self.about.origin.get("versions", {}),
            },
            "reports": list(self.docs),
            "reports_left_out": {
                "learned": [report.doc for report in self.division.learned],
                "validation": [report.doc for report in self.division.validation],
            },
            "scored_on_validation": self.division.flattering,
            "labels": list(names),
            "training": {"reports": self.training[0], "sentences": self.training[1], "repeated": self.repeated},
            "systems": {name: asdict(scores) for name, scores in self.systems.items()},
            "comparisons": {name: asdict(found) for name, found in self.comparisons.items()},
            "average_precision": {
                system: {name: curve and curve.average for name, curve in curves.items()}
                for system, curves in self.curves.items()
            },
            "precision_recall": {
                system: {
                    name: curve and {"recall": list(curve.recall), "precision": list(curve.precision)}
                    for name, curve in curves.items()
                }
                for system, curves in self.curves.items()
            },
            "calibration": {name: asdict(found) for name, found in self.reliability.items()},
            "confusion": {
                "rows": [*names, "none missed"],
                "columns": [*names, "none given"],
                "matrix": [list(row) for row in self.confusion.matrix],
                "sets": [{"true": list(t), "given": list(g), "sentences": n} for t, g, n in self.confusion.sets],
            },
            "review": asdict(self.review),
            "slices": {
                dimension: {value: asdict(scores) for value, scores in values.items()}
                for dimension, values in self.slices.items()
            },
            "errors": [asdict(mistake) for mistake in self.mistakes],
            "learning_curve": [asdict(point) for point in self.learning],
            "left_out": self.left_out,
        }


def evaluate(
    annotator: Annotator,
    held_out: Sequence[Report],
    training: Sequence[Report] = (),
    *,
    facts: Mapping[str, Mapping[str, str]] | None = None,
    depth: Depth = Depth(),
    explain: Callable[[], Explain] | None = None,
    tell: Progress = silent,
) -> Evaluation:
    """Score ``annotator`` on the labelled sentences of ``held_out``, and baselines trained on ``training``.

    Args:
        held_out: labelled reports; those that the model was trained on are left out (:func:`.held_out.divide`).
        training: reports for the baselines, the nearest sentences and the learning curve, without the scored ones.
        facts: by ``doc``, the reports' ``kind`` and ``level``, by which scores are split.
        explain: loads the function that explains an answer (``attribution.explainer``); its error is noted in
            ``left_out``.
        tell: called with the progress.

    Raises:
        DataError: nothing is labelled, a label is not one of the model's, or it was trained on all reports.
    """
    about = annotator.about
    division = divide(held_out, about.origin)
    gold = _gold(about.labels, division.scored, training)
    names, left_out = gold.names, dict[str, str]()
    ours = _collect(gold, annotator.annotate_many(gold.questions()), MODEL, tell)
    answers = {MODEL: ours}
    known = _teaching(training, division)
    fits = _fits(names, [*known, *gold.reports], depth, left_out, tell) if depth.baselines or depth.learning else {}
    if depth.baselines:
        if names == DEFAULT_LABELS.names:
            answers[RULES] = _collect(gold, map(KeywordRules().annotate, gold.questions()), RULES, tell)
        for name, fit in fits.items():
            with _or_left_out(name, left_out):
                answers[name] = _collect(gold, map(_fitted(fit, known), gold.questions()), name, tell)
    mistakes = worst(gold, ours, depth.errors)
    if mistakes and depth.slow:
        with _or_left_out(NEAREST, left_out):
            mistakes = _with_nearest(annotator, gold, known, mistakes, tell)
    if mistakes and explain is not None:
        with _or_left_out(ATTRIBUTION, left_out):
            mistakes = _explained(gold, mistakes, explain(), tell)
    points: list[Point] = []
    if depth.learning:
        with _or_left_out(LEARNING, left_out):
            points = _learning(gold, known, fits, tell)
    probabilities = ours.probabilities or ()
    truth, given = np.concatenate(gold.truth), np.concatenate(ours.given)
    texts = {normalise(s.text) for r in known for s in r.sentences if s.kind == "sentence"}
    asked = [r.sentences[i].text for r, places in zip(gold.reports, gold.places, strict=True) for i in places]
    return Evaluation(
        about=about,
        division=division,
        training=(len(known), sum(s.kind == "sentence" and s.labels is not None for r in known for s in r.sentences)),
        repeated=sum(normalise(text) in texts for text in asked),
        systems={name: score(gold.truth, found.given, names) for name, found in answers.items()},
        comparisons={
            name: compare(gold.truth, ours.given, found.given, names)
            for name, found in answers.items()
            if name != MODEL
        },
        curves={
            name: {
                label: precision_recall(truth[:, i], np.concatenate(found.probabilities)[:, i])
                for i, label in enumerate(names)
            }
            for name, found in answers.items()
            if found.probabilities is not None
        },
        reliability=reliability(gold.truth, probabilities, names),
        confusion=confusion(truth, given, names),
        review=_review(gold, ours, about.decision.confidence(np.concatenate(probabilities))),
        slices=slices(gold, ours, facts or {}),
        mistakes=mistakes,
        learning=points,
        left_out=left_out,
    )


def seed(origin: Mapping[str, Any]) -> int | None:
    """The seed with which a model was trained, if its ``origin`` says so."""
    found: int | None = origin.get("recipe", {}).get("training", {}).get("seed")
    return found


def _gold(labels: LabelSet, scored: Sequence[Report], training: Sequence[Report]) -> Gold:
    unknown = {name for r in (*scored, *training) for s in r.sentences for name in s.labels or ()} - set(labels.names)
    if unknown:
        raise DataError(f"the data have the label {min(unknown)!r}, but the model knows {', '.join(labels.names)}")
    return Gold.of(scored, labels.names)


def _teaching(training: Sequence[Report], division: Division) -> list[Report]:
    """The reports with labelled sentences, each once; no baseline is trained on a report that it is scored on."""
    scored = {r.doc for r in division.scored}
    known = {r.doc: r for r in training if r.doc not in scored}
    return labelled(known.values())


def _collect(gold: Gold, annotated: Iterator[Report], name: str, tell: Progress) -> Predictions:
    return collect(gold, annotated, lambda done: tell(f"Predictions of the {name}", done, len(gold.reports)))


def _fits(
    names: Sequence[str], reports: Sequence[Report], depth: Depth, left_out: dict[str, str], tell: Progress
) -> dict[str, Fit]:
    """For each trained baseline, the function that trains it."""
    fits: dict[str, Fit] = {
        TFIDF_ALONE: lambda reports: TfidfBaseline(names, context=False).fit(reports).annotate,
        TFIDF: lambda reports: TfidfBaseline(names).fit(reports).annotate,
    }
    if depth.slow:
        with _or_left_out(FROZEN, left_out):
            from .frozen import encoder_vectors

            vectors = encoder_vectors()
            for done, report in enumerate(reports, 1):
                vectors(report)
                tell("Vectors of the frozen encoder", done, len(reports))
            fits[FROZEN] = lambda reports: FrozenBaseline(names, vectors).fit(reports).annotate
    return fits


def _fitted(fit: Fit, training: Sequence[Report]) -> Callable[[Report], Report]:
    if not training:
        raise DataError("there are no labelled training reports; name some with --training")
    return fit(training)


@contextmanager
def _or_left_out(what: str, left_out: dict[str, str]) -> Iterator[None]:
    """Note an error in ``left_out`` and go on with the rest."""
    try:
        yield
    except PizhuError as error:
        left_out[what] = str(error)


def _review(gold: Gold, ours: Predictions, confidence: Floats) -> Review:
    truth, given = np.concatenate(gold.truth), np.concatenate(ours.given)
    flagged, wrong = np.concatenate(ours.review), (truth != given).any(axis=1)
    kept = [~review for review in ours.review]
    rest = score(
        [t[k] for t, k in zip(gold.truth, kept, strict=True)],
        [g[k] for g, k in zip(ours.given, kept, strict=True)],
        gold.names,
    )
    return Review(
        int(flagged.sum()),
        int((flagged & wrong).sum()),
        int(wrong.sum()),
        rest if rest.sentences else None,
        review_curve(truth, given, confidence),
    )


def _with_nearest(
    annotator: Annotator, gold: Gold, training: Sequence[Report], mistakes: list[Mistake], tell: Progress
) -> list[Mistake]:
    if not training:
        raise DataError("there are no labelled training reports; name some with --training")
    watch = partial(_told, tell, "Vectors of the training sentences", len(training))
    index = TrainingIndex(annotator.vectors, training, watch)
    return [replace(m, nearest=index.nearest(gold.reports[m.report], m.place)) for m in mistakes]


def _explained(gold: Gold, mistakes: list[Mistake], explain: Explain, tell: Progress) -> list[Mistake]:
    found = []
    for done, mistake in enumerate(mistakes, 1):
        report = gold.reports[mistake.report]
        blank = report.with_labels([None for _ in report.sentences])
        found.append(replace(mistake, attribution=explain(blank, mistake.place, mistake.label)))
        tell("Attributions of the worst errors", done, len(mistakes))
    return found


def _learning(gold: Gold, training: Sequence[Report], fits: Mapping[str, Fit], tell: Progress) -> list[Point]:
    if len(training) < 2:
        raise DataError("a learning curve needs at least two labelled training reports")
    counts = sizes(len(training))
    total = len(fits) * ((len(counts) - 1) * len(SEEDS) + 1)
    return learning_curve(gold, training, fits, counts, SEEDS, partial(_told, tell, "Learning curve", total))


def _told(tell: Progress, what: str, total: int, done: int) -> None:
    tell(what, done, total)
