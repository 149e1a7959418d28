"""Two linked reports as one self-contained HTML page: plans with answers, shortcomings with plans, figures, texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape

from ...annotate.writers.template import assemble, sheet
from ...data.labels import DEFAULT_LABELS
from ...data.quantities import Quantity
from ...data.report import Report
from .figures import Figure, Movement
from .links import Comparison, Evidence, PlanAnswer, ShortcomingAnswer, title
from .place import Place, Side

_PLAN_STATUS = {"answered": "已回应", "partly": "部分回应", "missing": "未见回应", "general": "原则性表述"}
_SHORTCOMING_STATUS = {"answered": "有对应计划", "missing": "未见对应计划", "general": "概括性表述"}
_MOVES = {"up": "上升", "down": "下降", "same": "持平"}
_REASONS = {"target": "目标数未达到", "ongoing": "报告自称尚未完成"}
_DOUBTED = 0.5
"""Pairs of figures whose score is below it are marked for people to check."""
_UNSURE = 0.7
"""Answers whose probability is below it are."""


def page(comparison: Comparison) -> str:
    """The page. Text from the reports is escaped everywhere: it is data, never markup."""
    return _Page(comparison).html()


class _Page:
    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.reports: dict[Side, Report] = {"earlier": comparison.earlier, "later": comparison.later}
        self.names = _names(comparison.earlier, comparison.later)
        self.links: dict[Place, str] = {}
        """Where a sentence is spoken of: the id of its row."""

    def html(self) -> str:
        counts = self.comparison.counts()
        parts = {
            "title": escape(f"{self._title('earlier')} 与 {self._title('later')} 对照"),
            "earlier": escape(self._title("earlier")),
            "later": escape(self._title("later")),
            "earlier-year": escape(self.names["earlier"]),
            "later-year": escape(self.names["later"]),
            "matcher": "字词与语义（编码器）" if self.comparison.encoder else "仅字词（未使用语义编码器）",
            "summary": self._summary(counts),
            "plan-filters": _filters(_PLAN_STATUS, counts["plans"]),
            "plans": "".join(map(self._plan, self.comparison.plans)) or _NONE,
            "shortcoming-filters": _filters(
                _SHORTCOMING_STATUS, counts["shortcomings"], again=counts["again"]["count"]
            ),
            "shortcomings": "".join(map(self._shortcoming, self.comparison.shortcomings)) or _NONE,
            "figure-filters": _filters(_MOVES, counts["figures"]),
            "targets": self._targets(),
            "figures": self._figures(),
            "earlier-text": self._text("earlier"),
            "later-text": self._text("later"),
        }
        return assemble("compare", parts, sheet("compare", DEFAULT_LABELS))

    def _title(self, side: Side) -> str:
        titles = {s: title(report) for s, report in self.reports.items()}
        if titles["earlier"] == titles["later"]:  # 政府工作报告, year after year
            return f"{titles[side]}（{self.reports[side].doc}）"
        return titles[side]

    def _summary(self, counts: dict[str, dict[str, int]]) -> str:
        plans, told, figures = counts["plans"], counts["shortcomings"], counts["figures"]
        goals = [goal.met for plan in self.comparison.plans for goal in plan.targets]
        lines = [
            (
                "plans",
                "计划与落实",
                f"{self.names['earlier']}的计划",
                [(s, _PLAN_STATUS[s], n) for s, n in plans.items()],
            ),
            (
                "shortcomings",
                "不足与对策",
                f"两份报告的不足，其中 {counts['again']['count']} 条次年仍提到",
                [(s, _SHORTCOMING_STATUS[s], n) for s, n in told.items()],
            ),
            (
                "figures",
                "指标变化",
                f"两年都报告的指标；另有计划数 {len(goals)} 个可对照，{goals.count(True)} 个达到",
                [(s, _MOVES[s], n) for s, n in figures.items()],
            ),
        ]
        return "".join(_card(*line) for line in lines)

    def _plan(self, plan: PlanAnswer) -> str:
        row = self._row(plan.place, f"p{plan.place.index}")
        shown = self._evidence(plan.place, plan.evidence) if plan.status != "missing" else self._nearest(plan)
        chips = "".join(f'<span class="chip">{_REASONS[reason]}</span>' for reason in plan.reasons)
        chips += _doubt(plan.status, plan.evidence)
        chips += "".join(map(_target_chip, plan.targets))
        return self._entry(row, plan.status, _PLAN_STATUS[plan.status], plan.place, plan.evidence, chips, shown)

    def _nearest(self, answer: PlanAnswer | ShortcomingAnswer) -> str:
        evidence = answer.evidence if isinstance(answer, PlanAnswer) else answer.plans
        what = "后一份报告中没有找到相近的成效表述。" if isinstance(answer, PlanAnswer) else "没有找到针对它的计划。"
        nearest = self._evidence(answer.place, evidence)
        more = f"<details><summary>最接近的一句</summary>{nearest}</details>" if nearest else ""
        return f'<div class="none">{what}{more}</div>'

    def _shortcoming(self, told: ShortcomingAnswer) -> str:
        row = self._row(told.place, f"s{told.place.side[0]}{told.place.index}")
        shown = self._evidence(told.place, told.plans) if told.status != "missing" else self._nearest(told)
        if told.again:
            again = self._evidence(told.place, told.again)
            shown += f'<div class="again-told"><h4>{escape(self.names["later"])}仍提到</h4>{again}</div>'
        chips = '<span class="chip warn">次年仍提到</span>' if told.again else ""
        chips += _doubt(told.status, told.plans)
        label = _SHORTCOMING_STATUS[told.status]
        return self._entry(
            row, told.status, label, told.place, (*told.plans, *told.again), chips, shown, bool(told.again)
        )

    def _entry(
        self,
        row: str,
        status: str,
        label: str,
        place: Place,
        evidence: Sequence[Evidence],
        chips: str,
        shown: str,
        again: bool = False,
    ) -> str:
        marks = set[str]().union(*(self._shared(place, e.place) for e in evidence)) if status != "missing" else set()
        answer = f'<div class="side">{shown}</div>' if shown else ""
        for e in evidence if status != "missing" else ():
            self.links.setdefault(e.place, row)
        states = f"{status} again" if again else status
        return (
            f'<article class="row {status}" id="{row}" data-status="{states}" tabindex="-1">'
            f'<div class="side"><p class="state"><b>{label}</b>{chips}</p>{self._card(place, marks)}</div>'
            f"{answer}</article>"
        )

    def _evidence(self, place: Place, found: Iterable[Evidence]) -> str:
        return "".join(self._card(e.place, self._shared(place, e.place), e.probability) for e in found)

    def _card(self, place: Place, marks: set[str], probability: float | None = None) -> str:
        sentence = self.comparison.sentence(place)
        path = " › ".join(escape(heading) for heading in sentence.headings)
        sure = ""
        if probability is not None:
            shown = f"{min(probability, 0.99):.0%}"  # nothing that is estimated is certain
            sure = f'<span class="sure">{_bar([("", min(probability, 0.99), 1.0)])}把握 {shown}</span>'
        return (
            f'<div class="card {place.side}"><p class="where"><i>{escape(self.names[place.side])}</i>'
            f'<bdi>{path}</bdi>{sure}<a href="#{_anchor(place)}" title="在全文中查看">全文</a></p>'
            f"<p><bdi>{_marked(sentence.clean, marks)}</bdi></p></div>"
        )

    def _targets(self) -> str:
        rows = []
        for plan in self.comparison.plans:
            for goal in plan.targets:
                state, (met, result) = _direction(goal), ("met", "达到") if goal.met else ("unmet", "未达到")
                rows.append(
                    f'<tr class="{state} {met}" data-status="{state}"><th scope="row"><a href="#p{plan.place.index}">'
                    f"{escape(_indicator(goal.old.quantity))}</a></th>{_cell(goal.old)}{_cell(goal.new)}"
                    f'<td class="result">{result}</td>{_moved(goal)}</tr>'
                )
        if not rows:
            return ""
        return _table("计划数与实际数", ("指标", "计划数", self.names["later"], "结果", "差距", "差距比例", ""), rows)

    def _figures(self) -> str:
        rows = []
        for movement in self.comparison.figures:
            name, before = _indicator(movement.new.quantity), _indicator(movement.old.quantity)
            other = f"<small>原：{escape(before)}</small>" if before != name else ""
            state = _direction(movement)
            rows.append(
                f'<tr class="{state}" data-status="{state}"><th scope="row">{escape(name)}{other}</th>'
                f"{_cell(movement.old)}{_cell(movement.new)}{_moved(movement)}</tr>"
            )
        if not rows:
            return _NONE
        titles = ("指标", self.names["earlier"], self.names["later"], "变化", "增减", "")
        return _table("两年都报告的指标", titles, rows)

    def _text(self, side: Side) -> str:
        report = self.reports[side]
        html: list[str] = []
        paragraph: list[str] = []
        end = 0
        for i, s in enumerate(report.sentences):
            opens = s.kind != "sentence" or "\n" in report.text[end : s.start]
            if paragraph and opens:
                html.append(f"<p>{''.join(paragraph)}</p>")
                paragraph.clear()
            end = s.end
            place = Place(side, i)
            if s.kind == "heading":
                depth = min(len(s.headings), 3)
                html.append(f'<h4 id="{_anchor(place)}" class="d{depth}">{escape(s.clean)}</h4>')
            elif s.kind == "furniture":
                html.append(f'<p class="furniture">{escape(s.clean)}</p>')
            else:
                kinds = "".join(f" f-{name}" for name in (s.labels or ())[:1] if name in DEFAULT_LABELS.names)
                row = self.links.get(place)
                back = f'<a class="back" href="#{row}" title="看对照">↥</a>' if row else ""
                paragraph.append(
                    f'<span class="s{kinds}" id="{_anchor(place)}"><bdi>{escape(s.clean)}</bdi>{back}</span>'
                )
        if paragraph:
            html.append(f"<p>{''.join(paragraph)}</p>")
        return "\n".join(html)

    def _row(self, place: Place, row: str) -> str:
        self.links[place] = row
        return row

    def _shared(self, one: Place, other: Place) -> set[str]:
        sentence = self.comparison.sentence
        return self.comparison.similarity.words.shared(sentence(one).clean, sentence(other).clean)


_NONE = '<p class="none">（无）</p>'


def _names(earlier: Report, later: Report) -> dict[Side, str]:
    """What to call the reports: by the years in their titles where they tell them apart."""
    found = []
    for report in (earlier, later):
        year = re.search("(?:19|20)[0-9]{2}", f"{title(report)} {report.doc}")
        found.append(f"{year[0]}年" if year else "")
    if found[0] == found[1] or not all(found):
        found = ["前一份", "后一份"]
    return {"earlier": found[0], "later": found[1]}


def _anchor(place: Place) -> str:
    return f"{place.side[0]}{place.index}"


def _marked(text: str, marks: set[str]) -> str:
    """``text`` escaped, with the characters of ``marks`` (pairs of characters) between ``<mark>`` tags."""
    inside = [False] * (len(text) + 1)
    for i in range(len(text) - 1):
        if text[i : i + 2] in marks:
            inside[i] = inside[i + 1] = True
    pieces = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or inside[i] != inside[start]:
            piece = escape(text[start:i])
            pieces.append(f"<mark>{piece}</mark>" if inside[start] else piece)
            start = i
    return "".join(pieces)


def _filters(titles: dict[str, str], counts: dict[str, int], again: int | None = None) -> str:
    rows = [(status, title, counts[status]) for status, title in titles.items()]
    if again is not None:
        rows.append(("again", "次年仍提到", again))
    return "".join(
        f'<button type="button" data-filter="{status}" aria-pressed="false"><i class="dot {status}"></i>{title} '
        f"<b>{count}</b></button>"
        for status, title, count in rows
    )


def _card(section: str, title: str, note: str, shares: Sequence[tuple[str, str, int]]) -> str:
    total = sum(count for _, _, count in shares)
    bar = _bar([(status, count, total) for status, _, count in shares])
    legend = "".join(f'<li><i class="dot {status}"></i>{title}<b>{count}</b></li>' for status, title, count in shares)
    return (
        f'<a class="total" href="#{section}"><h2>{title}<b>{total}</b></h2><p>{escape(note)}</p>'
        f"{bar}<ul>{legend}</ul></a>"
    )


def _bar(shares: Iterable[tuple[str, float, float]]) -> str:
    """Shares (class, amount, of how much) side by side; a drawing, since the page's policy shuts out styles in tags."""
    rects = []
    start = 0.0
    for name, amount, whole in shares:
        width = 100 * amount / whole if whole else 0
        if width:
            rects.append(f'<rect class="{name}" x="{start:.2f}" width="{width:.2f}" height="1"/>')
        start += width
    return f'<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">{"".join(rects)}</svg>'


