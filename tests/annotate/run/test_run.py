"""Batch runs: every input gets its own files, a bad one does not affect the others, no partial file remains."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pizhu import Annotator
from pizhu.annotate import writers
from pizhu.annotate.inputs.find import Inputs, find
from pizhu.annotate.run.answer_cache import AnswerCache
from pizhu.annotate.run.manifest import Entry
from pizhu.annotate.run.run import Outcome, RunOptions, RunResult, annotate_files, conduct, plan, work
from pizhu.annotate.run.runfolder import RunFolder, Settings
from pizhu.base.errors import ConfigError, MissingExtraError
from pizhu.base.files import read_records
from pizhu.data.isolation.in_process import InProcess
from pizhu.data.isolation.messages import Question
from pizhu.data.report import Report

TEXT = "澄岭县档案局2022年工作总结\n\n一、主要工作\n\n全年接收档案3.2万卷。\n"


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    return Annotator.load(model_folder, device="cpu")


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_records_point_into_the_text(annotator: Annotator, tmp_path: Path) -> None:
    path = write(tmp_path / "工作 总结.txt")
    result = annotate_files([path], tmp_path / "出", annotator, ("jsonl", "html", "txt"))
    assert names(tmp_path / "出") == ["manifest.json", "工作 总结.html", "工作 总结.jsonl", "工作 总结.txt"]
    assert (result.reports, result.sentences, result.failed) == (1, 1, [])
    text = (tmp_path / "出" / "工作 总结.txt").read_text(encoding="utf-8")
    assert text == TEXT
    for record in read_records(tmp_path / "出" / "工作 总结.jsonl"):
        assert record["text"] == text[record["start"] : record["end"]]
        assert record["doc"] == "工作 总结.txt"
        assert (record["kind"] == "sentence") == ("scores" in record)


def test_one_bad_input_among_good_ones(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    good = [write(tmp_path / f"{i}.txt") for i in (1, 2)]
    bad = {
        tmp_path / "empty.txt": b"",
        tmp_path / "binary.txt": b"\x89PNG\r\n\x1a\n\x00\x00",
        tmp_path / "cut.txt": TEXT.encode("utf-16")[:-1],
        tmp_path / "long.txt": b"a" * 2_000_000,
    }
    for path, data in bad.items():
        path.write_bytes(data)
    missing = tmp_path / "missing.txt"
    inputs = [good[0], *bad, missing, good[1]]
    answer = pizhu("annotate", *inputs, "--model", model_folder, "--out", tmp_path / "out", "--json")
    assert answer.status == 1
    assert names(tmp_path / "out") == ["1.html", "1.jsonl", "2.html", "2.jsonl", "manifest.json"]
    body = json.loads(answer.out)
    assert (body["reports"], [row["path"] for row in body["failed"]]) == (2, [str(p) for p in (*bad, missing)])
    said = [line for line in answer.err.splitlines() if line.startswith("pizhu: ")]
    assert len(said) == len(bad) + 1
    assert said[-1] == f"pizhu: {missing} does not exist"


def test_what_the_command_prints(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    path = write(tmp_path / "总结.txt")
    answer = pizhu("annotate", path, "--model", model_folder, "--out", tmp_path / "out", "--formats", "txt, jsonl")
    assert answer.out.splitlines() == [str(tmp_path / "out" / f"总结.{kind}") for kind in ("jsonl", "txt")]
    assert answer.err.splitlines()[-1] == "1 reports, 1 sentences annotated"


class Lacking(InProcess):
    """Meets errors with some reports, told by their names."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        self.errors = errors

    def submit(self, question: Question) -> Future[Report]:
        answer = super().submit(question)  # some was done before
        if error := self.errors.get(question.doc):
            answer = Future()
            answer.set_exception(error)
        return answer


def test_a_format_whose_packages_are_missing(annotator: Annotator, tmp_path: Path) -> None:
    reader = Lacking({"b.txt": MissingExtraError("a PDF", "pdf")})
    result = annotate_files([write(tmp_path / f"{c}.txt") for c in "abc"], tmp_path / "out", annotator, reader=reader)
    assert names(tmp_path / "out") == ["a.jsonl", "c.jsonl", "manifest.json"]
    assert result.failed == [(str(tmp_path / "b.txt"), str(MissingExtraError("a PDF", "pdf")))]
    # What the sentence asks for was done.
    result = annotate_files([tmp_path / f"{c}.txt" for c in "abc"], tmp_path / "out", annotator)
    assert (result.failed, result.reports, result.kept) == ([], 1, 2)


