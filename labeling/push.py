"""Sentences to Label Studio: each one once, however often it is pushed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.errors import LabelingError, PizhuError
from ..data.labels import DEFAULT_LABELS, LabelSet
from .access import Access
from .client import Client, connect
from .progress import Progress, silent
from .project import TITLE, ensure_project
from .tasks import read_input, to_tasks

BATCH = 400  # ids of 16 digits in one query; addresses over 15 kB fail


@dataclass(frozen=True)
class Pushed:
    """What a push came to.

    Attributes:
        project: the project's number.
        url: its page.
        sent: sentences that were sent now.
        present: sentences that were there before.
        proposals: pre-annotations that were sent now, with new sentences or for those already there.
        problems: one sentence for each input that could not be read; nothing of it was sent.
    """

    project: int
    url: str
    sent: int
    present: int
    proposals: int
    problems: tuple[str, ...] = ()


def push(
    access: Access,
    inputs: Iterable[str | Path],
    *,
    title: str = TITLE,
    labels: LabelSet = DEFAULT_LABELS,
    overlap: int | None = None,
    blind: bool | None = None,
    overwrite_config: bool = False,
    progress: Progress = silent,
) -> Pushed:
    """Create or update the project and send it the inputs' sentences that it lacks.

    A push that was interrupted is continued by repeating it. A sentence that is there already is not sent again; the
    proposal of a model version that it has none of yet is.

    Args:
        access: Label Studio's address and the owner's token.
        inputs: reports, or JSON Lines of sentence records; with ``labels`` (and ``scores``, ``model``) they are
            shown as proposals. None at all only brings the project up to date.
        title, labels, overlap, blind, overwrite_config: see :func:`.project.ensure_project`.
        progress: told how many sentences are sent.

    Raises:
        LabelingError: Label Studio cannot be used, or did not take what it was sent.
    """
    tasks: dict[str, dict[str, Any]] = {}
    problems = []
    for path in inputs:
        try:
            for task in to_tasks(read_input(path), labels, str(path)):
                tasks.setdefault(task["data"]["id"], task)
        except PizhuError as error:
            problems.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    with connect(access) as client:
        project = ensure_project(client, labels, title, overlap=overlap, blind=blind, overwrite=overwrite_config)
        there = _find(client, project, list(tasks), progress)
        missing = [task for identity, task in tasks.items() if identity not in there]
        for done, batch in _batches(missing):
            progress("Sending sentences", done, len(missing))
            _send(client, project, batch)
        progress("Sending sentences", len(missing), len(missing))
        # An earlier push that was killed may have had a request under way that ended after we asked what is there.
        arrived = _find(client, project, [task["data"]["id"] for task in missing], progress)
        _remove_surplus(client, arrived)
        known = {identity: tasks[identity] for identity in there}
        proposals = sum(1 for task in missing if task["predictions"]) + _propose(
            client, project, known, there, progress
        )
    url = f"{access.url}/projects/{project}/data"
    return Pushed(project, url, len(missing), len(there), proposals, tuple(problems))


def _find(client: Client, project: int, ids: Sequence[str], progress: Progress) -> dict[str, list[int]]:
    """The numbers of the tasks that hold each sentence, lowest first; sentences without a task are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for done, batch in _batches(ids):
        progress("Asking which sentences are there", done, len(ids))
        wanted = {"filter": "filter:tasks:data.id", "operator": "in_list", "type": "List", "value": batch}
        query = json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})
        answer = client.tasks.list(
            project=project, query=query, fields="task_only", include="id,data", page_size=2 * BATCH
        )
        for task in answer:
            found[str(task.data["id"])].append(int(task.id))
    return {identity: sorted(numbers) for identity, numbers in found.items()}


def _send(client: Client, project: int, tasks: Sequence[dict[str, Any]]) -> None:
    answer = client.projects.import_tasks(id=project, request=list(tasks), return_task_ids=True)
    proposed = sum(1 for task in tasks if task["predictions"])
    if answer.task_count != len(tasks) or (answer.prediction_count or 0) != proposed:
        raise LabelingError(
            f"Label Studio took {answer.task_count} of {len(tasks)} sentences and {answer.prediction_count} of"
            f" {proposed} proposals; push again to send the rest"
        )


def _remove_surplus(client: Client, found: dict[str, list[int]]) -> None:
    """Delete the later of two tasks for one sentence, as long as nobody has answered it."""
    for number in (number for numbers in found.values() for number in numbers[1:]):
        task = client.tasks.get(id=number)
        if not task.annotations and not task.drafts:
            client.tasks.delete(id=number)


def _propose(
    client: Client, project: int, tasks: dict[str, dict[str, Any]], there: dict[str, list[int]], progress: Progress
) -> int:
    """Send proposals for sentences that were there before, unless they have one of that model version."""
    proposed = {identity: task["predictions"][0] for identity, task in tasks.items() if task["predictions"]}
    if not proposed:
        return 0
    present = {(p.task, p.model_version) for p in client.predictions.list(project=project)}
    rows = [
        {"task": there[identity][0], **proposal}
        for identity, proposal in proposed.items()
        if (there[identity][0], proposal["model_version"]) not in present
    ]
    for done, batch in _batches(rows):
        progress("Sending proposals", done, len(rows))
        answer = client.projects.import_predictions(id=project, request=batch)
        if answer.created != len(batch):
            raise LabelingError(f"Label Studio took {answer.created} of {len(batch)} proposals; push again")
    if rows:
        # Annotators are shown the proposals of one version: the one pushed last.
        client.projects.update(id=project, model_version=rows[-1]["model_version"])
    return len(rows)


def _batches(items: Sequence[Any]) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(items), BATCH):
        yield start, list(items[start : start + BATCH])
