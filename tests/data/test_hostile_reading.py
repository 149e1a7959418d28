"""Small files that once took minutes or all memory, or silently lost text: each is read or refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pizhu.base.errors import ReadError
from pizhu.data.quantities import quantities
from pizhu.data.read import Limits, read_report, report_from_text
from pizhu.data.readers import html
from pizhu.data.repair import repair
from pizhu.data.report import LONGEST_PATH, Report
from pizhu.tests.support.pumping import growth, times_as_long

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATION = '<Relationship Id="{0}" Type="http://x/relationships/{0}" Target="{0}.xml"/>'
_LINEAR = 9
"""Four times the length takes about 4 times as long where time is linear and 16 times where it is squared."""


def read(folder: Path, name: str, data: bytes | str, limits: Limits | None = None) -> Report:
    path = folder / name
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return read_report(path, limits=limits or Limits(), isolated=False)  # the readers themselves have to bear it


def refusal(folder: Path, name: str, data: bytes | str, limits: Limits | None = None) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(ReadError) as caught:
        read(folder, name, data, limits)
    said = str(caught.value)
    assert name in said
    assert "\n" not in said
    return said


def docx(folder: Path, body: str, attributes: str = "", **parts: str) -> bytes:
    path = folder / "做好的.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<w:document {_W}><w:body{attributes}>{body}</w:body></w:document>")
        relations = "".join(map(_RELATION.format, parts))
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{relations}</Relationships>")
        for kind, text in parts.items():
            archive.writestr(f"word/{kind}.xml", f"<w:{kind} {_W}>{text}</w:{kind}>")
    return path.read_bytes()


def paragraph(text: str, properties: str = "", more: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t>{more}</w:r></w:p>"


def texts(report: Report) -> list[str]:
    return [s.text for s in report.sentences if s.kind == "sentence"]


def written(report: Report) -> int:
    """Characters of the report's records."""
    return sum(len(json.dumps(record, ensure_ascii=False)) for record in report.records())


# Word


def note(number: int, *named: int) -> str:
    references = "".join(f'<w:footnoteReference w:id="{other}"/>' for other in named)
    return f'<w:footnote w:id="{number}">{paragraph(f"注释{number}写明来源。", more=references)}</w:footnote>'


@pytest.mark.parametrize(
    ("notes", "found"),
    [
        pytest.param([note(2, 2, 2)], [2], id="a note that names itself twice"),
        pytest.param([note(2, 3, 3), note(3, 2, 2)], [2, 3], id="two notes that name each other"),
        pytest.param(
            [note(n, n + 1, n + 1) for n in range(2, 32)], [*range(2, 32)], id="each names the next one twice"
        ),
    ],
)
def test_each_note_is_read_once(tmp_path: Path, notes: list[str], found: list[int]) -> None:
    body = paragraph("工作已经完成。", more='<w:footnoteReference w:id="2"/>')
    report = read(tmp_path, "注.docx", docx(tmp_path, body, footnotes="".join(notes)))
    assert texts(report) == ["工作已经完成。", *(f"注释{number}写明来源。" for number in found)]


def test_a_note_that_a_thousand_places_name_is_read_once(tmp_path: Path) -> None:
    long = "注释写明来源。" * 1000
    notes = f'<w:footnote w:id="2">{paragraph(long)}</w:footnote>'
    body = paragraph("工作已经完成。", more='<w:footnoteReference w:id="2"/>' * 1000)
    report = read(tmp_path, "注.docx", docx(tmp_path, body, footnotes=notes))
    assert report.text == f"工作已经完成。\n{long}\n"


def numbering(levels: str) -> str:
    return (
        f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )


def in_list(level: int = 0) -> str:
    return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'


