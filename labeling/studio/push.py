"""Sentences to Label Studio: each one once, however often it is pushed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import LabelingError, PizhuError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from .access import Access
from .client import Client, connect
from .kinds import SENTENCES, TaskKind
from .place import check_report_url
from .project import ensure_project
from .proposals import propose
from .tasks import read_input

if TYPE_CHECKING:
    from ...models.annotator import Annotator

IDS = 400  # of 16 digits in one query; addresses over 15 kB fail
ROWS = 1000  # in one request: each costs the server a third of a second beside its rows


@dataclass(frozen=True)
class Pushed:
    """What a push came to.

    Attributes:
        project: the project's number.
        url: its page.
        sent: sentences that were sent now.
        present: sentences that were there before.
        proposals: pre-annotations that were sent now, with new sentences or for those already there.
        shown: whose proposals annotators see now: the model version that was pushed last, or the prediction service
            that is asked for them; None where this push proposed nothing, or the project hides proposals.
        live: whether that is a prediction service, which a push does not switch off.
        problems: one sentence for each input that could not be read; nothing of it was sent.
    """

    project: int
    url: str
    sent: int
    present: int
    proposals: int
    shown: str | None = None
    live: bool = False
    problems: tuple[str, ...] = ()


def push(
    access: Access,
    inputs: Iterable[str | Path],
    *,
    kind: TaskKind = SENTENCES,
    title: str | None = None,
    labels: LabelSet | None = None,
    overlap: int | None = None,
    blind: bool | None = None,
    overwrite_config: bool = False,
    remove: Collection[str] = (),
    annotator: Annotator | None = None,
    report_url: str | None = None,
    progress: Progress = silent,
) -> Pushed:
    """Create or update the project and send it the inputs' sentences that it lacks.

    A push that was interrupted is continued by repeating it. A sentence that is there already is not sent again; the
    proposal of a model version that it has none of yet is.

    Args:
        access: Label Studio's address and the owner's token.
        inputs: reports, or JSON Lines of sentence records; with ``labels`` (and ``scores``, ``model``) they are
            shown as proposals. None at all only brings the project up to date.
        kind: of task.
        title, labels, overlap, blind, overwrite_config, remove: see :func:`.project.ensure_project`.
        annotator: a model that makes the proposals, in place of any in the inputs.
        report_url: where whole reports can be read, see :func:`.place.check_report_url`.
        progress: told how many sentences are sent.

    Raises:
        ConfigError: the report's address is none.
        LabelingError: Label Studio cannot be used, or did not take what it was sent.
    """
    title, labels = title or kind.title, labels or kind.labels
    tasks, problems = _read(list(inputs), kind, labels, annotator, report_url, progress)
    with connect(access) as client:
        project = ensure_project(
            client,
            labels,
            title,
            kind=kind,
            overlap=overlap,
            blind=blind,
            overwrite=overwrite_config,
            remove=remove,
            progress=progress,
        )
        pushed = deliver(client, access.url, project, tasks, progress)
    return replace(pushed, problems=tuple(problems))


def deliver(
    client: Client, url: str, project: int, tasks: Mapping[str, dict[str, Any]], progress: Progress = silent
) -> Pushed:
    """Send those of ``tasks``, by their sentences' ids, that the project lacks, and the proposals it lacks.

    Annotators are then shown the proposals of the last task's version, unless a prediction service makes them.
    """
    before = _total(client, project)
    there = _find(client, project, tasks, progress)
    missing = [task for identity, task in tasks.items() if identity not in there]
    for done, batch in _batches(missing, ROWS):
        progress("Sending sentences", done, len(missing))
        _send(client, project, batch)
    progress("Sending sentences", len(missing), len(missing))
    _remove_surplus(client, there)
    # An earlier push that was killed may have had a request under way that ended after we asked what is there.
    if _total(client, project) != before + len(missing):
        _remove_surplus(client, _find(client, project, tasks, progress))
    known = {identity: tasks[identity] for identity in there}
    proposals = sum(1 for task in missing if task["predictions"])
    proposals += _propose(client, project, known, there, progress)
    shown, live = _show(client, project, tasks)
    return Pushed(project, f"{url}/projects/{project}/data", len(missing), len(there), proposals, shown, live)


def _read(
    paths: Sequence[str | Path],
    kind: TaskKind,
    labels: LabelSet,
    annotator: Annotator | None,
    report_url: str | None,
    progress: Progress,
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The inputs' tasks by identity, and what is wrong with those that cannot be read."""
    if report_url is not None:
        check_report_url(report_url)
    tasks: dict[str, dict[str, Any]] = {}
    problems = []
    for done, path in enumerate(paths):
        if annotator is not None:
            progress("Letting the model propose labels (reports)", done, len(paths))
        try:
            records = read_input(path) if annotator is None else propose(path, annotator)
            for task in kind.to_tasks(records, labels, str(path), report_url):
                tasks.setdefault(task["data"]["id"], task)
        except PizhuError as error:
            problems.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    return tasks, problems


def _find(client: Client, project: int, ids: Collection[str], progress: Progress) -> dict[str, list[int]]:
    """The numbers of the tasks that hold each sentence, lowest first; sentences without a task are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for done, batch in _batches(list(ids), IDS):
        progress("Asking which sentences are there", done, len(ids))
        wanted = {"filter": "filter:tasks:data.id", "operator": "in_list", "type": "List", "value": batch}
        query = json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})
        # One page holds them all; walking through the pages would ask for an empty second one.
        page = client.tasks.list(project=project, query=query, fields="task_only", include="id,data", page_size=2 * IDS)
        for task in page.items or ():
            found[str(task.data["id"])].append(int(task.id))
    return {identity: sorted(numbers) for identity, numbers in found.items()}


def _total(client: Client, project: int) -> int:
    return int(client.projects.get(project).task_number or 0)


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
    for done, batch in _batches(rows, ROWS):
        progress("Sending proposals", done, len(rows))
        answer = client.projects.import_predictions(id=project, request=batch)
        if answer.created != len(batch):
            raise LabelingError(f"Label Studio took {answer.created} of {len(batch)} proposals; push again")
    return len(rows)


def _show(client: Client, project: int, tasks: Mapping[str, dict[str, Any]]) -> tuple[str | None, bool]:
    """Let annotators see the proposals pushed last; returns whose they see, and whether that is a prediction service.

    Label Studio shows one version alone, and takes up that of an import only as long as it shows none.
    """
    versions = [proposal["model_version"] for task in tasks.values() for proposal in task["predictions"]]
    if not versions:
        return None, False
    found = client.projects.get(project)
    # Label Studio asks the service whose name stands where the version would.
    services = {backend.title for backend in client.ml.list(project=project)}
    shown = str(found.model_version if found.model_version in services else versions[-1])
    if found.model_version != shown:
        client.projects.update(id=project, model_version=shown)
    return (shown, shown in services) if found.show_collab_predictions else (None, False)


def _batches(items: Sequence[Any], size: int) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(items), size):
        yield start, list(items[start : start + size])
