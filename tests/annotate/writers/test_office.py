"""What is written, opened by a real office: LibreOffice reads it, shows it and hangs comments where they belong."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest
from lxml import etree
from pizhu.annotate import writers
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import load_source, read_report, report_from_text
from pizhu.data.readers.office import find_office

from .conftest import HOSTILE, Document, labelled_at_will
from .test_word_original import BODY, paragraph, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_office() is None, reason="LibreOffice is not installed"),
]
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"


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
