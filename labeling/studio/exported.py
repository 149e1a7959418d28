"""Tasks as Label Studio exports them: reduced to what pizhu keeps, and turned into answers records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ...base.errors import DataError
from ...base.toml import brief
from ...data.labels import LabelSet
from ...data.records import Record
from .answers import Answer
from .config import NONE
from .task_types import TaskKind
from .tasks import to_record

Row = dict[str, Any]
"""What pizhu keeps of a task: ``task`` (its number), ``updated_at``, ``data``, ``meta``, ``annotations``, each with the
fields below, and ``deleted: true`` once Label Studio no longer has it."""

_ANNOTATION = (
    "id",
    "completed_by",
    "result",
    "was_cancelled",
    "updated_at",
    "updated_by",
    "lead_time",
    "prediction",
    "parent_prediction",
    "import_id",
)


def to_row(task: Mapping[str, Any]) -> Row:
    """Reduce an exported task to what pizhu keeps.

    Raises:
        AttributeError, LookupError, TypeError, ValueError: it is not a task as Label Studio exports it.
    """
    given = sorted(task["annotations"], key=lambda annotation: int(annotation["id"]))
    for changed in (task, *given):
        datetime.fromisoformat(changed["updated_at"])
    return {
        "task": int(task["id"]),
        "updated_at": task["updated_at"],
        "data": {**task["data"]},
        "meta": {**(task.get("meta") or {})},
        "annotations": [{field: annotation[field] for field in _ANNOTATION} for annotation in given],
    }


def to_records(
    rows: Iterable[Row], names: Mapping[int, str], kind: TaskKind, labels: LabelSet, title: str
) -> tuple[list[Record], list[str]]:
    """Answers records ordered by report and position, and one message for each task or label that pizhu does not know.

    All tasks for a sentence become one record. The record is marked deleted when Label Studio no longer has any of
    them, an answer when Label Studio no longer has its task.

    Args:
        rows: the tasks.
        names: what to call each user, by the user's number.
        kind: the kind of task.
        labels: the labels that answers may name.
        title: the project's title, for the messages.
    """
    sentences: dict[str, tuple[Record, list[Answer[Any]]]] = {}
    problems = []
    strange: Counter[str] = Counter()
    # Tasks that still exist come first, so that the record is made from one of them.
    for row in sorted(rows, key=lambda row: (row.get("deleted", False), row["task"])):
        deleted = row.get("deleted", False)
        try:
            record = to_record(row["data"])
        except DataError as error:
            if not deleted:
                problems.append(f"task {row['task']} of {title}: {error}")
            continue
        record, answers = sentences.setdefault(record["id"], (record | {"deleted": True} if deleted else record, []))
        for annotation in row["annotations"]:
            try:
                annotator = names.get(by := annotation["completed_by"], f"user {by}")
                answer = kind.answer(_as_given(annotation, row["meta"]), annotator, record, labels)
            except DataError as error:
                problems.append(f"task {row['task']} of {title}: {error}")
                continue
            except (AttributeError, KeyError, TypeError, ValueError):
                problems.append(f"task {row['task']} of {title}: an answer is not in Label Studio's form")
                continue
            strange.update(set(answer.choices or ()) - {NONE, *labels.names})
            # A repeated transfer, or one that restored a deleted task, leaves the same answer twice.
            if all(replace(other, deleted=False) != answer for other in answers):
                answers.append(replace(answer, deleted=deleted))
    problems += [
        f"{count} answers name {brief(label)}, which is not in the label set; they count as unclear"
        for label, count in sorted(strange.items())
    ]
    ordered = sorted(sentences.values(), key=lambda row: (row[0]["doc"], row[0]["start"], row[0]["id"]))
    return [kind.answered(record, answers) for record, answers in ordered], problems


def import_notes(annotations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The ``meta`` of a task to be imported, which notes what Label Studio does not keep of imported annotations.

    Args:
        annotations: ``updated_at`` (None: the time of the import), ``parent_prediction`` and ``prediction`` of each;
            import the n-th annotation of the task with n, from 0, as its ``id``.
    """
    return {"pizhu": {"annotations": list(annotations)}}


def notes_of(meta: Mapping[str, Any] | None) -> list[Any]:
    """What :func:`import_notes` noted of each annotation imported with a task; empty for other tasks."""
    noted = (meta or {}).get("pizhu")
    given = noted.get("annotations") if isinstance(noted, dict) else None
    return given if isinstance(given, list) else []


def _as_given(annotation: Mapping[str, Any], meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The annotation with what :func:`import_notes` noted of it; the noted time counts only until somebody edits it."""
    given, number = notes_of(meta), annotation["import_id"]
    if type(number) is not int or not 0 <= number < len(given):
        return annotation
    first = given[number]
    # Neither an import nor renaming a label sets ``updated_by``.
    at = first["updated_at"] if annotation["updated_by"] is None else None
    return {
        **annotation,
        "updated_at": annotation["updated_at"] if at is None else str(at),
        "parent_prediction": first["parent_prediction"],
        "prediction": first["prediction"],
    }
