"""From the configuration that Label Studio has to the one that it should have: the difference, as people read it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from ...data.labels import Label, LabelSet
from .config import config_labels

_TOLD = {"title": "title", "color": "colour", "hotkey": "hot key", "description": "description"}


@dataclass(frozen=True)
class ConfigChange:
    """What a new configuration changes.

    Attributes:
        added, removed: names of labels.
        renamed: the new name of each former one that goes.
        changed: for each label that stays, field (``title``, ``color``, ``hotkey``, ``description``) to the values
            before and after.
        moved: whether labels that stay come in another order.
        diff: the two configurations as a unified diff; empty where they are the same.
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
        """The change in words, a line each."""
        told = [f"label added: {name}" for name in self.added]
        told += [f"label removed: {name}" for name in self.removed]
        told += [f"label renamed: {old} becomes {new}" for old, new in self.renamed.items()]
        for name, fields in self.changed.items():
            told += [f"{name}: {_TOLD[field]} {old!r} becomes {new!r}" for field, (old, new) in fields.items()]
        if self.moved:
            told.append("labels come in another order")
        if self and not told:
            told.append("labels stay; what is shown around them changes")
        return told


def compare(there: str | None, wanted: str, labels: LabelSet) -> ConfigChange:
    """What becomes of the configuration ``there`` when ``wanted``, made from ``labels``, takes its place."""
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
    values = {field: (getattr(old, field), getattr(new, field)) for field in _TOLD}
    return {field: (before, after) for field, (before, after) in values.items() if before != after}


def _lines(config: str | None) -> list[str]:
    lines = (config or "").replace("\r\n", "\n").splitlines()
    return [line for line in lines if not line.startswith("<!-- pizhu:")]
