"""Whose proposals annotators see: Label Studio shows one model version's, or asks a prediction service."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from ...base.errors import LabelingError
from .access import Access
from .batches import batches
from .client import Client, connect, request
from .predictions import versions_by_task
from .project import get_project
from .project_tasks import IDS


@dataclass(frozen=True)
class Shown:
    """Whose proposals annotators see when they open a sentence.

    Attributes:
        by: the model version, or the prediction service that Label Studio asks; None if they see no proposals.
        live: whether that is a prediction service.
        trouble: why that service proposes nothing now; None if it works.
        versions: how many sentences have a proposal of each model version.
        hidden: how many open sentences have proposals, but none of the version that is shown.
    """

    by: str | None
    live: bool = False
    trouble: str | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    hidden: int = 0


def shown(client: Client, project: int) -> Shown:
    """Whose proposals the project shows, and whose others it has."""
    details = client.projects.get(project)
    return _shown(client, details, details.model_version, _service(client, details))


def choose(access: Access, title: str, version: str | None = None) -> Shown:
    """Show annotators the proposals of ``version``, a model version or a prediction service; None changes nothing.

    Raises:
        LabelingError: Label Studio cannot be used or has no such project, or the project has no such proposals.
    """
    with connect(access) as client:
        project = get_project(client, access, title)
        if version is not None:
            known = [*_versions(client, project.id), *(service.title for service in client.ml.list(project=project.id))]
            if version not in known:
                raise LabelingError(
                    f"project {title} has no proposals of {version}, only of {', '.join(known) or 'none'}"
                )
            client.projects.update(id=project.id, model_version=version)
        return shown(client, project.id)


def show_pushed(client: Client, project: int, version: str | None) -> Shown:
    """Show annotators what a push proposed, unless the project uses a prediction service; returns what they see.

    Args:
        client: a connection as the owner.
        project: its number.
        version: the model version that was pushed; None changes nothing.
    """
    details = client.projects.get(project)
    service = _service(client, details)
    if service is None and version is not None and details.model_version != version:
        client.projects.update(id=project, model_version=version)
        return _shown(client, details, version, None)
    return _shown(client, details, details.model_version, service)


def widest_version(client: Client, project: int) -> str | None:
    """The model version with proposals for the most open sentences; None if there are no proposals."""
    proposed = versions_by_task(client, project)
    versions = sorted({version for found in proposed.values() for version in found})
    return max(
        versions,
        key=lambda version: _open(client, project, [task for task, found in proposed.items() if version in found]),
        default=None,
    )


def _shown(client: Client, details: Any, version: str | None, service: Any | None) -> Shown:
    versions = _versions(client, details.id)
    if not details.show_collab_predictions:
        return Shown(None, versions=versions)
    if service is not None:
        return Shown(str(service.title), True, _trouble(service), versions)
    hidden = 0
    if versions.keys() - {version}:
        proposed = versions_by_task(client, details.id)
        hidden = _open(client, details.id, [task for task, found in proposed.items() if version not in found])
    return Shown(version if version in versions else None, versions=versions, hidden=hidden)


def _versions(client: Client, project: int) -> dict[str, int]:
    """How many proposals each model version has, the latest first."""
    static = request(client, "GET", f"api/projects/{project}/model-versions?extended=true")["static"]
    return {str(row["model_version"]): int(row["count"]) for row in static}


def _service(client: Client, details: Any) -> Any | None:
    # Label Studio asks the service whose name the model_version field holds. Listing services makes it check each one.
    services = client.ml.list(project=details.id)
    return next((service for service in services if service.title == details.model_version), None)


def _trouble(service: Any) -> str | None:
    if service.state == "CO":
        return None
    # The address in a refusal contains its message, see labeling/backend/app.py.
    _, refused, sentence = str(service.error_message or "").partition("/problem/")
    if service.state == "ER" and refused:
        return f"{service.url} says: {unquote(sentence).replace('_', ' ')}"
    return f"{service.url} does not answer" if service.state == "DI" else f"{service.url}: {service.error_message}"


def _open(client: Client, project: int, tasks: Collection[int]) -> int:
    """How many of ``tasks`` still need answers."""
    count = 0
    for _, batch in batches(sorted(tasks), IDS):
        items = [
            {"filter": "filter:tasks:id", "operator": "in_list", "type": "List", "value": batch},
            {"filter": "filter:tasks:completed_at", "operator": "empty", "type": "Datetime", "value": True},
        ]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}})
        fields = {"project": project, "query": query, "fields": "task_only", "include": "id", "page_size": 1}
        count += int(request(client, "GET", f"api/tasks?{urlencode(fields)}")["total"])
    return count
