"""Sends sentences to Label Studio, each only once, however often it is pushed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import LabelingError, PizhuError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from .access import Access
from .batches import batches
from .busy import WAITS, is_busy
from .client import Client, connect
from .place import check_report_url
from .predictions import send_proposals
from .project import ensure_project
from .project_tasks import find, import_tasks, remove_surplus, total
from .proposals import model_version, propose
from .renew import renew
from .shown import Shown, show_pushed
from .storable import readable
from .task_types import SENTENCES, TaskKind
from .tasks import read_input

if TYPE_CHECKING:
    from ...models.annotator import Annotator


@dataclass(frozen=True)
class Pushed:
    """The result of a push.

    Attributes:
        project: the project's number.
        url: its page.
        sent: how many sentences this push sent.
        present: how many sentences the project had before.
        proposals: how many pre-annotations this push sent, for new sentences and for those the project had.
        shown: whose proposals annotators see now: the model version that was pushed last, or the prediction service;
            None if this push proposed nothing or the project hides proposals.
        live: whether that is a prediction service, which a push does not switch off.
        trouble: why the prediction service that annotators rely on proposes nothing now; None if it works.
        hidden: how many open sentences have proposals of other versions only, which nobody sees now.
        renewed: how many sentences that the project had, of other reports too, got proposals of the given model: those
            with other models' proposals only, or, without inputs, all that had none of this model.
        problems: one sentence for each input that could not be read; nothing of it was sent.
    """

    project: int
    url: str
    sent: int
    present: int
    proposals: int
    shown: str | None = None
    live: bool = False
    trouble: str | None = None
    hidden: int = 0
    renewed: int = 0
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

    Repeating an interrupted push continues it. A sentence that the project has is not sent again; a proposal of a model
    version that it lacks is.

    Args:
        access: Label Studio's address and the owner's token.
        inputs: reports, or JSON Lines of sentence records; their ``labels`` (and ``scores``, ``model``), if any, are
            shown as proposals. An empty list only updates the project.
        kind: the kind of task.
        title, labels, overlap, blind, overwrite_config, remove: see :func:`.project.ensure_project`.
        annotator: a model that makes the proposals, in place of any in the inputs; sentences in the project that have
            proposals of other models only get its own as well; without inputs, all sentences do.
        report_url: where whole reports can be read, see :func:`.place.check_report_url`.
        progress: reports how many sentences were sent.

    Raises:
        ConfigError: ``report_url`` is not a valid address.
        LabelingError: Label Studio cannot be used, or did not accept what it was sent.
    """
    title, labels, inputs = title or kind.title, labels or kind.labels, list(inputs)
    tasks, problems = _read(inputs, kind, labels, annotator, report_url, progress)
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
        # Annotators see the proposals of this model only, not of others.
        if annotator is not None and kind.name == SENTENCES.name and (pushed.hidden or not inputs):
            renewed = renew(client, project, labels, annotator, every=not inputs, progress=progress)
            now = show_pushed(client, project, model_version(annotator))
            pushed = replace(pushed, renewed=renewed, **_shown_fields(now))
    return replace(pushed, problems=tuple(problems))


def deliver(
    client: Client, url: str, project: int, tasks: Mapping[str, dict[str, Any]], progress: Progress = silent
) -> Pushed:
    """Send those of ``tasks``, by their sentences' ids, that the project lacks, and the proposals that it lacks.

    Annotators then see the proposals of the last task's version, unless a prediction service makes them.
    """
    tasks = readable(dict(tasks))
    before = total(client, project)
    there = find(client, project, tasks, progress)
    missing = [task for identity, task in tasks.items() if identity not in there]
    short: list[dict[str, Any]] = []
    for done, batch in batches(missing):
        progress("Sending sentences", done, len(missing))
        if not _send(client, project, batch):
            short += batch
    progress("Sending sentences", len(missing), len(missing))
    remove_surplus(client, there)
    # A request of an earlier, killed push may have ended after we asked which sentences the project has.
    if short or total(client, project) != before + len(missing):
        found = find(client, project, tasks, progress)
        remove_surplus(client, found)
    else:
        found = there
    _propose(client, project, short, found, progress)
    proposals = sum(len(task["predictions"]) for task in missing)
    proposals += _propose(client, project, [tasks[identity] for identity in there], found, progress)
    versions = [proposal["model_version"] for task in tasks.values() for proposal in task["predictions"]]
    now = show_pushed(client, project, versions[-1] if versions else None)
    pushed = Pushed(project, f"{url}/projects/{project}/data", len(missing), len(there), proposals)
    return replace(pushed, **_shown_fields(now)) if versions else replace(pushed, trouble=now.trouble)


def _shown_fields(now: Shown) -> dict[str, Any]:
    """The fields of :class:`Pushed` about what annotators see."""
    return {"shown": now.by, "live": now.live, "trouble": now.trouble, "hidden": now.hidden}


def _read(
    paths: Sequence[str | Path],
    kind: TaskKind,
    labels: LabelSet,
    annotator: Annotator | None,
    report_url: str | None,
    progress: Progress,
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The inputs' tasks by their sentences' ids, and a message for each input that cannot be read."""
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


def _send(client: Client, project: int, tasks: Sequence[dict[str, Any]]) -> bool:
    """Send sentences; returns whether all of their proposals certainly arrived.

    If SQLite is busy, Label Studio retries an import, but by then it has removed the proposals from it.
    """
    from label_studio_sdk.core.api_error import ApiError

    rest, waits = list(tasks), iter(WAITS)
    while rest:
        try:
            answer = import_tasks(client, project, rest)
        except ApiError as error:
            if not is_busy(error) or (wait := next(waits, None)) is None:
                raise
            time.sleep(wait)
            # It may have been busy before or after it stored the sentences.
            there = find(client, project, [task["data"]["id"] for task in rest])
            rest = [task for task in rest if task["data"]["id"] not in there]
            continue
        if answer.task_count != len(rest):
            raise LabelingError(f"Label Studio accepted {answer.task_count} of {len(rest)} sentences; push again")
        proposed = sum(len(task["predictions"]) for task in rest)
        return len(rest) == len(tasks) and answer.prediction_count == proposed
    return False


def _propose(
    client: Client, project: int, tasks: Iterable[dict[str, Any]], found: Mapping[str, list[int]], progress: Progress
) -> int:
    """Send the proposals for sentences in the project, unless they have one of that model version."""
    numbered = {found[task["data"]["id"]][0]: task["predictions"] for task in tasks}
    return send_proposals(client, project, {number: given[0] for number, given in numbered.items() if given}, progress)
