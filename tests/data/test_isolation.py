"""A file that breaks its reader fails alone, with one sentence, and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.errors import ConfigError, MissingExtraError, PizhuError, ReadError
from pizhu.base.limits import DEFAULT_LIMITS, Limits
from pizhu.data.isolation import messages, process, windows
from pizhu.data.isolation.in_process import read_here
from pizhu.data.isolation.messages import InvalidMessageError, Question, report_of, report_to_message
from pizhu.data.isolation.pool import ReaderPool
from pizhu.data.read import read_report, read_reports
from pizhu.data.report import Report
from pizhu.tests.support import deeds
from pizhu.tests.support.processes import busy, gone, until
from pizhu.tests.support.sample_reports import FORMATS, load

psutil = pytest.importorskip("psutil", reason="psutil tells which processes there are")
unix = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
SHORT = Limits(read_seconds=2, cpu_seconds=60, memory_mb=300)


def deed(name: str, limits: Limits = DEFAULT_LIMITS) -> Question:
    body = f"deed {name}".encode()
    return Question(f"{name}.txt", limits, body, len(body))


@pytest.fixture(scope="module", autouse=True)
def does() -> Iterator[None]:
    """Reading processes in which files do what they say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_WORKER", deeds.MODULE)
        yield


@pytest.fixture(scope="module")
def pool(does: None) -> Iterator[ReaderPool]:
    """One process at a time."""
    with ReaderPool(size=1) as pool:
        yield pool


def who(pool: ReaderPool) -> int:
    """The process that would be asked next."""
    return int(pool.submit(deed("pid")).result().text.strip("。\n"))


def running(pool: ReaderPool) -> int:
    """The process that reads now."""
    until(lambda: any(turn.began for turn in list(pool._turns.values())), "nothing is read")
    turn = next(iter(pool._turns.values()))
    assert turn.process is not None
    return turn.process.pid


def said(pool: ReaderPool, question: Question) -> str:
    """Why a file is refused."""
    with pytest.raises(ReadError) as error:
        pool.submit(question).result()
    assert "\n" not in str(error.value) and str(error.value).startswith(question.doc)
    return str(error.value)


# The same as without.


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "PDF"])
def test_a_report_is_the_same(pool: ReaderPool, name: str) -> None:
    for sample in load():
        data = FORMATS[name][1](sample)
        question = Question(f"{sample.name}{FORMATS[name][0]}", Limits(), data, len(data))
        assert pool.submit(question).result() == read_here(question)


def test_text_of_tables_and_odd_characters(pool: ReaderPool) -> None:
    question = Question.of_text("某局总结\n\n一、工作\ud800\n\n完成了\udfff任务。𠀀字。\n", "名\udc80字", Limits())
    report = pool.submit(question).result()
    assert report == read_here(question) and report.doc == "名\udc80字"
    assert any("\ud800" in heading for s in report.sentences for heading in s.headings)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n", b"\xff\xfe\x00", "好\n".encode() * 300_001, b"PK\x03\x04"])
def test_a_refusal_is_the_same(pool: ReaderPool, data: bytes) -> None:
    question = Question("文.txt", Limits(), data, len(data))
    with pytest.raises(ReadError) as here:
        read_here(question)
    assert said(pool, question) == str(here.value)


def test_files_and_errors_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.txt" for i in range(30)]
    for i, path in enumerate(paths):
        path.write_text(f"完成了{i}项任务。" * (1 + 50 * (i % 3)), encoding="utf-8")
    paths[7].unlink()
    paths[9].write_bytes(b"")
    for path, found in zip(paths, read_reports(paths), strict=True):
        if path in (paths[7], paths[9]):
            assert isinstance(found, ReadError) and path.name in str(found)
        else:
            assert isinstance(found, Report) and found == read_report(path, isolated=False)


