"""Thousands of bad files: each is read or refused in one sentence, in bounded time and memory, offline."""

import io
import random
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import PizhuError, ReadError
from pizhu.data.read import Limits, read_report, report_from_text
from pizhu.tests.support.sample_reports import FORMATS, load

GOOD = {name: make(load()[0]) for name, (_, make) in FORMATS.items() if name != "PDF"}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a reader wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def survive(path: Path, data: bytes, limits: Limits | None = None) -> str:
    """Read ``data``; returns the refusal, or an empty string where it was read."""
    path.write_bytes(data)
    began = time.process_time()  # of this process: others may keep the machine busy
    try:
        read_report(path, limits=limits or Limits(), isolated=False)  # the readers themselves have to bear it
        said = ""
    except PizhuError as error:
        said = str(error)
        assert "\n" not in said
        assert path.name in said
    assert time.process_time() - began < 60
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_cut_off_anywhere(tmp_path: Path, name: str) -> None:
    data = GOOD[name]
    for length in range(0, len(data), max(1, len(data) // 150)):
        survive(tmp_path / "断", data[:length])


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_bytes_changed_anywhere(tmp_path: Path, name: str) -> None:
    dice = random.Random(name)
    for _ in range(150):
        data = bytearray(GOOD[name])
        for _ in range(dice.choice((1, 3, 30))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        survive(tmp_path / "变", bytes(data))


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    survive(tmp_path_factory.getbasetemp() / "任意", data)


@given(
    st.lists(
        st.sampled_from(
            ["<div>", "</p>", "<table><tr><td>", "<b", "&#x0;", "<!--", "工作。", '<a href="http://x/y">', "]]>"]
        )
    )
)
@settings(max_examples=200, deadline=None)
def test_any_mark_up(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    survive(tmp_path_factory.getbasetemp() / "乱.html", ("<html>" + "".join(parts)).encode())


@given(st.text(alphabet=st.characters(), max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text(text: str) -> None:
    try:
        report = report_from_text(text, "文")
    except ReadError:
        return
    assert all(report.text[s.start : s.end] == s.text for s in report.sentences)


STRANGE = {
    "lone surrogates": "工作\ud800完成。\udfff好。",
    "bidirectional controls": "工作\u202e完成。\u2066很好\u2069。",
    "zero-width marks": "工\u200b作\u200d完\ufeff成。",
    "NUL": "工作\0完成。" * 30,
    "combining marks": "工作" + "\u0301" * 5000 + "完成。",
    "private use": "工作\ue000完成。\U000f0000好。",
    "line separators": "工作完成。\u2028很好。\u2029\x85不错。\x0b\x0c再来。",
    "openers only": "（" * 20_000 + "完成。",
    "closers only": "”" * 20_000 + "完成。",
    "nested brackets": "（" * 5000 + "完成。" + "）" * 5000,
    "numbers": "1." * 50_000 + "完成。",
    "enumerators": "一是；" * 50_000,
    "headings": "一、工作\n" * 20_000 + "完成。",
    "page controls": "打印关闭" * 59 + "X\n完成。",
    "wrapped for ever": ("全面推进各项工作取得明显成效群众满意度持续提高" * 2 + "\n") * 20_000 + "完成。",
    "blank lines": "完成。" + "\n \u3000" * 200_000 + "很好。",
    "dots": "完成" + "." * 100_000 + "。",
    "one long sentence": "全面推进，" * 100_000,
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_text_is_read(name: str) -> None:
    began = time.process_time()  # of this process: others may keep the machine busy
    report = report_from_text(STRANGE[name], "怪")
    assert report.sentences
    assert time.process_time() - began < 10


def archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


W = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'


DOCUMENT = "word/document.xml"
END = b"</w:body></w:document>"
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 30))
LAUGHS = b'<!DOCTYPE x [<!ENTITY a0 "ha">' + ENTITIES + b"]><x>&a29;</x>"
OUTSIDE = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>'
LONG = "工作。".encode()

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "entity expansion.docx": (lambda: archive({DOCUMENT: LAUGHS}), "declares XML entities"),
    "external entities.docx": (lambda: archive({DOCUMENT: OUTSIDE}), "declares XML entities"),
    "zip bomb.docx": (lambda: archive({DOCUMENT: W + b" " * 400_000_000}), "zip bomb"),
    "spreadsheet.docx": (lambda: archive({"xl/workbook.xml": b"<x/>"}), "without a Word document"),
    "deep nesting.docx": (lambda: archive({DOCUMENT: W + b"<w:sdt>" * 100_000 + b"</w:sdt>" * 100_000 + END}), ""),
    "one paragraph.docx": (
        lambda: archive({DOCUMENT: W + b"<w:p><w:r><w:t>" + LONG * 800_000 + b"</w:t></w:r></w:p>" + END}),
        "more than the limit",
    ),
    "many elements.docx": (lambda: archive({DOCUMENT: W + b"<w:p/>" * 20_000_000 + END}), "elements, more than"),
    "many elements.html": (lambda: b"<html>" + b"<p>" * 30_000_000, "elements, more than"),
    "many paragraphs.html": (lambda: b"<html>" + "<p>工作。".encode() * 700_000, "lines, more than the limit"),
    "as many as may be.html": (lambda: b"<html>" + "<p>工作。".encode() * 290_000, ""),
    "as many as may be.txt": (lambda: "工。".encode() * 490_000, ""),
    "large in GB18030.txt": (lambda: "全面推进各项工作。\n".encode("gb18030") * 5_000_000, "more than the limit"),
    "large and random.txt": (lambda: random.Random(1).randbytes(1000) * 95_000, "not text"),
    "deep nesting.html": (lambda: b"<html>" + b"<div>" * 300_000 + LONG, ""),
    "deep table.html": (lambda: b"<html>" + b"<table><tr><td>" * 20_000 + LONG, ""),
    "entities.html": (lambda: LAUGHS.replace(b"<x>", b"<html><p>" + LONG), ""),
    "one character.txt": (lambda: b"a" * 200_000_000, "larger than the limit"),
    "50 MB line.txt": (lambda: "全面推进".encode() * 4_200_000, "more than the limit"),
    "NUL bytes.txt": (lambda: bytes(1_000_000), "not text"),
    "endless mail.mht": (lambda: b"MIME-Version: 1.0\nContent-Type: text/html\n" * 200_000, "without a page"),
}
"""Files that want too much: how to make them, and what the refusal says where they must be refused."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bombs(tmp_path: Path, name: str) -> None:
    make, said = BOMBS[name]
    assert said in survive(tmp_path / name, make())


@pytest.mark.slow
def test_memory_stays_low(tmp_path: Path) -> None:
    """The worst bombs in a process that may not use more than 1 GB."""
    import subprocess
    import sys

    resource = pytest.importorskip("resource", reason="memory can be limited on POSIX only")
    assert resource
    for name, (make, _) in BOMBS.items():
        (tmp_path / name).write_bytes(make())
    code = (
        "import resource, sys, pathlib; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "from pizhu.data.read import read_report\nfrom pizhu.base.errors import PizhuError\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try: read_report(path)\n    except PizhuError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def test_ten_thousand_pages(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2", reason="PDF needs pizhu[pdf]")
    page = b"%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    kids = b" ".join(b"%d 0 R" % n for n in range(3, 10_003))
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    body += b"2 0 obj<</Type/Pages/Count 10000/Kids[" + kids + b"]>>endobj\n"
    body += b"".join(page % n for n in range(3, 10_003)) + b"trailer<</Root 1 0 R>>\n%%EOF"
    assert "10,000 pages, more than the limit of 2,000" in survive(tmp_path / "万页.pdf", body)
