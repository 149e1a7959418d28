"""Batch annotation: reports in, annotated reports out, each whole or absent, none twice, none lost."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.errors import MissingExtraError, ReadError
from ..data.labels import LabelSet
from ..data.limits import DEFAULT_LIMITS, Limits
from ..data.read import load_source, read_source, report_from_text
from ..data.readers import Source
from ..data.report import Report
from . import writers
from .beside import ahead, behind
from .inputs import Input, Inputs, find
from .reuse import Answers
from .runfolder import Entry, RunFolder, Settings, open_run, output_paths

if TYPE_CHECKING:
    from ..models.annotator import Annotator

_AHEAD = 8  # reports read before they are asked for, and annotated ones that wait to be written
_REUSED = 256


@dataclass
class RunResult:
    """What a run did.

    Attributes:
        written: the outputs of the inputs that are done, earlier ones included, and at the end those of all together.
        failed: inputs that failed, each with the reason.
        reports: how many were annotated now.
        sentences: how many sentences were labelled now.
        kept: how many inputs were found done.
        seen: how many inputs came so far.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    reports: int = 0
    sentences: int = 0
    kept: int = 0
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


@dataclass(frozen=True)
class Reading:
    """An input that was read.

    Attributes:
        sha256: of its content; empty where there was none.
        report: None where it cannot be read, or need not be.
        source: the file it was read from, None where a table held the text.
        reason: why it cannot be read.
    """

    sha256: str
    report: Report | None = None
    source: Source | None = None
    reason: str = ""


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
    reuse: int = _REUSED,
    watch: Callable[[RunResult], None] = lambda result: None,
) -> RunResult:
    """Annotate ``inputs`` into the run folder ``out``; go on where an earlier run stopped.

    Args:
        inputs: as ``inputs.find`` takes or gives them.
        formats, layout, part_size, limits: as in ``runfolder.Settings``.
        fresh: forget and remove what an earlier run did in ``out``.
        retry_failed: try again what failed before; else that is told again, not tried.
        reuse: of how many reports the answers are kept for others with the same content.
        watch: is told of the result so far, after every input, from another thread.

    Raises:
        ConfigError: an impossible setting; ``out`` holds a run with others (as ``open_run``), or what is to be read.
        ReadError: there is no report at all.
    """
    settings = Settings(tuple(formats), layout, part_size, limits)
    if not isinstance(inputs, Inputs):
        inputs = find(inputs, limits=limits)
    inputs.check_out(out.resolve())
    result = RunResult()
    with open_run(out, settings, annotator.about, fresh=fresh) as run:
        tasks = _read(inputs, run, retry_failed)

        def write(task: _Task) -> None:
            _finish(task, run, annotator.about.labels, result)
            watch(result)

        with ahead(tasks, _AHEAD) as readings, behind(write, _AHEAD) as put:
            _label(readings, annotator, Answers(reuse), put)
        run.finish(annotator.about)
        result.written += [run.out / path for path in run.whole]
    return result


def annotate_input(
    item: Input, name: str, out: Path, settings: Settings, annotator: Annotator, before: Entry | None = None
) -> Entry:
    """Annotate one input into its outputs ``out/name.*``: what :func:`annotate_files` does, in a process of its own.

    All arguments but the annotator can be pickled. The caller records what is returned (``RunFolder.record``).

    Args:
        name: what its outputs are called (``RunFolder.names``).
        before: what became of it earlier; given back where the content is the same, it was done and its outputs stand.
    """
    reading = read_input(item, settings.limits)
    paths = output_paths(out, name, settings.report_formats)
    if before and not before.reason and before.sha256 == reading.sha256 and all(path.is_file() for path in paths):
        return before
    if reading.report is not None:
        reading = _answered(reading, annotator)
    return write_outcome(reading, out, name, settings, annotator.about.labels, stale=before is not None)


def read_input(item: Input, limits: Limits, wanted: Callable[[str], bool] = lambda sha256: True) -> Reading:
    """Read one input; its report only where its content, told by the SHA-256, is ``wanted``."""
    digest = ""
    source = None
    try:
        if item.trouble:
            raise ReadError(item.trouble)
        if item.text is not None:
            digest = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
        else:
            source = load_source(item.place, limits) if item.data is None else Source(item.data, Path(item.doc), limits)
            digest = hashlib.sha256(source.data).hexdigest()
        if not wanted(digest):
            return Reading(digest)
        report = report_from_text(item.text or "", item.doc, limits=limits) if source is None else read_source(source)
    except (ReadError, MissingExtraError) as error:
        return Reading(digest, reason=str(error))
    except Exception as error:
        return Reading(digest, reason=_fault("read", item.doc, error))
    return Reading(digest, report, source)


