"""PDF: lines joined, furniture recognised, columns in order; an unreadable file is refused in one sentence."""

from pathlib import Path

import pytest
from pizhu.base.errors import ReadError
from pizhu.data.read import Limits, read_report

pytest.importorskip("pypdfium2", reason="PDF needs pizhu[pdf]")
pytest.importorskip("reportlab", reason="reportlab makes the test files")

from reportlab.lib import pdfencrypt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
SENTENCES = [
    f"第{n}项任务全面完成，各有关单位密切配合，群众普遍表示满意，下一步还将继续巩固。" for n in range(100, 160)
]


def draw(path: Path, pages: list[list[tuple[float, float, str]]], size: float = 12, **options: object) -> Path:
    canvas = Canvas(str(path), pagesize=(595, 842), **options)
    for lines in pages:
        canvas.setFont("STSong-Light", size)
        for x, y, text in lines:
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return path


def wrapped(text: str, x: float, top: float, columns: int, indent: int = 2) -> list[tuple[float, float, str]]:
    text = "　" * indent + text
    rows = [text[i : i + columns] for i in range(0, len(text), columns)]
    return [(x + 12 * (len(row) - len(row.lstrip("　"))), top - 18 * n, row.strip("　")) for n, row in enumerate(rows)]


def test_lines_are_joined_over_pages_and_running_heads_left_out(tmp_path: Path) -> None:
    text = "".join(SENTENCES)
    rows = wrapped(text, 80, 0, 36)
    pages = []
    for number in range(0, len(rows), 30):
        page: list[tuple[float, float, str]] = [
            (x, 740.0 - 18 * n, row) for n, (x, _, row) in enumerate(rows[number : number + 30])
        ]
        pages.append([(80, 800, "工作简报"), *page, (290, 40, f"- {number // 30 + 1} -")])
    report = read_report(draw(tmp_path / "跨页.pdf", pages))
    assert [s.text for s in report.sentences if s.kind == "sentence"] == SENTENCES
    furniture = [s.text for s in report.sentences if s.kind == "furniture"]
    assert furniture.count("工作简报") == len(pages)
    assert "- 2 -" in furniture


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = wrapped("".join(SENTENCES[:8]), 60, 740, 18)
    right = wrapped("".join(SENTENCES[8:16]), 320, 740, 18)
    mixed = [line for pair in zip(left, right, strict=False) for line in pair]
    mixed += left[len(right) :] + right[len(left) :]
    report = read_report(draw(tmp_path / "双栏.pdf", [mixed]))
    assert [s.text for s in report.sentences] == SENTENCES[:16]


def test_scanned_encrypted_cut_off_and_too_long(tmp_path: Path) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    canvas = Canvas(str(tmp_path / "扫描.pdf"))
    canvas.drawImage(ImageReader(Image.new("L", (40, 40), 200)), 0, 0, 500, 700)
    canvas.save()
    with pytest.raises(ReadError, match=r"扫描\.pdf is a scanned PDF without a text layer"):
        read_report(tmp_path / "扫描.pdf")
    draw(tmp_path / "密.pdf", [[(80, 700, "工作完成。")]], encrypt=pdfencrypt.StandardEncryption("secret"))
    with pytest.raises(ReadError, match="protected by a password"):
        read_report(tmp_path / "密.pdf")
    good = draw(tmp_path / "好.pdf", [[(80, 700, "工作完成。")]] * 3)
    with pytest.raises(ReadError, match="3 pages, more than the limit of 2"):
        read_report(good, limits=Limits(pages=2))
    with pytest.raises(ReadError, match="more characters than the limit of 8"):
        read_report(good, limits=Limits(characters=8))
    (tmp_path / "断.pdf").write_bytes(b"%PDF-1.4\n" + b"0" * 300)
    with pytest.raises(ReadError, match="damaged or cut-off PDF"):
        read_report(tmp_path / "断.pdf")
    draw(tmp_path / "空.pdf", [[]])
    with pytest.raises(ReadError, match="without any text"):
        read_report(tmp_path / "空.pdf")


def test_any_truncation_gives_text_or_one_sentence(tmp_path: Path) -> None:
    data = draw(tmp_path / "整.pdf", [[(80, 700, "工作完成，各方满意。")]]).read_bytes()
    for length in range(6, len(data), len(data) // 6):
        (tmp_path / "断.pdf").write_bytes(data[:length])
        try:
            read_report(tmp_path / "断.pdf")
        except ReadError as error:
            assert str(error).startswith("断.pdf ")


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pizhu.base.errors import MissingExtraError
    from pizhu.data.readers import pdf

    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    path = draw(tmp_path / "好.pdf", [[(80, 700, "工作完成。")]])
    with pytest.raises(MissingExtraError, match=r"pizhu\[pdf\]"):
        read_report(path, isolated=False)
