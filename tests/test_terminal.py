"""A terminal never interprets text from strangers: neither from reports nor from names of files and people."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import PizhuError
from pizhu.base.terminal import Visible, visible
from pizhu.cli.display import Screen, show, styled, table

# Sets the title, erases the line above, CSI as one character, turns the direction, ends lines in other ways.
EVIL = "\x1b]0;改了标题\x07\x1b[1A\x1b[2K\x9b31m\u202e\u2066\u2028\x85\x7f\x08\r"
SPOKEN = EVIL.rstrip("\r").replace("\u2028", "").replace("\x85", "")  # what stays in a line of a report
MARKUP = "[bold red]加粗[/bold red] [link=https://evil.example]点我[/link] :warning:"
ROW = {"doc": f"报告{EVIL}.txt", "start": 0, "end": 20, "kind": "sentence", "headings": [f"一、{EVIL}工作"]}
ROW |= {"id": "a1", "text": f"全年{EVIL}接收档案3.2万卷{MARKUP}。", "labels": ["metric"], "previous": ""}

Command = Callable[..., Any]


def harmless(text: str) -> bool:
    """Whether a terminal would show ``text`` as it is."""
    return re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text) is None


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "报告.txt"
    text = f"澄岭县档案局{SPOKEN}总结\n\n一、主要{SPOKEN}工作\n\n全年{SPOKEN}接收档案{MARKUP}3.2万卷。\n"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "记录.jsonl"
    path.write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Four reports, answered by three people of strange names."""
    path = tmp_path / "答案.jsonl"
    people = [f"甲{EVIL}", f"乙{MARKUP}", "丙"]
    sentences = {
        "achievement": "建成档案馆{0}座{1}。",
        "shortcoming": "数字化进度偏慢，人才不足{1}。",
        "plan": "明年力争再建{0}座{1}。",
        "metric": "接待群众{0}人次{1}，满意率{0}%。",
    }
    draw = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        for number in range(80):
            label = draw.choice(list(sentences))
            said = [label] if draw.random() < 0.8 else [draw.choice(list(sentences))]
            row = {**ROW, "id": f"{number}", "doc": f"{number // 20}{ROW['doc']}", "start": 80 * number}
            row |= {"end": 80 * number + 80, "text": sentences[label].format(draw.randint(2, 99), SPOKEN)}
            given = [{"annotator": name, "labels": said if name != "丙" else [label]} for name in people]
            file.write(json.dumps({**row, "state": "labelled", "labels": said, "answers": given}) + "\n")
    return path


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"内{EVIL.replace(chr(0x2028), '')}\n假的一行.txt", b"\0\0bad")
    return path


def tarred(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo(f"内{EVIL}.txt")
        member.size = 3
        file.addfile(member, io.BytesIO(b"\0\0b"))
    return path


def test_what_is_obeyed_is_spelt_out() -> None:
    assert visible("甲\x1b[2K乙\x9b\u202e\u2028\x7f\r") == "甲\\u001b[2K乙\\u009b\\u202e\\u2028\\u007f\\u000d"
    assert visible("第一行\n\t第二行　“引号” 😀 e\u0301") == "第一行\n\t第二行　“引号” 😀 e\u0301"
    assert all(harmless(visible(chr(code))) for code in range(0x3000))


def test_json_keeps_its_value() -> None:
    told = {EVIL: [EVIL, f"\\{EVIL}\\"]}
    line = visible(json.dumps(told, ensure_ascii=False))
    assert harmless(line) and json.loads(line) == told


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("read REPORT", ["\\u001b", "[bold"]),
        ("read REPORT --json", ["\\u001b", "\\u202e"]),
        ("metrics --all REPORT", ["3.2万卷"]),
        ("metrics --all REPORT --json", ["\\u001b"]),
        ("metrics RECORDS", ["\\u001b", "3.2万卷"]),
        ("metrics RECORDS --json", ["\\u001b", "\\u202e"]),
        ("label agreement ANSWERS", ["\\u001b", "[boldred]"]),
        ("label agreement ANSWERS --json", ["\\u001b", "\\u202e"]),
        ("label errors ANSWERS --min-score 0", ["\\u001b"]),
        ("label errors ANSWERS --min-score 0 --json", ["\\u001b", "\\u202e"]),
        ("label next REPORT ANSWERS --out OUT", ["\\u202e"]),
    ],
)
def test_commands_print_text(
    words: str, holds: list[str], report: Path, records: Path, answers: Path, tmp_path: Path, pizhu: Command
) -> None:
    places = {"REPORT": report, "RECORDS": records, "ANSWERS": answers, "OUT": tmp_path / "下一批\u202e.jsonl"}
    told = pizhu(*(places.get(word, word) for word in words.split()))
    assert told.status == 0, told.err
    assert harmless(told.out) and harmless(told.err)
    shown = re.sub(r"[\s│]", "", told.out)
    assert [part for part in holds if part not in shown] == [], shown
    if words.endswith("--json"):
        for line in told.out.splitlines():
            json.loads(line)


