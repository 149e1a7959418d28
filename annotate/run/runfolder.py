"""A run folder holds a run's settings, the outcome of every input, and the outputs.

``manifest.json`` names the model, settings and versions of the run and, once the run is complete, the outcome of every
input. During a run, each finished input adds a line to ``.journal.jsonl``; at the end the entries move into the
manifest and the journal is removed. An input is recorded as done only when its outputs are complete. So a process can
be killed at any moment: the next run redoes the inputs without a record, under the same names and with the same bytes.
The folder contains nothing that depends on the time or the order of work: a run that was killed and restarted leaves
the same folder, byte for byte, as an uninterrupted one.

The run adds each name to ``.begun.txt`` before it writes outputs under that name. The next run to open the folder
removes the outputs under names that belong to no finished input, so no unrecorded output remains.

Neither file is forced to the disk: if a power cut loses or tears the journal's last lines, the next run redoes their
inputs. Outputs are forced to the disk before they are renamed, and an input whose outputs are missing is redone.
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
"""Packages that every run may use to read and write; its formats and runtime add others."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run; its outputs depend only on these, the model and the versions.

    Attributes:
        formats: names of ``writers``; stored in the order of ``writers``, each once.
        layout: where the outputs are in the run folder: ``flat``, all in one folder; ``folders``, in the same
            subfolders as the inputs; ``hash``, spread over 256 folders.
        part_size: the most sentences in a part, for formats that have parts.
        limits: limits for one report.

    Raises:
        ConfigError: a format or layout is unknown, or the part size is below 1.
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
        """The formats that have one output per report."""
        return tuple(name for name in self.formats if name in writers.REPORT)


def output_paths(out: Path, name: str, formats: tuple[str, ...]) -> list[Path]:
    """The paths of one report's outputs."""
    return [out / f"{name}.{writers.FORMATS[kind].ending or kind}" for kind in formats]


def is_settled(
    entry: Entry | None, sha256: str, out: Path, outputs: Iterable[Path], *, retry_failed: bool = False
) -> bool:
    """Whether the input's outcome is still valid: the content is the same and the ``outputs`` in ``out`` exist."""
    if entry is None or entry.sha256 != sha256:
        return False
    return not retry_failed if entry.reason else all(is_file(out, path) for path in outputs)


@dataclass
class RunFolder:
    """An open run folder, locked by this process; see :func:`open_run`.

    Attributes:
        entries: the outcomes, by the input's key.
        whole: the files made from all reports, relative to ``out``.
        changed: whether an entry differs from the manifest.
    """

    out: Path
    settings: Settings
    head: dict[str, Any]
    journal: IO[str]
    entries: dict[str, Entry] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    changed: bool = False

    def outputs(self, name: str) -> list[Path]:
        """The paths of the outputs of the report called ``name``."""
        return output_paths(self.out, name, self.settings.report_formats)

    def record(self, key: str, entry: Entry) -> None:
        """Record the outcome of an input; its outputs must be in place, or removed if it failed."""
        self._append({"input": key, **entry.as_dict()})
        self.entries[key] = entry

    def forget(self, key: str) -> None:
        """Remove the entry of an input, such as an archive that no longer has an error."""
        if key in self.entries:
            self._append({"input": key, "state": "gone"})
            del self.entries[key]

    def finish(self, about: About) -> None:
        """Write the files made from all reports, then the manifest."""
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
        """Forget inputs of earlier runs whose records somebody removed: no table can include them."""
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
    """Create the run folder ``out`` or continue the run in it; no other process can write to it while it is open.

    Args:
        runtime: the kind of runtime that computes, ``models.runtime.Runtime.kind``.
        fresh: remove the outputs and entries of an earlier run.

    Raises:
        ConfigError: another process is writing there; the run there was started with another model, settings or
            versions; or a file that pizhu did not write is in the way.
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
            (out / JOURNAL).unlink(missing_ok=True)  # left by a run whose manifest somebody removed
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
                journal.write("\n")  # ends a last line that may be torn
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
    """The head of a run's manifest: everything that its outputs depend on, except the inputs.

    It does not contain the limits on time and memory, so that a run can continue with higher ones. Nor does it contain
    LibreOffice's version, since finding it takes longer than many runs.
    """
    packages = {*_PACKAGES, *(package for name in settings.formats for package in writers.FORMATS[name].packages)}
    packages |= {"torch", "transformers"} if runtime.startswith("torch") else {"onnxruntime"}
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}
    versions |= {name: version_of(name, MISSING) for name in sorted(packages)}
    model = {"name": about.name, "sha256": about.fingerprint or _digest(asdict(about))}
    wanted = asdict(settings)
    for name in OF_THE_MACHINE:
        del wanted["limits"][name]
    # Through JSON and back, so that it compares equal to a head read from a file.
    head = {"pizhu run": FORMAT, "model": model, "runtime": runtime, "settings": wanted, "versions": versions}
    return dict(json.loads(json.dumps(head)))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def _refuse_other(out: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if old["model"]["sha256"] == new["model"]["sha256"]:
        old = {**old, "model": new["model"]}  # the same model under another name
    # Inputs that needed a missing package failed, so no output depends on that package.
    now = new["versions"]
    old = {**old, "versions": {name: now.get(name) if it == MISSING else it for name, it in old["versions"].items()}}
    if found := difference(old, new):
        raise ConfigError(f"{out} {found}; choose a new folder with --out, or start over with --fresh")


def _remove(out: Path) -> None:
    """Remove what an earlier run wrote into ``out``, and nothing else; the manifest last, so that a kill loses none."""
    found = read_manifest(out)
    if found is None:
        return
    replay(out / JOURNAL, found.entries)
    check_distinct(out, found.entries)
    formats = tuple(name for name in found.formats if name in writers.REPORT)
    for name in [*(entry.name for entry in found.entries.values()), *_unfinished(out, found.entries)]:
        _remove_all(output_paths(out, name, formats), out)
    _remove_all((out / name for name in found.whole), out)
    for kind in found.formats:  # a kill may have prevented their entry in the manifest
        if kind in writers.WHOLE:
            _remove_all(list((out / WHOLE).glob(writers.FORMATS[kind].files)), out)
    (out / JOURNAL).unlink(missing_ok=True)
    (out / BEGUN).unlink(missing_ok=True)
    (out / MANIFEST).unlink()


def _unfinished(out: Path, entries: Mapping[str, Entry]) -> list[str]:
    """Names under which an earlier run may have written outputs, but which belong to no finished input."""
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