@pytest.mark.parametrize(
    "level",
    [
        f'<w:lvlText w:val="{"甲" * 100_000}%1"/>',
        f'<w:lvlText w:val="{"%1" * 100_000}"/><w:start w:val="{"9" * 9}"/>',
        f'<w:lvlText w:val="%1、"/><w:start w:val="{"9" * 6000}"/>',
        '<w:lvlText w:val="%1."/><w:numFmt w:val="upperLetter"/><w:start w:val="999999999"/>',
        '<w:lvlText w:val="%1."/><w:numFmt w:val="upperRoman"/><w:start w:val="999999999"/>',
        f'<w:numFmt w:val="bullet"/><w:lvlText w:val="{"●" * 100_000}"/>',
    ],
    ids=["text", "places", "count of 6000 digits", "letters", "Roman", "bullet"],
)
def test_automatic_numbers_stay_short(tmp_path: Path, level: str) -> None:
    body = paragraph("这项工作已经完成。", in_list()) * 100
    data = docx(tmp_path, body, numbering=numbering(f'<w:lvl w:ilvl="0">{level}</w:lvl>'))
    report = read(tmp_path, "编号.docx", data)
    assert report.text.count("这项工作已经完成。") == 100
    assert len(report.text) < 100 * 1000


def test_numbers_of_levels_that_no_word_processor_has(tmp_path: Path) -> None:
    def make(count: int) -> bytes:
        levels = "".join(
            f'<w:lvl w:ilvl="{n}"><w:lvlText w:val="（%1）"/><w:lvlRestart w:val="0"/></w:lvl>' for n in range(count)
        )
        body = "".join(paragraph("这项工作已经完成。", in_list(n)) for n in range(count))
        return docx(tmp_path, body, numbering=numbering(levels))

    report = read(tmp_path, "级.docx", make(20))
    assert [text.startswith("（") for text in texts(report)] == [True] * 9 + [False] * 11
    assert times_as_long(lambda data: read(tmp_path, "级.docx", data), make, 600) < _LINEAR


@pytest.mark.parametrize("lowest", [-500, 0, 2, 10**9])
def test_outline_levels_that_no_word_processor_has(tmp_path: Path, lowest: int) -> None:
    def make(count: int) -> bytes:
        heads = (paragraph(f"题目{n}", f'<w:outlineLvl w:val="{lowest + n}"/>') for n in range(count))
        return docx(tmp_path, "".join(heads) + paragraph("工作已经完成。"))

    one, four = (read(tmp_path, "纲.docx", make(count)) for count in (100, 400))
    assert texts(four)[-1] == "工作已经完成。"
    assert all(f"题目{n}" in four.text for n in range(400))
    assert max(len(s.headings) for s in four.sentences) <= 9
    assert written(four) < 6 * written(one)


def test_attributes_count_as_elements_do(tmp_path: Path) -> None:
    limits = Limits(elements=1000)
    few, many = ("".join(f' a{n}=""' for n in range(count)) for count in (1000, 3000))
    body = paragraph("工作已经完成。")
    assert texts(read(tmp_path, "性.docx", docx(tmp_path, body, few), limits)) == ["工作已经完成。"]
    assert "attributes" in refusal(tmp_path, "性.docx", docx(tmp_path, body, many), limits)


@pytest.mark.parametrize("name", ["sdt", "ins", "customXml"])
@pytest.mark.parametrize("depth", [50, 1500])
def test_what_nests_in_tables_without_end(tmp_path: Path, name: str, depth: int) -> None:
    row = "<w:tr>" + f"<w:tc>{paragraph('办结')}</w:tc><w:tc>{paragraph('300件')}</w:tc>" + "</w:tr>"
    body = "<w:tbl>" + f"<w:{name}>" * depth + row + f"</w:{name}>" * depth + "</w:tbl>" + paragraph("工作已经完成。")
    assert read(tmp_path, "套.docx", docx(tmp_path, body)).text == "办结\t300件\n工作已经完成。\n"


def test_what_nests_in_the_body_without_end(tmp_path: Path) -> None:
    def controls(depth: int) -> bytes:
        return docx(tmp_path, "<w:sdt>" * depth + paragraph("工作已经完成。") + "</w:sdt>" * depth)

    def tables(depth: int) -> bytes:
        before, behind = "<w:tbl><w:tr><w:tc>" * depth, "</w:tc></w:tr></w:tbl>" * depth
        return docx(tmp_path, before + paragraph("工作已经完成。") + behind)

    assert texts(read(tmp_path, "套.docx", controls(1500))) == ["工作已经完成。"]
    assert texts(read(tmp_path, "套.docx", tables(20))) == ["工作已经完成。"]
    assert "deep" in refusal(tmp_path, "套.docx", tables(300))
    assert "damaged" in refusal(tmp_path, "套.docx", controls(3000))  # deeper than the XML parser goes


