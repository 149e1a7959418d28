"""Annotators' answers, which ``pull`` writes, ``submit`` sends and ``agreement`` measures.

An answers record is a sentence record (docs/records.md) with its ``answers``, the ``state`` and the ``labels`` (or the
``spans``) that result from them. An unclear answer (nothing chosen, 无 with a label unless 无 was the proposal, a
choice from an older label set) keeps its ``choices``. A record or answer that Label Studio no longer has is marked
``"deleted": true``; it counts as before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from ...base.errors import DataError
from ...base.toml import brief
from ...data.labels import LabelSet
from ...data.records import AnswerRecord, Record, ShownRecord, SpanRecord, State, load_records
from .config import NONE
from .tasks import choices

_LONGEST = 1e9  # seconds, about thirty years


Field = Literal["labels", "spans"]
"""The field of a record that holds what its answers say."""


class Marked(Hashable, Protocol):
    """A part of a sentence that somebody marked."""

    def record(self) -> SpanRecord:
        """The span in the form that records use."""


Said = TypeVar("Said", bound="str | Marked")
"""One part of an answer: a label's name or a marked span."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Said]):
    """One annotator's answer to one sentence.

    Attributes:
        annotator: name or email.
        said: labels in the order of the label set, or spans in the order of the text; ``()`` means "none", None means
            skipped or unclear.
        skipped: whether the annotator skipped the sentence.
        at: when it was last changed, ISO 8601 in UTC.
        lead_time: seconds it took, as measured by the browser.
        from_prediction: whether the annotator corrected or confirmed a proposal.
        shown: the proposal that the task had, if any.
        choices: the names that were chosen, if the answer is unclear.
        deleted: whether Label Studio no longer has its task.
        field: the field of a record for ``said``.
    """

    annotator: str
    said: tuple[Said, ...] | None
    skipped: bool = False
    at: str | None = None
    lead_time: float | None = None
    from_prediction: bool = False
    shown: ShownRecord | None = None
    choices: tuple[str, ...] | None = None
    deleted: bool = False
    field: Field = "labels"

    @property
    def labels(self: Answer[str]) -> tuple[str, ...] | None:
        """``said``, for an answer made of labels."""
        return self.said

    @property
    def confirmed(self) -> bool:
        """Whether it was made from the proposal and equals it."""
        proposed = self.shown.get(self.field) if self.shown else None
        if not self.from_prediction or self.said is None or proposed is None:
            return False
        said = plain(self.said)
        return all(each in proposed for each in said) and all(each in said for each in proposed)

    def record(self) -> AnswerRecord:
        """The answer in the form that answers records use."""
        record = {
            "annotator": self.annotator,
            self.field: None if self.said is None else plain(self.said),
            "skipped": self.skipped,
            "at": self.at,
            "lead_time": self.lead_time,
            "from_prediction": self.from_prediction,
            "shown": self.shown,
            "confirmed": self.confirmed,
        }
        if self.choices is not None:
            record["choices"] = list(self.choices)
        return cast(AnswerRecord, {**record, "deleted": True} if self.deleted else record)


def plain(said: Iterable[str | Marked]) -> list[Any]:
    """Label names, or spans in the form that records use."""
    return [each if isinstance(each, str) else each.record() for each in said]


@dataclass(frozen=True, slots=True)
class Merged(Generic[Said]):
    """The result of several answers; ``said`` is None unless ``state`` is "labelled" or "none"."""

    state: State
    said: tuple[Said, ...] | None

    @property
    def labels(self: Merged[str]) -> tuple[str, ...] | None:
        """``said``, for answers made of labels."""
        return self.said


def merge(answers: Iterable[Answer[Said]]) -> Merged[Said]:
    """What all annotators agree on; each annotator's latest answer counts, skips do not."""
    last = latest(answers)
    given = {answer.said for answer in last if not answer.skipped}
    if not last:
        return Merged("unlabelled", None)
    if not given:
        return Merged("skipped", None)
    agreed = given.pop()
    if given or agreed is None:
        return Merged("contested", None)
    return Merged("labelled" if agreed else "none", agreed)