def write_outcome(
    reading: Reading, out: Path, name: str, settings: Settings, labels: LabelSet, *, stale: bool = True
) -> Entry:
    """Write the outputs of an annotated report: all of them, or where one cannot be written none.

    Args:
        stale: whether there may be outputs of an earlier content; they are removed where the report failed.
    """
    reason = reading.reason
    if (report := reading.report) is not None:
        try:
            write_report(report, out, name, settings.report_formats, labels, reading.source)
            return Entry(name, reading.sha256, sum(s.kind == "sentence" for s in report.sentences))
        except OSError:  # a full disk: nothing more can be written, and it is not the report's fault
            raise
        except (ReadError, MissingExtraError) as error:  # such as a .docx that cannot be copied
            reason = str(error)
        except Exception as error:
            reason = _fault("write", report.doc, error)
    if stale or report is not None:  # some may have been written before the one that failed
        for path in output_paths(out, name, settings.report_formats):
            path.unlink(missing_ok=True)
    return Entry(name, reading.sha256, reason=reason)


def write_report(
    report: Report, out: Path, name: str, formats: Sequence[str], labels: LabelSet, source: Source | None = None
) -> list[Path]:
    """Write one annotated report as ``out/name.<format>``; returns the paths."""
    paths = output_paths(out, name, tuple(formats))
    for kind, path in zip(formats, paths, strict=True):
        writers.write(kind, report, labels, path, source)
    return paths


@dataclass(frozen=True)
class _Task:
    """An input on its way through a run; ``reading`` is None where what became of it stands."""

    item: Input
    key: str
    name: str
    reading: Reading | None


def _read(inputs: Inputs, run: RunFolder, retry_failed: bool) -> Iterator[_Task]:
    for item in inputs:
        key = item.key(run.out)
        if item.end and not item.trouble:
            if key in run.entries:
                yield _Task(item, key, "", Reading(""))
            continue
        known = run.entries.get(key)
        name = known.name if known else run.names.give(item, key)

        def wanted(sha256: str, key: str = key) -> bool:
            return not run.stands(key, sha256, retry_failed=retry_failed)

        reading = read_input(item, run.settings.limits, wanted)
        unwanted = reading.report is None and not reading.reason
        fails_as_before = reading.report is None and known == Entry(name, reading.sha256, reason=reading.reason)
        yield _Task(item, key, name, None if unwanted or fails_as_before else reading)


def _label(tasks: Iterator[_Task], annotator: Annotator, answers: Answers, put: Callable[[_Task], None]) -> None:
    """Give the reports their labels and pass everything on; a report that the model cannot bear fails alone."""
    pending: deque[_Task] = deque()
    own: list[BaseException] = []

    def reports() -> Iterator[Report]:
        try:
            for task in tasks:
                if task.reading is None or task.reading.report is None:
                    put(task)
                elif (known := answers.get(task.reading.report)) is not None:
                    put(_with(task, known))
                else:
                    pending.append(task)
                    yield task.reading.report
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
            task = pending.popleft()
            assert task.reading is not None
            put(replace(task, reading=_answered(task.reading, annotator)))


def _with(task: _Task, report: Report) -> _Task:
    assert task.reading is not None
    return replace(task, reading=replace(task.reading, report=report))


def _answered(reading: Reading, annotator: Annotator) -> Reading:
    assert reading.report is not None
    try:
        return replace(reading, report=annotator.annotate(reading.report))
    except Exception as error:
        return Reading(reading.sha256, reason=_fault("label", reading.report.doc, error))


def _fault(what: str, doc: str, error: Exception) -> str:
    """A report must not stop thousands of others, whatever it brings to light."""
    reason = " ".join(str(error).split())[:200]
    return f"{doc} cannot be {what}ed because of a fault in pizhu ({type(error).__name__}: {reason}); please report it"


def _finish(task: _Task, run: RunFolder, labels: LabelSet, result: RunResult) -> None:
    if task.item.end and not task.item.trouble:
        run.forget(task.key)
        return
    result.seen += 1
    if task.reading is None:
        entry = run.entries[task.key]
        result.kept += not entry.reason
    else:
        stale = run.resumed or task.key in run.entries
        entry = write_outcome(task.reading, run.out, task.name, run.settings, labels, stale=stale)
        run.record(task.key, entry)
        result.reports += not entry.reason
        result.sentences += entry.sentences
    if entry.reason:
        result.failed.append((task.item.shown, entry.reason))
    else:
        result.written += run.outputs(entry.name)