def test_nothing_half_written(annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    path = write(tmp_path / "a.txt")
    with monkeypatch.context() as patch:
        patch.setattr(writers, "pieces", stop)
        with pytest.raises(KeyboardInterrupt):
            annotate_files([path], tmp_path / "out", annotator, ("html",))
    assert names(tmp_path / "out") == [".begun.txt", ".journal.jsonl", "manifest.json"]
    annotate_files([path], tmp_path / "out", annotator, ("html",))
    assert names(tmp_path / "out") == ["a.html", "manifest.json"]


@pytest.mark.parametrize("formats", [(), ("doc",), ("jsonl", "json")])
def test_formats(annotator: Annotator, tmp_path: Path, formats: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="expected some of jsonl, html, txt, docx"):
        annotate_files([write(tmp_path / "a.txt")], tmp_path / "out", annotator, formats)
    assert not (tmp_path / "out").exists()


def test_names_that_meet(annotator: Annotator, tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "一" / "总结.txt"),
        write(tmp_path / "二" / "总结.txt"),
        write(tmp_path / "二" / "总结.html", f"<html><body><p>{TEXT}</p></body></html>"),
        write(tmp_path / "A.txt"),
        write(tmp_path / "甲" / "a.txt"),
    ]
    result = annotate_files(paths, tmp_path / "out", annotator)
    stems = [path.name.removesuffix(".jsonl") for path in result.written]
    assert stems[:2] == ["总结", "总结-二"]
    assert stems[2].startswith("总结-") and len(stems[2]) == len("总结-") + 8
    assert stems[3:] == ["A", "a-甲"]


