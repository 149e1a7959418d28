"""Reads and writes a run folder's manifest, and its journal, which records the entries while a run is in progress.

Both may be damaged or come from a stranger, so every value is checked before use. Names in them become paths, so only
names that a run could have given are accepted.
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
"""The exceptions that reading a malformed manifest or journal may raise."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The outcome of one input.

    Attributes:
        name: the name of its outputs, without their extensions.
        sha256: the SHA-256 of its content; empty if there was no content to read, or if the failure was not the
            report's fault, so that the next run tries it again.
        sentences: how many sentences were labelled.
        reason: why it failed; empty if it is done.
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
        """The inverse of :meth:`as_dict`; raises ValueError or KeyError for anything else."""
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
    """An :class:`Entry` as stored in files."""

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
    """What a manifest's head must contain to be compared with another (``runfolder.head_of``)."""

    model: _Model
    settings: _Settings
    versions: dict[str, str]
    runtime: NotRequired[str]


@dataclass
class Manifest:
    """The content of a run folder's manifest.

    Attributes:
        head: what the outputs depend on (``runfolder.head_of``).
        whole: the files made from all reports, relative to the folder.
        entries: the outcome of each input, by its key.
    """

    head: dict[str, Any]
    whole: list[str]
    entries: dict[str, Entry]

    @property
    def formats(self) -> list[str]:
        """The requested formats that this version knows."""
        return [name for name in self.head["settings"]["formats"] if name in writers.FORMATS]


def read_manifest(out: Path) -> Manifest | None:
    """The manifest in ``out``; None if there is none.

    Raises:
        ConfigError: the file is not a manifest, or contains names that no run gives.
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
    """Whether ``name`` is the name of a file that a run makes from all its reports."""
    folder, _, file = name.rpartition("/") if isinstance(name, str) else ("", "", "")
    return (
        folder == WHOLE and is_given(file) and any(fnmatchcase(file, writers.FORMATS[k].files) for k in writers.WHOLE)
    )


def check_distinct(out: Path, entries: Mapping[str, Entry]) -> None:
    """Raises a ConfigError if two inputs would have the same output."""
    taken: set[str] = set()
    for entry in entries.values():
        if taken & (claimed := claims(entry.name)):
            raise ConfigError(
                f"{out / MANIFEST} cannot be understood (two inputs are called {entry.name!r}); "
                "name a new folder with --out"
            )
        taken |= claimed


def write_manifest(out: Path, head: Mapping[str, Any], whole: Iterable[str], entries: Mapping[str, Entry]) -> None:
    """Write one line per input, sorted by key: easy to compare, and never all in memory."""
    with replacing(out / MANIFEST) as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {_json(value)}" for name, value in head.items()))
        file.write(f',\n"outputs": {_json([*whole])},\n"inputs": {{')
        for number, key in enumerate(sorted(entries)):
            file.write(f"{',' if number else ''}\n{_json(key)}: {_json(entries[key].as_dict())}")
        file.write("\n}\n}\n")


def _json(value: Any) -> str:
    return as_line(value).rstrip("\n")


def replay(journal: Path, entries: dict[str, Entry]) -> bool:
    """Update ``entries`` from the journal; returns whether there is a nonempty one.

    Raises:
        ConfigError: the journal is a link to a file elsewhere.
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
                continue  # a kill or power cut tore the line: that input is done again
        return bool(file.tell() > 0)


def make_own(journal: Path) -> None:
    """Replace a journal that has a second name (a hard link) by a copy, so that new lines change no other file."""
    try:
        if journal.lstat().st_nlink < 2:
            return
    except FileNotFoundError:
        return
    with open_own(journal, "rb") as old, replacing_bytes(journal) as new:
        shutil.copyfileobj(old, new)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first difference between the heads of two runs, in words; empty if they are the same."""
    before, now = _flat(old), _flat(new)
    for name in [*now, *before]:
        if before.get(name) != now.get(name):
            was, wanted = before.get(name, "unset"), now.get(name, "unset")
            return f"was started with {name:.80} {was:.200}, not {wanted:.200}"
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
