"""A run's folder: what was asked for, what became of every input, and the outputs.

``manifest.json`` says with which model, settings and versions the run was begun, and, when a run is complete, what
became of every input. While a run goes on, a line a finished input is added to ``.journal.jsonl``; at the end they go
into the manifest and the journal is removed. Outputs are whole before their input is called done, so whatever moment a
process is killed at, what is not called done is done again, to the same names and the same bytes. Nothing that depends
on the time or the order of work is kept: a run that was killed and started again leaves the same folder, every file of
it byte for byte, as one that was not.

Names go into ``.begun.txt`` before anything is written under them. However a run ended, what lies under a name that no
finished input has is removed when the folder is opened next, so that no output stays that nothing knows of.

Neither file is forced to the disk: should a power cut swallow the journal's last lines, or leave a torn one, their
inputs are done again. Outputs are forced to the disk before they are renamed; an input whose outputs are missing is
done again.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from ...base.errors import ConfigError
from ...base.files import as_line, leftovers, locked
from ...base.inside import check_way, is_file, open_own, remove
from ...base.limits import DEFAULT_LIMITS, OF_THE_MACHINE, Limits
from ...base.versions import version_of
from ...models.about import About
from .. import writers
from ..inputs.find import MANIFEST
from .manifest import (
    FORMAT,
    MISSING,
    Entry,
    check_distinct,
    difference,
    make_own,
    read_manifest,
    replay,
    write_manifest,
)
from .names import LAYOUTS, WHOLE, claims, is_given

JOURNAL, BEGUN, LOCK = ".journal.jsonl", ".begun.txt", ".lock"
_PACKAGES = ("pizhu", "charset-normalizer", "lxml", "numpy", "pypdfium2", "tokenizers")
"""What every run may need to read and to write; the rest follows from its formats and its runtime."""


@dataclass(frozen=True)
class Settings:
    """What a run is asked for: with the model and the versions, all that its outputs depend on.

    Attributes:
        formats: names of ``writers``; kept in their order, each once.
        layout: where a report's outputs lie in the run folder: ``flat``, all in one; ``folders``, as the reports lay
            in what was named; ``hash``, spread over 256 folders.
        part_size: the most sentences in a part, for formats that have parts.
        limits: what a report may ask for.

    Raises:
        ConfigError: an unknown format or layout, or an impossible size.
    """

    formats: tuple[str, ...] = ("jsonl",)
    layout: str = "flat"
    part_size: int = 100_000
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", writers.check(self.formats))
        if self.layout not in LAYOUTS:
            raise ConfigError(f"layout is {self.layout!r}, expected one of {', '.join(LAYOUTS)}")
        if self.part_size < 1:
            raise ConfigError(f"part size is {self.part_size}, expected a number of sentences above 0")

    @property
    def report_formats(self) -> tuple[str, ...]:
        """The formats that are written for each report."""
        return tuple(name for name in self.formats if name in writers.REPORT)


def output_paths(out: Path, name: str, formats: tuple[str, ...]) -> list[Path]:
    """Where the outputs of one report lie."""
    return [out / f"{name}.{writers.FORMATS[kind].ending or kind}" for kind in formats]


def stands(entry: Entry | None, sha256: str, out: Path, outputs: Iterable[Path], *, retry_failed: bool = False) -> bool:
    """Whether what became of an input need not be found out again: same content, ``outputs`` in place in ``out``."""
    if entry is None or entry.sha256 != sha256:
        return False
    return not retry_failed if entry.reason else all(is_file(out, path) for path in outputs)


@dataclass
class RunFolder:
    """An open run folder, this process's own; see :func:`open_run`.

    Attributes:
        entries: by the input's key.
        whole: the files made of all reports, as seen from ``out``.
        changed: whether an input's entry differs from the manifest's.
    """

    out: Path
    settings: Settings
    head: dict[str, Any]
    journal: IO[str]
    entries: dict[str, Entry] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    changed: bool = False

    def outputs(self, name: str) -> list[Path]:
        """Where the outputs of the report called ``name`` lie."""
        return output_paths(self.out, name, self.settings.report_formats)

    def record(self, key: str, entry: Entry) -> None:
        """Keep what became of an input whose outputs are in place (or, where it failed, are not)."""
        self._append({"input": key, **entry.as_dict()})
        self.entries[key] = entry

    def forget(self, key: str) -> None:
        """Keep nothing of an input, such as an archive that is no longer in trouble."""
        if key in self.entries:
            self._append({"input": key, "state": "gone"})
            del self.entries[key]

    def finish(self, about: About) -> None:
        """Write what is made of all reports together, then the manifest."""
        whole = [name for name in self.settings.formats if name in writers.WHOLE]
        if self.changed or not all(is_file(self.out, self.out / path) for path in self.whole):
            if whole:
                check_way(self.out, self.out / WHOLE / "…")
                self._forget_lost()
            entries = sorted(self.entries.items())
            done = (entry for _, entry in entries if not entry.reason)
            run = writers.Complete(
                [writers.Annotated(e.name, self.out / f"{e.name}.jsonl", e.sentences) for e in done],
                [(key, entry.reason) for key, entry in entries if entry.reason],
                self.settings.part_size,
            )
            self.whole = []
            for kind in whole:
                write = writers.FORMATS[kind].whole
                assert write is not None
                made = write(self.out / WHOLE, about.labels, run)
                self.whole += [path.relative_to(self.out).as_posix() for path in made]
        write_manifest(self.out, self.head, self.whole, self.entries)
        self.journal.close()
        (self.out / JOURNAL).unlink()
        (self.out / BEGUN).unlink(missing_ok=True)

    def _forget_lost(self) -> None:
        """Forget inputs that are named no more and whose records somebody removed: nothing can be made of them."""
        for key, entry in list(self.entries.items()):
            if not entry.reason and not is_file(self.out, self.out / f"{entry.name}.jsonl"):
                _remove_all(self.outputs(entry.name), self.out)
                self.forget(key)

    def _append(self, row: Mapping[str, Any]) -> None:
        self.changed = True
        self.journal.write(as_line(row))
        self.journal.flush()


@contextmanager
def open_run(out: Path, settings: Settings, about: About, runtime: str, *, fresh: bool = False) -> Iterator[RunFolder]:
    """The run folder ``out``, made or gone on with; nobody else may write to it while it is open.

    Args:
        runtime: what computes, ``models.runtime.Runtime.kind``.
        fresh: forget what an earlier run did there and remove its outputs.

    Raises:
        ConfigError: another process writes there; the run there was begun with another model, settings or versions;
            or a file of another program is in the way.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    killed = (out / LOCK).exists()
    with _own(out):
        if killed:
            for path in list(leftovers(out)):
                remove(out, path)
        head = head_of(settings, about, runtime)
        if fresh:
            _remove(out)
        found = read_manifest(out)
        if found is None:
            (out / JOURNAL).unlink(missing_ok=True)  # of a run whose manifest somebody removed
            write_manifest(out, head, [], {})
            entries, whole = {}, []
        else:
            _refuse_other(out, found.head, head)
            entries, whole = found.entries, found.whole
        changed = replay(out / JOURNAL, entries)
        check_distinct(out, entries)
        for name in _unfinished(out, entries):
            _remove_all(output_paths(out, name, settings.report_formats), out)
        (out / BEGUN).unlink(missing_ok=True)
        make_own(out / JOURNAL)
        with open_own(out / JOURNAL, "a") as journal:
            if changed:
                journal.write("\n")  # after a last line that may be torn
            yield RunFolder(out, settings, head, journal, entries, whole, changed)


