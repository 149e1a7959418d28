"""Pulls every annotator's answers into a file, which is whole or absent; snapshots beside it keep earlier states."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...base.errors import DataError
from ...base.files import as_line, replacing_bytes, set_aside
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from ...data.records import Record
from .access import Access
from .client import Client, connect
from .config import check_config
from .exported import Row, to_records
from .fetch import fetch_all, fetch_changes, server_time, user_names
from .project import get_project
from .snapshots import Snapshot, Snapshots, State
from .task_types import SENTENCES, TaskKind


@dataclass(frozen=True)
class Pulled:
    """The result of a pull.

    Attributes:
        path: the file that was written.
        states: how many sentences are in each state of :data:`.answers.State`.
        answers: how many answers each annotator gave.
        changed: how many tasks are new or have changed since the last pull.
        deleted: how many of them Label Studio no longer has; their answers stay in the file, marked.
        withdrawn: how many answers Label Studio no longer has although their tasks exist; earlier snapshots hold them.
        full: why all tasks were fetched; None if only those that changed were.
        snapshot: the file with what this pull found new, if anything.
        kept: the copy of a file at ``path`` that no pull had written, if there was one.
        problems: one sentence for each task that pizhu did not make and each unknown label.
    """

    path: Path
    states: Mapping[str, int]
    answers: Mapping[str, int]
    changed: int = 0
    deleted: int = 0
    withdrawn: int = 0
    full: str | None = None
    snapshot: Path | None = None
    kept: Path | None = None
    problems: tuple[str, ...] = ()


def pull(
    access: Access,
    path: str | Path,
    *,
    kind: TaskKind = SENTENCES,
    title: str | None = None,
    labels: LabelSet | None = None,
    full: bool = False,
    progress: Progress = silent,
) -> Pulled:
    """Write all of the project's sentences with all answers as answers records (see :mod:`.answers`).

    The :mod:`.snapshots` of ``path`` remember what the last pull found, so only tasks that changed since are fetched.
    Nothing is ever lost: earlier states stay as snapshots, tasks that were deleted in Label Studio stay in the file,
    and a file at ``path`` that no pull wrote is first copied to a name with its time.

    Args:
        access: Label Studio's address and a token.
        path: the file to write.
        kind: the kind of task; ``title`` and ``labels`` default to its own.
        title: the project's title.
        labels: the labels that answers may name.
        full: fetch everything even if fetching what changed would do.
        progress: reports how much was received.

    Raises:
        LabelingError: Label Studio cannot be used, there is no such project, its configuration was changed by hand,
            or another pull to ``path`` is running.
    """
    path, title, labels = Path(path), title or kind.title, labels or kind.labels
    store = Snapshots(path)
    with store.held():
        with connect(access) as client:
            project = get_project(client, access, title)
            check_config(project.label_config, title, kind.name)
            identity = _identity(project)
            last, reason = _last(store, identity, full)
            now = server_time(client, project.id)
            names = user_names(client)
            before = last.rows if last else {}
            rows, reason = _fetch(client, project.id, last, reason, progress)
        records, problems = to_records(rows.values(), names, kind, labels, title)
        content = "".join(map(as_line, records)).encode()
        output = hashlib.sha256(content).hexdigest()
        changed = [row for number, row in rows.items() if row != before.get(number)]
        snapshot = None
        if last is None or last.damaged or changed or last.last.output != output:
            # Once the changes amount to half of all tasks, reading a whole snapshot is faster.
            whole = last is None or last.damaged or last.added + len(changed) > len(rows) / 2
            written = list(rows.values()) if whole else changed
            users = {str(number): name for number, name in names.items()}
            snapshot = store.add(
                Snapshot(now.isoformat(), *identity, title, users, output, whole, len(written)), written
            )
        kept = _write(path, content, {earlier.output for earlier in store.history()})
    states: Counter[str] = Counter(record["state"] for record in records)
    counts = Counter(answer["annotator"] for record in records for answer in record["answers"])
    return Pulled(
        path,
        dict(states),
        dict(sorted(counts.items())),
        changed=len(changed),
        deleted=sum(bool(row.get("deleted")) for row in changed),
        withdrawn=sum(len(_annotations(before.get(row["task"])) - _annotations(row)) for row in changed),
        full=reason,
        snapshot=snapshot,
        kept=kept,
        problems=tuple(problems),
    )


def earlier(path: str | Path, at: datetime, kind: TaskKind = SENTENCES, labels: LabelSet | None = None) -> list[Record]:
    """The answers records that ``path`` held, or would have held, after the last pull before or at ``at``.

    Raises:
        DataError: there is no such pull, or its snapshot is damaged.
    """
    state = Snapshots(path).state(at)
    if state is None or state.damaged:
        fault = "is damaged" if state else "is missing or damaged"
        raise DataError(f"the snapshot of {path} at {at.isoformat()} {fault}; --list shows the pulls")
    names = {int(number): name for number, name in state.last.names.items()}
    return to_records(state.rows.values(), names, kind, labels or kind.labels, state.last.title)[0]


def _identity(project: Any) -> tuple[int, str]:
    """The project's number and creation time: a server's address may change, and a new server counts from 1 again."""
    return int(project.id), project.created_at.isoformat()


def _last(store: Snapshots, identity: tuple[int, str], full: bool) -> tuple[State | None, str | None]:
    """What the last pull found, and why everything must be fetched all the same, if so."""
    state = store.state()
    if state is None:
        return None, "earlier pulls cannot be read" if store.any() else "this is the first pull"
    if (state.last.project, state.last.created_at) != identity:
        return None, "earlier pulls were from another project"
    if state.damaged:
        return state, "a snapshot is damaged"
    return state, "--full was given" if full else None


def _fetch(
    client: Client, project: int, last: State | None, reason: str | None, progress: Progress
) -> tuple[dict[int, Row], str | None]:
    if last and not reason:
        rows = fetch_changes(client, project, last.rows, progress)
        if rows is not None:
            return rows, None
        reason = "pizhu did not start this Label Studio, so it cannot list changes"
    return fetch_all(client, project, last.rows if last else {}, progress), reason


def _annotations(row: Row | None) -> set[int]:
    return {annotation["id"] for annotation in row["annotations"]} if row else set()


def _write(path: Path, content: bytes, pulled: set[str]) -> Path | None:
    """Replace the output; a file there that no pull wrote is first copied to a name with its time."""
    kept = None
    if path.exists():
        before = path.read_bytes()
        if before == content:
            return None
        if hashlib.sha256(before).hexdigest() not in pulled:
            kept = set_aside(path)
    with replacing_bytes(path) as file:
        file.write(content)
    return kept
