"""Pairs the figures of two reports that measure the same thing, and tells how they changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.quantities import Quantity
from ...data.quantities.quantity import plain_number
from .place import Place
from .ranking import highest, one_to_one
from .words import Index, Words

_MEASURES: dict[str, tuple[str, Decimal]] = {
    "公里": ("米", Decimal(1000)),
    "千米": ("米", Decimal(1000)),
    "公顷": ("亩", Decimal(15)),
    "平方公里": ("亩", Decimal(1500)),
    "平方千米": ("亩", Decimal(1500)),
    "公斤": ("千克", Decimal(1)),
    "吨": ("千克", Decimal(1000)),
    "小时": ("分钟", Decimal(60)),
}
"""Conversions: each unit with the base unit of its measure and the factor."""
_ALIKE = [
    set("人名位") | {"人次", "人天"},
    set("家户所") | {"家次", "户次", "户"},
    set("件起宗项例个处条次") | {"件次", "项次", "次"},
]
"""Units that count similar things: 34宗 in one year are 29件 in the next. The page warns that the basis may differ."""
_LEAST = 0.3
"""The lowest score of two figures that are paired."""
_LEAST_TARGET = 0.2
"""The lowest score of a planned figure and one in a sentence that answers the plan."""
_SAME_NAME = 0.5
"""The lowest similarity of the names of paired figures from unrelated sentences."""
_CEILING = re.compile("控制|不超|不高于|不突破")
_LESS_IS_BETTER = re.compile(
    "失业率|事故|死亡|发病|发案|能耗|物耗|漏损|差错|投诉|逾期|赤字|不合格|时限|用时|债务率|负债率"
)
_ABOUT = Decimal("0.95")
"""The share of a figure planned as 左右 that counts as reached."""

Scores = NDArray[np.float64]
_Kind = tuple[str, bool, bool, int]


@dataclass(frozen=True)
class Figure:
    """A quantity and the sentence that contains it."""

    place: Place
    quantity: Quantity


@dataclass(frozen=True)
class Movement:
    """Two figures that measure the same thing.

    Attributes:
        old, new: the earlier (or planned) figure and the later one.
        score: 0 to 1, the confidence that they measure the same thing.
        met: whether a planned figure was reached; None if ``old`` is not a planned figure.
    """

    old: Figure
    new: Figure
    score: float
    met: bool | None = None

    @property
    def difference(self) -> Decimal:
        """New minus old, in the unit of the new figure."""
        return self.new.quantity.value - _in_unit(self.old.quantity, self.new.quantity.unit)

    @property
    def ratio(self) -> float | None:
        """New divided by old; None if the old figure is 0, and for shares and changes, whose ratio says little."""
        old = _in_unit(self.old.quantity, self.new.quantity.unit)
        if not old or self.new.quantity.is_change or self.new.quantity.unit in ("%", "‰", "百分点", "位次"):
            return None
        return float(self.new.quantity.value / old)

    @property
    def other_unit(self) -> bool:
        """Whether the units differ, so that the figures may count different things (家 and 家次)."""
        return _measure(self.old.quantity.unit)[0] != _measure(self.new.quantity.unit)[0]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "old": _figure_dict(self.old),
            "new": _figure_dict(self.new),
            "difference": plain_number(self.difference),
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "other_unit": self.other_unit,
            "met": self.met,
            "score": round(self.score, 3),
        }


def movements(
    old: Sequence[Figure], new: Sequence[Figure], words: Words, likeness: NDArray[np.float32]
) -> list[Movement]:
    """Pair the figures of two reports one to one, highest scores first; figures without a counterpart are omitted.

    Args:
        likeness: (old, new), the similarity of their sentences.
    """
    names = words.similarity([_name(figure) for figure in old], [_name(figure) for figure in new])
    scores = 0.7 * names + 0.3 * np.clip(2 * likeness, 0, 1)
    kinds = _Kinds(new)
    for figure, row in zip(old, scores, strict=True):
        row *= kinds.factors(figure)
    return [Movement(old[i], new[j], float(scores[i, j])) for i, j in one_to_one(scores, _LEAST)]


class Reported:
    """The figures in a report's achievements, for lookups by sentence and by name.

    Args:
        figures: in the order of their sentences.
    """

    def __init__(self, figures: Sequence[Figure], words: Words) -> None:
        self._figures = figures
        self._names = Index(words, [_name(figure) for figure in figures])
        self._kinds = _Kinds(figures)
        self._at: dict[Place, list[int]] = {}
        for i, figure in enumerate(figures):
            self._at.setdefault(figure.place, []).append(i)

    def of(self, places: Set[Place]) -> list[Figure]:
        """The figures of some sentences."""
        return [self._figures[i] for i in self._where(places)]

    def named_like(self, planned: Sequence[Figure], without: Set[Place]) -> list[Figure]:
        """Figures outside the sentences ``without`` that may match planned ones, by name and unit.

        For each of the n planned figures it keeps the best n. Even if the other planned figures take n - 1 of them, one
        is left, so no further candidate is ever needed.
        """
        excluded = self._where(without)
        found = np.zeros(len(self._figures), dtype=bool)
        for figure in planned:
            scores = _named_alike(self._kinds.factors(figure), self._names.similarity(_name(figure)))
            scores[excluded] = 0
            best = highest(scores, len(planned))
            found[best[scores[best] > 0]] = True
        return [self._figures[i] for i in np.flatnonzero(found).tolist()]

    def _where(self, places: Iterable[Place]) -> list[int]:
        return sorted(i for place in places for i in self._at.get(place, ()))


def targets(
    planned: Sequence[Figure], answering: Sequence[Figure], others: Sequence[Figure], words: Words
) -> list[Movement]:
    """Pair a plan's figures with the reported ones.

    Args:
        answering: the figures of the sentences that answer the plan. Two figures with the same unit are paired if their
            indicators are alike, or if no other figure has that unit.
        others: the figures of other sentences; they need the same name.
    """
    reported = [*answering, *others]
    names = words.similarity([_name(figure) for figure in planned], [_name(figure) for figure in reported])
    kinds = _Kinds(reported)
    scores = np.zeros_like(names)
    answers = slice(len(answering))
    factors = np.array([kinds.factors(figure) for figure in planned]).reshape(names.shape)
    alone = _alone(factors[:, answers], axis=0) & _alone(factors[:, answers], axis=1)
    for i, figure in enumerate(planned):
        scores[i] = _named_alike(factors[i], names[i])
        if figure.quantity.unit == "个":  # anything may be counted in 个
            alone[i] &= names[i, answers].astype(np.float64) > 0.05
        scores[i, answers] = factors[i, answers] * np.maximum(names[i, answers], 0.5 * alone[i])
    return [
        Movement(planned[i], reported[j], float(scores[i, j]), reached(planned[i].quantity, reported[j].quantity))
        for i, j in one_to_one(scores, _LEAST_TARGET)
    ]


def reached(planned: Quantity, reported: Quantity) -> bool:
    """Whether a planned figure was reached: at most that much if the plan sets a ceiling, else at least that much."""
    goal = _in_unit(planned, reported.unit)
    ceiling = planned.bound == "以内" or planned.unit == "位次" or bool(_CEILING.search(planned.change))
    if not planned.is_change:  # 下降5% is reached by a fall of 6%, 降到5% by 4%
        ceiling |= planned.direction < 0 or bool(_LESS_IS_BETTER.search(planned.indicator))
    if ceiling:
        return reported.value <= goal
    return reported.value >= (goal * _ABOUT if planned.bound == "约" else goal)


def _named_alike(factors: Scores, names: NDArray[np.float32]) -> NDArray[np.float32]:
    """The score by name and unit alone; 0 if the names differ."""
    return (factors * names * (names >= _SAME_NAME)).astype(np.float32)


def _alone(factors: Scores, axis: int) -> NDArray[np.bool_]:
    """Which factors are the only maximum of their column (``axis`` 0) or row (1)."""
    first = factors == factors.max(axis=axis, keepdims=True, initial=0)
    return np.asarray(first & (first.sum(axis=axis, keepdims=True) == 1))


class _Kinds:
    """Groups figures by everything that :func:`_unit_factor` uses, so that it runs once per group, not per pair."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        kinds = [_kind(figure.quantity) for figure in figures]
        self._examples = {kind: figure.quantity for kind, figure in zip(kinds, figures, strict=True)}
        numbers = {kind: i for i, kind in enumerate(self._examples)}
        self._which = np.array([numbers[kind] for kind in kinds], dtype=np.intp)
        self._known: dict[_Kind, Scores] = {}

    def factors(self, figure: Figure) -> Scores:
        """(figures,), the :func:`_unit_factor` of ``figure`` and each of the figures."""
        kind = _kind(figure.quantity)
        if kind not in self._known:
            found = [_unit_factor(figure.quantity, example) for example in self._examples.values()]
            self._known[kind] = np.array(found, dtype=np.float64)
        return self._known[kind][self._which]


