"""Chooses what to label next: whole paragraphs by a strategy, with their context, ready for ``pizhu label push``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.errors import ConfigError, DataError
from ...base.progress import Progress, silent
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.rebuild import reports_from_records
from ...data.records import Record
from ...data.report import Report
from ...models.annotator import Annotator
from ..studio.proposals import with_current_names
from .learner import Features, learn
from .learning_curve import ExpectedGain, expected_gain
from .pool import Floats, Pool
from .strategies import STRATEGIES, View, choose

DEFAULT = "mixed"
LIGHT = "light"
"""The name in ``models`` for the light learner, trained on the labelled sentences."""


@dataclass(frozen=True)
class Next:
    """What to label next.

    Attributes:
        records: for ``pizhu label push``: sentences without labels, and as ``context`` the rest of their reports.
        sentences: how many sentences to label.
        paragraphs: how many paragraphs they make up.
        open: how many sentences there were to choose from.
        models: the models that the strategy used.
        hint: how much more labels are expected to improve the learner.
    """

    records: tuple[Record, ...]
    sentences: int
    paragraphs: int
    open: int
    models: tuple[str, ...]
    hint: ExpectedGain


def choose_next(
    pool: Pool,
    count: int,
    *,
    strategy: str = DEFAULT,
    models: Sequence[str] = (),
    labels: LabelSet = DEFAULT_LABELS,
    seed: int = 1,
    progress: Progress = silent,
) -> Next:
    """Choose paragraphs with at most ``count`` open sentences in all; the same pool and seed give the same choice.

    Args:
        pool: with or without labelled sentences; closed sentences are left out.
        count: how many sentences, at least 1.
        strategy: a name in :data:`.strategies.STRATEGIES`.
        models: model folders, ``default`` for the one that ``pizhu annotate`` uses, or ``light`` for the light learner
            trained on the labelled sentences. If these are too few for the strategy, ``light`` (if anything is
            labelled) and then ``default`` are added.
        labels: the pool's label set.
        seed: the seed for random choices.
        progress: reports the current step.

    Raises:
        ConfigError: an unknown strategy, or models that it cannot use.
        DataError: nothing is left to label, or no paragraph is so short.
        ModelError: a model cannot be loaded, or has other labels.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"unknown strategy {strategy!r}, expected one of {', '.join(STRATEGIES)}")
    chosen = STRATEGIES[strategy]
    open_ = int((~pool.closed).sum())
    if not open_:
        raise DataError("every sentence has been labelled or skipped; add reports to choose from")
    names = _models(models, chosen.models, strategy, bool(pool.known.any()))
    features = Features(pool)
    table = features.table(pool)
    probabilities = [_probabilities(name, pool, table, labels, progress) for name in names]
    vectors = Features.directions(table) if chosen.vectors else None
    parts = choose(View.of(pool, probabilities, vectors, seed), chosen, count)
    if not parts:
        raise DataError(f"every paragraph has more than {count} sentences to label; raise --count")
    rows = np.concatenate(parts)
    return Next(
        tuple(pool.shown({pool.records[row]["id"] for row in rows})),
        len(rows),
        len(parts),
        open_,
        tuple(names),
        expected_gain(pool, table, seed=seed, progress=progress),
    )


def _models(named: Sequence[str], needed: int, strategy: str, labelled: bool) -> list[str]:
    if len(named) > needed or (len(set(named)) < len(named)):
        raise ConfigError(f"strategy {strategy} uses {needed} different models, but --model names {len(named)}")
    if LIGHT in named and not labelled:
        raise ConfigError("the light learner needs labelled sentences; give a file of pulled answers as well")
    found = list(named)
    for name in [LIGHT, "default"] if labelled else ["default"]:
        if len(found) < needed and name not in found:
            found.append(name)
    if len(found) < needed:
        raise ConfigError(f"strategy {strategy} needs {needed} models; choose them with --model")
    return found


def _probabilities(name: str, pool: Pool, table: Any, labels: LabelSet, progress: Progress) -> Floats:
    """(sentences, labels) a model's probabilities for the pool."""
    if name == LIGHT:
        return learn(table[pool.known], pool.truth[pool.known]).probabilities(table)
    annotator = with_current_names(Annotator.load(None if name == "default" else name), labels)
    if set(annotator.about.labels.names) != set(labels.names):
        raise ConfigError(
            f"model {name} has the labels {', '.join(annotator.about.labels.names)}, not {', '.join(labels.names)}; "
            f"choose another with --model, or label some sentences and use --model {LIGHT}"
        )
    rows: list[list[float]] = []
    reports = _reports(pool, labels)
    for done, report in enumerate(annotator.annotate_many(reports)):
        progress("Asking the model (reports)", done, len(reports))
        rows += [[s.scores[n] for n in labels.names] for s in report.sentences if s.scores is not None]
    return np.array(rows)


def _reports(pool: Pool, labels: LabelSet) -> list[Report]:
    """The pool's reports; their sentences are in the pool's order."""
    return reports_from_records((record for part in pool.entries.values() for record in part), labels, "the pool")
