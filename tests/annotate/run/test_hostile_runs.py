"""A run survives whatever its files do to their readers, and ends every process that it started."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.run.run import annotate_files
from pizhu.base.errors import ConfigError
from pizhu.base.limits import Limits
from pizhu.data.isolation import process
from pizhu.data.isolation.in_process import InProcess
from pizhu.data.isolation.messages import Question
from pizhu.data.isolation.pool import ReaderPool
from pizhu.data.report import Report
from pizhu.tests.support import deeds
from pizhu.tests.support.processes import busy, gone, until

psutil = pytest.importorskip("psutil", reason="psutil tells which processes there are")
unix = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

PROGRAM = """import sys
from pizhu.models.annotator import Annotator
from pizhu.tests.support import deeds, killing
Annotator.load = lambda *_, **__: killing.Hashed()
exec(deeds.PROGRAM)
"""


class Watched(InProcess):
    """Remembers what it was asked to read."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def submit(self, question: Question) -> Future[Report]:
        self.asked.append((question.doc, question.is_text))
        return super().submit(question)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Good ones, and among them some that do things."""
    paths = []
    for number, name in enumerate(["", "spin", "", "eat", "crash", "", "sleep", ""]):
        paths.append(tmp_path / "in" / f"{number}{name}.txt")
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_text(f"deed {name}" if name else f"完成了{number}项任务。还要努力。", encoding="utf-8")
    return paths


@unix
def test_hostile_files_cost_themselves(
    files: list[Path], tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_WORKER", deeds.MODULE)
    limits, out = Limits(read_seconds=3, memory_mb=300), tmp_path / "out"
    result = annotate_files(files, out, model, limits=limits)
    assert (result.reports, len(result.failed)) == (4, 4)
    failed = {Path(path).name: reason for path, reason in result.failed}
    assert failed["1spin.txt"] == (
        "1spin.txt takes longer than the limit of 3 seconds to read; split it or raise --limit read_seconds"
    )
    assert "limit of 300 MB of memory to read" in failed["3eat.txt"] and "crashes the process" in failed["4crash.txt"]
    inputs = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert [inputs[f"../in/{path.name}"]["state"] for path in files] == [
        "failed" if path.name in failed else "done" for path in files
    ]
    assert not list(out.glob(".*"))

    reader = Watched()
    again = annotate_files(files, out, model, limits=limits, reader=reader)
    assert (again.kept, again.untried, again.failed, reader.asked) == (4, 4, result.failed, [])
    files[6].write_text("现在好了。", encoding="utf-8")
    other = Limits(read_seconds=4, memory_mb=400)  # what the sentence says to try
    tried = annotate_files(files, out, model, limits=other, retry_failed=True)
    assert (tried.reports, tried.kept, len(tried.failed)) == (1, 4, 3)
    assert "limit of 4 seconds" in dict(tried.failed)[str(files[1])]
    with pytest.raises(ConfigError, match="limit pages"):  # what outputs depend on must still be the same
        annotate_files(files, out, model, limits=Limits(pages=7))


@unix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_ends_when_it_is_told(files: list[Path], tmp_path: Path, model: Any, number: signal.Signals) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", PROGRAM, "annotate", str(files[0].parent), "--out", str(out), "--formats", "jsonl"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        until(lambda: (out / "0.jsonl").exists(), "the first is done")
        until(lambda: busy(running.pid), "the second is read")
        left = [child.pid for child in psutil.Process(running.pid).children(recursive=True)]
        running.send_signal(number)
        _, error = running.communicate(timeout=30)
        assert running.returncode == (130 if number == signal.SIGINT else -number), error
        assert "Traceback" not in error
        until(lambda: gone(*left), "a process stayed")
    finally:
        running.kill()
        running.communicate()
    for path in files:
        if path.read_text(encoding="utf-8").startswith("deed"):
            path.write_text("现在好了。", encoding="utf-8")
    assert annotate_files([files[0].parent], out, model).reports >= 7  # and it can be gone on with
    annotate_files([files[0].parent], tmp_path / "peace", model)
    for path in (tmp_path / "peace").iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes()


def test_everything_that_strangers_send_is_read_apart(tmp_path: Path, model: Any) -> None:
    """Files, members of archives, rows of tables, the standard input: nothing is read here."""
    import zipfile

    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    text = "完成了任务。"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("b.txt", text)
    pq.write_table(pa.table({"id": ["c"], "text": [text]}), tmp_path / "c.parquet")
    reader = Watched()
    paths = [tmp_path / name for name in ("a.txt", "b.zip", "c.parquet")]
    assert annotate_files(paths, tmp_path / "out", model, reader=reader).reports == 3
    assert reader.asked == [("a.txt", False), ("b.txt", False), ("c", True)]


def test_a_pool_may_serve_several_runs(tmp_path: Path, model: Any) -> None:
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    with ReaderPool(size=1) as pool:
        for out in ("one", "other"):
            assert annotate_files([tmp_path / "a.txt"], tmp_path / out, model, reader=pool).reports == 1


@pytest.mark.slow
def test_a_thousand_small_files_are_the_same(tmp_path: Path, model: Any) -> None:
    (tmp_path / "in").mkdir()
    for number in range(1000):
        (tmp_path / "in" / f"{number}.txt").write_text(f"完成了{number}项任务。", encoding="utf-8")
    annotate_files([tmp_path / "in"], tmp_path / "apart", model, ("jsonl-parts", "jsonl"))
    annotate_files([tmp_path / "in"], tmp_path / "here", model, ("jsonl-parts", "jsonl"), reader=InProcess())
    for path in (tmp_path / "here").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "apart" / path.relative_to(tmp_path / "here")).read_bytes()
