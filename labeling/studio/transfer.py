"""Imports a file's answers into a project, each annotator's with its time: on another server, or after a loss.

Label Studio gives everything imported the time of the import and forgets what was proposed. So a task also carries its
answers in its ``meta``, where :mod:`.pull` finds them; a second pull then writes what the first one wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import DataError, LabelingError
from ...base.progress import Progress, silent
from ...base.toml import named
from ...data.labels import DEFAULT_LABELS, LabelSet
from ...data.records import Record
from .access import Access
from .answers import Answer, read_answers
from .batches import batches
from .busy import WAITS, is_busy
from .client import Client, connect
from .exported import import_notes, notes_of
from .fetch import user_names
from .project import ensure_project
from .project_tasks import import_tasks, remove_unanswered
from .submit import to_result
from .tasks import result, to_tasks

_BATCH = 500

OpenAccounts = Callable[[Access, list[tuple[str, str | None]]], None]
"""Gives people (name, email or None) accounts on a server."""


@dataclass(frozen=True)
class Transferred:
    """The result of a transfer.

    Attributes:
        project: the project's number.
        sent: how many sentences this transfer sent.
        answers: how many answers they have.
        present: how many sentences the project had before; they and their answers stay as they were.
    """

    project: int
    sent: int
    answers: int
    present: int


def transfer(
    access: Access,
    path: str | Path,
    *,
    open_accounts: OpenAccounts | None = None,
    title: str | None = None,
    labels: LabelSet = DEFAULT_LABELS,
    progress: Progress = silent,
) -> Transferred:
    """Send the sentences of an answers file that the project lacks, with all annotators' answers as they were given.

    The project is created if there is none. Repeating an interrupted transfer continues it.

    Args:
        access: Label Studio's address and the owner's token.
        path: answers records as :func:`.pull.pull` writes them.
        open_accounts: gives annotators accounts; with None, an annotator without an account is an error.
        title: the project's title; None takes the default.
        labels: the labels that answers may name.
        progress: reports how many sentences were sent.

    Raises:
        DataError: a record is invalid.
        LabelingError: Label Studio cannot be used or did not accept everything, or an annotator has no account there.
    """
    rows = read_answers(path, labels)
    tasks = _tasks(rows, labels, str(path))
    with connect(access) as client:
        project = ensure_project(client, labels, title)
        present = _present(client, project)
        missing = [task for task in tasks if task["data"]["id"] not in present]
        if missing:
            people = {answer.annotator for task in missing for answer in task["annotations"]}
            users = _users(client, access, people, open_accounts)
            _send_all(client, project, missing, users, progress)
        progress("Sending answers", len(missing), len(missing))
    answers = sum(len(task["annotations"]) for task in missing)
    return Transferred(project, len(missing), answers, len(tasks) - len(missing))


def _tasks(rows: Sequence[tuple[Record, list[Answer[str]]]], labels: LabelSet, path: str) -> list[dict[str, Any]]:
    """One task for each sentence, with its answers as they were read."""
    # Labels here result from answers and are no proposal; and every record is to be labelled, not context for others.
    records: list[Record] = [{**record, "labels": None, "scores": None, "context": False} for record, _ in rows]
    if strange := [record for record in records if record.get("kind", "sentence") != "sentence"]:
        raise DataError(f"{path}: {strange[0]['text'][:30]!r} is not a sentence, so it has no answers to send")
    tasks = to_tasks(records, labels, path)
    if len({task["data"]["id"] for task in tasks}) < len(tasks):
        raise DataError(f"{path}: two records have the same id")
    for task, (record, answers) in zip(tasks, rows, strict=True):
        task["data"]["previous"] = record.get("previous", "")  # as recorded, not as the file's order suggests
        task["annotations"] = answers
    return tasks


def _present(client: Client, project: int) -> set[str]:
    """The ids of the sentences that the project has; transferred tasks whose answers did not arrive are removed.

    If SQLite is busy, Label Studio retries an import, but by then it has removed the answers from it.
    """
    listed = list(
        client.tasks.list(
            project=project,
            fields="task_only",
            include="id,data,meta,total_annotations,cancelled_annotations",
            page_size=1000,
        )
    )
    bare = [int(task.id) for task in listed if notes_of(task.meta) and not _answers(task)]
    gone = remove_unanswered(client, bare)
    return {str(task.data.get("id")) for task in listed if int(task.id) not in gone}


def _answers(task: Any) -> int:
    return int(task.total_annotations or 0) + int(task.cancelled_annotations or 0)


def _users(client: Client, access: Access, people: set[str], open_accounts: OpenAccounts | None) -> dict[str, int]:
    """The users' numbers by the names that :func:`user_names` gives them."""
    users = {name: number for number, name in user_names(client).items()}
    if open_accounts and (missing := sorted(people - users.keys())):
        open_accounts(access, [(name, name.lower() if "@" in name else None) for name in missing])
        users = {name: number for number, name in user_names(client).items()}
    if missing := sorted(people - users.keys()):
        raise LabelingError(
            f"Label Studio at {access.url} has no user called {named(missing[0])}; have each missing annotator sign up "
            "there, with that name as the first name, and transfer again"
        )
    return users


def _send_all(
    client: Client, project: int, tasks: Sequence[dict[str, Any]], users: Mapping[str, int], progress: Progress
) -> None:
    left = list(tasks)
    for wait in WAITS:
        complete = True
        for done, batch in batches(left, _BATCH):
            progress("Sending answers", len(tasks) - len(left) + done, len(tasks))
            complete &= bool(_send(client, project, batch, users))
        if complete:
            return
        time.sleep(wait)
        present = _present(client, project)
        left = [task for task in left if task["data"]["id"] not in present]
    raise LabelingError(f"Label Studio did not accept {len(left)} of {len(tasks)} sentences; transfer again")


def _send(client: Client, project: int, tasks: Sequence[dict[str, Any]], users: Mapping[str, int]) -> bool:
    """Send tasks; returns whether all of their answers certainly arrived."""
    from label_studio_sdk.core.api_error import ApiError

    request = [
        {
            "data": task["data"],
            "meta": import_notes([_noted(answer) for answer in task["annotations"]]),
            "annotations": [
                _annotation(number, answer, users[answer.annotator])
                for number, answer in enumerate(task["annotations"])
            ],
        }
        for task in tasks
    ]
    try:
        took = import_tasks(client, project, request)
    except ApiError as error:
        if not is_busy(error):
            raise
        return False
    answers = sum(len(task["annotations"]) for task in request)
    return (took.task_count, took.annotation_count or 0) == (len(request), answers)


def _noted(answer: Answer[str]) -> dict[str, Any]:
    """What Label Studio would not keep of an answer, under its own field names."""
    prediction = None
    if answer.shown:
        proposed = answer.shown.get("labels")
        parts = result(proposed or ())
        if proposed is None:  # it was unclear, and so is an empty choice
            parts[0]["value"]["choices"] = []
        prediction = {"model_version": answer.shown.get("model"), "result": parts}
    return {
        "updated_at": answer.at,
        "parent_prediction": 0 if answer.from_prediction else None,
        "prediction": prediction,
    }


def _annotation(number: int, answer: Answer[str], user: int) -> dict[str, Any]:
    return {
        "id": number,
        "completed_by": user,
        "result": to_result(answer),
        "was_cancelled": answer.skipped,
        "lead_time": answer.lead_time,
        "ground_truth": False,  # Label Studio would set it for imported annotations
    }
