"""What annotators answered: the answers that ``pull`` writes, ``submit`` sends and ``agreement`` counts.

An answers record is a sentence record (docs/records.md) with its ``answers``, and the ``state`` and the ``labels`` (or
the ``spans``) that they come to. An answer that says nothing clear (nothing chosen, 无 beside a label unless it was the
proposal, a choice of an older label set) keeps its ``choices``. A record, or an answer, that Label Studio has no more
bears ``"deleted": true``; it counts as before.
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

_LONGEST = 1e9  # seconds, which is thirty years


Field = Literal["labels", "spans"]
"""What a record calls what its answers say."""


class Marked(Hashable, Protocol):
    """A stretch of a sentence that somebody marked."""

    def record(self) -> SpanRecord:
        """As it stands in records."""


Said = TypeVar("Said", bound="str | Marked")
"""What an answer is made of: names of labels, or marked spans."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Said]):
    """One annotator's answer to one sentence.

    Attributes:
        annotator: name or email.
        said: labels in the label set's order, or spans in the text's; ``()`` says "none", None that it was skipped or
            is not clear.
        skipped: whether the annotator passed it over.
        at: when it was last changed, ISO 8601 in UTC.
        lead_time: seconds it took, as the browser counted them.
        from_prediction: whether it was made by correcting or confirming a proposal.
        shown: the proposal that the task had, if it had one.
        choices: the names that were chosen, where that is not clear.
        deleted: whether Label Studio has its task no more.
        field: what a record calls what it says.
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
        """What it says, where that is labels."""
        return self.said

    @property
    def confirmed(self) -> bool:
        """Whether it began with the proposal and says the same."""
        proposed = self.shown.get(self.field) if self.shown else None
        if not self.from_prediction or self.said is None or proposed is None:
            return False
        said = plain(self.said)
        return all(each in proposed for each in said) and all(each in said for each in proposed)

    def record(self) -> AnswerRecord:
        """As it stands in an answers record."""
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
    """Names, or the records of spans."""
    return [each if isinstance(each, str) else each.record() for each in said]


@dataclass(frozen=True, slots=True)
class Merged(Generic[Said]):
    """What several answers come to; ``said`` is None unless ``state`` is "labelled" or "none"."""

    state: State
    said: tuple[Said, ...] | None

    @property
    def labels(self: Merged[str]) -> tuple[str, ...] | None:
        """What they say, where that is labels."""
        return self.said


def merge(answers: Iterable[Answer[Said]]) -> Merged[Said]:
    """What all annotators agree on, each one's latest answer counted and skips left aside."""
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
    """The sentence record with its answers and, under the name of ``field``, what they come to."""
    merged = merge(answers)
    said = None if merged.said is None else plain(merged.said)
    told = {"state": merged.state, field: said, "answers": [answer.record() for answer in answers]}
    return cast(Record, {**record, **told})


def interpret(chosen: Sequence[str], labels: LabelSet) -> tuple[str, ...] | None:
    """The labels that choices in Label Studio mean, former names made present; None where they are not clear."""
    chosen = labels.canonical(chosen)
    if list(chosen) == [NONE]:
        return ()
    if not chosen or not set(chosen) <= set(labels.names):
        return None
    return tuple(name for name in labels.names if name in chosen)


def from_annotation(annotation: Mapping[str, Any], annotator: str, labels: LabelSet) -> Answer[str]:
    """The answer that an annotation of Label Studio's is."""
    skipped = bool(annotation["was_cancelled"])
    shown = _shown(annotation.get("prediction") or {}, labels)
    chosen = choices(annotation["result"] or ())
    if len(chosen) > 1 and shown and shown["labels"] == []:
        # A proposed 无 stays pressed when a label is added to it; the label is what the annotator said.
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
        DataError: a record has no answers, or an answer is not as docs/records.md says; the message says which.
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
        raise DataError(f"{where}: a skipped answer has labels null")
    if names is None and not skipped and "choices" not in entry:
        raise DataError(f"{where}: an answer needs labels ([] for none) or skipped: true")
    lead_time, choices = entry.get("lead_time"), entry.get("choices")
    if lead_time is not None and not -_LONGEST <= lead_time <= _LONGEST:  # nor is NaN
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
