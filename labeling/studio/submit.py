"""Submits answers to Label Studio through its API, each with the annotator's own token, as if they had clicked.

This is for trying the whole workflow without people; :mod:`.transfer` moves answers with their times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import DataError, LabelingError
from ...base.progress import Progress, silent
from ...base.toml import named
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.records import Record
from ...data.report import normalise
from .access import Access
from .answers import Answer, read_answers
from .client import connect
from .project import get_project
from .task_types import TITLE
from .tasks import result


@dataclass(frozen=True)
class Submitted:
    """How many answers this call sent, and how many their annotators had given before."""

    sent: int
    present: int


def submit(
    access: Access,
    path: str | Path,
    tokens: Mapping[str, str],
    *,
    title: str = TITLE,
    labels: LabelSet = DEFAULT_LABELS,
    progress: Progress = silent,
) -> Submitted:
    """Send the answers of an answers file that their annotators have not given yet.

    A record is matched to a sentence by ``id``, or if it has none by ``doc`` and ``text`` (the n-th record with a text
    matches its n-th occurrence). Nothing is sent unless every record matches one.

    Args:
        access: Label Studio's address and the owner's token.
        path: answers records, see :mod:`.answers`.
        tokens: each annotator's token, by name.
        title: the project's title.
        labels: the labels that answers may name.
        progress: reports how many answers were sent.

    Raises:
        DataError: a bad record, or a sentence that the project does not have.
        LabelingError: Label Studio cannot be used, or an annotator has no token.
    """
    rows = read_answers(path, labels)
    annotators = sorted({answer.annotator for _, answers in rows for answer in answers})
    if unknown := [name for name in annotators if name not in tokens]:
        raise LabelingError(f"{path}: no account for annotator {named(unknown[0])}")
    with connect(access) as client:
        project = get_project(client, access, title)
        listed = client.tasks.list(project=project.id, fields="all", include="id,data,annotators", page_size=1000)
        tasks = [(int(task.id), task.data, set(task.annotators or ())) for task in listed]
    found = _match(rows, tasks, str(path))
    total = sum(len(answers) for _, answers in rows)
    sent = present = 0
    for name in annotators:
        with connect(Access(access.url, tokens[name])) as client:
            user = client.users.whoami().id
            for (_, answers), (task, _, given_by) in zip(rows, found, strict=True):
                for answer in (answer for answer in answers if answer.annotator == name):
                    progress("Submitting answers", sent + present, total)
                    if user in given_by:
                        present += 1
                        continue
                    client.annotations.create(
                        id=task,
                        result=to_result(answer),
                        was_cancelled=answer.skipped,
                        lead_time=answer.lead_time,
                    )
                    sent += 1
    progress("Submitting answers", total, total)
    return Submitted(sent, present)


_Task = tuple[int, Mapping[str, Any], set[int]]


def _match(rows: Sequence[tuple[Record, list[Answer[str]]]], tasks: Sequence[_Task], path: str) -> list[_Task]:
    """The task of each row."""
    by_id = {task[1].get("id"): task for task in tasks}
    by_text: dict[tuple[Any, str], list[_Task]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task[1].get("start", 0)):
        by_text[task[1].get("doc"), normalise(str(task[1].get("text")))].append(task)
    found = []
    for record, _ in rows:
        if "id" in record:
            match = by_id.get(record["id"])
        else:
            same = by_text[record.get("doc"), normalise(record["text"])]
            match = same.pop(0) if same else None
        if match is None:
            start, doc = record["text"][:30], named(str(record.get("doc")))
            raise DataError(f"{path}: the project has no sentence {start!r} of {doc}; push it first")
        found.append(match)
    return found


def to_result(answer: Answer[str]) -> list[dict[str, Any]]:
    """An answer in Label Studio's form; empty if nothing was chosen."""
    if answer.labels is not None:
        return result(answer.labels)
    return result(answer.choices) if answer.choices else []