def test_a_thousand_small_files_take_two_processes(tmp_path: Path) -> None:
    body = "完成了任务。".encode()
    with ReaderPool() as pool:
        pids = {question.result().text for question in [pool.submit(deed("pid")) for _ in range(50)]}
        reports = [pool.submit(Question(f"{i}.txt", Limits(), body, len(body))) for i in range(1000)]
        assert [report.result().doc for report in reports] == [f"{i}.txt" for i in range(1000)]
        assert pids >= {pool.submit(deed("pid")).result().text} and len(pids) <= 2


# What files do.

HOSTILE = [
    ("spin", SHORT, "takes longer than the limit of 2 seconds to read; split it or raise --limit read_seconds"),
    ("sleep", SHORT, "takes longer than the limit of 2 seconds to read; split it or raise --limit read_seconds"),
    ("spin", replace(SHORT, cpu_seconds=1, read_seconds=60), "1 seconds of processor time to read; split it or raise"),
    ("eat", replace(SHORT, read_seconds=60), "300 MB of memory to read; split it or raise --limit memory_mb"),
    ("crash", SHORT, "crashes the process that reads it"),
    ("leave", SHORT, "crashes the process that reads it (status 3)"),
    ("recurse", SHORT, "because of a fault in pizhu (RecursionError"),
]


@unix
@pytest.mark.parametrize(("name", "limits", "why"), HOSTILE, ids=[f"{row[0]} {i}" for i, row in enumerate(HOSTILE)])
def test_a_hostile_file_costs_itself(pool: ReaderPool, name: str, limits: Limits, why: str) -> None:
    before = who(pool)
    assert why in said(pool, deed(name, limits))
    until(lambda: gone(before), "what the file did is not over")
    assert who(pool) != before


def test_what_does_no_harm_costs_nothing(pool: ReaderPool) -> None:
    """One that is refused, one that takes memory and gives it back, one that prints: the process is asked again."""
    before = who(pool)
    assert said(pool, replace(deed("refuse"), doc="the deed")) == "the deed was refused"
    for name in ("eat_slowly", "chatter"):
        assert pool.submit(deed(name)).result().text == "done。\n"
    assert who(pool) == before


def test_who_has_grown_is_replaced(pool: ReaderPool) -> None:
    before = who(pool)
    assert pool.submit(deed("grow")).result().text == "done。\n"
    assert who(pool) != before


def test_the_system_s_refusals_come_through(pool: ReaderPool) -> None:
    with pytest.raises(OSError, match="No space left") as error:
        pool.submit(deed("fill")).result()
    assert (error.value.errno, error.value.filename) == (28, "/somewhere")


def test_a_missing_package_comes_through(pool: ReaderPool) -> None:
    with pytest.raises(MissingExtraError) as error:
        pool.submit(deed("lack")).result()
    assert str(error.value) == str(MissingExtraError("the deed", "pdf"))


@unix
def test_a_process_that_is_killed_costs_its_file(pool: ReaderPool) -> None:
    pending = pool.submit(deed("sleep"))
    os.kill(running(pool), signal.SIGKILL)
    with pytest.raises(ReadError, match=r"^sleep\.txt cannot be read: the process that read it was killed"):
        pending.result()
    idle = who(pool)
    os.kill(idle, signal.SIGKILL)
    until(lambda: gone(idle), "it was killed")
    assert who(pool) != idle  # and no file was lost


@unix
def test_a_process_that_is_stopped_is_ended(pool: ReaderPool) -> None:
    pending = pool.submit(deed("sleep", SHORT))
    os.kill(running(pool), signal.SIGSTOP)
    with pytest.raises(ReadError, match="longer than the limit of 2 seconds"):
        pending.result()


@pytest.mark.parametrize("name", ["spin", "sleep", "convert"])
def test_what_is_given_up_is_ended(pool: ReaderPool, name: str) -> None:
    pending, later = pool.submit(deed(name)), pool.submit(deed("pid"))
    number = running(pool)
    family = [number, *(child.pid for child in psutil.Process(number).children(recursive=True))]
    pending.cancel()
    with pytest.raises(CancelledError):
        pending.result(20)
    until(lambda: gone(*family), "it is still read")
    assert later.result().doc == "pid.txt"
    assert later.cancel() is False


