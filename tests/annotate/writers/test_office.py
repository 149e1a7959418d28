"""Outputs in a real office suite: LibreOffice reads and shows them, with comments in the right places."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from pizhu.annotate import writers
from pizhu.annotate.writers.shown import tint
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import load_source, read_report, report_from_text
from pizhu.data.readers.office import find_office

from .conftest import HOSTILE, Document, labelled_at_will
from .test_word_original import BODY, paragraph, run

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_office() is None, reason="LibreOffice is not installed"),
]
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_seen = pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (Poppler) is not installed")


def convert(to: str, folder: Path, *paths: Path) -> list[Path]:
    """Several files at once, which costs one start."""
    program = find_office()
    assert program is not None
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, profile, "--headless", "--convert-to", to, "--outdir", str(folder), *map(str, paths)]
    subprocess.run(command, check=False, capture_output=True, timeout=180)
    return [folder / f"{path.stem}.{to.partition(':')[0]}" for path in paths]


def test_word(document: Document, tmp_path: Path) -> None:
    source = document(BODY + "".join(paragraph(run(text)) for text in HOSTILE))
    report = labelled_at_will(read_report(source))
    text = labelled_at_will(report_from_text("一、工作\n" + "\n".join(HOSTILE), "文本.txt"))
    original, fresh = tmp_path / "original.docx", tmp_path / "fresh.docx"
    writers.write("docx", report, DEFAULT_LABELS, original, load_source(source))
    writers.write("docx", text, DEFAULT_LABELS, fresh)
    for made, given in zip(convert("fodt", tmp_path, original, fresh), (report, text), strict=True):
        root = etree.parse(made).getroot()
        notes = list(root.iter(f"{_OFFICE}annotation"))
        marked = [s for s in given.sentences if s.labels or s.review]
        assert len(notes) == len(marked) + (given is report)  # the original has its legend in a comment
        assert {n.findtext(f"{_DC}creator") for n in notes} == {"批注", "批注（待核）"}
        for sentence, note in zip(marked, notes[-len(marked) :], strict=True):
            anchored = between(root, note.get(f"{_OFFICE}name"))
            assert "".join(anchored.split()) == "".join(sentence.text.split())


def between(root: etree._Element, name: str | None) -> str:
    """The text on which the comment ``name`` hangs."""
    text, inside, skipped = "", False, 0
    for event, node in etree.iterwalk(root, ("start", "end")):
        if node.tag == f"{_OFFICE}annotation":
            skipped += 1 if event == "start" else -1
            inside = inside or node.get(f"{_OFFICE}name") == name
        elif node.tag == f"{_OFFICE}annotation-end" and node.get(f"{_OFFICE}name") == name:
            return text
        if inside and not skipped:
            text += (node.text if event == "start" else node.tail) or ""
    raise AssertionError(f"the comment {name} has no end")


def test_excel_and_csv_compute_nothing(tmp_path: Path) -> None:
    report = labelled_at_will(report_from_text("\n".join(HOSTILE), "=1+1.txt"))
    texts = [s.text for s in report.sentences if s.kind == "sentence"]
    book, table = tmp_path / "书.xlsx", tmp_path / "表.csv"
    for path in (book, table):
        writers.write_table(path, [("=1+1", report.records())], DEFAULT_LABELS)
    # The third sheet as a spreadsheet shows it; the last setting asks for sheets one file each.
    options = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    convert(options, tmp_path, book)
    made = tmp_path / "书-句子.csv"
    if not made.exists():
        pytest.skip("LibreOffice has no Calc")
    with made.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["句子"] for row in rows] == texts
    assert {row["报告"] for row in rows} == {"=1+1"}
    [opened] = convert("fods", tmp_path, table)
    assert "table:formula" not in opened.read_text(encoding="utf-8")
    [opened] = convert("fods", tmp_path, book)
    assert "table:formula" not in opened.read_text(encoding="utf-8")


def seen(path: Path) -> Pixels:
    """(height, width, 3) the pages as they would be printed, one below the other."""
    [made] = convert("pdf", path.parent, path)
    done = subprocess.run(["pdftoppm", "-r", "96", str(made)], check=True, capture_output=True, timeout=180)
    pages, rest = [], done.stdout
    while rest:
        kind, size, most, rest = rest.split(b"\n", 3)
        assert (kind, most) == (b"P6", b"255")
        width, height = map(int, size.split())
        pages.append(np.frombuffer(rest[: 3 * width * height], np.uint8).reshape(height, width, 3))
        rest = rest[3 * width * height :]
    widest = max(page.shape[1] for page in pages)
    return np.concatenate([np.pad(page, ((0, 0), (0, widest - page.shape[1]), (0, 0))) for page in pages])


def of(color: str, pixels: Pixels) -> int:
    """How many pixels have the colour ``RRGGBB``, but for rounding."""
    wanted = np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)])
    return int((np.abs(pixels.astype(int) - wanted).max(2) <= 1).sum())


@_seen
def test_word_looks_coloured(document: Document, tmp_path: Path) -> None:
    source = document(BODY)
    report = labelled_at_will(read_report(source))
    fresh = labelled_at_will(
        report_from_text("档案馆工作总结\n全年接收档案三千卷。库房如期改造。人员不足。", "文本.txt")
    )
    original, made = tmp_path / "original.docx", tmp_path / "fresh.docx"
    writers.write("docx", report, DEFAULT_LABELS, original, load_source(source))
    writers.write("docx", fresh, DEFAULT_LABELS, made)
    before, after, with_legend = seen(source), seen(original), seen(made)
    for label in DEFAULT_LABELS:
        color = tint(label)
        assert of(color, before) == 0
        # Sentences have the colour of their first label, and no sentence's first one is metric.
        assert (of(color, after) > 200) is (label.name != "metric")
        assert of(color, with_legend) > of(color, after)
    ink = before.max(2) < 128
    assert ink.sum() > 200
    assert (after[ink].max(1) < 128).mean() > 0.95  # the words stand where they stood, and are black


@_seen
def test_excel_looks_coloured_and_has_charts(tmp_path: Path) -> None:
    every = [("achievement",), ("achievement",), ("achievement", "metric"), ("shortcoming",), ()]
    report = labelled_at_will(report_from_text("\n".join(HOSTILE), "文本.txt"), every)
    book = tmp_path / "书.xlsx"
    writers.write_table(book, [("文本", report.records())], DEFAULT_LABELS)
    pixels = seen(book)
    ticks = {label.name: of(tint(label), pixels) for label in DEFAULT_LABELS}
    assert (
        ticks["achievement"] > ticks["metric"] > ticks["plan"] > 200
    )  # a plan is none, but has its row in the summary
    bars = {label.name: of(label.color[1:], pixels) for label in DEFAULT_LABELS}
    counts = {name: sum(name in (s.labels or ()) for s in report.sentences) for name in DEFAULT_LABELS.names}
    one = bars["shortcoming"] / counts["shortcoming"]
    assert one > 500  # pixels in both charts, whose bars are as long as there are sentences
    assert bars == {name: pytest.approx(one * count, rel=0.1, abs=50) for name, count in counts.items()}
