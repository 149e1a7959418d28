"""Word documents in a run: the original is marked even in an archive; if it cannot be copied, the report fails."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.run.run import annotate_files
from pizhu.base.errors import MissingExtraError

from .conftest import Document
from .test_word_original import BODY, paragraph, run


def test_in_an_archive(document: Document, tmp_path: Path, model: Any) -> None:
    source = document(BODY, name="总结.docx")
    with zipfile.ZipFile(tmp_path / "往年.zip", "w") as archive:
        archive.write(source, "县/总结.docx")
    annotate_files([source], tmp_path / "alone", model, ("docx",))
    annotate_files([tmp_path / "往年.zip"], tmp_path / "packed", model, ("docx",))
    made = (tmp_path / "packed" / "总结.docx").read_bytes()
    assert made == (tmp_path / "alone" / "总结.docx").read_bytes() != source.read_bytes()
    with zipfile.ZipFile(tmp_path / "packed" / "总结.docx") as archive:
        assert archive.read("word/media/image1.png") == b"no picture, but bytes"


def test_one_that_cannot_be_copied(document: Document, tmp_path: Path, model: Any) -> None:
    good, bad = document(BODY, name="好.docx"), document(BODY + paragraph(run("又一件。")), name="坏.docx")
    data = bad.read_bytes()
    at = data.index(b"image1.png") + len("image1.png") + 2  # a picture that no reader looks at is damaged
    bad.write_bytes(data[:at] + b"\xff\xff" + data[at + 2 :])
    out = tmp_path / "out"
    result = annotate_files([bad, good], out, model, ("jsonl", "docx", "csv"))
    assert result.reports == 1
    ((path, reason),) = result.failed
    assert path == str(bad) and "has a damaged or locked part" in reason and "fault in pizhu" not in reason
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "好.csv", "好.docx", "好.jsonl"]
    again = annotate_files([bad, good], out, model, ("jsonl", "docx", "csv"))
    assert (again.failed, again.kept) == (result.failed, 1)
    bad.write_bytes(data)
    assert annotate_files([bad, good], out, model, ("jsonl", "docx", "csv")).failed == []


def test_packages_that_go_missing(document: Document, tmp_path: Path, model: Any, monkeypatch: Any) -> None:
    from pizhu.annotate.writers import excel

    def lacking(*_: object) -> None:
        raise MissingExtraError("an Excel workbook", "tables")

    monkeypatch.setattr(excel, "_fill", lacking)
    result = annotate_files([document(BODY, name="a.docx")], tmp_path / "out", model, ("jsonl", "xlsx"))
    assert [reason for _, reason in result.failed] == [str(MissingExtraError("an Excel workbook", "tables"))]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["manifest.json"]


def test_a_full_disk_under_a_workbook_stops_the_run(
    document: Document, tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlsxwriter import Workbook

    def full(book: Any) -> None:
        for sheet in book.worksheets():
            sheet._opt_close()  # its temporary file, as packing does
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workbook, "_store_workbook", full)
    with pytest.raises(OSError, match="No space left on device"):
        annotate_files([document(BODY, name="a.docx")], tmp_path / "out", model, ("xlsx",))