def test_closing_ends_everything() -> None:
    pool = ReaderPool(size=2)
    left = [pool.submit(deed(name)) for name in ("spin", "convert", "pid")]
    until(lambda: sum(turn.began is not None for turn in list(pool._turns.values())) == 2, "both read")
    numbers = [turn.process.pid for turn in pool._turns.values() if turn.process]
    pool.close()
    until(lambda: gone(*numbers), "they still read")
    assert all(
        isinstance(pending.exception(20) if not pending.cancelled() else CancelledError(), CancelledError)
        for pending in left
    )
    with pytest.raises(RuntimeError, match="ended"):
        pool.submit(deed("pid"))


def test_slow_files_keep_nobody_waiting() -> None:
    with ReaderPool(size=2, slow=3) as pool:
        slow = [pool.submit(deed(name)) for name in ("spin", "sleep", "spin")]
        quick = [pool.submit(deed("pid")) for _ in range(3)]
        assert not wait(quick, 60).not_done
        assert not any(pending.done() for pending in slow)


def test_there_are_no_more_processes_than_allowed() -> None:
    with ReaderPool(size=1, slow=1) as pool:
        for _ in range(3):
            pool.submit(deed("sleep"))
        until(lambda: len(pool._turns) == 2, "a slow one lets another in")
        time.sleep(1.5)
        assert len(pool._turns) == len(pool._threads) == 2


def test_a_process_that_cannot_begin_says_why() -> None:
    with pytest.MonkeyPatch.context() as patch, ReaderPool() as pool:
        patch.setattr(process, "_WORKER", "pizhu.nowhere")
        with pytest.raises(ConfigError, match=r"cannot start .*No module named 'pizhu.nowhere'"):
            pool.submit(deed("pid")).result()


def test_it_loads_what_reads_and_nothing_else(pool: ReaderPool) -> None:
    loaded = set(pool.submit(deed("modules")).result().text.strip("。\n").split("；"))
    heavy = {"numpy", "onnxruntime", "torch", "tokenizers", "transformers", "asyncio", "pyarrow", "typer", "rich"}
    assert "lxml" in loaded and not loaded & heavy


# Programs around it.


def program(*words: str | Path, code: str = deeds.PROGRAM, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True, **options
    )


def family(parent: int, most: int) -> list[int]:
    """The processes below ``parent``, when there are ``most``."""
    found: list[int] = []

    def enough() -> bool:
        found[:] = [child.pid for child in psutil.Process(parent).children(recursive=True)]
        return len(found) >= most

    until(enough, "they are begun")
    return found


