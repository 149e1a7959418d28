"""Tasks as Label Studio exports them: cut down to what is kept of them, and made into answers records."""

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
"""What is kept of a task: ``task`` (its number), ``updated_at``, ``data``, ``meta``, ``annotations``, each with the
fields below, and ``deleted: true`` once Label Studio has it no more."""

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
    """What is kept of an exported task.

    Raises:
        AttributeError, LookupError, TypeError, ValueError: it is not as Label Studio exports one.
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
    """Answers records by report and place, and a sentence for each task or label that is not pizhu's.

    Tasks of one sentence become one record. It is marked deleted when Label Studio has none of them any more; an
    answer, when it has the answer's task no more.

    Args:
        rows: the tasks.
        names: what to call each user, by the user's number.
        kind: of task.
        labels: what answers may name.
        title: the project's, for the sentences.
    """
    sentences: dict[str, tuple[Record, list[Answer[Any]]]] = {}
    problems = []
    strange: Counter[str] = Counter()
    # Tasks that are there come first: the record is theirs.
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
                problems.append(f"task {row['task']} of {title}: an answer is not as Label Studio makes them")
                continue
            strange.update(set(answer.choices or ()) - {NONE, *labels.names})
            # A transfer that was repeated, or that brought a deleted task back, has left two of the same.
            if all(replace(other, deleted=False) != answer for other in answers):
                answers.append(replace(answer, deleted=deleted))
    problems += [
        f"{count} answers name {brief(label)}, which the label set has not; they count as unclear"
        for label, count in sorted(strange.items())
    ]
    ordered = sorted(sentences.values(), key=lambda row: (row[0]["doc"], row[0]["start"], row[0]["id"]))
    return [kind.answered(record, answers) for record, answers in ordered], problems


def moved(annotations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The ``meta`` of a task that is imported, for what Label Studio does not keep of its annotations.

    Args:
        annotations: ``updated_at`` (None: that of the import), ``parent_prediction`` and ``prediction`` of each; the
            n-th annotation of the task is to be imported with n, from 0, as its ``id``.
    """
    return {"pizhu": {"annotations": list(annotations)}}


def brought(meta: Mapping[str, Any] | None) -> list[Any]:
    """What :func:`moved` noted of each annotation that a task was to be imported with; none for other tasks."""
    noted = (meta or {}).get("pizhu")
    given = noted.get("annotations") if isinstance(noted, dict) else None
    return given if isinstance(given, list) else []


def _as_given(annotation: Mapping[str, Any], meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The annotation with what :func:`moved` noted of it; its time only as long as nobody has changed it."""
    given, number = brought(meta), annotation["import_id"]
    if type(number) is not int or not 0 <= number < len(given):
        return annotation
    first = given[number]
    # An import names nobody who changed it, and nor does renaming a label.
    at = first["updated_at"] if annotation["updated_by"] is None else None
    return {
        **annotation,
        "updated_at": annotation["updated_at"] if at is None else str(at),
        "parent_prediction": first["parent_prediction"],
        "prediction": first["prediction"],
    }
