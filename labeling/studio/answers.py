"""What annotators answered: the record format that ``pull`` writes, ``submit`` sends and ``agreement`` counts.

An answers record is a sentence record (``id, doc, start, end, kind, text, headings, previous``) and three fields more::

    "state": "unlabelled" | "labelled" | "none" | "skipped" | "contested",
    "labels": [...] | null,
    "answers": [{"annotator": "甲", "labels": ["plan"] | [] | null, "skipped": false, "at": "2026-11-22T00:34:52Z",
                 "lead_time": 3.5, "from_prediction": false, "shown": {"model": "…", "labels": [...]} | null,
                 "confirmed": false}]

In an answer, ``labels: []`` is the choice 无 ("none"), ``null`` with ``skipped`` a skip, and ``null`` without it one
that says nothing clear (nothing chosen, 无 beside a label unless it was the proposal, a choice of an older label set),
whose ``choices`` are kept.
A record, or an answer, that Label Studio has no more bears ``"deleted": true`` besides; it counts as before.
Of an answer's fields only ``annotator`` and ``labels`` (or ``skipped``) need be given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ...base.errors import DataError
from ...base.files import read_records
from ...data.labels import LabelSet
from .config import NONE
from .records import check, is_names
from .tasks import choices

_LONGEST = 1e9  # seconds, which is thirty years

State = Literal["unlabelled", "labelled", "none", "skipped", "contested"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One annotator's answer to one sentence.

    Attributes:
        annotator: name or email.
        labels: in the label set's order; ``()`` says "none", None that it was skipped or is not clear.
        skipped: whether the annotator passed it over.
        at: when it was last changed, ISO 8601 in UTC.
        lead_time: seconds it took, as the browser counted them.
        from_prediction: whether it was made by correcting or confirming the model's proposal.
        shown: model and labels of the proposal that the task had, if it had one.
        choices: what was chosen, where that is not clear.
        deleted: whether Label Studio has its task no more.
    """

    annotator: str
    labels: tuple[str, ...] | None
    skipped: bool = False
    at: str | None = None
    lead_time: float | None = None
    from_prediction: bool = False
    shown: Mapping[str, Any] | None = None
    choices: tuple[str, ...] | None = None
    deleted: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether it began with the model's proposal and says the same."""
        if not self.from_prediction or self.labels is None or not self.shown:
            return False
        proposed = self.shown.get("labels")
        return proposed is not None and set(proposed) == set(self.labels)

    def record(self) -> dict[str, Any]:
        """As it stands in an answers record."""
        return answer_record(self, "labels", None if self.labels is None else list(self.labels))


class AnyAnswer(Protocol):
    """What every answer has, whatever it says."""

    @property
    def annotator(self) -> str: ...
    @property
    def skipped(self) -> bool: ...
    @property
    def at(self) -> str | None: ...
    @property
    def lead_time(self) -> float | None: ...
    @property
    def from_prediction(self) -> bool: ...
    @property
    def shown(self) -> Mapping[str, Any] | None: ...
    @property
    def confirmed(self) -> bool: ...
    @property
    def choices(self) -> tuple[str, ...] | None: ...
    @property
    def deleted(self) -> bool: ...


def answer_record(answer: AnyAnswer, field: str, said: list[Any] | None) -> dict[str, Any]:
    """An answer as it stands in an answers record, what it says under the name ``field``."""
    record = {
        "annotator": answer.annotator,
        field: said,
        "skipped": answer.skipped,
        "at": answer.at,
        "lead_time": answer.lead_time,
        "from_prediction": answer.from_prediction,
        "shown": answer.shown,
        "confirmed": answer.confirmed,
    }
    if answer.choices is not None:
        record["choices"] = list(answer.choices)
    return {**record, "deleted": True} if answer.deleted else record


@dataclass(frozen=True, slots=True)
class Merged:
    """What several answers come to; ``labels`` is None unless ``state`` is "labelled" or "none"."""

    state: State
    labels: tuple[str, ...] | None


def merge(answers: Iterable[Answer]) -> Merged:
    """The labels that all annotators agree on, each one's latest answer counted and skips left aside."""
    last = latest(answers)
    given = {answer.labels for answer in last if not answer.skipped}
    if not last:
        return Merged("unlabelled", None)
    if not given:
        return Merged("skipped", None)
    agreed = given.pop()
    if given or agreed is None:
        return Merged("contested", None)
    return Merged("labelled" if agreed else "none", agreed)


def latest(answers: Iterable[Answer]) -> list[Answer]:
    """Each annotator's last answer."""
    found: dict[str, Answer] = {}
    for answer in sorted(answers, key=lambda answer: answer.at or ""):
        found[answer.annotator] = answer
    return list(found.values())