@unix
@pytest.mark.slow
@pytest.mark.parametrize("name", ["spin", "sleep", "convert"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_program(tmp_path: Path, name: str, number: signal.Signals) -> None:
    (tmp_path / "文.txt").write_text(f"deed {name}", encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    running = program("read", tmp_path / "文.txt", env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})
    try:
        left = family(running.pid, 2 if name == "convert" else 1)
        until(lambda: busy(running.pid), "it is read")
        running.send_signal(number)
        _, error = running.communicate(timeout=20)
        assert running.returncode == (130 if number == signal.SIGINT else -number), error
        until(lambda: gone(*left), "a process stayed")
        until(lambda: not list((tmp_path / "tmp").iterdir()), "a file stayed")
    finally:
        running.kill()
        running.communicate()


def test_a_script_without_a_guard(tmp_path: Path) -> None:
    (tmp_path / "文.txt").write_text("完成了任务。", encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text(
        "print('once')\nimport sys\nfrom pizhu import read_report\nprint(len(read_report(sys.argv[1]).sentences))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path / "文.txt"], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["once", "1"], "")


def test_modules_that_lie_beside_the_files_are_not_run(tmp_path: Path) -> None:
    """As they might in an archive that was unpacked there."""
    (tmp_path / "文.txt").write_text("完成了任务。", encoding="utf-8")
    for name in ("json", "struct", "lxml", "charset_normalizer", "pizhu", "resource"):
        (tmp_path / f"{name}.py").write_text("open('run', 'w'); raise SystemExit('evil')", encoding="utf-8")
    pizhu = Path(sys.executable).with_name("pizhu")
    done = subprocess.run(
        [pizhu, "read", "文.txt", "--json"], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60
    )
    assert (done.returncode, json.loads(done.stdout)["text"]) == (0, "完成了任务。")
    assert not (tmp_path / "run").exists()


@unix
def test_a_copy_of_the_program_reads_on_its_own(tmp_path: Path) -> None:
    """``fork`` copies none of its threads."""
    code = (
        "import os, sys\nfrom pizhu import read_report\nread_report(sys.argv[1])\n"
        "child = os.fork()\nprint(len(read_report(sys.argv[1]).sentences), flush=True)\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    (tmp_path / "文.txt").write_text("完成了任务。", encoding="utf-8")
    running = program(tmp_path / "文.txt", code=code)
    out, error = running.communicate(timeout=60)
    assert (running.returncode, out.split()) == (0, ["1", "1"]), error


# What comes from a process that a file has taken over.


def honest() -> tuple[Question, dict[str, Any], bytes]:
    question = Question.of_text("一、工作\n\n完成了任务。还要努力。\n二、问题\n\n不足不少。\n", "文", Limits())
    return (question, *report_to_message(read_here(question)))


SPOILT: list[tuple[str, Any]] = [
    ("starts", [-1, 0, 0, 0, 0]),
    ("ends", [10**9] * 5),
    ("ends", [1.5] * 5),
    ("starts", [True] * 5),
    ("starts", [9, 8, 7, 6, 5]),
    ("starts", {"0": 1}),
    ("starts", None),
    ("kinds", [3] * 5),
    ("kinds", ["sentence"] * 5),
    ("paths", [-1] * 5),
    ("paths", [99] * 5),
    ("ways", [[[0]]]),
    ("ways", ["0", "0"]),
    ("headings", [1, 2]),
    ("headings", "一二"),
    ("ids", "g" * 80),
    ("ids", "a" * 16),
    ("ids", ["a" * 16] * 5),
]


@pytest.mark.parametrize(("field", "value"), SPOILT, ids=[f"{field} {i}" for i, (field, _) in enumerate(SPOILT)])
def test_a_spoilt_report_is_no_report(field: str, value: Any) -> None:
    question, head, body = honest()
    assert report_of(question, head, body) == read_here(question)
    with pytest.raises(InvalidMessageError):
        report_of(question, {"report": head["report"] | {field: value}}, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)
KEYS = st.sampled_from(["report", "refused", "missing", "over", "system", "fault", "spent"])


@given(st.dictionaries(KEYS, JSON, max_size=3), st.binary(max_size=20))
def test_any_answer_is_a_report_an_error_or_spoilt(head: dict[str, Any], body: bytes) -> None:
    try:
        report_of(honest()[0], head, body)
    except (InvalidMessageError, PizhuError, OSError) as error:
        assert "\n" not in str(error) or isinstance(error, OSError)


def test_an_answer_that_is_too_long_or_no_frame_ends_the_process(pool: ReaderPool) -> None:
    for name in ("flood", "babble", "nest"):
        before = who(pool)
        assert "crashes the process that reads it (an invalid answer)" in said(pool, deed(name))
        assert who(pool) != before


def test_refusals_are_one_line_of_bounded_length() -> None:
    error = messages.error_to_message(ReadError("a\nb" + "c" * 10**6))
    with pytest.raises(ReadError) as refused:
        report_of(deed("refuse"), error, b"")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 5000


# The parts that this machine cannot run.


def test_windows_structures_have_the_size_that_the_system_wants() -> None:
    import ctypes

    assert ctypes.sizeof(ctypes.c_void_p) == 8
    assert ctypes.sizeof(windows._Basic) == 64 and ctypes.sizeof(windows._Extended) == 144
    assert windows._Extended.ProcessMemoryLimit.offset == 112 and windows._Basic.LimitFlags.offset == 16