@pytest.mark.parametrize(("name", "pack"), [("打包.zip", zipped), ("打包.tar.gz", tarred)])
def test_members_of_archives(
    name: str, pack: Callable[[Path], Path], model_folder: Path, tmp_path: Path, pizhu: Command
) -> None:
    packed = pack(tmp_path / name)
    told = pizhu("annotate", packed, "--model", model_folder, "--out", tmp_path / "out", "--formats", "txt")
    assert told.status == 1 and "内" in told.err
    assert harmless(told.out) and harmless(told.err)
    assert not any(line.startswith("假") for line in told.err.splitlines()), "a name forges no line"


@pytest.mark.parametrize(
    "words", [["read", f"没有{EVIL}"], ["annotate", f"没有{EVIL}"], [f"--{EVIL}"], [EVIL], ["table", f"没有{EVIL}"]]
)
def test_what_is_wrong_is_told_in_text(words: list[str], pizhu: Command) -> None:
    told = pizhu(*words)
    assert told.status in (1, 2) and told.err.startswith("pizhu: ")
    assert harmless(told.out) and harmless(told.err)
    assert len(told.err.splitlines()) == 1


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    table(f"[u]题{EVIL}", ["列[b]", f"数{EVIL}"], [["格[i]:warning:", f"{EVIL}"]])
    shown = capsys.readouterr().out
    assert harmless(shown)
    assert [mark for mark in ("[u]", "[b]", "[i]:warning:") if mark not in shown] == []


def test_every_string_that_a_screen_shows(capsys: pytest.CaptureFixture[str]) -> None:
    from pizhu.cli.display import Table

    made = Table(title=EVIL, caption=EVIL)
    made.add_column(EVIL, footer=EVIL)
    made.show_footer = True
    made.add_row(EVIL)
    made.add_row(styled(EVIL, "bold"))
    show(made)
    Screen().print(EVIL)
    assert harmless(capsys.readouterr().out)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress(terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pizhu.cli.progress import shown

    monkeypatch.setattr(Screen, "is_terminal", terminal)
    with shown() as tell:
        tell(f"安装: {EVIL}{MARKUP}", 1, 2)
        tell(f"安{EVIL}装", 1, 2)
    said = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]|\r", "", capsys.readouterr().err)  # rich's own
    assert harmless(said) and "\x1b" not in said and "\\u001b]0;" in said


def test_a_fault_s_traceback_and_the_log() -> None:
    """They hold messages of exceptions, and those may hold what a report says."""
    code = (
        "import sys; sys.argv = ['pizhu', 'read', 'x', '--debug'][:3]\n"
        "import pizhu.data.read as reading\n"
        "def fault(*_, **__): raise RuntimeError('\\x1b]0;x\\x07')\n"
        "reading.read_reports = fault\n"
        "from pizhu.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 1 and "RuntimeError: \\u001b]0;x" in done.stderr and harmless(done.stderr)
    try:
        raise PizhuError(EVIL)
    except PizhuError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, f"说{EVIL}", None, sys.exc_info())
    assert harmless(Visible().format(record)) and "Traceback" in Visible().format(record)


@pytest.mark.skipif(os.name != "posix", reason="opens a pseudo-terminal")
@pytest.mark.parametrize("words", [["read"], ["read", "--json"], ["metrics", "--all"]], ids=" ".join)
def test_on_a_terminal(words: list[str], report: Path) -> None:
    """There rich colours its tables; nothing else that is obeyed arrives."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).with_name("pizhu"), *words, report],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    ) as running:
        os.close(theirs)
        text = b"".join(_read(ours)).decode("utf-8")
        assert running.wait(60) == 0
    os.close(ours)
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]|\x1b\[[12]?[KA]|\r", "", text)
    assert harmless(plain) and ("]0;" not in plain or "\\u001b]0;" in plain)


def _read(handle: int) -> Iterator[bytes]:
    while True:
        try:
            block = os.read(handle, 65536)
        except OSError:  # Linux says so when the other end is closed
            return
        if not block:
            return
        yield block
