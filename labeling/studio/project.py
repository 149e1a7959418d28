"""Finds and creates the project in Label Studio, and updates it without losing an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.errors import ConfigError, LabelingError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from .access import Access
from .client import Client, connect, list_all
from .config import check_config, check_kind
from .config_diff import ConfigChange, compare
from .project_labels import Stored, count, rename
from .storable import is_line
from .task_types import SENTENCES, TaskKind


@dataclass(frozen=True)
class Difference:
    """What a push would change in an existing project.

    Attributes:
        change: the change of the configuration.
        stored: what is stored under each label that would be renamed or removed.
        by_hand: whether somebody changed the configuration in Label Studio; a push undoes that only if asked to.
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
    """Create the project, or update its configuration and instructions; returns its number.

    What is stored under former names of the labels is renamed first. This may be killed and repeated at any point.

    Args:
        client: a connection as the owner.
        labels: the labels to choose from; None takes the kind's own.
        title: 3 to 50 characters, which identify the project; None takes the kind's own.
        kind: the kind of task.
        overlap: how many annotators answer each sentence; None leaves it as it is (2 in a new project).
        blind: whether to hide the model's proposals from annotators; None leaves it as it is (no in a new project).
        overwrite: whether to replace a configuration that was changed by hand.
        remove: labels to remove even if answers use them.
        progress: reports what is being renamed.

    Raises:
        LabelingError: the project is for another kind of task, its configuration was changed by hand and ``overwrite``
            is False, or a label that answers use would be removed.
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
    _check_removed(client, found, kind, [name for name in change.removed if name not in remove])
    # Former names may be stored although the configuration is new: an earlier push was killed, or a page was open.
    rename(client, found.id, kind, labels.renamed, progress)
    if changed := {name: value for name, value in settings.items() if getattr(found, name) != value}:
        client.projects.update(id=found.id, **changed)
        if change.renamed:
            rename(client, found.id, kind, labels.renamed, progress)  # answers given while the old names were shown
    return int(found.id)


def difference(
    access: Access, labels: LabelSet | None = None, title: str | None = None, kind: TaskKind = SENTENCES
) -> Difference:
    """What :func:`ensure_project` would change.

    Raises:
        LabelingError: Label Studio cannot be used or has no such project, or the project is for another kind of task.
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
    """Rename everything that the project stores under former names of ``labels``, and update its configuration.

    Errors that can be foreseen are raised before anything is renamed. If the server fails midway, everything gets its
    former name back, unless something was stored under a new name before.

    Raises:
        ConfigError: no label of the set has a former name.
        LabelingError: Label Studio cannot be used or has no such project, or as in :func:`ensure_project`; the message
            says if part has been renamed.
    """
    if not labels.renamed:
        raise ConfigError('no label of the set has a former name: add `formerly = "old_name"` to the renamed one')
    title = title or kind.title
    with connect(access) as client:
        project = get_project(client, access, title)
        check_kind(project.label_config, title, kind.name)
        check_config(project.label_config, title, kind.name)
        change = compare(project.label_config, kind.config(labels), labels)
        _check_removed(client, project, kind, change.removed)
        mixed = any(count(client, project.id, kind, new) != Stored() for new in labels.renamed.values())
    try:
        with connect(access) as client:
            total = rename(client, int(project.id), kind, labels.renamed, progress)
            ensure_project(client, labels, title, kind=kind, progress=progress)
    except LabelingError as error:
        back = {new: old for old, new in labels.renamed.items()}
        exact = not mixed and len(back) == len(labels.renamed)
        if exact and _renamed_back(access, project, kind, back, progress):
            raise LabelingError(f"{error}; the former names have been restored") from None
        raise LabelingError(f"{error}; part may have been renamed: repeat the command to finish") from None
    return total


def _renamed_back(access: Access, project: Any, kind: TaskKind, back: Mapping[str, str], progress: Progress) -> bool:
    """Undo what :func:`rename_labels` renamed; False if the new configuration is in place or the server fails."""
    try:
        with connect(access) as client:
            if client.projects.get(project.id).label_config != project.label_config:
                return False
            rename(client, int(project.id), kind, back, progress)
    except LabelingError:
        return False
    return True


def _check_removed(client: Client, project: Any, kind: TaskKind, names: Iterable[str]) -> None:
    """Raise a :class:`LabelingError` if answers use one of ``names``, labels to be removed."""
    for name in names:
        if (kept := count(client, project.id, kind, name)) and kept.answers + kept.drafts:
            raise LabelingError(
                f"label {name} has {kept.answers} answers and {kept.drafts} drafts in {project.title}; if it was "
                f'renamed, add `formerly = "{name}"` to the new label, else remove it with --remove-label {name}'
            )


def find_project(client: Client, title: str) -> Any | None:
    """The SDK's project with exactly this title, or None.

    Raises:
        LabelingError: several projects have this title, or it is not one line of text.
    """
    if not is_line(title):
        raise LabelingError(f"a project's title must be one line of text; {title!r} is not")
    like = list_all(client, "api/projects", "results", title=title, include="id,title", page_size=100)
    found = [project["id"] for project in like if project["title"] == title]
    if len(found) > 1:
        raise LabelingError(f"Label Studio has {len(found)} projects titled {title}; rename all but one")
    # The list does not include all fields.
    return client.projects.get(found[0]) if found else None


def get_project(client: Client, access: Access, title: str) -> Any:
    """As :func:`find_project`; a :class:`LabelingError` if there is no such project."""
    project = find_project(client, title)
    if project is None:
        raise LabelingError(f"Label Studio at {access.url} has no project titled {title}; push first")
    return project
