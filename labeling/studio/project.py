"""The project in Label Studio: found, made, and brought up to date without losing an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.errors import ConfigError, LabelingError
from ...base.progress import Progress, silent
from ...data.labels import LabelSet
from .access import Access
from .client import Client, connect, listed
from .config import check_config, check_kind
from .config_diff import ConfigChange, compare
from .project_labels import Stored, count, rename
from .storable import is_line
from .task_types import SENTENCES, TaskKind


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
    _check_removed(client, found, kind, [name for name in change.removed if name not in remove])
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

    What can be refused is refused before anything is renamed. Where the server fails in the middle, what was renamed
    gets its former names back, unless something was stored under the present ones before.

    Raises:
        ConfigError: no label of the set has a former name.
        LabelingError: Label Studio cannot be used, has no such project, or as :func:`ensure_project`; the message says
            if part has been renamed.
    """
    if not labels.renamed:
        raise ConfigError('no label of the set says what it was called: add `formerly = "old_name"` to the one renamed')
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
            raise LabelingError(f"{error}; what had been renamed has its former names again") from None
        raise LabelingError(f"{error}; part may have been renamed: repeat the command, it goes on from there") from None
    return total


def _renamed_back(access: Access, project: Any, kind: TaskKind, back: Mapping[str, str], progress: Progress) -> bool:
    """Rename back what :func:`rename_labels` had renamed; not where the new names are on offer already, nor offline."""
    try:
        with connect(access) as client:
            if client.projects.get(project.id).label_config != project.label_config:
                return False
            rename(client, int(project.id), kind, back, progress)
    except LabelingError:
        return False
    return True


def _check_removed(client: Client, project: Any, kind: TaskKind, names: Iterable[str]) -> None:
    """Raise a :class:`LabelingError` if a label that is to go is held by answers."""
    for name in names:
        if (kept := count(client, project.id, kind, name)) and kept.answers + kept.drafts:
            raise LabelingError(
                f"label {name} has {kept.answers} answers and {kept.drafts} drafts in {project.title}; give its new "
                f'name with `formerly = "{name}"` in the label set, or let them lose it with --remove-label {name}'
            )


def find_project(client: Client, title: str) -> Any | None:
    """The SDK's project of exactly this title, or None; two of them are an error, as is a title that none can have."""
    if not is_line(title):
        raise LabelingError(f"a project's title must be one line of text; {title!r} is none")
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
