"""Writes a comparison as one self-contained HTML page: plans with answers, shortcomings with plans, figures, texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ...annotate.writers.template import assemble, sheet
from ...base.page import bar
from ...data.labels import DEFAULT_LABELS
from ...data.quantities import Quantity
from ...data.report import Report
from .figures import Movement
from .links import Comparison, Evidence, PlanAnswer, ShortcomingAnswer, title
from .place import Place, Side

_WEB = "analysis/compare/web"
_PLAN_STATUS = {"answered": "已回应", "partly": "部分回应", "missing": "未见回应", "general": "原则性表述"}
_SHORTCOMING_STATUS = {"answered": "有对应计划", "missing": "未见对应计划", "general": "概括性表述"}
_MOVES = {"up": "上升", "down": "下降", "same": "持平"}
_REASONS = {"target": "目标数未达到", "ongoing": "报告自称尚未完成"}
_CHECK_PAIR_BELOW = 0.5
"""Pairs of figures with a lower score are marked for people to check."""
_CHECK_ANSWER_BELOW = 0.7
"""Answers with a lower probability are marked for people to check."""


_Shares = list[tuple[str, str, int]]
"""(CSS class, word, count) of each part of a whole."""


class _Card(NamedTuple):
    """A displayed sentence; ``pieces`` are its text, each with whether the other sentence shares it."""

    side: Side
    year: str
    path: str
    anchor: str
    pieces: list[tuple[str, bool]]
    sure: float | None


class _Entry(NamedTuple):
    """A plan or a shortcoming with its answers.

    Attributes:
        row: its id on the page.
        word: the Chinese word for ``status``.
        chips: (CSS class, text) of the remarks next to it.
        missing: the remark if there is no answer; then ``evidence`` holds the nearest sentence.
    """

    row: str
    status: str
    word: str
    chips: list[tuple[str, str]]
    card: _Card
    evidence: list[_Card]
    missing: str
    again: list[_Card]


class _Figure(NamedTuple):
    """A figure, with the anchor of its sentence."""

    anchor: str
    text: str


class _Moved(NamedTuple):
    """A movement with the indicator's name (``was`` in the earlier report) and with ``cares``, its warnings."""

    name: str
    was: str
    direction: str
    old: _Figure
    new: _Figure
    arrow: str
    size: str
    ratio: str
    cares: list[str]


class _Block(NamedTuple):
    """A heading (with a depth), a piece of furniture (no sentences), or a paragraph.

    Each sentence is (anchor, CSS class of its first label, text, id of the row that mentions it).
    """

    depth: int | None
    anchor: str
    text: str
    sentences: list[tuple[str, str, str, str]]


def page(comparison: Comparison) -> str:
    """The page. Text from the reports is escaped everywhere: it is data, never markup."""
    return _Page(comparison).html()


