"""Sends contested sentences to an adjudicator in a separate project, and pulls gold answers back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...base.errors import LabelingError
from ...base.progress import Progress, silent
from ...data.labels import DEFAULT_LABELS, LabelSet
from ..agreement.answer_matrix import Rows
from ..studio.access import Access
from ..studio.client import Client, connect
from ..studio.config import check_config, check_kind
from ..studio.project import ensure_project, find_project
from ..studio.push import Pushed, deliver
from ..studio.storable import storable
from ..studio.task_types import SENTENCES, TITLE
from .config import adjudication_config, adjudication_guide
from .gold import counts, fetch, gold_records, write_gold
from .tasks import to_adjudicate

ADJUDICATION = replace(
    SENTENCES,
    name="adjudication",
    title=f"{TITLE}·裁决",
    config=adjudication_config,
    instructions=adjudication_guide,
)
"""The annotators' task with their answers and a question for the reason; :func:`.tasks.to_adjudicate` makes tasks."""


@dataclass(frozen=True)
class Gold:
    """The result of a pull of gold answers.

    Attributes:
        path: the file that was written.
        decided: how many sentences were decided in each way, see :data:`~pizhu.data.records.Decided`; ``open`` counts
            the others.
        kept: the copy of the earlier file at ``path``, if its content was different.
    """

    path: Path
    decided: Mapping[str, int]
    kept: Path | None


def adjudication_title(title: str = TITLE) -> str:
    """The title of the adjudicator's project for the annotators' project with ``title``."""
    return f"{title[:47]}·裁决"  # Label Studio accepts up to 50 characters


def push_contested(
    access: Access,
    rows: Rows,
    *,
    title: str = TITLE,
    labels: LabelSet = DEFAULT_LABELS,
    overlap: int | None = None,
    blind: bool | None = None,
    overwrite_config: bool = False,
    progress: Progress = silent,
) -> Pushed:
    """Create or update the adjudicator's project and send it the contested sentences that it lacks.

    If annotators have answered since a sentence was sent, and it is not decided yet, it is updated with its proposal.

    Args:
        access: Label Studio's address and the owner's token.
        rows: answers records as :func:`..answers.read_answers` returns them, including uncontested sentences.
        title: the title of the annotators' project.
        labels, blind, overwrite_config: see :func:`..project.ensure_project`; ``blind`` hides the proposals, which are
            the annotators' consensus.
        overlap: how many adjudicators decide each sentence; None leaves it as it is (1 in a new project).
        progress: reports how many sentences were sent.

    Raises:
        DataError: a record is not a complete sentence record.
        LabelingError: Label Studio cannot be used, or did not accept what it was sent.
    """
    tasks = to_adjudicate(rows, labels, "the answers")
    second = adjudication_title(title)
    with connect(access) as client:
        if find_project(client, second) is None:
            overlap = overlap or 1
        project = ensure_project(
            client,
            labels,
            second,
            kind=ADJUDICATION,
            overlap=overlap,
            blind=blind,
            overwrite=overwrite_config,
            progress=progress,
        )
        pushed = deliver(client, access.url, project, tasks, progress)
        if pushed.present:
            pushed = replace(pushed, proposals=pushed.proposals + _refresh(client, project, tasks))
    return pushed


def pull_gold(
    access: Access, rows: Rows, path: str | Path, *, title: str = TITLE, labels: LabelSet = DEFAULT_LABELS
) -> Gold:
    """Write gold records: what annotators agreed on and what was decided in the adjudicator's project.

    Args:
        access: Label Studio's address and a token.
        rows: the answers records that :func:`push_contested` got, or newer ones.
        path: the file to write; see :func:`.gold.gold_records` for its records.
        title: the title of the annotators' project.
        labels: the labels that answers may name.

    Raises:
        LabelingError: Label Studio cannot be used, or has no such project.
    """
    second = adjudication_title(title)
    with connect(access) as client:
        project = find_project(client, second)
        if project is None:
            raise LabelingError(f"Label Studio at {access.url} has no project titled {second}; adjudicate first")
        check_kind(project.label_config, second, ADJUDICATION.name)
        check_config(project.label_config, second, ADJUDICATION.name)
        adjudications = fetch(client, int(project.id), labels)
    records = gold_records(rows, adjudications)
    kept = write_gold(path, records)
    return Gold(Path(path), counts(records), kept)


def _refresh(client: Client, project: int, tasks: Mapping[str, dict[str, Any]]) -> int:
    """Update answers and proposals of sentences that nobody has decided yet; returns how many proposals changed.

    A proposal keeps its version, since Label Studio shows the proposals of only one version.
    """
    changed = 0
    proposed = {proposal.task: proposal for proposal in client.predictions.list(project=project)}
    for task in client.tasks.list(project=project, fields="all", page_size=200):
        new = tasks.get(str(task.data["id"]))
        if not new or task.annotations:
            continue
        if storable(dict(task.data)) != (data := storable(new["data"])):
            client.tasks.update(id=task.id, data=data)
        if (old := proposed.get(int(task.id))) is None:
            continue
        if not new["predictions"]:  # answers were withdrawn, and too few are left for a proposal
            client.predictions.delete(id=old.id)
            continue
        [proposal] = new["predictions"]
        if (old.result, old.score) != (proposal["result"], proposal["score"]):
            client.predictions.update(id=old.id, result=proposal["result"], score=proposal["score"])
            changed += 1
    return changed
