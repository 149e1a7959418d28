"""Extracts the quantities of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..repair import repair
from ..report import Report, Sentence
from .figures import Figure, figures
from .indicators import core, is_verb, tail, thing, verbs, wants_object
from .quantity import Quantity
from .wording import PERIOD, Lead, take_apart

_MARKS = re.compile(r"[,;](?![0-9])")
_BREAK = re.compile("[，。；：！？]")
_JOINED = re.compile(r"(?:[、和及与]|以及)?(?:左右|以上)?[、和及与]?")
_LONGEST = 80
_TIMES = ("天", "小时", "分钟", "工作日", "个月")
_LEVELS = ("到", "至", "为", "由", "从")
_SIDES = re.compile("[、和及与]|以及")


def quantities(sentence: Sentence | str) -> tuple[Quantity, ...]:
    """The quantities of a sentence, in order; ranges are characters of the report's text, or of ``sentence`` if a str.

    Numbers that measure nothing (dates, names, ordinals) are left out, whatever labels the sentence has. The time is
    linear in the length.
    """
    if isinstance(sentence, Sentence):
        text, shift = sentence.text, sentence.start
    else:
        text, shift = sentence, 0
    mended = repair(text)
    found = []
    for quantity in _Reading(_MARKS.sub(_wide, mended.text)).quantities():
        start, end = mended.source(quantity.start, quantity.end)
        found.append(replace(quantity, start=shift + start, end=shift + end, text=text[start:end]))
    return tuple(found)


def report_quantities(report: Report, label: str | None = "metric") -> Iterator[tuple[Sentence, Quantity]]:
    """Each quantity of a report with its sentence, in the order of the text.

    Args:
        label: read only sentences with this label; None reads all sentences, labelled or not.
    """
    for sentence in report.sentences:
        if sentence.kind == "sentence" and (label is None or label in (sentence.labels or ())):
            for quantity in quantities(sentence):
                yield sentence, quantity


def _wide(mark: re.Match[str]) -> str:
    return "，" if mark[0] == "," else "；"


@dataclass
class _Reading:
    """A repaired sentence while its quantities are extracted."""

    text: str

    def quantities(self) -> list[Quantity]:
        found = figures(self.text)
        periods = [(match.start(), match[0]) for match in PERIOD.finditer(self.text)]
        result: list[Quantity] = []
        leads: list[Lead] = []
        period, coming = "", 0
        for number, figure in enumerate(found):
            while coming < len(periods) and periods[coming][0] < figure.start:
                period, coming = periods[coming][1], coming + 1
            before = found[number - 1].end if number else 0
            stop = found[number + 1].start if number + 1 < len(found) else len(self.text)
            lead, name = self._name(figure, before, stop, result)
            if result and not name and not lead.change and _JOINED.fullmatch(self.text[before : figure.start]):
                lead = replace(lead, change=result[-1].change, comparison=result[-1].comparison)
            comparison = lead.comparison
            if result and result[-1].is_change and lead.change[-1:] not in ("", *_LEVELS) and not core(lead.core):
                comparison = comparison or result[-1].comparison  # 比上年增加1亿元，增长6%
            leads.append(lead)
            result.append(
                Quantity(
                    figure.start,
                    figure.end,
                    self.text[figure.start : figure.end],
                    (name or (result[-1].indicator if result else self._subject(figure)))[:_LONGEST],
                    figure.value,
                    figure.upper,
                    figure.unit,
                    figure.bound,
                    lead.change,
                    comparison,
                    period,
                )
            )
        return _shared_out(self.text, result, leads)

    def _name(self, figure: Figure, before: int, stop: int, earlier: Sequence[Quantity]) -> tuple[Lead, str]:
        """The words before the figure, taken apart, and its indicator; empty if the previous figure's holds."""
        between = self.text[before : figure.start]
        near = between[-80:]
        if figure.unit == "位次" and not _JOINED.fullmatch(between) and take_apart(near, "位次") == Lead(near):
            before = max(0, figure.start - 80)  # figures stand within a rank's field: 列全省14个设区市第4位
        breaks = [match.end() for match in _BREAK.finditer(self.text, before, figure.start)]
        words = self.text[breaks[-1] if breaks else before : figure.start][-80:]
        listed = bool(earlier) and not breaks and _SIDES.match(words) is not None
        if listed:
            words = _SIDES.sub("", words, count=1)
        elif earlier and not breaks:  # 五次下调利率、四次下调准备金率: the words of the former end there
            words = words.rpartition("、")[2]
        lead = take_apart(words, figure.unit)
        name = core(lead.core)
        behind = tail(self.text, figure.end, stop, figure.unit)
        if earlier and earlier[-1].change and _JOINED.fullmatch(between):
            behind = ""
        counts = figure.unit not in ("%", "元") or len(name) < 2 or (figure.unit == "元" and wants_object(name))
        if behind and counts:
            if lead.change and not lead.change.endswith(_LEVELS) and figure.unit not in _TIMES:
                name, lead = name + lead.change, replace(lead, change="", comparison="")  # 提高三千种商品退税率
            name += behind
        if not earlier and name.startswith("占"):
            name = self._subject(figure) + name
        if not earlier or not name:
            return lead, name
        last = earlier[-1]
        if name.startswith("占"):
            name = last.indicator + name
        elif listed and not verbs(name):
            name = verbs(last.indicator) + name
        elif is_verb(name) and last.unit == figure.unit:
            name += thing(last.indicator)
        return lead, name

    def _subject(self, figure: Figure) -> str:
        """The words of the clause before the figure's own, where that does not say what the figure measures."""
        clauses = [
            clause for clause in _BREAK.split(self.text[max(0, figure.start - 80) : figure.start])[:-1] if clause
        ]
        name = core(clauses[-1]) if clauses else ""
        return name if len(name) <= 24 else ""


def _shared_out(text: str, found: list[Quantity], leads: Sequence[Lead]) -> list[Quantity]:
    """A、B和C分别增长1%、2%和3%: each figure gets the indicator at its place."""
    result = list(found)
    for first, lead in enumerate(leads):
        if not lead.each:
            continue
        last = first
        while last + 1 < len(found) and _JOINED.fullmatch(text[found[last].end : found[last + 1].start]):
            last += 1
        count = last - first + 1
        names = [part for part in _SIDES.split(core(lead.core)) if part]
        if not names:
            names = [q.indicator for q in result[max(0, first - 12) : first] if not q.is_change]
        if not names:
            names = [part for part in _SIDES.split(result[first].indicator) if part]
        if count > 1 and len(names) >= count:
            for place, name in enumerate(names[-count:]):
                result[first + place] = replace(result[first + place], indicator=name)
    return result
