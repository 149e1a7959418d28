"""How far annotators agree, label by label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ..data.errors import DataError, MissingExtraError
from ..data.labels import DEFAULT_LABELS, LabelSet
from .answers import Answer, latest


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement on one label, over the sentences that at least two annotators answered.

    Attributes:
        label: its name.
        chosen: how often it was chosen, all annotators together.
        agreement: share of pairs of answers that say the same, 0 to 1.
        kappa: Cohen's, -1 to 1, the mean over pairs of annotators; None where no pair's is defined (both said the
            same everywhere).
        alpha: Krippendorff's (nominal), at most 1; None where all answers are the same.
    """

    label: str
    chosen: int
    agreement: float
    kappa: float | None
    alpha: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of several annotators.

    Attributes:
        annotators: in alphabetical order.
        sentences: how many at least two of them answered; skips and unclear answers do not count.
        exact: share of pairs of answers whose labels are all the same, 0 to 1.
        labels: one row a label, in the label set's order.
        contested: ids (texts, where a record has none) of the sentences that answers differ on.
    """

    annotators: tuple[str, ...]
    sentences: int
    exact: float
    labels: tuple[LabelAgreement, ...]
    contested: tuple[str, ...]


def agreement(rows: Iterable[tuple[dict[str, Any], Sequence[Answer]]], labels: LabelSet = DEFAULT_LABELS) -> Agreement:
    """Measure agreement over answers records as :func:`.answers.read_answers` gives them.

    Raises:
        DataError: no sentence has the answers of two annotators.
    """
    shared: list[dict[str, tuple[str, ...]]] = []
    contested = []
    for record, answers in rows:
        given = {answer.annotator: answer.labels for answer in latest(answers) if answer.labels is not None}
        if len(given) > 1:
            shared.append(given)
            if len(set(given.values())) > 1:
                contested.append(str(record.get("id") or record["text"]))
    if not shared:
        raise DataError("no sentence has answers of two annotators, so there is no agreement to measure")
    annotators = tuple(sorted({name for given in shared for name in given}))
    pairs = [pair for given in shared for pair in combinations(given.values(), 2)]
    return Agreement(
        annotators,
        len(shared),
        sum(a == b for a, b in pairs) / len(pairs),
        tuple(_on_label(name, shared, annotators) for name in labels.names),
        tuple(contested),
    )


def _on_label(label: str, shared: Sequence[dict[str, tuple[str, ...]]], annotators: Sequence[str]) -> LabelAgreement:
    said = [{name: label in names for name, names in given.items()} for given in shared]
    pairs = [pair for given in said for pair in combinations(given.values(), 2)]
    kappas = [
        kappa
        for first, second in combinations(annotators, 2)
        if (both := [(given[first], given[second]) for given in said if first in given and second in given])
        and (kappa := _kappa(both)) is not None
    ]
    return LabelAgreement(
        label,
        sum(sum(given.values()) for given in said),
        sum(a == b for a, b in pairs) / len(pairs),
        sum(kappas) / len(kappas) if kappas else None,
        _alpha([[given.get(name) for given in said] for name in annotators]),
    )


def _kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    try:
        from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("agreement", "label") from None
    first, second = zip(*pairs, strict=True)
    if len({*first, *second}) == 1:
        return None
    return float(cohen_kappa_score(first, second))


def _alpha(table: Sequence[Sequence[bool | None]]) -> float | None:
    try:
        import krippendorff
    except ImportError:
        raise MissingExtraError("agreement", "label") from None
    if len({value for row in table for value in row if value is not None}) == 1:
        return None
    numbers = [[math.nan if value is None else float(value) for value in row] for row in table]
    return float(krippendorff.alpha(reliability_data=numbers, level_of_measurement="nominal"))
