"""The sentence record: what a line of JSON says of one sentence, heading or piece of page furniture.

docs/records.md describes every field, with examples. Records are checked here and nowhere else, when they are read;
what has the type is right. Fields that a user's own tools have added stay where a record is passed on.
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
"""What the answers to a sentence come to."""
Decided = Literal["agreed", "adjudicated", "single"]
"""All of two or more annotators said the same; an adjudicator decided; one annotator alone answered."""


class LeadRecord(TypedDict):
    """A heading between the sentence before and this one.

    Attributes:
        start, end: half-open range of characters in the report's text.
        text: what stands there.
        headings: those above it, outermost first.
    """

    start: int
    end: int
    text: str
    headings: NotRequired[list[str]]


class SpanRecord(TypedDict):
    """A marked stretch of a sentence.

    Attributes:
        label: a name of the span labels.
        start, end: half-open range of characters in the sentence's own text.
        text: what stands there.
    """

    label: str
    start: int
    end: int
    text: str


class ShownRecord(TypedDict, total=False):
    """The proposal that an annotator was shown.

    Attributes:
        model: its version.
        labels, spans: what it proposed, whichever the task asks for; null where that is not clear.
    """

    model: str | None
    labels: list[str] | None
    spans: list[SpanRecord] | None


class AnswerRecord(TypedDict, total=False):
    """One annotator's answer.

    Attributes:
        annotator: name or email, not empty.
        labels, spans: whichever the task asks for; ``[]`` says none, null that it was skipped or is not clear.
        skipped: whether the annotator passed the sentence over.
        at: when it was last changed, ISO 8601 in UTC.
        lead_time: seconds it took, as the browser counted them.
        from_prediction: whether it was made by correcting or confirming a proposal.
        shown: the proposal that the sentence had, null if none.
        confirmed: whether it was made from the proposal and says the same.
        choices: the names that were chosen, where that is not clear.
        deleted: true where Label Studio has its task no more.
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
        labels: ``[]`` says none; null that it was skipped or is not clear.
        skipped, at, lead_time, from_prediction: as in an answer.
        why: the reason that was chosen, null if none.
        note: the adjudicator's own words, "" if none.
        seen: the labels of each answer that was shown, in that order; null for a skip or one that is not clear.
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
    """A label that is likely wrong.

    Attributes:
        label: its name.
        given: whether the sentence has it; if not, it is missed.
        score: how likely it is wrong, 0 to 1.
        why: who says so, of ``learner`` and ``guideline``.
        words: the reason in Chinese.
    """

    label: str
    given: bool
    score: float
    why: list[str]
    words: str


class Record(TypedDict, total=False):
    """A sentence record; docs/records.md shows each field, and which commands write it.

    ``doc``, ``start``, ``end`` and ``text`` are always there, unless whoever reads it asked for less.

    Attributes:
        report: the report's name in its run, which tells two of one ``doc`` apart; in tables over a run.
        id: 16 hexadecimal digits, stable while the text around changes.
        doc: the report's name with its ending.
        start, end: half-open range of characters (code points) in the report's text, 0 <= start < end < 2**31.
        kind: what it is; a sentence where missing. Only sentences are labelled.
        text: the characters of the range.
        headings: those above it, outermost first.
        previous: the sentence before it, "" for the first; null in old files.
        lead: the headings between the sentence before and this one.
        labels: names in the label set's order; ``[]`` says that none applies, null that nobody has said.
        scores: probability of each label, 0 to 1; null where no model gave any.
        review: whether the model is unsure, so that a person should look.
        model: the version under which Label Studio keeps it as a proposal.
        context: true where it is only shown around others and never asked about.
        state: what the answers come to.
        spans: what all annotators marked, where figures are marked in place of labels; null as ``labels``.
        answers: everybody's, each annotator's last one counts.
        deleted: true where Label Studio has its task no more.
        decided: how ``labels`` came about, null where nobody decided; in gold records.
        adjudication: what adjudicators decided; in gold records.
        doubts: labels that are likely wrong.
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
"""What every record has."""
_END = 2**31
"""Texts are shorter, and tables hold no larger numbers."""


def load_records(
    path: str | Path, labels: LabelSet | None = None, needed: Collection[str] = NEEDED
) -> Iterator[Record]:
    """The records of a JSON Lines file, each seen to by :func:`check_record`.

    Raises:
        DataError: the file cannot be read, or a record is not as docs/records.md says; the message says which.
    """
    for number, row in enumerate(read_records(path), 1):
        yield check_record(row, f"{path}, record {number}", labels, needed)


def check_record(row: object, where: str, labels: LabelSet | None = None, needed: Collection[str] = NEEDED) -> Record:
    """``row``, a JSON object, as the record that it is.

    Args:
        row: the object; what it holds beside a record's fields is not looked at.
        where: what messages call it.
        labels: what its labels may be; None looks at no names.
        needed: the fields that must be there.

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
        if not 0 <= score <= 1:  # nor is NaN
            raise DataError(f"{where}: the score of {brief(name)} is {brief(score)}, expected a number from 0 to 1")
    if labels is not None and (names := record.get("labels")):
        labels.check(names, where)
    return record


def need(record: Record, fields: Iterable[str], where: str) -> None:
    """See that a record has ``fields``; a :class:`DataError` says which it lacks."""
    for field in fields:
        if field not in record:
            raise DataError(f"{where}: lacks {field}")


def _check_range(part: Record | LeadRecord, where: str) -> None:
    start, end = part.get("start", 0), part.get("end", _END - 1)
    if not 0 <= start < end < _END:
        raise DataError(f"{where}: start {brief(start)}, end {brief(end)} is no range of characters")


def keep(row: Shape, fields: Iterable[str]) -> Shape:
    """A record, or one inside, with those of ``fields`` that it has, in their order."""
    return cast(Shape, {field: row[field] for field in fields if field in row})