def test_again_gives_the_same_bytes(annotator: Annotator, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    runs = []
    for out in ("out", "out", "other"):
        annotate_files([path], tmp_path / out, annotator, tuple(writers.FORMATS))
        found = sorted(p for p in (tmp_path / out).rglob("*") if p.is_file())
        runs.append({p.relative_to(tmp_path / out): p.read_bytes() for p in found})
    assert runs[0] == runs[1] == runs[2]


def test_the_neighbours_do_not_matter(annotator: Annotator, tmp_path: Path) -> None:
    """A report gets the same bytes alone and in any company: else a run that was killed would end otherwise."""
    texts = [TEXT * n + f"查阅{n}00人次。" * n for n in (1, 2, 5, 9)]
    paths = [write(tmp_path / f"{i}.txt", text) for i, text in enumerate(texts)]
    annotate_files(paths, tmp_path / "together", annotator)
    annotate_files(paths[::-1], tmp_path / "reversed", annotator)
    for path in paths:
        annotate_files([path], tmp_path / "alone", annotator)
    for i in range(len(paths)):
        assert len({(tmp_path / out / f"{i}.jsonl").read_bytes() for out in ("together", "reversed", "alone")}) == 1
    manifests = {(tmp_path / out / "manifest.json").read_bytes() for out in ("together", "reversed", "alone")}
    assert len(manifests) == 1


def test_a_report_that_the_model_cannot_bear_fails_alone(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = annotator.annotate_many

    def annotate_many(reports: Any) -> Any:
        for report in reports:
            if report.doc == "b.txt":
                raise RuntimeError("out of memory")
            yield from real([report])

    monkeypatch.setattr(annotator, "annotate_many", annotate_many)
    paths = [write(tmp_path / f"{c}.txt", f"{TEXT}{c}") for c in "abc"]
    result = annotate_files(paths, tmp_path / "out", annotator)
    assert names(tmp_path / "out") == ["a.jsonl", "c.jsonl", "manifest.json"]
    ((path, reason),) = result.failed
    assert path == str(tmp_path / "b.txt") and "RuntimeError: out of memory" in reason
    monkeypatch.undo()
    assert annotate_files(paths, tmp_path / "out", annotator).failed == result.failed
    result = annotate_files(paths, tmp_path / "out", annotator, retry_failed=True)
    assert (result.failed, result.reports, result.kept) == ([], 1, 2)


def test_a_full_disk_stops_the_run(
    annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path, pizhu: Callable[..., Any]
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pizhu.annotate.writers.pieces", full)
    path = write(tmp_path / "a.txt")
    answer = pizhu("annotate", path, "--model", model_folder, "--out", tmp_path / "out")
    assert answer.status == 2
    said = "pizhu: the system: No space left on device; free space and run the same command again"
    assert answer.err.splitlines()[-1] == said


@pytest.mark.parametrize("where", ["read", "written"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "b.html"), "b.html: Permission denied; check that you may"),
        (OSError(36, "File name too long", "b.html"), "b.html: File name too long; name a folder with a shorter path"),
        (MemoryError(), "out of memory"),
    ],
)
def test_what_the_system_refuses_one_report_fails_that_one(
    where: str, error: Exception, said: str, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pizhu.annotate.run.run as run

    real = run.write_report

    def refusing(report: Report, *words: Any) -> Any:
        answer = real(report, *words)  # some was done before
        if report.doc == "b.txt":
            raise error
        return answer

    paths, out = [write(tmp_path / f"{c}.txt") for c in "abc"], tmp_path / "out"
    if where == "written":
        monkeypatch.setattr(run, "write_report", refusing)
    reader = Lacking({"b.txt": error} if where == "read" else {})
    for turn in range(2):
        result = annotate_files(paths, out, model, ("jsonl", "html"), reader=reader)
        assert (result.reports, result.kept, result.untried) == ((2, 0, 0), (0, 2, 0))[turn]
        ((path, reason),) = result.failed
        assert path == str(paths[1]) and f"b.txt cannot be {where}: " in reason and said in reason
        assert names(out) == ["a.html", "a.jsonl", "c.html", "c.jsonl", "manifest.json"]
    monkeypatch.undo()
    assert annotate_files(paths, out, model, ("jsonl", "html")).failed == []


def test_what_concerns_the_machine_stops_the_run(model: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    full = OSError(28, "No space left on device", "/tmp/report.doc")  # as where LibreOffice should convert
    with pytest.raises(OSError, match="No space left"):
        annotate_files([path], tmp_path / "out", model, reader=Lacking({"a.txt": full}))
    assert annotate_files([path], tmp_path / "out", model).reports == 1


def test_an_output_that_cannot_be_replaced(model: Any, tmp_path: Path) -> None:
    paths, out = [write(tmp_path / f"{c}.txt") for c in "ab"], tmp_path / "out"
    (out / "a.html").mkdir(parents=True)  # a folder stands where the page shall go
    result = annotate_files(paths, out, model, ("jsonl", "html"))
    assert [path for path, _ in result.failed] == [str(paths[0])] and f"{out / 'a.html'}: " in result.failed[0][1]
    assert names(out) == ["a.html", "b.html", "b.jsonl", "manifest.json"]
    (out / "a.html").rmdir()
    assert annotate_files(paths, out, model, ("jsonl", "html")).failed == []


def test_watching(annotator: Annotator, tmp_path: Path) -> None:
    seen = []

    def watch(result: RunResult) -> None:
        seen.append((result.seen, result.reports, result.kept, len(result.failed)))

    paths = [write(tmp_path / "a.txt"), write(tmp_path / "b.txt"), tmp_path / "missing.txt"]
    annotate_files(paths[:1], tmp_path / "out", annotator)
    annotate_files(paths, tmp_path / "out", annotator, watch=watch)
    assert len(seen) == 3 and seen[-1] == (3, 1, 1, 1)


def test_the_same_report_by_other_names_is_answered_once(annotator: Annotator, tmp_path: Path) -> None:
    asked = []

    class Counting:
        about, runtime = annotator.about, annotator.runtime

        def annotate_many(self, reports: Any) -> Any:
            for report in reports:
                asked.append(report.doc)
                yield annotator.annotate(report)

    paths = [write(tmp_path / f"{c}.txt") for c in "abc"] + [write(tmp_path / "d.txt", TEXT + "另有一句。")]
    annotate_files(paths, tmp_path / "out", Counting())  # type: ignore[arg-type]
    assert asked == ["a.txt", "d.txt"]
    annotate_files(paths, tmp_path / "every", Counting(), reuse=0)  # type: ignore[arg-type]
    assert asked[2:] == ["a.txt", "b.txt", "c.txt", "d.txt"]
    for c in "abcd":
        assert (tmp_path / "out" / f"{c}.jsonl").read_bytes() == (tmp_path / "every" / f"{c}.jsonl").read_bytes()


def test_tasks_can_be_done_in_another_process(model: Any, tmp_path: Path) -> None:
    """What an engine of many processes needs: tasks and outcomes that can be pickled, in any order, the same bytes."""
    paths = [write(tmp_path / folder / "a.txt", f"{TEXT}{folder}") for folder in ("一", "二", "三")]
    paths.append(tmp_path / "bad.txt")
    annotate_files(paths, tmp_path / "here", model, ("jsonl", "html"))
    settings, there = Settings(("jsonl", "html")), tmp_path / "there"

    def elsewhere(inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]) -> None:
        for task in reversed(list(plan(inputs, run.out, settings, run.entries))):
            told: list[Outcome] = []
            work(
                pickle.loads(pickle.dumps([task])),
                run.out,
                settings,
                model,
                told.append,
                InProcess(),
                answers=AnswerCache(0),
            )
            (outcome,) = pickle.loads(pickle.dumps(told))
            done(outcome)

    for turn in range(2):
        result = conduct(elsewhere, paths, there, RunOptions(settings), model.about, model.runtime.kind)
        assert (result.reports, result.kept, result.seen) == ((3, 0, 4), (0, 3, 4))[turn]
    assert model.asked == 6  # what stands is not done again
    assert {p.name: p.read_bytes() for p in there.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "here").iterdir()
    }


def test_names_do_not_depend_on_what_is_done(tmp_path: Path) -> None:
    """A run whose inputs are done in any order, and cut off at any of them, goes on with the names it began with."""
    places = ("一/a.txt", "二/a.txt", "a-二.txt", "三/二/a.txt", "A.txt", "a-一.txt", "四/一/a.txt")
    inputs = find([write(tmp_path / place) for place in places])
    settings, out = Settings(), tmp_path
    first = {task.key: task.name for task in plan(inputs, out, settings, {})}
    for size in range(len(first)):
        for done in combinations(first, size):
            entries = {key: Entry(first[key], "") for key in done}
            assert {task.key: task.name for task in plan(inputs, out, settings, entries)} == first
