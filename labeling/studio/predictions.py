"""Proposals that a project holds: whose each sentence has, and sending those that are lacking."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ...base.errors import LabelingError
from ...base.progress import Progress, silent
from .batches import batches
from .client import Client
from .patience import WAITS, is_busy


def versions_by_task(client: Client, project: int) -> dict[int, set[str]]:
    """The model versions of the proposals that each task has, by its number; tasks without any are left out."""
    found: dict[int, set[str]] = defaultdict(set)
    for proposal in client.predictions.list(project=project):
        found[int(proposal.task)].add(str(proposal.model_version))
    return dict(found)


def send_proposals(
    client: Client, project: int, proposals: Mapping[int, dict[str, Any]], progress: Progress = silent
) -> int:
    """Send proposals by the numbers of their tasks, unless a task has one of that model version; returns how many.

    Raises:
        LabelingError: Label Studio did not take all of them.
    """
    rows = _lacking(client, project, proposals)
    count = len(rows)
    for wait in WAITS:
        if _sent(client, project, rows, progress):
            return count
        time.sleep(wait)
        rows = _lacking(client, project, proposals)
    raise LabelingError(f"Label Studio took {count - len(rows)} of {count} proposals; push again")


def _lacking(client: Client, project: int, proposals: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
    if not proposals:
        return []
    there = versions_by_task(client, project)
    return [
        {"task": task, **proposal}
        for task, proposal in proposals.items()
        if proposal["model_version"] not in there.get(task, ())
    ]


def _sent(client: Client, project: int, rows: list[dict[str, Any]], progress: Progress) -> bool:
    """Whether all were taken; some may have been where not."""
    from label_studio_sdk.core.api_error import ApiError

    taken = 0
    for done, batch in batches(rows):
        progress("Sending proposals", done, len(rows))
        try:
            taken += client.projects.import_predictions(id=project, request=batch).created
        except ApiError as error:
            if not is_busy(error):
                raise
    return taken == len(rows)
