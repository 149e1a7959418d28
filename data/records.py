"""The sentence record: a JSON object about one sentence, heading or piece of page furniture.

docs/records.md describes every field, with examples. Records are checked here and nowhere else, when they are read; a
value of this type is valid. Fields added by a user's own tools are kept when a record is passed on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NotRequired, Required, TypedDict, TypeVar, cast

from ..base.errors import DataError
from ..base.files import read_records
from ..base.toml import brief
from ..base.typed import Misfit, check
from .labels import LabelSet

Kind = Literal["sentence", "heading", "furniture"]
State = Literal["unlabelled", "labelled", "none", "skipped", "contested"]
"""The result of all answers to a sentence."""
Decided = Literal["agreed", "adjudicated", "single"]
"""Two or more annotators agree; an adjudicator decided; only one annotator answered."""


class LeadRecord(TypedDict):
    """A heading between the previous sentence and this one.

    Attributes:
        start, end: half-open range of characters in the report's text.
        text: the characters of the range.
        headings: the headings above it, outermost first.
    """

    start: int
    end: int
    text: str
    headings: NotRequired[list[str]]


class SpanRecord(TypedDict):
    """A marked range of a sentence.

    Attributes:
        label: the name of a span label.
        start, end: half-open range of characters in the sentence's own text.
        text: the characters of the range.
    """

    label: str
    start: int
    end: int
    text: str


class ShownRecord(TypedDict, total=False):
    """The proposal that an annotator saw.

    Attributes:
        model: the model's version.
        labels, spans: what it proposed, depending on the task; null if that is unclear.
    """

    model: str | None
    labels: list[str] | None
    spans: list[SpanRecord] | None


class AnswerRecord(TypedDict, total=False):
    """One annotator's answer.

    Attributes:
        annotator: name or email, not empty.
        labels, spans: depending on the task; ``[]`` means none, null that it was skipped or is unclear.
        skipped: whether the annotator skipped the sentence.
        at: time of the last change, ISO 8601 in UTC.
        lead_time: seconds that it took, measured by the browser.
        from_prediction: whether the annotator corrected or confirmed a proposal.
        shown: the proposal that the sentence had, null if none.
        confirmed: whether it was made from the proposal and equals it.
        choices: the chosen names, if the answer is unclear.
        deleted: true if Label Studio no longer has its task.
    """

    annotator: Required[str]
    labels: list[str] | None
    spans: list[SpanRecord] | None
    skipped: bool
    at: str | None
    lead_time: float | None
    from_prediction: bool
    shown: ShownRecord | None
    confirmed: bool
    choices: list[str] | None
    deleted: bool


class DecisionRecord(TypedDict, total=False):
    """One adjudicator's decision.

    Attributes:
        adjudicator: name or email.
        labels: ``[]`` means none; null that it was skipped or is unclear.
        skipped, at, lead_time, from_prediction: as in an answer.
        why: the chosen reason, null if none.
        note: the adjudicator's own words, "" if none.
        seen: the labels of each displayed answer, in order; null for a skip or an unclear answer.
    """

    adjudicator: str
    labels: list[str] | None
    skipped: bool
    why: str | None
    note: str
    at: str | None
    lead_time: float | None
    from_prediction: bool
    seen: list[list[str] | None]


class DoubtRecord(TypedDict):
    """A label that is probably wrong.

    Attributes:
        label: its name.
        given: whether the sentence has the label; if not, the label is missing.
        score: how probable the error is, 0 to 1.
        why: the sources of the doubt: ``learner`` and ``guideline``.
        words: the reason in Chinese.
    """

    label: str
    given: bool
    score: float
    why: list[str]
    words: str


class Record(TypedDict, total=False):
    """A sentence record; docs/records.md shows each field, and which commands write it.

    ``doc``, ``start``, ``end`` and ``text`` are always present, unless the reader asked for fewer fields.

    Attributes:
        report: the report's name in its run, which distinguishes reports of one ``doc``; in tables over a run.
        id: 16 hexadecimal digits, stable while the surrounding text changes.
        doc: the report's file name with its ending.
        start, end: half-open range of characters (code points) in the report's text, 0 <= start < end < 2**31.
        kind: a sentence if missing. Only sentences are labelled.
        text: the characters of the range.
        headings: the headings above it, outermost first.
        previous: the previous sentence, "" for the first; null in old files.
        lead: the headings between the previous sentence and this one.
        labels: names in the label set's order; ``[]`` means no label applies, null that nobody has answered.
        scores: probability of each label, 0 to 1; null without a model.
        review: whether the model is unsure, so that a person should look.
        model: the version under which Label Studio stores the proposal.
        context: true if it is only displayed around others and never asked about.
        state: the result of the answers.
        spans: the ranges that all annotators marked, in tasks that mark figures; null as in ``labels``.
        answers: the answers of all annotators; the last one of each counts.
        deleted: true if Label Studio no longer has its task.
        decided: how ``labels`` were decided, null if they were not; in gold records.
        adjudication: the adjudicators' decisions; in gold records.
        doubts: labels that are probably wrong.
    """

    report: str
    id: str
    doc: str
    start: int
    end: int
    kind: Kind
    text: str
    headings: list[str]
    previous: str | None
    lead: list[LeadRecord] | None
    labels: list[str] | None
    scores: dict[str, float] | None
    review: bool | None
    model: str | None
    context: bool
    state: State
    spans: list[SpanRecord] | None
    answers: list[AnswerRecord]
    deleted: bool
    decided: Decided | None
    adjudication: list[DecisionRecord]
    doubts: list[DoubtRecord]


Shape = TypeVar("Shape", bound=Mapping[str, object])

NEEDED = ("doc", "start", "end", "text")
"""The fields of every record."""
_END = 2**31
"""An upper bound on offsets: texts are shorter, and tables hold no larger numbers."""


def load_records(
    path: str | Path, labels: LabelSet | None = None, needed: Collection[str] = NEEDED
) -> Iterator[Record]:
    """The records of a JSON Lines file, each checked by :func:`check_record`.

    Raises:
        DataError: the file cannot be read, or a record is not as docs/records.md says; the message names it.
    """
    for number, row in enumerate(read_records(path), 1):
        yield check_record(row, f"{path}, record {number}", labels, needed)


def check_record(row: object, where: str, labels: LabelSet | None = None, needed: Collection[str] = NEEDED) -> Record:
    """``row``, a JSON object, as a valid record.

    Args:
        row: the object; its fields that records do not have are not checked.
        where: its name in messages.
        labels: the allowed labels; None allows all.
        needed: the required fields.

    Raises:
        DataError: a field is missing, of a wrong type or out of range, or a label is unknown; the message says which.
    """
    try:
        check(row, Record)
    except Misfit as error:
        raise DataError(f"{where}: {error}") from None
    record = cast(Record, row)
    need(record, needed, where)
    _check_range(record, where)
    for number, heading in enumerate(record.get("lead") or ()):
        _check_range(heading, f"{where}: lead[{number}]")
    for name, score in (record.get("scores") or {}).items():
        if not 0 <= score <= 1:  # false for NaN too
            raise DataError(f"{where}: the score of {brief(name)} is {brief(score)}, expected a number from 0 to 1")
    if labels is not None and (names := record.get("labels")):
        labels.check(names, where)
    return record


def need(record: Record, fields: Iterable[str], where: str) -> None:
    """Check that a record has ``fields``; a :class:`DataError` says which one is missing."""
    for field in fields:
        if field not in record:
            raise DataError(f"{where}: lacks {field}")


def _check_range(part: Record | LeadRecord, where: str) -> None:
    start, end = part.get("start", 0), part.get("end", _END - 1)
    if not 0 <= start < end < _END:
        raise DataError(f"{where}: start {brief(start)}, end {brief(end)} is not a range of characters")


def keep(row: Shape, fields: Iterable[str]) -> Shape:
    """A record, or an object inside one, reduced to ``fields``, in their order."""
    return cast(Shape, {field: row[field] for field in fields if field in row})