class _Page:
    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.reports: dict[Side, Report] = {"earlier": comparison.earlier, "later": comparison.later}
        self.names = _names(comparison.earlier, comparison.later)
        self.links: dict[Place, str] = {}
        """The id of the row that mentions a sentence."""

    def html(self) -> str:
        counts = self.comparison.counts()
        plans = _shares(_PLAN_STATUS, counts["plans"])
        shortcomings = _shares(_SHORTCOMING_STATUS, counts["shortcomings"])
        figures = _shares(_MOVES, counts["figures"])
        again = counts["again"]["count"]
        goals = [(plan, goal) for plan in self.comparison.plans for goal in plan.targets]
        met = sum(bool(goal.met) for _, goal in goals)
        pieces = assemble(
            "compare",
            sheet("compare", DEFAULT_LABELS, _WEB),
            _WEB,
            titles={side: self._title(side) for side in self.reports},
            years=self.names,
            encoder=self.comparison.encoder,
            summary=[
                _total("plans", "计划与落实", f"{self.names['earlier']}的计划", plans),
                _total("shortcomings", "不足与对策", f"两份报告的不足，其中 {again} 条次年仍提到", shortcomings),
                _total(
                    "figures",
                    "指标变化",
                    f"两年都报告的指标；另有计划数 {len(goals)} 个可对照，{met} 个达到",
                    figures,
                ),
            ],
            plan_shares=plans,
            plans=list(map(self._plan, self.comparison.plans)),
            shortcoming_shares=[*shortcomings, ("again", "次年仍提到", again)],
            shortcomings=list(map(self._shortcoming, self.comparison.shortcomings)),
            figure_shares=figures,
            targets=[(_moved(goal), f"p{plan.place.index}", goal.met) for plan, goal in goals],
            figures=list(map(_moved, self.comparison.figures)),
            texts={side: self._text(side) for side in self.reports},  # drawn last, when all rows are in self.links
        )
        return "".join(pieces)

    def _title(self, side: Side) -> str:
        titles = {s: title(report) for s, report in self.reports.items()}
        if titles["earlier"] == titles["later"]:  # such as 政府工作报告 every year
            return f"{titles[side]}（{self.reports[side].doc}）"
        return titles[side]

    def _plan(self, plan: PlanAnswer) -> _Entry:
        chips = [("", _REASONS[reason]) for reason in plan.reasons]
        chips += _check_chip(plan.status, plan.evidence)
        chips += map(_target_chip, plan.targets)
        missing = "后一份报告中没有找到相近的成效表述。" if plan.status == "missing" else ""
        row, word = f"p{plan.place.index}", _PLAN_STATUS[plan.status]
        return self._entry(plan, row, word, plan.evidence, (), chips, missing)

    def _shortcoming(self, found: ShortcomingAnswer) -> _Entry:
        chips = [("warn", "次年仍提到")] if found.again else []
        chips += _check_chip(found.status, found.plans)
        missing = "没有找到针对它的计划。" if found.status == "missing" else ""
        row, word = f"s{found.place.side[0]}{found.place.index}", _SHORTCOMING_STATUS[found.status]
        return self._entry(found, row, word, found.plans, found.again, chips, missing)

    def _entry(
        self,
        answer: PlanAnswer | ShortcomingAnswer,
        row: str,
        word: str,
        evidence: Sequence[Evidence],
        again: Sequence[Evidence],
        chips: list[tuple[str, str]],
        missing: str,
    ) -> _Entry:
        place = answer.place
        self.links[place] = row
        marks = set[str]()
        for e in () if missing else (*evidence, *again):
            marks |= self._shared(place, e.place)
            self.links.setdefault(e.place, row)
        return _Entry(
            row,
            answer.status,
            word,
            chips,
            self._card(place, marks),
            self._evidence(place, evidence),
            missing,
            self._evidence(place, again),
        )

    def _evidence(self, place: Place, found: Iterable[Evidence]) -> list[_Card]:
        return [self._card(e.place, self._shared(place, e.place), e.probability) for e in found]

    def _card(self, place: Place, marks: set[str], probability: float | None = None) -> _Card:
        sentence = self.comparison.sentence(place)
        sure = None if probability is None else min(probability, 0.99)  # an estimate is never certain
        path = " › ".join(sentence.headings)
        year, pieces = self.names[place.side], _marked(sentence.clean, marks)
        return _Card(place.side, year, path, _anchor(place), pieces, sure)

    def _text(self, side: Side) -> Iterator[_Block]:
        report = self.reports[side]
        paragraph: list[tuple[str, str, str, str]] = []
        end = 0
        for i, s in enumerate(report.sentences):
            if paragraph and (s.kind != "sentence" or "\n" in report.text[end : s.start]):
                yield _Block(None, "", "", paragraph)
                paragraph = []
            end = s.end
            place = Place(side, i)
            if s.kind == "heading":
                yield _Block(min(len(s.headings), 3), _anchor(place), s.clean, [])
            elif s.kind == "furniture":
                yield _Block(None, "", s.clean, [])
            else:
                kind = "".join(f" f-{name}" for name in (s.labels or ())[:1] if name in DEFAULT_LABELS.names)
                paragraph.append((_anchor(place), kind, s.clean, self.links.get(place, "")))
        if paragraph:
            yield _Block(None, "", "", paragraph)

    def _shared(self, one: Place, other: Place) -> set[str]:
        sentence = self.comparison.sentence
        return self.comparison.similarity.words.shared(sentence(one).clean, sentence(other).clean)


