"""Answers from Label Studio: every annotator's, in a file that is whole or absent."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..data.errors import DataError, LabelingError
from ..data.files import read_records, write_records
from ..data.labels import LabelSet
from .access import Access
from .client import Client, connect
from .config import check_config
from .kinds import SENTENCES, TaskKind
from .progress import Progress, silent
from .project import get_project
from .tasks import to_record


@dataclass(frozen=True)
class Pulled:
    """What a pull came to.

    Attributes:
        path: the file that was written.
        states: how many sentences are in each state of :data:`.answers.State`.
        answers: how many answers each annotator gave.
        kept: where the file that stood there before was copied to, if it said something else.
        problems: one sentence for each task that pizhu did not make.
    """

    path: Path
    states: Mapping[str, int]
    answers: Mapping[str, int]
    kept: Path | None = None
    problems: tuple[str, ...] = ()


def pull(
    access: Access,
    path: str | Path,
    *,
    kind: TaskKind = SENTENCES,
    title: str | None = None,
    labels: LabelSet | None = None,
    progress: Progress = silent,
) -> Pulled:
    """Write all of the project's sentences with all answers as answers records (see :mod:`.answers`).

    Args:
        kind: which of the two tasks; ``title`` and ``labels`` default to its own.

    An earlier pull is never lost: where ``path`` holds something else, that is first copied beside it, with its time
    in its name.

    Raises:
        LabelingError: Label Studio cannot be used, there is no such project, or its configuration was changed by hand.
    """
    title, labels = title or kind.title, labels or kind.labels
    with connect(access) as client:
        project = get_project(client, access, title)
        check_config(project.label_config, title)
        tasks = _export(client, int(project.id), progress)
        names = user_names(client)
    sentences: dict[str, tuple[dict[str, Any], list[Any]]] = {}
    problems = []
    for task in tasks:
        try:
            record = to_record(task["data"])
        except DataError as error:
            problems.append(f"task {task['id']} of {title}: {error}")
            continue
        try:
            given = [
                kind.answer(annotation, names.get(by := annotation["completed_by"], f"user {by}"), record, labels)
                for annotation in task["annotations"]
            ]
        except DataError as error:
            problems.append(f"task {task['id']} of {title}: {error}")
            continue
        sentences.setdefault(record["id"], (record, []))[1].extend(given)
    rows = sorted(sentences.values(), key=lambda row: (row[0]["doc"], row[0]["start"], row[0]["id"]))
    records = [kind.answered(record, answers) for record, answers in rows]
    kept = _keep(Path(path), records)
    write_records(path, records)
    states = Counter(record["state"] for record in records)
    counts = Counter(answer.annotator for _, answers in rows for answer in answers)
    return Pulled(Path(path), dict(states), dict(sorted(counts.items())), kept, tuple(problems))


def _export(client: Client, project: int, progress: Progress) -> list[dict[str, Any]]:
    parts: list[bytes] = []
    size = 0
    progress("Receiving answers (MB)", 0)
    for part in client.projects.exports.download_sync(id=project, export_type="JSON", download_all_tasks=True):
        parts.append(part)
        size += len(part)
        progress("Receiving answers (MB)", round(size / 1e6, 1))
    try:
        tasks: list[dict[str, Any]] = json.loads(b"".join(parts))
    except ValueError:
        raise LabelingError("Label Studio's export broke off; pull again") from None
    return tasks


def user_names(client: Client) -> dict[int, str]:
    """What to call each user: the first name where it is set and no other user's, else the email."""
    users = list(client.users.list())
    shared = Counter(user.first_name for user in users)
    return {
        int(user.id): user.first_name if user.first_name and shared[user.first_name] == 1 else str(user.email)
        for user in users
    }


def _keep(path: Path, records: Sequence[Mapping[str, Any]]) -> Path | None:
    """Copy the file that stands there to one with its time in its name, unless it says what ``records`` say."""
    if not path.exists():
        return None
    try:
        if list(read_records(path)) == records:
            return None
    except DataError:
        pass  # not a file of records: it is somebody's, so all the more to be kept
    stamp = f"{path.stem}.{datetime.fromtimestamp(path.stat().st_mtime):%Y-%m-%dT%H-%M-%S}"
    names = (f"{stamp}{tail}{path.suffix}" for tail in ("", *(f"-{number}" for number in range(2, 10_000))))
    kept = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    shutil.copy2(path, kept)
    return kept
