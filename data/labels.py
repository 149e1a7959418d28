"""The label set: the tags for sentences, from which everything else follows.

Label Studio's configuration, hot keys and colours, the model's outputs and the reports are all made from a
:class:`LabelSet`. Tags are independent: a sentence has none, one or several.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import ConfigError, DataError
from ..base.toml import brief, named, read_toml

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_LONGEST = 64
"""Characters of a name or title, which are shown beside every sentence."""
_LONGEST_LINE = 1000
"""Characters of a description."""


@dataclass(frozen=True, slots=True)
class Label:
    """One tag.

    Attributes:
        name: the name stored in records, ASCII lower case (``achievement``).
        title: the name that annotators and readers see (``成效``).
        color: ``#rrggbb``; the defaults are from the palette of Okabe and Ito (2008), which is safe for colour-blind
            readers.
        hotkey: one key, ``1`` to ``9`` or a letter; ``0`` is reserved for "none".
        description: one line that annotators see beside the choice.
        formerly: its earlier names, under which records may still store it. They do not make it a different label.
    """

    name: str
    title: str
    color: str
    hotkey: str
    description: str = ""
    formerly: tuple[str, ...] = dataclasses.field(default=(), compare=False)


@dataclass(frozen=True)
class LabelSet:
    """Labels in their fixed order: the order of a model's outputs and of every table."""

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise ConfigError("a label set needs at least one label")
        for label in self.labels:
            _check(label)
        for field in ("name", "title", "hotkey"):
            if repeated := _repeated(getattr(label, field) for label in self.labels):
                raise ConfigError(f"two labels share the {field} {repeated!r}")
        former = [name for label in self.labels for name in label.formerly]
        if clash := _repeated([*dict.fromkeys(former), *self.names]) or _repeated(former):
            raise ConfigError(f"the former name {brief(clash)} is another label's too")
        for name in former:
            if not _is_name(name):
                raise ConfigError(f"the former name {brief(name)} is not a valid label name")

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(label.name for label in self.labels)

    @property
    def renamed(self) -> Mapping[str, str]:
        """Maps each earlier name to the present one."""
        return {former: label.name for label in self.labels for former in label.formerly}

    def canonical(self, names: Iterable[str]) -> list[str]:
        """``names`` in their order, with earlier names replaced by the present ones; unknown names stay."""
        renamed = self.renamed
        return [renamed.get(name, name) for name in names]

    def check(self, names: Iterable[str], where: str) -> tuple[str, ...]:
        """``names`` in this set's order; a :class:`DataError` says which one is unknown, and ``where``."""
        wanted = set(names)
        if unknown := wanted.difference(self.names):
            raise DataError(f"{where}: unknown label {brief(min(unknown))}, expected one of {', '.join(self.names)}")
        return tuple(name for name in self.names if name in wanted)

    @classmethod
    def load(cls, path: str | Path) -> LabelSet:
        """Read a TOML file of ``[[label]]`` tables, fields as in :class:`Label` (``formerly``: a name or a list)."""
        table = read_toml(path, f"label set file {path}")
        rows = table.get("label")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or set(table) != {"label"}:
            raise ConfigError(f"{path}: expected [[label]] tables and nothing else")
        labels = []
        for number, row in enumerate(rows, 1):
            former = row.get("formerly", [])
            former = [former] if isinstance(former, str) else former
            if not isinstance(former, list) or not all(
                isinstance(value, str) for value in [*former, *(row[name] for name in row if name != "formerly")]
            ):
                raise ConfigError(
                    f"{path}: label {number}: every value must be a string; 'formerly' may be a list of them"
                )
            try:
                labels.append(Label(**{**row, "formerly": tuple(former)}))
            except TypeError:
                raise ConfigError(
                    f"{path}: label {number} has fields {', '.join(map(named, row))}; "
                    "expected name, title, color, hotkey and, if wanted, description and formerly"
                ) from None
        return cls(tuple(labels))


def _check(label: Label) -> None:
    """Raise a ConfigError if ``label`` cannot be stored, displayed or typed."""
    texts = (label.name, label.title, label.color, label.hotkey, label.description, *label.formerly)
    if not isinstance(label.formerly, tuple) or not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"label {brief(label.name)} has a value that is not a text")
    if not _is_name(label.name):
        raise ConfigError(
            f"label name {brief(label.name)} must be lower-case ASCII letters, digits, '-' or '_', at most {_LONGEST}"
        )
    if label.name == "none":
        raise ConfigError("label name 'none' is reserved for sentences without a label")
    if not label.title.strip():
        raise ConfigError(f"label {label.name!r} needs a title")
    for field, text in (("title", label.title), ("description", label.description)):
        if len(text) > (most := _LONGEST if field == "title" else _LONGEST_LINE):
            raise ConfigError(f"label {label.name!r} has a {field} of {len(text)} characters, expected at most {most}")
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise ConfigError(f"label {label.name!r} has a {field} that is not Unicode text: {brief(text)}")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", label.color):
        raise ConfigError(f"label {label.name!r} has color {brief(label.color)}, expected #rrggbb")
    if not re.fullmatch(r"[1-9a-z]", label.hotkey):
        raise ConfigError(f"label {label.name!r} has hotkey {brief(label.hotkey)}, expected 1-9 or a-z (0 means none)")


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def _repeated(values: Iterable[str]) -> str | None:
    """The first of ``values`` that occurs twice; None if there is none."""
    counts = Counter(values)
    return next((value for value, count in counts.items() if count > 1), None)


DEFAULT_LABELS = LabelSet(
    (
        Label("achievement", "成效", "#009e73", "1", "做了什么、取得了什么"),
        Label("shortcoming", "不足", "#d55e00", "2", "问题、短板、困难、风险及其原因"),
        Label("plan", "计划", "#0072b2", "3", "今后要做的事、目标、部署、承诺"),
        Label("metric", "指标", "#cc79a7", "4", "衡量工作、产出、位次或目标的数量"),
    )
)