def _names(earlier: Report, later: Report) -> dict[Side, str]:
    """The reports' names on the page: the years in their titles if they differ."""
    found = []
    for report in (earlier, later):
        year = re.search("(?:19|20)[0-9]{2}", f"{title(report)} {report.doc}")
        found.append(f"{year[0]}年" if year else "")
    if found[0] == found[1] or not all(found):
        found = ["前一份", "后一份"]
    return {"earlier": found[0], "later": found[1]}


def _anchor(place: Place) -> str:
    return f"{place.side[0]}{place.index}"


def _marked(text: str, marks: set[str]) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether ``marks`` (pairs of characters) cover it."""
    inside = [False] * (len(text) + 1)
    for i in range(len(text) - 1):
        if text[i : i + 2] in marks:
            inside[i] = inside[i + 1] = True
    pieces = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or inside[i] != inside[start]:
            pieces.append((text[start:i], inside[start]))
            start = i
    return pieces


def _shares(words: dict[str, str], counts: dict[str, int]) -> _Shares:
    return [(status, word, counts[status]) for status, word in words.items()]


def _total(
    section: str, heading: str, note: str, shares: _Shares
) -> tuple[str, str, str, _Shares, int, list[tuple[str, float, float]]]:
    """The summary of one section of the page: its shares as words and as a bar."""
    total = sum(count for *_, count in shares)
    return section, heading, note, shares, total, bar.pieces((status, count, total) for status, _, count in shares)


def _check_chip(status: str, evidence: Sequence[Evidence]) -> list[tuple[str, str]]:
    uncertain = status in ("answered", "partly") and evidence[0].probability < _CHECK_ANSWER_BELOW
    return [("warn", "请核对")] if uncertain else []


def _target_chip(goal: Movement) -> tuple[str, str]:
    state, word = ("ok", "达到") if goal.met else ("warn", "未达到")
    return state, f"计划 {goal.old.quantity.text} → {goal.new.quantity.text}，{word}"


def _moved(movement: Movement) -> _Moved:
    """A movement as a row of the table."""
    moved, quantity = movement.difference, movement.new.quantity
    arrow = "▲" if moved > 0 else "▼" if moved < 0 else ""
    size = _readable(abs(moved)) + {"%": "个百分点", "百分点": "个百分点"}.get(quantity.unit, quantity.unit)
    if quantity.unit == "位次":
        arrow, size = "", f"{'后' if moved > 0 else '前'}移{_short(abs(moved))}位"
    cares = {"单位不同": movement.other_unit, "请核对": movement.score < _CHECK_PAIR_BELOW}
    old, new = (_Figure(_anchor(f.place), f.quantity.text) for f in (movement.old, movement.new))
    return _Moved(
        _indicator(quantity),
        _indicator(movement.old.quantity),
        "up" if moved > 0 else "down" if moved < 0 else "same",
        old,
        new,
        arrow,
        size if moved else "持平",
        "" if movement.ratio is None else f"{movement.ratio - 1:+.1%}",
        [word for word, holds in cares.items() if holds],
    )


def _indicator(quantity: Quantity) -> str:
    """``地区生产总值（增长）`` for a change; only the indicator for a level."""
    return (quantity.indicator or "（未写明）") + (f"（{quantity.change}）" if quantity.is_change else "")


def _readable(value: Decimal) -> str:
    """An amount as people write it: 52000000 is 5200万; with at most three decimals."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if value >= size:
            return f"{_short(value / size)}{name}"
    return _short(value)


def _short(value: Decimal) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
