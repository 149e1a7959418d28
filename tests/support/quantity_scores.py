"""Scores found quantities against hand-labelled sentences; bench/quantities.py says what counts as found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pizhu.data.quantities import quantities

Item = dict[str, Any]


def predicted(text: str) -> list[Item]:
    """The extractor's quantities in the form of the labels."""
    return [quantity.as_dict() for quantity in quantities(text)]


def figure(item: Item) -> tuple[Any, ...]:
    """What two quantities must share to count as the same."""
    return (item["start"], item["end"], float(item["value"]), item.get("upper") or None, item["unit"])


def bare(text: str) -> str:
    """``text`` without punctuation, white space and 的."""
    return re.sub(r"[^\w]|的", "", text)


def overlap(a: str, b: str) -> float:
    """F1 of the longest common subsequence, 0 to 1."""
    a, b = bare(a), bare(b)
    row = [0] * (len(b) + 1)
    for x in a:
        last = 0
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], last + 1 if x == y else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(a) + len(b)) if a or b else 1.0


def base(text: str) -> str:
    """A comparison without words such as 比 and 相比."""
    return re.sub("^[比较与同](?!比)|相比$|的$", "", text)


@dataclass(frozen=True)
class Aspect:
    """A field to score: which quantities have it, and when two values match."""

    has: Callable[[Item], bool]
    same: Callable[[Item, Item], bool]


def _word(field: str, same: Callable[[str, str], bool] = str.__eq__) -> Aspect:
    return Aspect(lambda q: bool(q.get(field)), lambda a, b: same(a.get(field, ""), b.get(field, "")))


ASPECTS = {
    "figure (value, unit, range)": Aspect(lambda q: True, lambda a, b: True),
    "indicator, exact": Aspect(lambda q: True, lambda a, b: bare(a["indicator"]) == bare(b["indicator"])),
    "indicator, overlap": Aspect(lambda q: True, lambda a, b: overlap(a["indicator"], b["indicator"]) >= 0.5),
    "change": _word("change"),
    "comparison": _word("comparison", lambda a, b: base(a) == base(b)),
    "period": _word("period", lambda a, b: bool(a and b) and (a in b or b in a)),
    "bound": _word("bound"),
}


def counts(gold: list[Item], found: list[Item], aspect: Aspect) -> tuple[int, int, int]:
    """The numbers of correct, found and labelled quantities in one sentence."""
    wanted = {figure(item): item for item in gold if aspect.has(item)}
    got = {figure(item): item for item in found if aspect.has(item)}
    right = sum(aspect.same(wanted[key], got[key]) for key in wanted.keys() & got.keys())
    return right, len(got), len(wanted)


def scores(rows: list[tuple[int, int, int]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of sentences together."""
    right, found, wanted = (sum(column) for column in zip(*rows, strict=True))
    precision, recall = right / max(found, 1), right / max(wanted, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)
