"""The project in Label Studio: found, made, and brought up to date without losing an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.errors import ConfigError, LabelingError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from .access import Access
from .changes import ConfigChange, compare
from .client import Client, connect, listed
from .config import check_config, check_kind
from .kinds import SENTENCES, TaskKind
from .stored import Stored, count, rename


@dataclass(frozen=True)
class Difference:
    """What a push would change in a project that exists.

    Attributes:
        change: of the configuration.
        stored: what is stored under each name that goes, be it renamed or removed.
        by_hand: whether somebody changed the configuration in Label Studio, which a push refuses to undo unasked.
    """

    change: ConfigChange
    stored: Mapping[str, Stored]
    by_hand: bool


def ensure_project(
    client: Client,
    labels: LabelSet | None = None,
    title: str | None = None,
    *,
    kind: TaskKind = SENTENCES,
    overlap: int | None = None,
    blind: bool | None = None,
    overwrite: bool = False,
    remove: Collection[str] = (),
    progress: Progress = silent,
) -> int:
    """Create the project, or bring its configuration and instructions up to date; returns its number.

    What is stored under former names of the labels is renamed first. This may be killed and repeated at any point.

    Args:
        client: of the owner.
        labels: what the choices are made from; None takes the kind's own, as with ``title``.
        title: 3 to 50 characters; the project is known by it.
        kind: of task.
        overlap: how many annotators answer each sentence; None leaves it as it is (2 in a new project).
        blind: whether annotators do without the model's proposals; None leaves it as it is (no in a new project).
        overwrite: whether a configuration that was changed by hand is replaced.
        remove: labels that may go although answers hold them.
        progress: told what is renamed.

    Raises:
        LabelingError: the project is for another kind of task, its configuration was changed by hand and is not to be
            overwritten, or a label goes that answers hold.
    """
    labels, title = labels or kind.labels, title or kind.title
    settings: dict[str, Any] = {
        "label_config": kind.config(labels),
        "expert_instruction": kind.instructions(labels),
        "show_instruction": True,
    }
    if overlap is not None:
        settings["maximum_annotations"] = overlap
    if blind is not None:
        settings["show_collab_predictions"] = not blind
    found = find_project(client, title)
    if found is None:
        if not 3 <= len(title) <= 50:
            raise LabelingError(f"a project's title must have 3 to 50 characters; {title!r} has {len(title)}")
        return int(client.projects.create(title=title, **({"maximum_annotations": 2} | settings)).id)
    check_kind(found.label_config, title, kind.name)
    if not overwrite:
        check_config(found.label_config, title, kind.name)
    change = compare(found.label_config, settings["label_config"], labels)
    for name in change.removed:
        if name not in remove and (kept := count(client, found.id, kind, name)) and kept.answers + kept.drafts:
            raise LabelingError(
                f"label {name} has {kept.answers} answers and {kept.drafts} drafts in {title}; give its new name with "
                f'`formerly = "{name}"` in the label set, or let them lose it with --remove-label {name}'
            )
    # Names may be left over although the configuration is new: an earlier push was killed, or a page was still open.
    rename(client, found.id, kind, labels.renamed, progress)
    if changed := {name: value for name, value in settings.items() if getattr(found, name) != value}:
        client.projects.update(id=found.id, **changed)
        if change.renamed:
            rename(client, found.id, kind, labels.renamed, progress)  # what came in while the old names were on offer
    return int(found.id)


def difference(
    access: Access, labels: LabelSet | None = None, title: str | None = None, kind: TaskKind = SENTENCES
) -> Difference:
    """What :func:`ensure_project` would change.

    Raises:
        LabelingError: Label Studio cannot be used, has no such project, or it is for another kind of task.
    """
    labels, title = labels or kind.labels, title or kind.title
    with connect(access) as client:
        project = get_project(client, access, title)
        check_kind(project.label_config, title, kind.name)
        change = compare(project.label_config, kind.config(labels), labels)
        names = dict.fromkeys([*labels.renamed, *change.removed])
        stored = {name: count(client, project.id, kind, name) for name in names}
    try:
        check_config(project.label_config, title, kind.name)
        by_hand = False
    except LabelingError:
        by_hand = True
    return Difference(change, {name: some for name, some in stored.items() if some != Stored()}, by_hand)


def rename_labels(
    access: Access, labels: LabelSet, title: str | None = None, kind: TaskKind = SENTENCES, progress: Progress = silent
) -> Stored:
    """Store what the project stores under former names of ``labels`` under the present ones, and offer these.

    Raises:
        ConfigError: no label of the set has a former name.
        LabelingError: Label Studio cannot be used, has no such project, or as :func:`ensure_project`.
    """
    if not labels.renamed:
        raise ConfigError('no label of the set says what it was called: add `formerly = "old_name"` to the one renamed')
    title = title or kind.title
    with connect(access) as client:
        project = get_project(client, access, title)
        check_kind(project.label_config, title, kind.name)
        check_config(project.label_config, title, kind.name)
        total = rename(client, int(project.id), kind, labels.renamed, progress)
        ensure_project(client, labels, title, kind=kind, progress=progress)
    return total


def find_project(client: Client, title: str) -> Any | None:
    """The SDK's project of exactly this title, or None; two of them are an error."""
    like = listed(client, "api/projects", "results", title=title, include="id,title", page_size=100)
    found = [project["id"] for project in like if project["title"] == title]
    if len(found) > 1:
        raise LabelingError(f"Label Studio has {len(found)} projects titled {title}; rename all but one")
    # The list leaves fields out.
    return client.projects.get(found[0]) if found else None


def get_project(client: Client, access: Access, title: str) -> Any:
    """As :func:`find_project`, but there must be one."""
    project = find_project(client, title)
    if project is None:
        raise LabelingError(f"Label Studio at {access.url} has no project titled {title}; push first")
    return project
