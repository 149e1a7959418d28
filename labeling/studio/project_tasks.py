"""Finds, imports and removes a project's tasks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ...base.progress import Progress, silent
from .batches import batches
from .busy import is_busy
from .client import Client
from .storable import readable, storable

IDS = 400  # ids of 16 digits in one query; URLs over 15 kB fail


def find(client: Client, project: int, ids: Collection[str], progress: Progress = silent) -> dict[str, list[int]]:
    """The numbers of the tasks for each sentence, lowest first; sentences without a task are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for done, batch in batches(list(ids), IDS):
        progress("Asking which sentences the project has", done, len(ids))
        wanted = {"filter": "filter:tasks:data.id", "operator": "in_list", "type": "List", "value": batch}
        query = json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})
        # One page holds them all; iterating over pages would request an empty second one.
        page = client.tasks.list(project=project, query=query, fields="task_only", include="id,data", page_size=2 * IDS)
        for task in page.items or ():
            found[str(task.data["id"])].append(int(task.id))
    return {identity: sorted(numbers) for identity, numbers in found.items()}


def import_tasks(client: Client, project: int, tasks: list[dict[str, Any]]) -> Any:
    """Send tasks and return the server's response; characters that its database cannot store become U+FFFD."""
    from label_studio_sdk.core.api_error import ApiError

    given, kept = readable(tasks), storable(tasks)
    try:
        return client.projects.import_tasks(id=project, request=given, return_task_ids=True)
    except ApiError as error:
        if given == kept or is_busy(error):
            raise
    return client.projects.import_tasks(id=project, request=kept, return_task_ids=True)


def total(client: Client, project: int) -> int:
    """How many tasks the project has."""
    return int(client.projects.get(project).task_number or 0)


def remove_surplus(client: Client, found: Mapping[str, list[int]]) -> None:
    """Delete all but the first of several tasks for one sentence, unless somebody has answered them."""
    remove_unanswered(client, [number for numbers in found.values() for number in numbers[1:]])


def remove_unanswered(client: Client, numbers: Iterable[int]) -> set[int]:
    """Delete those tasks that have neither answers nor drafts; returns their numbers."""
    gone = set()
    for number in numbers:
        task = client.tasks.get(id=number)
        if not task.annotations and not task.drafts:
            client.tasks.delete(id=number)
            gone.add(number)
    return gone