def test_a_zip_directory_with_more_entries_than_a_document_has(tmp_path: Path) -> None:
    path = tmp_path / "目录.docx"
    path.write_bytes(docx(tmp_path, paragraph("工作已经完成。")))
    with zipfile.ZipFile(path, "a") as archive:
        for n in range(200):
            archive.writestr(f"x/{n}", b"")
    data = path.read_bytes()
    assert texts(read(tmp_path, "目录.docx", data)) == ["工作已经完成。"]
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x01\x02", start + 1)]
    crowded = data[:start] + entry * 20_001 + data[start:]
    assert "parts" in refusal(tmp_path, "目录.docx", crowded)


# Web pages


@pytest.mark.parametrize("form", ["<p><{tag}>{text}", "<{tag}>{text}<br>", "<p><{tag}>{text}</p>"])
@pytest.mark.parametrize("tag", ["font", "span", "a", "b", "u", "o:p", "center", "div", "font color=red><span"])
def test_tags_that_are_never_closed_hide_nothing(tmp_path: Path, tag: str, form: str) -> None:
    sentences = [f"第{n}项工作已经完成。" for n in range(400)]
    page = "<html><body>" + "".join(form.format(tag=tag, text=text) for text in sentences) + "</body></html>"
    assert texts(read(tmp_path, "页.html", page)) == sentences


def test_text_behind_big_pictures_is_there(tmp_path: Path) -> None:
    picture = f'<img src="data:image/png;base64,{"iVBORw0K" * 2**19}">'
    page = "<html><body>" + "".join(f"<p>第{n}项工作已经完成。</p>{picture}" for n in range(4)) + "<p>到此为止。</p>"
    assert texts(read(tmp_path, "图.html", page)) == [*(f"第{n}项工作已经完成。" for n in range(4)), "到此为止。"]


def test_attributes_of_a_page_are_counted(tmp_path: Path) -> None:
    def page(tags: int, each: int) -> str:
        attributes = "".join(f' a{n}="x>"' for n in range(each))
        return "<html><body>" + f"<p{attributes}>工作已经完成。</p>" * tags

    limits = Limits(elements=2000)
    assert len(texts(read(tmp_path, "性.html", page(3, 900)))) == 3
    assert "attributes" in refusal(tmp_path, "性.html", page(1, 1100))
    assert "attributes" in refusal(tmp_path, "性.html", page(8, 900), limits)


@pytest.mark.parametrize("levels", [1, 6])
def test_records_stay_short_under_huge_headings(tmp_path: Path, levels: int) -> None:
    heads = "".join(f"<h{n + 1}>{'甲' * 20_000}</h{n + 1}>" for n in range(levels))
    sentences = [f"第{n}项工作已经完成。" for n in range(200)]
    report = read(tmp_path, "题.html", f"<html><body>{heads}<p>{''.join(sentences)}</p></body></html>")
    assert texts(report)[-200:] == sentences
    assert max(sum(map(len, s.headings)) for s in report.sentences) <= LONGEST_PATH
    assert written(report) < 4 * len(report.text) + 200 * (LONGEST_PATH + 300)


def test_records_stay_short_under_headings_of_a_word_document(tmp_path: Path) -> None:
    heads = "".join(paragraph(chr(0x4E00 + n) * 80, f'<w:outlineLvl w:val="{n}"/>') for n in range(9))
    sentences = [f"第{n}项工作已经完成。" for n in range(200)]
    report = read(tmp_path, "题.docx", docx(tmp_path, heads + paragraph("".join(sentences))))
    assert texts(report)[-200:] == sentences
    assert report.sentences[-1].headings
    assert max(sum(map(len, s.headings)) for s in report.sentences) <= LONGEST_PATH


