"""Malicious Word documents: marking them takes linear time and bounded memory."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pizhu.annotate.writers import word
from pizhu.annotate.writers.word.marks import Marker
from pizhu.base.errors import ReadError
from pizhu.base.limits import limits
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import load_source, read_report, read_source, report_from_text
from pizhu.data.readers import Source

from .conftest import Document, W, all_text, labelled_at_will
from .test_word_original import marked, paragraph, part, run

MB = 2**20


def one_run(size: int) -> dict[str, str]:
    return {"body": f"<w:p><w:r>{'<w:t>好。</w:t>' * size}</w:r></w:p>"}


def one_run_with_properties(size: int) -> dict[str, str]:
    return {"body": f"<w:p><w:r><w:rPr><w:b/></w:rPr>{'<w:t>好。</w:t><w:tab/>' * size}</w:r></w:p>"}


def notes(size: int) -> dict[str, str]:
    referring = "".join(paragraph(run("好。"), f'<w:r><w:footnoteReference w:id="{i}"/></w:r>') for i in range(size))
    footnotes = "".join(f'<w:footnote w:id="{i}">{paragraph(run(f"办{i}件。"))}</w:footnote>' for i in range(size))
    return {"body": referring, "footnotes": footnotes}


def paragraphs(size: int) -> dict[str, str]:
    return {"body": paragraph(run("好。")) * size}


def growth(document: Document, make: Callable[[int], dict[str, str]], *sizes: int) -> float:
    """How many times as long marking the larger of two documents takes."""
    spent = []
    for size in (sizes[0], *sizes):  # the first time modules are loaded
        path = document(**make(size))
        source = load_source(path)
        report = labelled_at_will(read_source(source))
        began = time.process_time()
        word.write(report, DEFAULT_LABELS, path.with_name("出.docx"), source)
        spent.append(time.process_time() - began)
    return spent[2] / spent[1]


@pytest.mark.parametrize("make", [notes, paragraphs])
def test_time_is_linear(document: Document, make: Callable[[int], dict[str, str]]) -> None:
    assert growth(document, make, 400, 4800) < 50  # 12 where it is linear, 144 where it is quadratic


@pytest.mark.parametrize("make", [one_run, one_run_with_properties])
def test_splitting_takes_linear_time(
    document: Document, make: Callable[[int], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for what in ("comment", "_shade"):
        monkeypatch.setattr(Marker, what, lambda *_: None)
    assert growth(document, make, 1000, 16_000) < 64  # 16 where it is linear, 256 where it is quadratic


def test_a_part_that_unpacks_to_gigabytes(document: Document, tmp_path: Path) -> None:
    path = document(paragraph(run("工作完成。")))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/a.png", "w") as file:
        for _ in range(200):
            file.write(bytes(MB))
    said = "unpacks to more than 150 MB, perhaps a zip bomb"
    with pytest.raises(ReadError, match=said):
        marked(path)
    assert not path.with_name("出.docx").exists()
    wider = Source(path.read_bytes(), path, limits(["expanded_mb=250"]))
    word.write(labelled_at_will(read_report(path)), DEFAULT_LABELS, tmp_path / "b.docx", wider)
    with zipfile.ZipFile(tmp_path / "b.docx") as archive:
        assert archive.getinfo("word/media/a.png").file_size == 200 * MB


def test_a_part_that_cannot_be_unpacked_piece_by_piece(document: Document) -> None:
    path = document(paragraph(run("工作完成。")))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "a", method) as archive:
            archive.writestr(f"word/media/{method}.png", bytes(MB))
        with pytest.raises(ReadError, match="damaged or locked part and cannot be copied; save it again"):
            marked(path)


@pytest.mark.parametrize(
    "properties",
    [
        "<w:rPr>" + "<w:lang/>" * 20_000 + "</w:rPr>",
        f'<w:rPr><w:rFonts w:ascii="{"x" * 200_000}"/></w:rPr>',
        "<w:rPr><w:lang " + " ".join(f'w:a{i}="x"' for i in range(5000)) + "/></w:rPr>",
    ],
)
def test_what_each_piece_of_a_run_has(document: Document, properties: str) -> None:
    """It is copied as often as there are sentences in the run."""
    path = document(f"<w:p><w:r>{properties}<w:t>{'好。' * 3000}</w:t></w:r></w:p>")
    with pytest.raises(ReadError, match="unpacks to more than 150 MB"):
        marked(path)
    _, made = marked(document(f"<w:p><w:r>{properties}<w:t>{'好。' * 5}</w:t></w:r></w:p>"))
    assert len(list(part(made).iter(f"{{{W}}}shd"))) == 4


def test_wide_tables(tmp_path: Path) -> None:
    """A long row among short ones made cells for all of them, and Word opens no more than 63 columns."""
    rows = ["\t".join(f"{i}" for i in range(63)), *(f"甲{i}\t乙" for i in range(3000)), "\t".join(["宽"] * 64)]
    report = labelled_at_will(report_from_text("\n".join(rows), "表.txt"))
    word.write(report, DEFAULT_LABELS, tmp_path / "表.docx", None)
    legend, table = part(tmp_path / "表.docx").iter(f"{{{W}}}tbl")
    assert sum(1 for _ in table.iter(f"{{{W}}}tc")) == 63 + 2 * 3000
    assert sum(1 for _ in legend.iter(f"{{{W}}}tc")) == 32
    (wide,) = (p for p in part(tmp_path / "表.docx").iter(f"{{{W}}}p") if all_text(p).startswith("宽"))
    assert all_text(wide) == "宽" * 64 and sum(1 for _ in wide.iter(f"{{{W}}}tab")) == 63
