"""The difference between a project's configuration and the one it should have, for people to read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from ...data.labels import Label, LabelSet
from .config import config_labels

_FIELD_NAMES = {"title": "title", "color": "colour", "hotkey": "hot key", "description": "description"}


@dataclass(frozen=True)
class ConfigChange:
    """What a new configuration changes.

    Attributes:
        added, removed: names of labels.
        renamed: the new name for each former name in the configuration.
        changed: for each label that stays, from field (``title``, ``color``, ``hotkey``, ``description``) to its
            values before and after.
        moved: whether the labels that stay change their order.
        diff: the two configurations as a unified diff; empty if they are the same.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: Mapping[str, str]
    changed: Mapping[str, Mapping[str, tuple[str, str]]]
    moved: bool
    diff: str

    def __bool__(self) -> bool:
        return bool(self.diff)

    def lines(self) -> list[str]:
        """The change in words, one line for each part of it."""
        lines = [f"label added: {name}" for name in self.added]
        lines += [f"label removed: {name}" for name in self.removed]
        lines += [f"label renamed: {old} becomes {new}" for old, new in self.renamed.items()]
        for name, fields in self.changed.items():
            lines += [f"{name}: {_FIELD_NAMES[field]} {old!r} becomes {new!r}" for field, (old, new) in fields.items()]
        if self.moved:
            lines.append("the order of the labels changes")
        if self and not lines:
            lines.append("labels stay; what is shown around them changes")
        return lines


def compare(there: str | None, wanted: str, labels: LabelSet) -> ConfigChange:
    """What changes when ``wanted``, made from ``labels``, replaces the configuration ``there``."""
    before = {label.name: label for label in config_labels(there)}
    after = {label.name: label for label in labels}
    renamed = {old: new for old, new in labels.renamed.items() if old in before}
    pairs = {label: before.get(label) for label in after}
    pairs |= {new: before[old] for old, new in renamed.items() if new not in before}
    stay = [name for name, old in pairs.items() if old is not None]
    changed = {name: fields for name, old in pairs.items() if old and (fields := _fields(old, after[name]))}
    order = {name: place for place, name in enumerate(before)}
    places = [order[old.name] for name in after if (old := pairs[name])]
    return ConfigChange(
        added=tuple(name for name in after if name not in stay),
        removed=tuple(name for name in before if name not in after and name not in renamed),
        renamed=renamed,
        changed=changed,
        moved=places != sorted(places),
        diff="\n".join(
            difflib.unified_diff(_lines(there), _lines(wanted), "in Label Studio", "as it will be", n=1, lineterm="")
        ),
    )


def _fields(old: Label, new: Label) -> dict[str, tuple[str, str]]:
    values = {field: (getattr(old, field), getattr(new, field)) for field in _FIELD_NAMES}
    return {field: (before, after) for field, (before, after) in values.items() if before != after}


def _lines(config: str | None) -> list[str]:
    lines = (config or "").replace("\r\n", "\n").splitlines()
    return [line for line in lines if not line.startswith("<!-- pizhu:")]