def _kind(quantity: Quantity) -> _Kind:
    change = quantity.is_change
    return quantity.unit, change, bool(quantity.upper), quantity.direction if change else 0


def _name(figure: Figure) -> str:
    return figure.quantity.key.partition("|")[0] or figure.quantity.indicator


def _unit_factor(a: Quantity, b: Quantity) -> float:
    """1 for units of the same measure, less for units that count similar things, 0 for figures that cannot match."""
    if a.is_change != b.is_change or bool(a.upper) != bool(b.upper) or (a.is_change and a.direction * b.direction < 0):
        return 0.0
    if _measure(a.unit)[0] == _measure(b.unit)[0]:
        return 1.0
    return 0.85 if any({a.unit, b.unit} <= group for group in _ALIKE) else 0.0


def _measure(unit: str) -> tuple[str, Decimal]:
    return _MEASURES.get(unit, (unit, Decimal(1)))


def _in_unit(quantity: Quantity, unit: str) -> Decimal:
    (measure, factor), (wanted, by) = _measure(quantity.unit), _measure(unit)
    return quantity.value * factor / by if measure == wanted else quantity.value


def _figure_dict(figure: Figure) -> dict[str, Any]:
    return {"report": figure.place.side, "sentence": figure.place.index, **figure.quantity.as_dict()}
