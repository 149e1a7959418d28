"""A model's proposals for sentences that the project has, so that its annotators need not see an older model's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...base.errors import DataError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from ...data.records import Record
from .client import Client
from .predictions import send_proposals, versions_by_task
from .proposals import model_version, with_proposals
from .tasks import to_record, to_tasks

if TYPE_CHECKING:
    from ...models.annotator import Annotator


def renew(
    client: Client,
    project: int,
    labels: LabelSet,
    annotator: Annotator,
    *,
    every: bool,
    progress: Progress = silent,
) -> int:
    """Send the model's proposals for sentences that have other models' only; returns how many.

    The model reads those sentences of each report that the project has.

    Args:
        client: a connection as the owner.
        project: its number.
        labels: the project's label set.
        annotator: the model.
        every: send them for sentences without any proposal too.
        progress: reports how many reports the model has read.

    Raises:
        DataError: the model has other labels.
        LabelingError: Label Studio did not accept all of them.
    """
    version, present = model_version(annotator), versions_by_task(client, project)
    rows: dict[str, list[tuple[int, Record]]] = {}
    for task in client.tasks.list(project=project, fields="task_only", include="id,data", page_size=1000):
        try:
            record = to_record(task.data)
        except DataError:
            continue  # pizhu did not make this task
        rows.setdefault(record["doc"], []).append((int(task.id), record))
    wanted: dict[int, dict[str, Any]] = {}
    for done, (doc, part) in enumerate(rows.items()):
        progress("Letting the model propose labels (reports)", done, len(rows))
        missing = {
            number for number, _ in part if version not in present.get(number, ()) and (every or number in present)
        }
        if missing:
            part.sort(key=lambda row: row[1]["start"])
            made = to_tasks(with_proposals((record for _, record in part), annotator, doc), labels, doc)
            proposals = {number: task["predictions"][0] for (number, _), task in zip(part, made, strict=True)}
            wanted |= {number: proposals[number] for number in missing}
    return send_proposals(client, project, wanted, progress)
