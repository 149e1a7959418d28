"""Marking quantities in sentences: indicator, value and unit as spans, proposed by :mod:`pizhu.data.quantities`.

Answers and their records have ``spans`` (docs/records.md) where those of :mod:`.answers` have ``labels``; a sentence
without spans is "none". An answer with a label that is not in the label set is unclear: its ``spans`` are null, and
``choices`` names its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...base.errors import DataError
from ...base.toml import brief
from ...data.labels import Label, LabelSet
from ...data.quantities import Quantity, quantities
from ...data.records import Record, SpanRecord
from .answers import Answer, plain
from .config import OBJECT, SPANS
from .tasks import sentence_data

SPAN_LABELS = LabelSet(
    (
        Label("indicator", "指标", "#0072b2", "1", "衡量什么，如“办理行政复议案件”"),
        Label("value", "数值", "#d55e00", "2", "数本身，连同“万”“亿”，如“3.2万”"),
        Label("unit", "单位", "#009e73", "3", "如“件”“%”“个百分点”"),
        Label("change", "变化", "#cc79a7", "4", "升降，如“增长”“下降到”"),
        Label("comparison", "比较", "#e69f00", "5", "同什么比，如“同比”“比上年”“全省”"),
        Label("period", "时期", "#56b4e9", "6", "什么时候，如“全年”"),
    )
)
VERSION = "pizhu-quantities"  # the "model" of the proposals


@dataclass(frozen=True, slots=True, order=True)
class MarkedSpan:
    """A part of a sentence; ``start`` and ``end`` are a half-open range of characters of the sentence's text."""

    start: int
    end: int
    label: str
    text: str

    def record(self) -> SpanRecord:
        """The span in the form that records use."""
        return {"label": self.label, "start": self.start, "end": self.end, "text": self.text}


def to_tasks(
    records: Iterable[Record], labels: LabelSet, where: str, report_url: str | None = None
) -> list[dict[str, Any]]:
    """A task for each sentence that is labelled ``metric`` or holds a quantity; see :func:`.tasks.to_tasks`.

    Every task has the spans of its quantities as a pre-annotation, if ``labels`` has their kinds under any name.
    """
    named = dict(zip(SPAN_LABELS.names, labels.canonical(SPAN_LABELS.names), strict=True))
    tasks = []
    for record, data, _ in sentence_data(records, where, report_url):
        found = quantities(record["text"])
        if found or "metric" in (record.get("labels") or ()):
            proposed = propose(record["text"], found)
            marked = [replace(span, label=named[span.label]) for span in proposed if named[span.label] in labels.names]
            tasks.append({"data": data, "predictions": [{"model_version": VERSION, "result": result(marked)}]})
    return tasks


def propose(text: str, found: Sequence[Quantity]) -> list[MarkedSpan]:
    """The spans of a sentence's quantities, in order, each once; the ranges of ``found`` refer to ``text``."""
    spans: set[MarkedSpan] = set()
    for number, quantity in enumerate(found):
        spans.update(_figure(text, quantity))
        # What belongs to a figure precedes it; an indicator that several figures share precedes the first of them.
        close = found[number - 1].end if number else 0
        for label, words, reach in (
            ("indicator", quantity.indicator, 0),
            ("change", quantity.change, close),
            ("comparison", quantity.comparison, 0),
            ("period", quantity.period, 0),
        ):
            start = text.rfind(words, reach, quantity.start) if words else -1
            if start >= 0:
                spans.add(_span(text, label, start, start + len(words)))
    return sorted(spans)


def result(spans: Sequence[MarkedSpan]) -> list[dict[str, Any]]:
    """Spans in Label Studio's form."""
    return [
        {
            "id": f"{span.label}-{span.start}-{span.end}",
            "from_name": SPANS,
            "to_name": OBJECT,
            "type": "labels",
            "value": {"start": span.start, "end": span.end, "text": span.text, "labels": [span.label]},
        }
        for span in spans
    ]


def read_result(given: Iterable[Mapping[str, Any]], text: str, labels: LabelSet) -> tuple[MarkedSpan, ...]:
    """The spans of an answer in Label Studio's form, in order, each once.

    Raises:
        DataError: a span lies outside ``text``, its text differs from ``text`` there, or its label is unknown.
    """
    spans: set[MarkedSpan] = set()
    for part in given:
        if part.get("from_name") != SPANS:
            continue
        value = part["value"]
        names = labels.canonical(value.get("labels", ()))
        spans.update(_placed(text, name, value) for name in labels.check(names, "a span"))
    return tuple(sorted(spans))


def from_annotation(
    annotation: Mapping[str, Any], annotator: str, record: Record, labels: LabelSet
) -> Answer[MarkedSpan]:
    """The answer in a Label Studio annotation; it is unclear if a label is unknown.

    Raises:
        DataError: a span lies outside the sentence, or its text differs from the sentence there.
    """
    skipped, text, given = bool(annotation["was_cancelled"]), record["text"], annotation["result"]
    shown = annotation.get("prediction") or {}
    meant = None if skipped else _meant(given, text, labels)
    proposed = _meant(shown["result"], text, labels) if shown.get("result") else None
    spans = None if proposed is None else plain(proposed)
    return Answer(
        annotator,
        meant,
        skipped,
        annotation["updated_at"],
        annotation["lead_time"],
        annotation["parent_prediction"] is not None,
        {"model": shown.get("model_version"), "spans": spans} if shown.get("result") else None,
        None if skipped or meant is not None else tuple(_names(given, labels)),
        field="spans",
    )


def _figure(text: str, quantity: Quantity) -> Iterator[MarkedSpan]:
    """Value and unit of a figure; if it has no unit (三成, 第4位), all of it is the value."""
    at = quantity.text.rfind(quantity.unit) if quantity.unit else -1
    end = quantity.start + at if at > 0 else quantity.end
    if at > 0:
        unit_end = end + len(quantity.unit)
        if text[end - 1] == "个" and end - 1 > quantity.start:  # 5个百分点
            end -= 1
        yield _span(text, "unit", end, unit_end)
    yield _span(text, "value", quantity.start, end)


def _span(text: str, label: str, start: int, end: int) -> MarkedSpan:
    return MarkedSpan(start, end, label, text[start:end])


def _placed(text: str, label: str, value: Mapping[str, Any]) -> MarkedSpan:
    start, end, said = value.get("start"), value.get("end"), value.get("text")
    if not isinstance(start, int) or not isinstance(end, int):
        raise DataError(f"a span of {brief(label)} has no range of characters")
    if not 0 <= start < end <= len(text):
        raise DataError(
            f"a span of {brief(label)} from {brief(start)} to {brief(end)} is outside its sentence of {len(text)}"
            " characters"
        )
    if said is not None and said != text[start:end]:
        raise DataError(
            f"a span of {brief(label)} says {brief(said)}, but the sentence has {brief(text[start:end])} there"
        )
    return _span(text, label, start, end)


def _meant(given: Sequence[Mapping[str, Any]], text: str, labels: LabelSet) -> tuple[MarkedSpan, ...] | None:
    """The spans, or None if one has a label that is not in the set."""
    return read_result(given, text, labels) if set(_names(given, labels)) <= set(labels.names) else None


def _names(given: Sequence[Mapping[str, Any]], labels: LabelSet) -> list[str]:
    """The labels' current names."""
    return [
        name
        for part in given
        if part.get("from_name") == SPANS
        for name in labels.canonical(part["value"].get("labels", ()))
    ]
