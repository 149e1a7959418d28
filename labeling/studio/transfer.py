"""Answers from a file into a project, each annotator's with its time: to another server, or back after a loss.

Label Studio gives whatever is imported the time of the import and forgets what was proposed, so a task carries its
answers in its ``meta`` as well, where :mod:`.pull` finds them. Thus a second pull writes what the first one wrote.
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
from .client import Client, connect
from .exported import brought, moved
from .fetch import user_names
from .patience import WAITS, is_busy
from .project import ensure_project
from .submit import to_result
from .tasks import result, to_tasks
from .there import import_tasks, remove_unanswered

_BATCH = 500

OpenAccounts = Callable[[Access, list[tuple[str, str | None]]], None]
"""Gives people (name, email or None) accounts on a server."""


@dataclass(frozen=True)
class Transferred:
    """What a transfer came to.

    Attributes:
        project: the project's number.
        sent: sentences sent now.
        answers: their answers.
        present: sentences that the project had before; nothing of them was touched.
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
    """Send the sentences of an answers file that the project lacks, with everybody's answers as they were given.

    The project is made if there is none. One that was interrupted is continued by repeating it.

    Args:
        access: Label Studio's address and the owner's token.
        path: answers records as :func:`.pull.pull` writes them.
        open_accounts: gives annotators accounts; None: one without an account is an error.
        title: the project's, if it is not the usual one.
        labels: what answers may name.
        progress: told how many sentences are sent.

    Raises:
        DataError: a bad record.
        LabelingError: Label Studio cannot be used or did not take everything, or an annotator has no account there.
    """
    rows = read_answers(path, labels)
    tasks = _tasks(rows, labels, str(path))
    with connect(access) as client:
        project = ensure_project(client, labels, title)
        there = _there(client, project)
        missing = [task for task in tasks if task["data"]["id"] not in there]
        if missing:
            people = {answer.annotator for task in missing for answer in task["annotations"]}
            users = _users(client, access, people, open_accounts)
            _send_all(client, project, missing, users, progress)
        progress("Sending answers", len(missing), len(missing))
    answers = sum(len(task["annotations"]) for task in missing)
    return Transferred(project, len(missing), answers, len(tasks) - len(missing))


def _tasks(rows: Sequence[tuple[Record, list[Answer[str]]]], labels: LabelSet, path: str) -> list[dict[str, Any]]:
    """One task a sentence, its answers as they were read."""
    # Labels here are what answers come to, not a proposal; and each record is asked, not a context to others.
    records: list[Record] = [{**record, "labels": None, "scores": None, "context": False} for record, _ in rows]
    if strange := [record for record in records if record.get("kind", "sentence") != "sentence"]:
        raise DataError(f"{path}: {strange[0]['text'][:30]!r} is no sentence, so it has no answers to send")
    tasks = to_tasks(records, labels, path)
    if len({task["data"]["id"] for task in tasks}) < len(tasks):
        raise DataError(f"{path}: two records have the same id")
    for task, (record, answers) in zip(tasks, rows, strict=True):
        task["data"]["previous"] = record.get("previous", "")  # as it was, not as it can be seen
        task["annotations"] = answers
    return tasks


def _there(client: Client, project: int) -> set[str]:
    """The ids of the sentences that the project has; tasks of a transfer whose answers did not come along are removed.

    Where SQLite is busy, Label Studio tries an import again, and by then has taken the answers out of it.
    """
    listed = list(
        client.tasks.list(
            project=project,
            fields="task_only",
            include="id,data,meta,total_annotations,cancelled_annotations",
            page_size=1000,
        )
    )
    bare = [int(task.id) for task in listed if brought(task.meta) and not _answers(task)]
    gone = remove_unanswered(client, bare)
    return {str(task.data.get("id")) for task in listed if int(task.id) not in gone}


def _answers(task: Any) -> int:
    return int(task.total_annotations or 0) + int(task.cancelled_annotations or 0)


def _users(client: Client, access: Access, people: set[str], open_accounts: OpenAccounts | None) -> dict[str, int]:
    """The numbers of users by what :func:`user_names` calls them."""
    users = {name: number for number, name in user_names(client).items()}
    if open_accounts and (missing := sorted(people - users.keys())):
        open_accounts(access, [(name, name.lower() if "@" in name else None) for name in missing])
        users = {name: number for number, name in user_names(client).items()}
    if missing := sorted(people - users.keys()):
        raise LabelingError(
            f"Label Studio at {access.url} has no user called {named(missing[0])}; let "
            f"{'them' if missing[1:] else 'that one'} sign up there, with that as the first name, and transfer again"
        )
    return users


def _send_all(
    client: Client, project: int, tasks: Sequence[dict[str, Any]], users: Mapping[str, int], progress: Progress
) -> None:
    left = list(tasks)
    for wait in WAITS:
        whole = True
        for done, batch in batches(left, _BATCH):
            progress("Sending answers", len(tasks) - len(left) + done, len(tasks))
            whole &= bool(_send(client, project, batch, users))
        if whole:
            return
        time.sleep(wait)
        there = _there(client, project)
        left = [task for task in left if task["data"]["id"] not in there]
    raise LabelingError(f"Label Studio did not take {len(left)} of {len(tasks)} sentences; transfer again")


def _send(client: Client, project: int, tasks: Sequence[dict[str, Any]], users: Mapping[str, int]) -> bool:
    """Send tasks; whether all of their answers are known to have come along."""
    from label_studio_sdk.core.api_error import ApiError

    request = [
        {
            "data": task["data"],
            "meta": moved([_noted(answer) for answer in task["annotations"]]),
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
    """What Label Studio would not keep of an answer, in its own words."""
    prediction = None
    if answer.shown:
        proposed = answer.shown.get("labels")
        parts = result(proposed or ())
        if proposed is None:  # it was not clear; nor is this
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
        "ground_truth": False,  # what is imported would be
    }