def _doubt(status: str, evidence: Sequence[Evidence]) -> str:
    doubted = status in ("answered", "partly") and evidence[0].probability < _UNSURE
    return '<span class="chip warn">请核对</span>' if doubted else ""


def _target_chip(goal: Movement) -> str:
    state, word = ("ok", "达到") if goal.met else ("warn", "未达到")
    planned, reported = escape(goal.old.quantity.text), escape(goal.new.quantity.text)
    return f'<span class="chip {state}">计划 {planned} → {reported}，{word}</span>'


def _table(title: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return (
        f'<h3>{title}</h3><div class="table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(figure: Figure) -> str:
    return f'<td><a href="#{_anchor(figure.place)}"><bdi>{escape(figure.quantity.text)}</bdi></a></td>'


def _direction(movement: Movement) -> str:
    moved = movement.difference
    return "up" if moved > 0 else "down" if moved < 0 else "same"


def _moved(movement: Movement) -> str:
    """Three cells: the difference, the rate of growth, and what to be careful about."""
    moved, quantity = movement.difference, movement.new.quantity
    arrow = "▲" if moved > 0 else "▼" if moved < 0 else ""
    size = _readable(abs(moved)) + escape({"%": "个百分点", "百分点": "个百分点"}.get(quantity.unit, quantity.unit))
    if quantity.unit == "位次":
        arrow, size = "", f"{'后' if moved > 0 else '前'}移{_short(abs(moved))}位"
    ratio = "" if movement.ratio is None else f"{movement.ratio - 1:+.1%}"
    cares = {"单位不同": movement.other_unit, "请核对": movement.score < _DOUBTED}
    chips = "".join(f'<span class="chip warn">{word}</span>' for word, holds in cares.items() if holds)
    return f'<td><span class="arrow">{arrow}</span> {size if moved else "持平"}</td><td>{ratio}</td><td>{chips}</td>'


def _indicator(quantity: Quantity) -> str:
    """``地区生产总值（增长）`` for an amount of change; the bare indicator for a level."""
    return (quantity.indicator or "（未写明）") + (f"（{quantity.change}）" if quantity.is_change else "")


def _readable(value: Decimal) -> str:
    """As people write amounts: 52000000 is 5200万; at most three digits behind the point."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if value >= size:
            return f"{_short(value / size)}{name}"
    return _short(value)


def _short(value: Decimal) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
