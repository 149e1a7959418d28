"""The history of a file of answers: one immutable snapshot for each pull that found something new.

Snapshots are kept beside the output, those of ``答案.jsonl`` in ``答案.snapshots/``: ``000001.jsonl.gz`` and so on,
gzipped JSON Lines. The first line is a :class:`Snapshot`; the others are rows of :mod:`.exported`: all tasks in a whole
snapshot, else those that the pull found new or changed. So the last whole snapshot and those after it make up the
newest state, and no other file can get out of step with them.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ...base.errors import DataError, LabelingError
from ...base.files import as_line, leftovers, locked, replacing_bytes
from ...base.typed import parse
from .exported import Row

VERSION = 1
_NAME = re.compile(r"(\d{6,})\.jsonl\.gz")


@dataclass(frozen=True)
class Snapshot:
    """What a pull found.

    Attributes:
        at: when, by the server's clock, ISO 8601 in UTC.
        project: the project's number.
        created_at: when the project was created; it identifies the project together with its number, since a server's
            address may change.
        title: the project's title at that time.
        names: the users' names at that time, by their numbers as text.
        output: SHA-256 of the output made from this state.
        whole: whether the rows are all tasks, not only those that changed.
        rows: how many rows follow.
    """

    at: str
    project: int
    created_at: str
    title: str
    names: Mapping[str, str]
    output: str
    whole: bool
    rows: int


@dataclass(frozen=True)
class State:
    """The state after a pull.

    Attributes:
        last: that pull's snapshot.
        rows: the tasks by number.
        added: how many rows the snapshots after the last whole one hold.
        damaged: whether a later snapshot, or part of this one, could not be read.
    """

    last: Snapshot
    rows: dict[int, Row]
    added: int
    damaged: bool


class Snapshots:
    """The snapshots of one output."""

    def __init__(self, output: str | Path) -> None:
        self.output = Path(output)
        self.folder = self.output.with_suffix(".snapshots")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the snapshots against other pulls, and remove what a killed pull left half written.

        Raises:
            LabelingError: another pull holds the lock.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.folder / ".lock"):
                for part in (
                    *leftovers(self.folder),
                    *self.output.parent.glob(f".{_escaped(self.output.name)}.*.part"),
                ):
                    part.unlink(missing_ok=True)
                yield
        except BlockingIOError:
            raise LabelingError(f"another pull is writing {self.output}; wait until it ends") from None
        finally:
            with suppress(OSError):
                self.folder.rmdir()  # if it is empty

    def history(self) -> list[Snapshot]:
        """Every snapshot that can be read, oldest first."""
        return [snapshot for path in self._paths() if (snapshot := _header(path))]

    def any(self) -> bool:
        """Whether there are snapshots, readable or not."""
        return bool(self._paths())

    def state(self, at: datetime | None = None) -> State | None:
        """The state at a time, by default after the last pull; None if no readable snapshot shows it."""
        found = [(path, _header(path)) for path in self._paths()]
        while at is not None and found and (not (last := found[-1][1]) or datetime.fromisoformat(last.at) > at):
            found.pop()
        damaged = False
        chain: list[tuple[Path, Snapshot]] = []
        for path, snapshot in reversed(found):
            if snapshot is None:
                damaged, chain = True, []  # later snapshots build upon it
                continue
            chain.insert(0, (path, snapshot))
            if snapshot.whole:
                if state := _built(chain, damaged):
                    return state
                damaged, chain = True, []
        return None

    def add(self, snapshot: Snapshot, rows: Collection[Row]) -> Path:
        """Write a snapshot."""
        numbers = [int(_NAME.fullmatch(path.name)[1]) for path in self._paths()]  # type: ignore[index]
        path = self.folder / f"{max(numbers, default=0) + 1:06}.jsonl.gz"
        header = {"version": VERSION, **asdict(snapshot)}
        with replacing_bytes(path) as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            for line in (header, *rows):
                packed.write(as_line(line).encode())
        return path

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        found = [(int(match[1]), path) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found)]


def _header(path: Path) -> Snapshot | None:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            line = next(lines)
        snapshot = parse(line, Snapshot)
        datetime.fromisoformat(snapshot.at)
    except (OSError, EOFError, zlib.error, ValueError, StopIteration):
        return None
    return snapshot if json.loads(line).get("version") == VERSION else None


def _built(chain: list[tuple[Path, Snapshot]], damaged: bool) -> State | None:
    """The state from a whole snapshot and those after it, up to the first unreadable one; None if that is the first."""
    rows: dict[int, Row] = {}
    last: Snapshot | None = None
    added = 0
    for path, snapshot in chain:
        try:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                next(lines)
                part = {int(row["task"]): row for row in map(json.loads, lines)}
            if len(part) != snapshot.rows:
                raise DataError(f"{path} is incomplete")
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, DataError):
            damaged = True
            break
        rows.update(part)
        added += 0 if snapshot.whole else len(part)
        last = snapshot
    return State(last, rows, added, damaged) if last else None


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
