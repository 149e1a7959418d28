"""Word documents: automatic numbers, headings, tables, notes, text boxes, tracked changes, headers and footers."""

import io
import zipfile
from pathlib import Path

import pytest
from pizhu.base.errors import ReadError
from pizhu.data.read import Limits, read_report
from pizhu.data.readers.word.numbering import spell
from pizhu.data.report import Report

_NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)


def document(folder: Path, body: str, **parts: str) -> Path:
    """A small .docx with ``body`` and further parts by kind (``numbering``, ``styles``, ``header`` …)."""
    path = folder / "报告 一.docx"
    relations = "".join(
        f'<Relationship Id="r{n}" Type="http://x/relationships/{kind}" Target="{kind}.xml"/>'
        for n, kind in enumerate(parts)
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {_NAMESPACES}><w:body>{body}</w:body></w:document>")
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{relations}</Relationships>")
        for kind, text in parts.items():
            archive.writestr(f"word/{kind}.xml", f"<w:{kind} {_NAMESPACES}>{text}</w:{kind}>")
    return path


def paragraph(text: str, properties: str = "", more: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r>{more}</w:p>"


def numbered(text: str, list_id: int, level: int = 0) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def texts(report: Report, kind: str = "sentence") -> list[str]:
    return [s.text for s in report.sentences if s.kind == kind]


_LISTS = """
<w:abstractNum w:abstractNumId="7">
 <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="%1、"/></w:lvl>
 <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="（%2）"/></w:lvl>
 <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:isLgl/><w:lvlText w:val="%1.%2.%3"/></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="7"/>
 <w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>
</w:num>
"""


def test_automatic_numbers_are_restored_and_restart(tmp_path: Path) -> None:
    body = "".join(
        [
            numbered("回顾", 1),
            numbered("收集", 1, 1),
            paragraph("收了三千件。"),
            numbered("保管", 1, 1),
            paragraph("没有霉变。"),
            numbered("打算", 1),
            numbered("开放", 1, 1),
            numbered("目录", 1, 2),
            paragraph("全部上网。"),
            numbered("另起", 2),
            paragraph("到此为止。"),
        ]
    )
    report = read_report(document(tmp_path, body, numbering=_LISTS))
    expected = "一、回顾 （一）收集 （二）保管 二、打算 （一）开放 2.1.1_目录 五、另起"
    assert texts(report, "heading") == [heading.replace("_", " ") for heading in expected.split()]
    paths = {s.text: s.headings for s in report.sentences}
    assert paths["没有霉变。"] == ("一、回顾", "（二）保管")
    assert paths["全部上网。"] == ("二、打算", "（一）开放", "2.1.1 目录")


@pytest.mark.parametrize(
    ("count", "style", "said"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCountingThousand", "二十一"),
        (105, "japaneseCounting", "一百零五"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (3, "ideographTraditional", "丙"),
        (20, "decimalEnclosedCircle", "⑳"),
        (21, "decimalEnclosedCircle", "21"),
        (7, "decimalFullWidth", "７"),
        (27, "lowerLetter", "aa"),
        (14, "upperRoman", "XIV"),
        (5, "decimalZero", "05"),
        (0, "upperRoman", "0"),
    ],
)
def test_number_formats(count: int, style: str, said: str) -> None:
    assert spell(count, style) == said


def test_headings_by_style_and_outline_level(tmp_path: Path) -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="my"><w:name w:val="我的标题"/><w:basedOn w:val="1"/>'
        '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="t"><w:name w:val="toc 1"/></w:style>'
    )
    body = (
        paragraph("档案馆建设总结")
        + paragraph("馆藏建设\t2", '<w:pStyle w:val="t"/>')
        + paragraph("馆藏建设", '<w:pStyle w:val="1"/>')
        + paragraph("征集", '<w:pStyle w:val="my"/>')
        + paragraph("征集家谱八十部，以及许多照片。")
        + paragraph("利用", '<w:outlineLvl w:val="1"/>')
        + paragraph("接待四千人。")
    )
    report = read_report(document(tmp_path, body, styles=styles))
    paths = {s.text: s.headings for s in report.sentences}
    assert paths["征集家谱八十部，以及许多照片。"] == ("馆藏建设", "征集")
    assert paths["接待四千人。"] == ("馆藏建设", "利用")
    assert texts(report, "furniture") == ["馆藏建设\t2"]


def test_changes_are_accepted_and_hidden_text_left_out(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>完成</w:t></w:r><w:del><w:r><w:delText>旧的</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>新的</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t>（看不见）</w:t></w:r>"
        '<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'
        "<w:r><w:t>任务。</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>两段并作</w:t></w:r></w:p>" + paragraph("一段。")
    )
    assert texts(read_report(document(tmp_path, body))) == ["完成新的•任务。", "两段并作一段。"]


def test_notes_and_text_boxes_stand_behind_their_paragraph(tmp_path: Path) -> None:
    box = "<w:txbxContent>" + paragraph("框里的话。") + "</w:txbxContent>"
    drawing = (
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{box}</wps:txbx></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    note = '<w:r><w:footnoteReference w:id="4"/></w:r>'
    body = paragraph("正文一句。", more=note) + paragraph("正文二句。", more=drawing) + paragraph("正文三句。")
    notes = f'<w:footnote w:id="4">{paragraph("注里的话。")}</w:footnote>'
    found = texts(read_report(document(tmp_path, body, footnotes=notes)))
    assert found == ["正文一句。", "注里的话。", "正文二句。", "框里的话。", "正文三句。"]


def test_tables_are_rows_unless_they_frame_text(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"

    body = (
        paragraph("情况如下。")
        + f"<w:tbl>{row('项目', '数量')}{row('接收', '3200')}{row('征集', '80')}</w:tbl>"
        + f"<w:tbl>{row('框起来的一段话。它有两句。')}</w:tbl>"
    )
    report = read_report(document(tmp_path, body))
    assert texts(report) == ["情况如下。", "接收\t3200", "征集\t80", "框起来的一段话。", "它有两句。"]
    assert texts(report, "furniture") == ["项目\t数量"]


def test_headers_and_footers_are_furniture(tmp_path: Path) -> None:
    path = document(tmp_path, paragraph("正文。"), header=paragraph("内部资料"), footer=paragraph("第1页"))
    assert [(s.kind, s.text) for s in read_report(path).sentences] == [
        ("furniture", "内部资料"),
        ("sentence", "正文。"),
        ("furniture", "第1页"),
    ]


def _zip(packing: int = zipfile.ZIP_DEFLATED, /, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


_ENTITIES = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document>&b;</w:document>'
_EXTERNAL = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><w:document>&a;</w:document>'
_SHEET = b'<Relationships><Relationship Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_zip(a=b"1"), "zip archive without a Word document"),
        (_zip(**{"_rels/.rels": _SHEET, "xl/workbook.xml": b"<x/>"}), "is a spreadsheet"),
        (_zip(**{"word/document.xml": _ENTITIES}), "declares XML entities"),
        (_zip(**{"word/document.xml": _EXTERNAL}), "declares XML entities"),
        (_zip(**{"word/document.xml": _ENTITIES.decode().encode("utf-16")}), "declares XML entities"),
        (_zip(**{"word/document.xml": b"<w:document>"}), "is not XML"),
        (_zip(**{"word/document.xml": b"<a><b/></a>"}), "without any text"),
        (_zip(zipfile.ZIP_BZIP2, **{"word/document.xml": b"<a/>"}), "document.xml cannot be unpacked"),
        (_zip(**{"word/document.xml": b"<a>" + b" " * 3_000_000 + b"</a>"}), "zip bomb"),
        (_zip(a=b"1" * 5000)[:60], "damaged or cut off"),
    ],
)
def test_hostile_archives(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "坏.docx"
    path.write_bytes(data)
    with pytest.raises(ReadError, match=said) as error:
        read_report(path, limits=Limits(expanded_mb=1))
    assert str(error.value).startswith("坏.docx ")


def test_damage_inside_a_part(tmp_path: Path) -> None:
    path = document(tmp_path, paragraph("正文。" * 300))
    data = bytearray(path.read_bytes())
    for i in range(200, 260):
        data[i] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ReadError, match="damaged"):
        read_report(path)
