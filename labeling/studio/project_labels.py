"""Counts and renames what a project in Label Studio stores under a label's name: answers, drafts and proposals.

Everything goes through the server's API and can be repeated: what was renamed is not found again. The server's own
action renames answers, because it alone keeps their annotator and time; writing an annotation back would change its
time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.progress import Progress, silent
from .busy import retry_while_busy
from .client import Client, list_all, request
from .task_types import TaskKind

PAGE = 200


@dataclass(frozen=True)
class Stored:
    """How many answers, drafts (begun but not submitted) and proposals use a label."""

    answers: int = 0
    drafts: int = 0
    proposals: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(self.answers + other.answers, self.drafts + other.drafts, self.proposals + other.proposals)


def count(client: Client, project: int, kind: TaskKind, name: str) -> Stored:
    """What the project stores under ``name``."""
    return Stored(
        sum(1 for _ in _answers(client, project, kind, name)),
        sum(1 for _ in _drafts(client, project, kind, name)),
        sum(1 for _ in _proposals(client, project, kind, name)),
    )


def rename(
    client: Client, project: int, kind: TaskKind, names: Mapping[str, str], progress: Progress = silent
) -> Stored:
    """Rename each former name in ``names`` to its new one in everything stored; returns how much was renamed.

    It may be killed at any point; a repeat continues from there.
    """
    total = Stored()
    for old, new in names.items():
        answers = sum(1 for _ in _answers(client, project, kind, old))
        if answers:
            progress(f"Renaming {old} in answers", 0, answers)
            _rename_answers(client, project, kind, old, new)
        drafts = list(_drafts(client, project, kind, old))
        for done, (number, result) in enumerate(drafts):
            progress(f"Renaming {old} in drafts", done, len(drafts))
            _store(client, f"api/drafts/{number}/", _renamed(result, kind, old, new))
        proposals = list(_proposals(client, project, kind, old))
        for done, (number, result) in enumerate(proposals):
            progress(f"Renaming {old} in proposals", done, len(proposals))
            _store(client, f"api/predictions/{number}/", _renamed(result, kind, old, new))
        total += Stored(answers, len(drafts), len(proposals))
    return total


def _rename_answers(client: Client, project: int, kind: TaskKind, old: str, new: str) -> None:
    body = {
        "control_tag": kind.control,
        "old_label_name": old,
        "new_label_name": new,
        "selectedItems": {"all": True, "excluded": []},
    }
    options = {"additional_body_parameters": body, "max_retries": 0}
    retry_while_busy(lambda: client.actions.create(id="rename_labels", project=project, request_options=options))


def _store(client: Client, path: str, result: list[dict[str, Any]]) -> None:
    retry_while_busy(lambda: request(client, "PATCH", path, {"result": result}))


Held = Iterator[tuple[int, list[dict[str, Any]]]]
"""The number and result of each answer, draft or proposal that uses a label."""


def _answers(client: Client, project: int, kind: TaskKind, name: str) -> Held:
    for task in _tasks(client, project, _in_results("annotations", name), "id,annotations,result"):
        for annotation in task["annotations"]:
            if _holds(annotation["result"], kind, name):
                yield int(annotation["id"]), annotation["result"]


def _proposals(client: Client, project: int, kind: TaskKind, name: str) -> Held:
    # Listing all proposals is the fast way to find many, but a waste if there are none.
    if next(_tasks(client, project, _in_results("predictions", name), "id"), None) is None:
        return
    for proposal in request(client, "GET", f"api/predictions/?project={project}"):
        if _holds(proposal["result"], kind, name):
            yield int(proposal["id"]), proposal["result"]


def _drafts(client: Client, project: int, kind: TaskKind, name: str) -> Held:
    """Drafts of all annotators."""
    for task in _tasks(client, project, _condition("draft_exists", "equal", "Boolean", "true"), "id"):
        for draft in request(client, "GET", f"api/tasks/{task['id']}/drafts"):
            if _holds(draft["result"], kind, name):
                yield int(draft["id"]), draft["result"]


def _tasks(client: Client, project: int, condition: dict[str, str], include: str) -> Iterator[dict[str, Any]]:
    # Without the SDK, whose types drop what annotations hold. ``include`` applies to nested fields too.
    query = json.dumps({"filters": {"conjunction": "and", "items": [condition]}})
    fields = {"project": project, "query": query, "fields": "all", "include": include, "page_size": PAGE}
    yield from list_all(client, "api/tasks", "tasks", **fields)


def _in_results(what: str, name: str) -> dict[str, str]:
    # The server searches text: the quotation marks keep `plan` from matching `planned`.
    return _condition(f"{what}_results", "contains", "String", f'"{name}"')


def _condition(field: str, operator: str, type_: str, value: str) -> dict[str, str]:
    return {"filter": f"filter:tasks:{field}", "operator": operator, "type": type_, "value": value}


def _holds(result: list[dict[str, Any]] | None, kind: TaskKind, name: str) -> bool:
    return any(
        name in part["value"].get(kind.value, ()) for part in result or () if part.get("from_name") == kind.control
    )


def _renamed(result: list[dict[str, Any]], kind: TaskKind, old: str, new: str) -> list[dict[str, Any]]:
    return [
        {**part, "value": {**part["value"], kind.value: [new if n == old else n for n in part["value"][kind.value]]}}
        if part.get("from_name") == kind.control and kind.value in part["value"]
        else part
        for part in result
    ]
