"""Kills annotation runs and restarts them: killing.py INPUTS WORK (SCENARIO | moments SEED KILLS)

Runs in a process that is light enough to fork, with a model that answers by a hash of the text. It kills a run before
each opening, renaming and removal of a file, and in the middle of each line of the journal:

- ``new``: a run into an empty folder; ``opened``: the same in the formats that people open;
- ``grown``: a run into the folder of an earlier run, after its inputs have changed;
- ``fresh``: a run that starts over there with another model;
- ``dropped``: a run with another model, formats and layout, which is then not continued but started over;
- ``full``: not killed, but stopped by a full disk; before the restart, a report has become unreadable.

With ``moments`` it kills a new run at random moments, KILLS times in all. Then it restarts the run, and compares the
folder with that of an undisturbed run. Prints as JSON the files and, for each kill, when it happened and which files
differ.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pizhu.annotate.run import runfolder
from pizhu.annotate.run.run import annotate_files
from pizhu.data.isolation.in_process import InProcess
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.models.about import About
from pizhu.models.decision import Decision
from pizhu.models.windows import ContextFormat

MOST = 6
FORMATS = ("jsonl", "txt", "jsonl-parts")
OPENED = ("jsonl", "html", "docx", "index", "xlsx-all")


class Hashed:
    """An untrained model that always gives the same answers for the same text."""

    def __init__(self, name: str = "hashed", pause: float = 0.0) -> None:
        decision = Decision((1.0,) * 4, (0.5,) * 4, 0.1)
        self.about = About(DEFAULT_LABELS, ContextFormat(), 0, decision, name=name, fingerprint=name * 8)
        self.runtime = SimpleNamespace(kind=name)
        self.pause = pause
        self.asked = 0

    def annotate(self, report: Report) -> Report:
        self.asked += 1
        time.sleep(self.pause)
        bits = [hashlib.sha256(s.text.encode()).digest() for s in report.sentences]
        names = DEFAULT_LABELS.names
        scores = [{name: byte / 255 for name, byte in zip(names, b, strict=False)} for b in bits]
        labels = [[name for name in names if row[name] > 0.5] for row in scores]
        return report.with_labels(labels, scores)

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        yield from map(self.annotate, reports)


def run(inputs: Path, out: Path, pause: float = 0.0, formats: tuple[str, ...] = FORMATS, **options: Any) -> None:
    model: Any = Hashed(pause=pause)
    annotate_files([inputs], out, model, formats, part_size=5, reader=InProcess(), **options)


def other(inputs: Path, out: Path) -> None:
    """A run with settings that all differ from those of :func:`run`."""
    model: Any = Hashed("older")
    annotate_files([inputs], out, model, OPENED, layout="hash", reader=InProcess())


def cut(inputs: Path, out: Path, scenario: str) -> None:
    """The run that is interrupted."""
    if scenario == "dropped":
        other(inputs, out)
    else:
        last(inputs, out, scenario)


def last(inputs: Path, out: Path, scenario: str) -> None:
    """The run that completes."""
    run(inputs, out, formats=OPENED if scenario == "opened" else FORMATS, fresh=scenario in ("fresh", "dropped"))


def earlier(inputs: Path, out: Path, scenario: str) -> None:
    """Prepare ``out`` for the run that is killed."""
    changing = inputs / "0.txt"
    text = changing.read_bytes()
    if scenario == "grown":
        changing.write_text("原来有三句话。后来改了。现在少了。", encoding="utf-8")
        (inputs / "bad.txt").write_text("原来是好的。", encoding="utf-8")
        run(inputs, out)
        changing.write_bytes(text)
        (inputs / "bad.txt").write_bytes(b"")
    elif scenario == "fresh":
        other(inputs, out)


def contents(folder: Path) -> dict[str, bytes]:
    """The content of every file under ``folder``, including hidden ones."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def forked(work: Callable[[], None], after: float | None = None) -> int:
    """Do ``work`` in a child process and kill it ``after`` so many seconds; returns how the child ended."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def watched(out: Path, strike: Callable[[str], None]) -> None:
    """Call ``strike`` before each change of a file in ``out``, and with half a line of the journal written."""
    real = runfolder.RunFolder._append

    def append(self: Any, row: Any) -> None:
        self.journal.write('{"input": "a')
        self.journal.flush()
        strike("half a line of the journal")
        self.journal.seek(self.journal.tell() - len('{"input": "a'))
        self.journal.truncate()
        real(self, row)
        strike("a line of the journal")

    runfolder.RunFolder._append = append  # type: ignore[method-assign]

    def hook(event: str, words: tuple[Any, ...]) -> None:
        path = os.fspath(words[0]) if words and isinstance(words[0], str | Path) else ""
        if event == "os.remove" and words[1] != -1:  # from a folder that is open
            path = str(Path(f"/proc/self/fd/{words[1]}").resolve() / path)
        changes = event in ("os.rename", "os.remove", "os.chmod", "os.mkdir")
        changes |= event == "open" and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
        if changes and path.startswith(str(out)):
            strike(f"{event} {re.sub('[.][a-z0-9_]{8}[.]part$', '', Path(path).name)}")

    sys.addaudithook(hook)


def every_event(inputs: Path, work: Path, wanted: dict[str, bytes], scenario: str) -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        out, note = work / str(number), work / "note"
        number += 1
        count = 0

        def strike(what: str, note: Path = note, wanted: int = number) -> None:
            nonlocal count
            count += 1
            if count == wanted:
                note.write_text(what, encoding="utf-8")
                if scenario == "full":
                    raise OSError(errno.ENOSPC, "No space left on device")
                os.kill(os.getpid(), signal.SIGKILL)

        def struck(out: Path = out, strike: Callable[[str], None] = strike) -> None:
            watched(out, strike)
            with suppress(OSError):
                cut(inputs, out, scenario)

        note.unlink(missing_ok=True)
        forked(partial(earlier, inputs, out, scenario))
        forked(struck)
        if not note.exists():
            return
        with spoilt(inputs / "0.txt") if scenario == "full" else nullcontext():
            ended = forked(partial(last, inputs, out, scenario))
        yield {"at": note.read_text(encoding="utf-8"), "ended": ended, "differ": difference(out, wanted)}


@contextmanager
def spoilt(path: Path) -> Iterator[None]:
    """``path`` is empty until the block ends."""
    text = path.read_bytes()
    path.write_bytes(b"")
    yield
    path.write_bytes(text)


def moments(inputs: Path, work: Path, wanted: dict[str, bytes], seed: int, least: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    made = number = 0
    while made < least and number < 10 * least:
        out = work / str(number)
        number += 1
        kills = 0
        # On a busy machine, a run may never complete in the time that it gets here.
        while kills < MOST and forked(partial(run, inputs, out, 0.005), chance.uniform(0, 0.1)):
            kills += 1
        made += kills
        ended = forked(partial(run, inputs, out))
        yield {"at": f"{kills} random moments", "ended": ended, "differ": difference(out, wanted), "kills": kills}


def difference(out: Path, wanted: dict[str, bytes]) -> list[str]:
    found = contents(out)
    return sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))


def main() -> None:
    inputs, work = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    peace, scenario = work / "peace", sys.argv[3]
    with spoilt(inputs / "0.txt") if scenario == "full" else nullcontext():
        forked(lambda: last(inputs, peace, scenario))
    wanted = contents(peace)
    if scenario != "moments":
        rows = list(every_event(inputs, work, wanted, scenario))
    else:
        rows = list(moments(inputs, work, wanted, int(sys.argv[4]), int(sys.argv[5])))
    print(json.dumps({"files": sorted(wanted), "kills": rows}, ensure_ascii=False))


if __name__ == "__main__":
    main()