@contextmanager
def _own(out: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(out / LOCK))
        except BlockingIOError:
            raise ConfigError(
                f"another process is annotating into {out}; wait for it, or name another folder"
            ) from None
        yield


def head_of(settings: Settings, about: About, runtime: str) -> dict[str, Any]:
    """How the manifest of a run begins: what its outputs depend on, the inputs aside.

    Limits of time and memory are not in it, so that what they refused can be tried again with others. LibreOffice's
    version is not in it: to ask for that takes longer than many runs.
    """
    packages = {*_PACKAGES, *(package for name in settings.formats for package in writers.FORMATS[name].packages)}
    packages |= {"torch", "transformers"} if runtime.startswith("torch") else {"onnxruntime"}
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}
    versions |= {name: version_of(name, MISSING) for name in sorted(packages)}
    model = {"name": about.name, "sha256": about.fingerprint or _digest(asdict(about))}
    wanted = asdict(settings)
    for name in OF_THE_MACHINE:
        del wanted["limits"][name]
    # Through JSON and back, so that it can be compared with what was read.
    head = {"pizhu run": FORMAT, "model": model, "runtime": runtime, "settings": wanted, "versions": versions}
    return dict(json.loads(json.dumps(head)))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def _refuse_other(out: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if old["model"]["sha256"] == new["model"]["sha256"]:
        old = {**old, "model": new["model"]}  # the same one by another name
    # What a package was missing for failed, so that nothing depends on it that is there now.
    now = new["versions"]
    old = {**old, "versions": {name: now.get(name) if it == MISSING else it for name, it in old["versions"].items()}}
    if found := difference(old, new):
        raise ConfigError(f"{out} {found}; choose a new folder with --out, or start over with --fresh")


def _remove(out: Path) -> None:
    """Remove what an earlier run wrote into ``out``, and nothing else; its manifest last, so that a kill loses none."""
    found = read_manifest(out)
    if found is None:
        return
    replay(out / JOURNAL, found.entries)
    check_distinct(out, found.entries)
    formats = tuple(name for name in found.formats if name in writers.REPORT)
    for name in [*(entry.name for entry in found.entries.values()), *_unfinished(out, found.entries)]:
        _remove_all(output_paths(out, name, formats), out)
    _remove_all((out / name for name in found.whole), out)
    for kind in found.formats:  # a kill may have come between them and the manifest
        if kind in writers.WHOLE:
            _remove_all(list((out / WHOLE).glob(writers.FORMATS[kind].files)), out)
    (out / JOURNAL).unlink(missing_ok=True)
    (out / BEGUN).unlink(missing_ok=True)
    (out / MANIFEST).unlink()


def _unfinished(out: Path, entries: Mapping[str, Entry]) -> list[str]:
    """Names that an earlier run may have written under and that no finished input has."""
    try:
        file = open_own(out / BEGUN, "rb")
    except FileNotFoundError:
        return []
    with file:
        names = [line[:-1].decode("utf-8", "replace") for line in file if line.endswith(b"\n")]
    if not names:
        return []
    held = {claim for entry in entries.values() if not entry.reason for claim in claims(entry.name)}
    return [name for name in names if is_given(name) and held.isdisjoint(claims(name))]


def _remove_all(paths: Iterable[Path], out: Path) -> None:
    for path in paths:
        remove(out, path, emptied=True)
