"""A project's proposals: which models' proposals each sentence has, and sending the missing ones."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ...base.errors import LabelingError
from ...base.progress import Progress, silent
from .batches import batches
from .busy import WAITS, is_busy
from .client import Client


def versions_by_task(client: Client, project: int) -> dict[int, set[str]]:
    """The model versions of each task's proposals, by the task's number; tasks without proposals are left out."""
    found: dict[int, set[str]] = defaultdict(set)
    for proposal in client.predictions.list(project=project):
        found[int(proposal.task)].add(str(proposal.model_version))
    return dict(found)


def send_proposals(
    client: Client, project: int, proposals: Mapping[int, dict[str, Any]], progress: Progress = silent
) -> int:
    """Send proposals, by their tasks' numbers, to tasks that have none of that model version; returns how many.

    Raises:
        LabelingError: Label Studio did not accept all of them.
    """
    rows = _missing(client, project, proposals)
    count = len(rows)
    for wait in WAITS:
        if _sent(client, project, rows, progress):
            return count
        time.sleep(wait)
        rows = _missing(client, project, proposals)
    raise LabelingError(f"Label Studio accepted {count - len(rows)} of {count} proposals; push again")


def _missing(client: Client, project: int, proposals: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
    if not proposals:
        return []
    present = versions_by_task(client, project)
    return [
        {"task": task, **proposal}
        for task, proposal in proposals.items()
        if proposal["model_version"] not in present.get(task, ())
    ]


def _sent(client: Client, project: int, rows: list[dict[str, Any]], progress: Progress) -> bool:
    """Whether Label Studio accepted all of ``rows``; if not, it may have accepted some."""
    from label_studio_sdk.core.api_error import ApiError

    accepted = 0
    for done, batch in batches(rows):
        progress("Sending proposals", done, len(rows))
        try:
            accepted += client.projects.import_predictions(id=project, request=batch).created
        except ApiError as error:
            if not is_busy(error):
                raise
    return accepted == len(rows)
