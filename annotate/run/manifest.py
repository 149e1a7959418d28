"""What a run folder says of itself: its manifest, and the journal that stands in for it while a run goes on.

Either may come from a stranger or be spoilt: nothing in them is believed before it was looked at. Names in them become
paths, so they must be such as a run gives.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from ...base.errors import ConfigError
from ...base.files import as_line, replacing, replacing_bytes
from ...base.inside import open_own
from ...base.toml import brief
from ...base.typed import check
from .. import writers
from ..inputs.find import MANIFEST, MANIFEST_BEGINS
from .names import WHOLE, claims, is_given

FORMAT = 1
MISSING = "missing"
"""The version of a package that is not installed."""
_WRONG = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What comes of reading what is no manifest or journal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one input.

    Attributes:
        name: what its outputs are called, without their endings.
        sha256: of its content; empty where there was none to read, or where it is to be tried again because what
            failed was not the report.
        sentences: how many were labelled.
        reason: why it failed; empty where it is done.
    """

    name: str
    sha256: str
    sentences: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        row: dict[str, Any] = {"state": "failed" if self.reason else "done", "name": self.name, "sha256": self.sha256}
        return row | ({"reason": self.reason} if self.reason else {"sentences": self.sentences})

    @classmethod
    def of(cls, row: Any) -> Entry:
        """What :meth:`as_dict` made; ValueError or KeyError where it is something else."""
        check(row, _Row)
        name, digest = row["name"], row["sha256"]
        if not is_given(name):
            raise ValueError(f"name {name!r:.80}")
        if row["state"] == "failed":
            return cls(name, digest, reason=row["reason"])
        if (sentences := row["sentences"]) < 0:
            raise ValueError(f"sentences {sentences!r:.80}")
        return cls(name, digest, sentences)


class _Row(TypedDict):
    """An :class:`Entry` as files hold it."""

    state: Literal["done", "failed"]
    name: str
    sha256: str
    sentences: NotRequired[int]
    reason: NotRequired[str]


class _Model(TypedDict):
    name: str
    sha256: str


class _Settings(TypedDict):
    formats: list[str]
    limits: dict[str, Any]


class _Head(TypedDict):
    """What a manifest's head must hold to be compared with another's (``runfolder.head_of``)."""

    model: _Model
    settings: _Settings
    versions: dict[str, str]
    runtime: NotRequired[str]


@dataclass
class Manifest:
    """What a run folder's manifest says.

    Attributes:
        head: what the outputs depend on (``runfolder.head_of``).
        whole: the files made of all reports, as seen from the folder.
        entries: what became of each input, by its key.
    """

    head: dict[str, Any]
    whole: list[str]
    entries: dict[str, Entry]

    @property
    def formats(self) -> list[str]:
        """The formats that were asked for and are known."""
        return [name for name in self.head["settings"]["formats"] if name in writers.FORMATS]


def read_manifest(out: Path) -> Manifest | None:
    """What the manifest in ``out`` says; None where there is none.

    Raises:
        ConfigError: it is no manifest, or names what no run names.
    """
    path = out / MANIFEST
    try:
        with open_own(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    if not data.startswith(MANIFEST_BEGINS):
        raise ConfigError(f"{path} was not written by pizhu; choose another folder with --out")
    try:
        body = json.loads(data)
        if body["pizhu run"] != FORMAT:
            raise ConfigError(
                f"{path} has format {brief(body['pizhu run'])}, expected {FORMAT}; name another folder with --out"
            )
        entries = {key: Entry.of(row) for key, row in body.pop("inputs").items()}
        whole = list(body.pop("outputs"))
        if wrong := [name for name in whole if not _is_whole(name)]:
            raise ValueError(f"outputs {wrong[0]!r:.80}")
        check(body, _Head)
        _flat(body)
    except _WRONG as error:
        raise ConfigError(f"{path} cannot be understood ({error!r:.200}); name a new folder with --out") from None
    check_distinct(out, entries)
    return Manifest(body, whole, entries)


def _is_whole(name: Any) -> bool:
    """Whether a run may have made the file ``name`` of all its reports."""
    folder, _, file = name.rpartition("/") if isinstance(name, str) else ("", "", "")
    return (
        folder == WHOLE and is_given(file) and any(fnmatchcase(file, writers.FORMATS[k].files) for k in writers.WHOLE)
    )


def check_distinct(out: Path, entries: Mapping[str, Entry]) -> None:
    """Raises a ConfigError where two inputs would have one output."""
    taken: set[str] = set()
    for entry in entries.values():
        if taken & (claimed := claims(entry.name)):
            raise ConfigError(
                f"{out / MANIFEST} cannot be understood (two inputs are called {entry.name!r}); "
                "name a new folder with --out"
            )
        taken |= claimed


def write_manifest(out: Path, head: Mapping[str, Any], whole: Iterable[str], entries: Mapping[str, Entry]) -> None:
    """A line an input, in the order of their keys: easy to compare, and never whole in memory."""
    with replacing(out / MANIFEST) as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {_json(value)}" for name, value in head.items()))
        file.write(f',\n"outputs": {_json([*whole])},\n"inputs": {{')
        for number, key in enumerate(sorted(entries)):
            file.write(f"{',' if number else ''}\n{_json(key)}: {_json(entries[key].as_dict())}")
        file.write("\n}\n}\n")


def _json(value: Any) -> str:
    return as_line(value).rstrip("\n")


def replay(journal: Path, entries: dict[str, Entry]) -> bool:
    """Put what the journal says into ``entries``; whether there is one that says anything.

    Raises:
        ConfigError: it lies elsewhere, and a link leads there.
    """
    try:
        file = open_own(journal, "rb")
    except FileNotFoundError:
        return False
    with file:
        for line in file:
            try:
                row = json.loads(line)
                key = row["input"]
                if not isinstance(key, str):
                    raise TypeError(key)
                if row["state"] == "gone":
                    entries.pop(key, None)
                else:
                    entries[key] = Entry.of(row)
            except _WRONG:
                continue  # torn by a kill or a power cut: that input is done again
        return bool(file.tell() > 0)


def make_own(journal: Path) -> None:
    """Have lines that are added to a journal stand in no other file, where it has a second name (a hard link)."""
    try:
        if journal.lstat().st_nlink < 2:
            return
    except FileNotFoundError:
        return
    with open_own(journal, "rb") as old, replacing_bytes(journal) as new:
        shutil.copyfileobj(old, new)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first thing in which the heads of two runs differ, in words; empty where they are the same."""
    before, now = _flat(old), _flat(new)
    for name in [*now, *before]:
        if before.get(name) != now.get(name):
            return f"was begun with {name:.80} {before.get(name, 'unset'):.200}, this is {now.get(name, 'unset'):.200}"
    return ""


def _flat(head: Mapping[str, Any]) -> dict[str, str]:
    model = head["model"]
    flat = {"the model": f"{model['name'] or 'without a name'} ({model['sha256'][:12]}…)"}
    settings = dict(head["settings"])
    limits = settings.pop("limits")
    for name, value in settings.items():
        flat[name.replace("_", " ")] = ",".join(value) if isinstance(value, list) else str(value)
    flat |= {f"limit {name}": f"{value}" for name, value in limits.items()}
    flat["the runtime"] = head.get("runtime", "unset")
    return flat | {name: value if value == MISSING else f"version {value}" for name, value in head["versions"].items()}