def answered(record: Mapping[str, Any], answers: Sequence[Answer]) -> dict[str, Any]:
    """The sentence record with its answers and what they come to."""
    merged = merge(answers)
    return {
        **record,
        "state": merged.state,
        "labels": None if merged.labels is None else list(merged.labels),
        "answers": [answer.record() for answer in answers],
    }


def interpret(chosen: Sequence[str], labels: LabelSet) -> tuple[str, ...] | None:
    """The labels that choices in Label Studio mean, former names made present; None where they are not clear."""
    chosen = labels.present(chosen)
    if list(chosen) == [NONE]:
        return ()
    if not chosen or not set(chosen) <= set(labels.names):
        return None
    return tuple(name for name in labels.names if name in chosen)


def from_annotation(annotation: Mapping[str, Any], annotator: str, labels: LabelSet) -> Answer:
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
        labels=meant,
        skipped=skipped,
        at=annotation["updated_at"],
        lead_time=annotation["lead_time"],
        from_prediction=annotation["parent_prediction"] is not None,
        shown=shown,
        choices=None if skipped or meant is not None else tuple(chosen),
    )


def _shown(prediction: Mapping[str, Any], labels: LabelSet) -> dict[str, Any] | None:
    if not prediction.get("result"):
        return None
    meant = interpret(choices(prediction["result"]), labels)
    return {"model": prediction.get("model_version"), "labels": None if meant is None else list(meant)}


def read_answers(path: str | Path, labels: LabelSet) -> list[tuple[dict[str, Any], list[Answer]]]:
    """The records of an answers file, each with its answers.

    Raises:
        DataError: a record that has no answers field, or an answer that is not as the format says.
    """
    rows = []
    for number, record in enumerate(read_records(path), 1):
        where = f"{path}, record {number}"
        given = record.get("answers")
        if not isinstance(given, list) or not isinstance(record.get("text"), str):
            raise DataError(f"{where}: not an answers record; expected 'text' and a list of 'answers'")
        check(record, where, needed=())
        rows.append((record, [_answer(entry, labels, where) for entry in given]))
    return rows


def _answer(entry: object, labels: LabelSet, where: str) -> Answer:
    fields = {*Answer.__dataclass_fields__, "confirmed"}
    if not isinstance(entry, dict) or not isinstance(entry.get("annotator"), str) or not entry["annotator"]:
        raise DataError(f"{where}: an answer must name its annotator")
    if unknown := sorted(set(entry) - fields):
        raise DataError(f"{where}: an answer has the unknown field {unknown[0]!r}")
    names, skipped = entry.get("labels"), entry.get("skipped", False)
    if names is not None and not is_names(names):
        raise DataError(f"{where}: an answer's labels must be a list of names or null")
    names = None if names is None else labels.present(names)
    if not isinstance(skipped, bool) or (skipped and names is not None):
        raise DataError(f"{where}: a skipped answer has labels null; 'skipped' is true or false")
    if names is None and not skipped and "choices" not in entry:
        raise DataError(f"{where}: an answer needs labels ([] for none) or skipped: true")
    if names is not None and (strange := sorted(set(names) - set(labels.names))):
        raise DataError(f"{where}: unknown label {strange[0]!r}, expected one of {', '.join(labels.names)}")
    at, lead_time = entry.get("at"), entry.get("lead_time")
    if not isinstance(at, str | None) or not (lead_time is None or _is_seconds(lead_time)):
        raise DataError(f"{where}: 'at' must be a time as text, 'lead_time' a number of seconds")
    if not _is_shown(entry.get("shown")):
        raise DataError(f"{where}: 'shown' must hold the proposal's model and labels, or be null")
    if entry.get("choices") is not None and not is_names(entry["choices"]):
        raise DataError(f"{where}: 'choices' must be a list of names or null")
    return Answer(
        entry["annotator"],
        None if names is None else tuple(name for name in labels.names if name in names),
        skipped,
        at,
        lead_time,
        bool(entry.get("from_prediction", False)),
        entry.get("shown"),
        tuple(entry["choices"]) if entry.get("choices") is not None else None,
        bool(entry.get("deleted", False)),
    )


def _is_seconds(value: object) -> bool:
    # A whole number may be too large for a float; NaN is within no bounds.
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LONGEST <= value <= _LONGEST


def _is_shown(value: object) -> bool:
    """Whether it is a proposal that an annotator was shown, or null."""
    if not isinstance(value, dict):
        return value is None
    names = value.get("labels")
    return isinstance(value.get("model"), str | None) and (names is None or is_names(names))
