"""Batch annotation: every input is annotated exactly once, and every output is complete or absent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.inside import check_way, open_own, remove
from ...base.limits import DEFAULT_LIMITS, Limits
from ...data.isolation.pool import Reader, ReaderPool
from ...data.labels import LabelSet
from ...data.readers import Source
from ...data.report import Report
from ...models.about import About
from .. import writers
from ..inputs.base import Input
from ..inputs.find import Inputs, find
from .answer_cache import AnswerCache
from .manifest import Entry
from .names import Names
from .prefetch import background_writer, prefetched
from .reading import Reading, begin_reading, failed
from .runfolder import BEGUN, RunFolder, Settings, is_settled, open_run, output_paths

if TYPE_CHECKING:
    from ...models.annotator import Annotator

_AHEAD = 8  # reports read in advance, and annotated reports that wait to be written
REUSED = 256


@dataclass
class RunResult:
    """The result of a run.

    Attributes:
        written: the outputs of all inputs that are done, also by earlier runs; at the end also the files made from all
            reports.
        failed: inputs that failed, each with the reason.
        reports: how many reports this run annotated.
        sentences: how many sentences this run labelled.
        kept: how many inputs an earlier run had done.
        untried: how many of the failed inputs had failed before and were not tried again.
        seen: how many inputs were processed so far.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    reports: int = 0
    sentences: int = 0
    kept: int = 0
    untried: int = 0
    seen: int = 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "reports": self.reports,
            "sentences": self.sentences,
            "kept": self.kept,
            "written": [str(path) for path in self.written],
            "failed": [{"path": path, "reason": reason} for path, reason in self.failed],
        }


