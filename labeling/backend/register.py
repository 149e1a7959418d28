"""Registers the service with a project in Label Studio, and removes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...base.errors import LabelingError
from ..studio.access import Access
from ..studio.client import Client, connect
from ..studio.project import get_project
from ..studio.shown import Shown, shown, widest_version
from .secret import USER, event_secret

ANNOTATED = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED")
"""Label Studio's webhook actions for new and changed annotations."""

NAME = "pizhu"
"""The service's name in Label Studio; a project that shows the proposals of this name asks the service for them."""


@dataclass(frozen=True)
class Registered:
    """The result of a registration.

    Attributes:
        backend: the service's number in Label Studio.
        created: whether it was not registered before.
        moved_from: the address that it was registered with before, if that was another.
        hidden: whether the project hides proposals from annotators (blind labelling).
        version: the model version that the service reported.
    """

    backend: int
    created: bool
    moved_from: str | None
    hidden: bool
    version: str


def register(access: Access, address: str, secret: str, title: str, *, events: bool = False) -> Registered:
    """Register the service with the project, or update its registration; Label Studio checks the service at once.

    Args:
        access: Label Studio's address and the owner's token.
        address: where Label Studio reaches the service.
        secret: the service's secret; Label Studio stores it and shows it to nobody.
        title: the project's title.
        events: have Label Studio notify the service of annotations (to train after a number of them).

    Raises:
        LabelingError: there is no such project, it has another prediction service, Label Studio cannot reach this one,
            or this one does not fit the project.
    """
    address = address.rstrip("/")
    with connect(access) as client:
        project = get_project(client, access, title)
        known = list(client.ml.list(project=project.id))
        # Label Studio asks only the first service.
        if stranger := next((backend for backend in known if backend.title != NAME), None):
            raise LabelingError(
                f"project {title} already has the prediction service {stranger.title} at {stranger.url}; remove it in "
                "the project's settings, since Label Studio asks only one"
            )
        fields: dict[str, Any] = {
            "project": project.id,
            "url": address,
            "title": NAME,
            "is_interactive": False,  # proposals come when a sentence is opened, not from what annotators draw
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": USER,
            "basic_auth_pass": secret,
        }
        backend = client.ml.update(id=known[0].id, **fields) if known else client.ml.create(**fields)
        for surplus in known[1:]:
            client.ml.delete(id=surplus.id)
        _set_webhook(client, int(project.id), {b.url.rstrip("/") for b in known}, address, secret, events)
        if project.model_version != NAME:
            client.projects.update(id=project.id, model_version=NAME)
        before = known[0].url.rstrip("/") if known else None
        return Registered(
            int(backend.id),
            not known,
            before if before != address else None,
            not project.show_collab_predictions,
            str(client.ml.get(id=backend.id).model_version),
        )


@dataclass(frozen=True)
class Disconnected:
    """The result of removing the service from a project.

    Attributes:
        addresses: the addresses that it was registered with; empty if it was not registered.
        shown: what annotators see now.
    """

    addresses: tuple[str, ...]
    shown: Shown


def unregister(access: Access, title: str) -> Disconnected:
    """Remove the service from the project; annotators then see what was pushed, or what it has proposed so far.

    If several models' proposals exist, those of the model with the most open sentences are shown. Services that are not
    pizhu's stay.

    Raises:
        LabelingError: Label Studio cannot be used, or has no such project.
    """
    with connect(access) as client:
        project = get_project(client, access, title)
        known = [backend for backend in client.ml.list(project=project.id) if backend.title == NAME]
        # First choose what is shown instead; removing the service would leave annotators without proposals.
        if project.model_version in (NAME, "", None) and (version := widest_version(client, project.id)) is not None:
            client.projects.update(id=project.id, model_version=version)
        addresses = tuple(backend.url.rstrip("/") for backend in known)
        for backend in known:
            client.ml.delete(id=backend.id)
        for hook in client.webhooks.list(project=str(project.id)):
            if hook.url in {f"{address}/webhook" for address in addresses}:
                client.webhooks.delete(id=hook.id)
        return Disconnected(addresses, shown(client, project.id))


def _set_webhook(client: Client, project: int, former: set[str], address: str, secret: str, events: bool) -> None:
    """Set up one webhook for annotations, or none.

    Label Studio creates a webhook of its own, which sends every event, with its payload and without a secret; it is
    replaced. Since every user can read a webhook's headers, the new one sends a secret that is valid for nothing else.
    """
    wanted = f"{address}/webhook"
    ours = {f"{url}/webhook" for url in (*former, address)}
    found = [hook for hook in client.webhooks.list(project=str(project)) if hook.url in ours]
    kept = next((hook for hook in found if events and hook.url == wanted), None)
    for hook in found:
        if hook is not kept:
            client.webhooks.delete(id=hook.id)
    if not events:
        return
    fields: dict[str, Any] = {
        "url": wanted,
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": list(ANNOTATED),
        "headers": {"Authorization": f"Bearer {event_secret(secret)}"},
        "is_active": True,
    }
    if kept:
        client.webhooks.update(id=kept.id, **fields)
    else:
        client.webhooks.create(project=project, **fields)