def test_comments_before_a_page(tmp_path: Path) -> None:
    def make(length: int) -> bytes:
        return b"<!---->" * (length // 7) + b"x"

    assert growth(html.matches, make, 4000) < 1.6  # small steps: it doubled with every comment
    assert texts(read(tmp_path, "头.html", "<!---->" * 60 + "<html><p>工作已经完成。</p>")) == ["工作已经完成。"]
    assert "<!--" in read(tmp_path, "头.txt", "<!---->" * 60 + "工作已经完成。").text


# Pages in mail


def mail(head: str, body: str) -> bytes:
    return f"MIME-Version: 1.0\r\nContent-Type: {head}\r\n\r\n{body}".encode()


_PAGE = "<html><body><p>全年办结三百件。</p></body></html>"


def nested(depth: int, lines: int) -> bytes:
    body = f"Content-Type: text/html; charset=utf-8\r\n\r\n{_PAGE}" + "<!-- 空 -->\r\n" * lines
    for n in range(depth):
        head = f'Content-Type: multipart/related; boundary="b{n}"\r\n\r\n'
        body = f"{head}--b{n}\r\n{body}\r\n--b{n}--\r\n"
    return b"MIME-Version: 1.0\r\n" + body.encode()


def test_semicolons_in_a_mail_header(tmp_path: Path) -> None:
    def make(length: int) -> bytes:
        return mail("text/html; charset=utf-8" + ";" * length, _PAGE)

    assert texts(read(tmp_path, "页.mht", make(20_000))) == ["全年办结三百件。"]
    assert times_as_long(lambda data: read(tmp_path, "页.mht", data), make, 100_000) < _LINEAR


def test_parts_in_parts_of_a_mail(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "页.mht", nested(4, 10))) == ["全年办结三百件。"]
    assert "deep" in refusal(tmp_path, "页.mht", nested(100, 10))
    assert times_as_long(lambda data: read(tmp_path, "页.mht", data), lambda n: nested(9, n), 2000) < _LINEAR


# Text


def split(text: str) -> Report:
    return report_from_text(text, "文")


HOSTILE_TEXTS: dict[str, Callable[[int], str]] = {
    "straight quotes behind openers": lambda n: "（" * (n // 2) + '"' * (n // 2) + "完成。",
    "straight quotes behind quotes": lambda n: "“" * (n // 2) + '"' * (n // 2) + "完成。",
    "openers and closers of others": lambda n: "《" * (n // 2) + "）" * (n // 2) + "完成。",
    "halves of brackets": lambda n: "(x" * (n // 2) + "完成。",
    "brackets with Chinese far behind": lambda n: "(" * (n // 2) + "x)" * (n // 4) + "完成。",
    "breaks with zero-width spaces": lambda n: "完" + "\n\u200b" * (n // 2) + "成。",
    "zero-width spaces and breaks": lambda n: "完" + "\u200b" * (n // 2) + "\r\n" * (n // 4) + "成。",
    "numbers with spaces": lambda n: "1 874 " * (n // 6) + "件已经完成。",
    "accents": lambda n: "完成" + "\u0301\u0327" * (n // 2) + "。",
}


@pytest.mark.parametrize("run", [split, repair, quantities], ids=lambda run: str(run.__name__))
@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_time_is_linear_in_the_text(name: str, run: Callable[[str], object]) -> None:
    assert times_as_long(run, HOSTILE_TEXTS[name], 2000) < _LINEAR


def test_hostile_texts_are_read_whole() -> None:
    for make in HOSTILE_TEXTS.values():
        report = split(make(600))
        kept = "".join(s.text for s in report.sentences)
        assert [c for c in report.text if c.isalnum()] == [c for c in kept if c.isalnum()]
        assert repair(repair(make(600)).text).text == repair(make(600)).text


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "1" + " " * n + "甲",
        lambda n: "第 1" + " " * n + "甲",
        lambda n: "甲" * 5 + "." * (n // 2) + " " * (n // 2) + "甲",
        lambda n: "Page 1" + " " * n + "甲",
        lambda n: "2024 年" + " " * n + "甲",
    ],
    ids=["page number", "page in words", "contents", "Page", "date"],
)
def test_lines_that_nearly_are_furniture(make: Callable[[int], str]) -> None:
    def lines(length: int) -> str:
        return (make(length) + "\n") * 60 + "工作已经完成。"

    assert texts(split(lines(220)))[-1] == "工作已经完成。"
    assert times_as_long(split, lines, 55) < _LINEAR