@dataclass(frozen=True, slots=True)
class Task:
    """An input of a run and what is known about it; can be pickled and so sent to another process.

    Attributes:
        key: its key in the manifest.
        name: the name of its outputs.
        known: its outcome in an earlier run, if there is one.
        stale: whether outputs may already exist under its name.
    """

    item: Input
    key: str
    name: str
    known: Entry | None = None
    stale: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a task.

    Attributes:
        key: the input's key in the manifest.
        shown: the input's name in messages.
        entry: its new entry in the manifest; None if the input no longer exists.
        kept: whether the entry comes from an earlier run.
    """

    key: str
    shown: str
    entry: Entry | None
    kept: bool = False


Engine = Callable[[Inputs, RunFolder, Callable[[Outcome], None]], None]
"""Processes the inputs of an open run and reports each outcome: in any order, but from one thread at a time."""


@dataclass(frozen=True)
class RunOptions:
    """The options of a run, the same for every engine.

    Attributes:
        settings: what its outputs depend on.
        fresh: remove what an earlier run wrote into the folder, and start over.
        retry_failed: retry inputs that failed before; otherwise they are only reported again.
        watch: called with the result so far after every input, from another thread.
    """

    settings: Settings
    fresh: bool = False
    retry_failed: bool = False
    watch: Callable[[RunResult], None] = lambda result: None


def annotate_files(
    inputs: Iterable[Path | str] | Inputs,
    out: Path,
    annotator: Annotator,
    formats: Sequence[str] = ("jsonl",),
    *,
    limits: Limits = DEFAULT_LIMITS,
    layout: str = "flat",
    part_size: int = 100_000,
    fresh: bool = False,
    retry_failed: bool = False,
    reuse: int = REUSED,
    watch: Callable[[RunResult], None] = lambda result: None,
    reader: Reader | None = None,
) -> RunResult:
    """Annotate ``inputs`` into the run folder ``out``; continue where an earlier run stopped.

    Args:
        inputs: what ``inputs.find`` takes or returns.
        formats, layout, part_size, limits: as in ``runfolder.Settings``.
        fresh, retry_failed, watch: as in :class:`RunOptions`.
        reuse: how many annotated reports to keep in memory, to reuse their labels for reports with the same content.
        reader: reads the files; None starts two processes for it, since a stranger's file may hang its reader, exhaust
            its memory or crash it.

    Raises:
        ConfigError: a setting is invalid; ``out`` holds a run with other settings (as ``open_run``), or an input.
        ReadError: there is no report at all.
    """
    options = RunOptions(Settings(tuple(formats), layout, part_size, limits), fresh, retry_failed, watch)
    return annotate_here(inputs, out, annotator, options, reuse=reuse, reader=reader)


def annotate_here(
    inputs: Iterable[Path | str] | Inputs,
    out: Path,
    annotator: Annotator,
    options: RunOptions,
    *,
    reuse: int = REUSED,
    reader: Reader | None = None,
) -> RunResult:
    """As :func:`annotate_files`, with the options in one object."""

    def engine(inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]) -> None:
        tasks, answers = plan(inputs, run.out, run.settings, run.entries), AnswerCache(reuse)
        with ReaderPool() if reader is None else nullcontext(reader) as chosen:
            again = options.retry_failed
            work(tasks, run.out, run.settings, annotator, done, chosen, answers=answers, retry_failed=again)

    return conduct(engine, inputs, out, options, annotator.about, annotator.runtime.kind)


def conduct(
    engine: Engine,
    inputs: Iterable[Path | str] | Inputs,
    out: Path,
    options: RunOptions,
    about: About,
    runtime: str,
) -> RunResult:
    """Do a whole run with ``engine``: open the folder, process the inputs, write the manifest.

    Takes and raises the same as :func:`annotate_files`.

    Args:
        runtime: the kind of runtime that computes, ``models.runtime.Runtime.kind``.
    """
    settings = options.settings
    if not isinstance(inputs, Inputs):
        inputs = find(inputs, limits=settings.limits)
    inputs.check_out(out.resolve())
    writers.check(settings.formats, labels=about.labels)
    result = RunResult()
    with open_run(out, settings, about, runtime, fresh=options.fresh) as run:

        def done(outcome: Outcome) -> None:
            if _record(outcome, run, result):
                options.watch(result)

        engine(inputs, run, done)
        run.finish(about)
        result.written += [run.out / path for path in run.whole]
    return result


def plan(
    inputs: Inputs, out: Path, settings: Settings, entries: Mapping[str, Entry], *, again: bool = False
) -> Iterator[Task]:
    """The tasks of a run, with names given in the order of the inputs; reads no input.

    It records the name of each unfinished input in ``out`` before it yields the task, so that the next run finds what
    an interrupted run left under that name.

    Args:
        entries: the outcomes so far. Names do not depend on how many there are.
        again: whether tasks may be done more than once, so that outputs without an entry may exist.
    """
    names = Names(settings.layout, (entry.name for entry in entries.values()))
    with open_own(out / BEGUN, "a") as begun:
        for item in inputs:
            key = item.key(out)
            known = entries.get(key)
            if item.end and not item.trouble:
                if known:
                    yield Task(item, key, known.name, known)
                continue
            name = known.name if known else names.give(item, key)
            if known is None or known.reason:
                begun.write(f"{name}\n")
                begun.flush()
            yield Task(item, key, name, known, stale=again or known is not None)


def work(
    tasks: Iterable[Task],
    out: Path,
    settings: Settings,
    annotator: Annotator,
    done: Callable[[Outcome], None],
    reader: Reader,
    *,
    answers: AnswerCache,
    retry_failed: bool = False,
) -> None:
    """Do tasks: read, annotate and write, in parallel.

    Args:
        done: called with each outcome from another thread, once its outputs are in place.
        reader: reads the files.
        answers: the cache of annotations; it is extended.
    """

    def write(part: _Part) -> None:
        done(_written(part, out, settings, annotator.about.labels))

    begun = (_begin(task, out, settings, reader, retry_failed) for task in tasks)
    with (
        prefetched(begun, _AHEAD, lambda pair: pair[0].item.size) as under_way,
        background_writer(write, _AHEAD, lambda part: part.held) as put,
    ):
        _label(map(partial(_finish, settings), under_way), annotator, answers, put)


def write_outcome(
    reading: Reading, out: Path, name: str, settings: Settings, labels: LabelSet, *, stale: bool = True
) -> Entry:
    """Write all outputs of an annotated report, or none if one of them fails.

    Args:
        stale: whether outputs of an earlier content may exist; they are removed first, so that a kill leaves no mixture
            of both.

    Raises:
        OSError: the failure concerns the machine, not this report.
    """
    report, paths = reading.report, output_paths(out, name, settings.report_formats)
    try:
        if stale:
            for path in paths:
                remove(out, path)
        if report is not None:
            check_way(out, paths[0])
            write_report(report, out, name, settings.report_formats, labels, reading.source)
            return Entry(name, reading.sha256, sum(s.kind == "sentence" for s in report.sentences))
    except Exception as error:
        reading = failed("written", name if report is None else report.doc, reading.sha256, error)
        for path in paths:
            with suppress(OSError):  # another program may have the file open; the next run removes it
                remove(out, path)
    return Entry(name, reading.sha256, reason=reading.reason)


def write_report(
    report: Report, out: Path, name: str, formats: Sequence[str], labels: LabelSet, source: Source | None = None
) -> list[Path]:
    """Write one annotated report as ``out/name.<format>``; returns the paths."""
    paths = output_paths(out, name, tuple(formats))
    for kind, path in zip(formats, paths, strict=True):
        writers.write(kind, report, labels, path, source)
    return paths


@dataclass(frozen=True)
class _Part:
    """A task in progress; ``reading`` is None if its earlier outcome is still valid."""

    task: Task
    reading: Reading | None

    @property
    def held(self) -> int:
        """The bytes of the file that it keeps for its outputs."""
        return len(self.reading.source.data) if self.reading and self.reading.source else 0


def _begin(
    task: Task, out: Path, settings: Settings, reader: Reader, retry_failed: bool
) -> tuple[Task, Callable[[], Reading] | None]:
    """The task and a function that returns its reading; None if there is nothing to read."""
    if task.item.end and not task.item.trouble:
        return task, None

    def wanted(sha256: str) -> bool:
        paths = output_paths(out, task.name, settings.report_formats)
        return not is_settled(task.known, sha256, out, paths, retry_failed=retry_failed)

    return task, begin_reading(task.item, settings.limits, reader, wanted)


def _finish(settings: Settings, begun: tuple[Task, Callable[[], Reading] | None]) -> _Part:
    task, result = begun
    if result is None:
        return _Part(task, None)
    reading = result()
    # Many short reports wait for the model together, and the files that they came from may be large.
    task = replace(task, item=replace(task.item, data=None, text=None))
    if "docx" not in settings.report_formats or (reading.source and not reading.source.data.startswith(b"PK")):
        reading = replace(reading, source=None)  # only a copy of a Word file needs it
    unwanted = reading.report is None and not reading.reason
    fails = Entry(task.name, reading.sha256, reason=reading.reason)
    fails_as_before = reading.report is None and task.known == fails
    return _Part(task, None if unwanted or fails_as_before else reading)


def _label(parts: Iterator[_Part], annotator: Annotator, answers: AnswerCache, put: Callable[[_Part], None]) -> None:
    """Annotate the reports and pass every part on; if the model fails on a report, only that report fails."""
    pending: deque[_Part] = deque()
    own: list[BaseException] = []

    def reports() -> Iterator[Report]:
        try:
            for part in parts:
                if part.reading is None or part.reading.report is None:
                    put(part)
                elif (known := answers.get(part.reading.report)) is not None:
                    put(_with(part, known))
                else:
                    pending.append(part)
                    yield part.reading.report
        except BaseException as error:
            own.append(error)
            raise

    while True:
        try:
            for report in annotator.annotate_many(reports()):
                answers.keep(report)
                put(_with(pending.popleft(), report))
            return
        except Exception:
            if own or not pending:
                raise
        while pending:
            part = pending.popleft()
            assert part.reading is not None
            put(replace(part, reading=_answered(part.reading, annotator)))


def _with(part: _Part, report: Report) -> _Part:
    assert part.reading is not None
    return replace(part, reading=replace(part.reading, report=report))


def _answered(reading: Reading, annotator: Annotator) -> Reading:
    assert reading.report is not None
    try:
        return replace(reading, report=annotator.annotate(reading.report))
    except Exception as error:
        return failed("labelled", reading.report.doc, reading.sha256, error)


def _written(part: _Part, out: Path, settings: Settings, labels: LabelSet) -> Outcome:
    task = part.task
    if task.item.end and not task.item.trouble:
        return Outcome(task.key, task.item.shown, None)
    if part.reading is None:
        return Outcome(task.key, task.item.shown, task.known, kept=True)
    entry = write_outcome(part.reading, out, task.name, settings, labels, stale=task.stale)
    return Outcome(task.key, task.item.shown, entry)


def _record(outcome: Outcome, run: RunFolder, result: RunResult) -> bool:
    """Record the outcome of an input; False if the input no longer exists."""
    if (entry := outcome.entry) is None:
        run.forget(outcome.key)
        return False
    result.seen += 1
    if outcome.kept:
        result.kept += not entry.reason
        result.untried += bool(entry.reason and entry.sha256)
    else:
        run.record(outcome.key, entry)
        result.reports += not entry.reason
        result.sentences += entry.sentences
    if entry.reason:
        result.failed.append((outcome.shown, entry.reason))
    else:
        result.written += run.outputs(entry.name)
    return True