def latest(answers: Iterable[Answer[Said]]) -> list[Answer[Said]]:
    """Each annotator's last answer."""
    found: dict[str, Answer[Said]] = {}
    for answer in sorted(answers, key=lambda answer: answer.at or ""):
        found[answer.annotator] = answer
    return list(found.values())


def answered(record: Record, answers: Sequence[Answer[Said]], field: Field = "labels") -> Record:
    """The sentence record with its answers, their state and, in ``field``, what they agree on."""
    merged = merge(answers)
    said = None if merged.said is None else plain(merged.said)
    added = {"state": merged.state, field: said, "answers": [answer.record() for answer in answers]}
    return cast(Record, {**record, **added})


def interpret(chosen: Sequence[str], labels: LabelSet) -> tuple[str, ...] | None:
    """The labels that choices in Label Studio mean, under their current names; None if they are unclear."""
    chosen = labels.canonical(chosen)
    if list(chosen) == [NONE]:
        return ()
    if not chosen or not set(chosen) <= set(labels.names):
        return None
    return tuple(name for name in labels.names if name in chosen)


def from_annotation(annotation: Mapping[str, Any], annotator: str, labels: LabelSet) -> Answer[str]:
    """The answer in a Label Studio annotation."""
    skipped = bool(annotation["was_cancelled"])
    shown = _shown(annotation.get("prediction") or {}, labels)
    chosen = choices(annotation["result"] or ())
    if len(chosen) > 1 and shown and shown["labels"] == []:
        # A proposed 无 stays selected when the annotator adds a label; the label is the answer.
        chosen = [name for name in chosen if name != NONE]
    meant = None if skipped else interpret(chosen, labels)
    return Answer(
        annotator=annotator,
        said=meant,
        skipped=skipped,
        at=annotation["updated_at"],
        lead_time=annotation["lead_time"],
        from_prediction=annotation["parent_prediction"] is not None,
        shown=shown,
        choices=None if skipped or meant is not None else tuple(chosen),
    )


def _shown(prediction: Mapping[str, Any], labels: LabelSet) -> ShownRecord | None:
    if not prediction.get("result"):
        return None
    meant = interpret(choices(prediction["result"]), labels)
    return {"model": prediction.get("model_version"), "labels": None if meant is None else list(meant)}


def read_answers(path: str | Path, labels: LabelSet) -> list[tuple[Record, list[Answer[str]]]]:
    """The records of an answers file, each with its answers.

    Raises:
        DataError: a record has no answers, or an answer does not follow docs/records.md; the message says which.
    """
    rows = []
    for number, record in enumerate(load_records(path, needed=()), 1):
        where = f"{path}, record {number}"
        if "text" not in record or "answers" not in record:
            raise DataError(f"{where}: not an answers record; expected 'text' and a list of 'answers'")
        rows.append((record, [_answer(entry, labels, where) for entry in record["answers"]]))
    return rows


def _answer(entry: AnswerRecord, labels: LabelSet, where: str) -> Answer[str]:
    names, skipped = entry.get("labels"), entry.get("skipped", False)
    if not entry["annotator"]:
        raise DataError(f"{where}: an answer must name its annotator")
    if unknown := entry.keys() - AnswerRecord.__annotations__.keys():
        raise DataError(f"{where}: an answer has the unknown field {brief(min(unknown))}")
    if skipped and names is not None:
        raise DataError(f"{where}: labels of a skipped answer must be null")
    if names is None and not skipped and "choices" not in entry:
        raise DataError(f"{where}: an answer needs labels ([] for none) or skipped: true")
    lead_time, choices = entry.get("lead_time"), entry.get("choices")
    if lead_time is not None and not -_LONGEST <= lead_time <= _LONGEST:  # false for NaN too
        raise DataError(f"{where}: lead_time is {brief(lead_time)}, expected a number of seconds")
    return Answer(
        entry["annotator"],
        None if names is None else labels.check(labels.canonical(names), where),
        skipped,
        entry.get("at"),
        lead_time,
        entry.get("from_prediction", False),
        entry.get("shown"),
        None if choices is None else tuple(choices),
        entry.get("deleted", False),
    )
