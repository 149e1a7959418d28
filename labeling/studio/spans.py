"""Marking quantities in sentences: indicator, value and unit as spans, proposed by :mod:`pizhu.data.quantities`.

An answers record of this task is as :mod:`.answers` says, with ``spans`` where that has ``labels``::

    "spans": [{"label": "value", "start": 8, "end": 12, "text": "3.2万"}, …] | [] | null

``start`` and ``end`` are a half-open range of characters of the sentence's text; a sentence without any is "none". An
answer with a label that the label set has not is not clear: its ``spans`` are null, the labels named in ``choices``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...base.errors import DataError
from ...data.labels import Label, LabelSet
from ...data.quantities import Quantity, quantities
from .answers import Answer, answer_record, merge
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
    """A stretch of a sentence; ``start`` and ``end`` as the module says."""

    start: int
    end: int
    label: str
    text: str

    def record(self) -> dict[str, Any]:
        """As it stands in an answers record."""
        return {field: asdict(self)[field] for field in ("label", "start", "end", "text")}


@dataclass(frozen=True, slots=True)
class SpanAnswer:
    """One annotator's spans; fields as those of :class:`.answers.Answer`.

    Attributes:
        spans: in order; None that it was skipped or is not clear.
        choices: the labels' names, where one is unknown and it is therefore not clear.
    """

    annotator: str
    spans: tuple[MarkedSpan, ...] | None
    skipped: bool = False
    at: str | None = None
    lead_time: float | None = None
    from_prediction: bool = False
    shown: Mapping[str, Any] | None = None
    choices: tuple[str, ...] | None = None
    deleted: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether it began with the proposal and says the same."""
        proposed = self.shown.get("spans") if self.shown else None
        return self.from_prediction and self.spans is not None and _records(self.spans) == proposed

    def record(self) -> dict[str, Any]:
        """As it stands in an answers record."""
        return answer_record(self, "spans", _records(self.spans))


def to_tasks(
    records: Iterable[Mapping[str, Any]], labels: LabelSet, where: str, report_url: str | None = None
) -> list[dict[str, Any]]:
    """A task for each sentence that is labelled ``metric`` or holds a quantity; see :func:`.tasks.to_tasks`.

    Every task has the spans of its quantities as a pre-annotation, of the kinds that ``labels`` has, under any name.
    """
    named = dict(zip(SPAN_LABELS.names, labels.present(SPAN_LABELS.names), strict=True))
    tasks = []
    for record, data, _ in sentence_data(records, where, report_url):
        found = quantities(record["text"])
        if found or "metric" in (record.get("labels") or ()):
            proposed = propose(record["text"], found)
            marked = [replace(span, label=named[span.label]) for span in proposed if named[span.label] in labels.names]
            tasks.append({"data": data, "predictions": [{"model_version": VERSION, "result": result(marked)}]})
    return tasks


def propose(text: str, found: Sequence[Quantity]) -> list[MarkedSpan]:
    """The spans of a sentence's quantities, in order, each once; ``found`` has ranges in ``text``."""
    spans: set[MarkedSpan] = set()
    for number, quantity in enumerate(found):
        spans.update(_figure(text, quantity))
        # What belongs to a figure stands before it, an indicator that several share before the first of them.
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
    """Label Studio's form of spans."""
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
    """The spans that an answer in Label Studio's form holds, in order, each once.

    Raises:
        DataError: a span lies outside ``text``, holds another text than it says, or has an unknown label.
    """
    spans = set()
    for part in given:
        if part.get("from_name") != SPANS:
            continue
        value = part["value"]
        for name in labels.present(value.get("labels", ())):
            if name not in labels.names:
                raise DataError(f"a span has the unknown label {name!r}, expected one of {', '.join(labels.names)}")
            spans.add(_placed(text, name, value))
    return tuple(sorted(spans))


def from_annotation(
    annotation: Mapping[str, Any], annotator: str, record: Mapping[str, Any], labels: LabelSet
) -> SpanAnswer:
    """The answer that an annotation of Label Studio's is; not clear where a label is unknown.

    Raises:
        DataError: a span lies outside the sentence or holds another text than it says.
    """
    skipped, text, given = bool(annotation["was_cancelled"]), record["text"], annotation["result"]
    shown = annotation.get("prediction") or {}
    meant = None if skipped else _meant(given, text, labels)
    proposed = _meant(shown["result"], text, labels) if shown.get("result") else None
    return SpanAnswer(
        annotator,
        meant,
        skipped,
        annotation["updated_at"],
        annotation["lead_time"],
        annotation["parent_prediction"] is not None,
        {"model": shown.get("model_version"), "spans": _records(proposed)} if shown.get("result") else None,
        None if skipped or meant is not None else tuple(_names(given, labels)),
    )


def answered(record: Mapping[str, Any], answers: Sequence[SpanAnswer]) -> dict[str, Any]:
    """The sentence record with its answers, and the spans where all annotators marked the same."""
    # Which spans agree is decided as which labels do: each span counts as a label of its own.
    as_labels = {
        id(answer): Answer(
            answer.annotator,
            None if answer.spans is None else tuple(f"{s.label} {s.start} {s.end}" for s in answer.spans),
            answer.skipped,
            answer.at,
        )
        for answer in answers
    }
    merged = merge(as_labels.values())
    agreed = next(
        (a.spans for a in answers if merged.labels is not None and as_labels[id(a)].labels == merged.labels), None
    )
    return {
        **record,
        "state": merged.state,
        "spans": _records(agreed),
        "answers": [answer.record() for answer in answers],
    }


def _figure(text: str, quantity: Quantity) -> Iterator[MarkedSpan]:
    """Value and unit of a figure; where its words hold no unit (三成, 第4位) all of it is the value."""
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
        raise DataError(f"a span of {label!r} has no range of characters")
    if not 0 <= start < end <= len(text):
        raise DataError(f"a span of {label!r} reaches from {start} to {end}, outside the sentence of {len(text)}")
    if said is not None and said != text[start:end]:
        raise DataError(f"a span of {label!r} says {said!r}, but the sentence has {text[start:end]!r} there")
    return _span(text, label, start, end)


def _meant(given: Sequence[Mapping[str, Any]], text: str, labels: LabelSet) -> tuple[MarkedSpan, ...] | None:
    """The spans, or None where one has a label that the set has not."""
    return read_result(given, text, labels) if set(_names(given, labels)) <= set(labels.names) else None


def _names(given: Sequence[Mapping[str, Any]], labels: LabelSet) -> list[str]:
    """The labels' names, former ones made present."""
    return [
        name
        for part in given
        if part.get("from_name") == SPANS
        for name in labels.present(part["value"].get("labels", ()))
    ]


def _records(spans: Sequence[MarkedSpan] | None) -> list[dict[str, Any]] | None:
    return None if spans is None else [span.record() for span in spans]
