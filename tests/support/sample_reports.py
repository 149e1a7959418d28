"""The sample reports with marked boundaries, and the same sentences as files in every format."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pizhu.data.records import Kind
from pizhu.data.report import Report, Span

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@dataclass(frozen=True)
class Piece:
    """A heading, a sentence, a piece of furniture or a table row, with the headings above it."""

    text: str
    kind: Kind
    level: int = 0
    own_paragraph: bool = False


@dataclass(frozen=True)
class Block:
    """A paragraph: its pieces and its kind: ``text``, ``heading``, ``furniture``, ``row`` or ``note``."""

    what: str
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The paragraph as one line."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Sample:
    """A sample report."""

    name: str
    blocks: tuple[Block, ...]

    def truth(self, *, notes: bool = True) -> Report:
        """The report with the boundaries that people marked, in the text that :func:`as_text` writes."""
        text, spans = "", []
        for block in self.blocks:
            if block.what == "note" and not notes:
                continue
            end = len(text) + len(block.text)
            for piece in block.pieces:
                reach = end if piece.own_paragraph else 0
                spans.append(Span(len(text), len(text) + len(piece.text), piece.kind, piece.level, reach))
                text += piece.text
            text += "\n\n"
        return Report.build(self.name, text, spans)


def load() -> list[Sample]:
    """All sample reports."""
    return [_parse(path) for path in sorted(SAMPLES.glob("[0-9]*.txt"))]


def _parse(path: Path) -> Sample:
    blocks = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        if heading := re.match(r"#(\d) ", line):
            blocks.append(Block("heading", (Piece(line[3:], "heading", int(heading[1])),)))
        elif line.startswith("~ "):
            blocks.append(Block("furniture", (Piece(line[2:], "furniture"),)))
        elif line.startswith((": ", ":~ ")):
            cells = "\t".join(cell.strip() for cell in line.partition(" ")[2].split("|"))
            blocks.append(Block("row", (Piece(cells, "furniture" if line[1] == "~" else "sentence"),)))
        elif line.startswith("^ "):
            blocks.append(Block("note", (Piece(line[2:], "sentence"),)))
        else:
            marked = [re.fullmatch(r"(.*?)(?:([⇒→])(\d))?", part) for part in re.split(r"(?<=[⇒→]\d)‖|‖", line)]
            pieces = [Piece(m[1], "sentence", int(m[3] or 0), m[2] == "→") for m in marked if m]
            blocks.append(Block("text", tuple(pieces)))
    return Sample(path.stem, tuple(blocks))


def as_text(sample: Sample) -> str:
    """Plain text with a blank line between paragraphs."""
    return "".join(block.text + "\n\n" for block in sample.blocks)


def as_wrapped_text(sample: Sample, width: int = 36) -> str:
    """Plain text as copied from a PDF: lines end in mid-sentence, paragraphs are indented."""
    lines = []
    for block in sample.blocks:
        line = block.text if block.what in ("heading", "furniture", "row") else "　　" + block.text
        lines += _wrap(line, 2 * width) if block.what == "text" else [line]
    return "\n".join(lines) + "\n"


def _wrap(line: str, columns: int) -> list[str]:
    lines, used = [""], 0
    for word in re.findall(r"[0-9A-Za-z.,%]+|.", line):
        wide = sum(1 if c.isascii() else 2 for c in word)
        if used + wide > columns and word not in "，。；：！？、）》”":
            lines.append("")
            used = 0
        lines[-1] += word
        used += wide
    return lines


def as_html(sample: Sample) -> str:
    """A saved page with navigation, a share bar and a footer."""
    parts = [
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>政务公开</title><style>p{text-indent:2em}</style>',
        '<script>document.write("一、不是正文。")</script></head><body><div class="nav"><ul>',
        "".join(f'<li><a href="#">{name}</a></li>' for name in ("首页", "政务公开", "办事服务", "互动交流")),
        '</ul></div><div class="content" id="zoom">',
    ]
    rows: list[str] = []
    for block in [*sample.blocks, Block("end", ())]:
        if block.what != "row" and rows:
            parts.append("<table>" + "".join(rows) + "</table>")
            rows = []
        text = html.escape(block.text)
        if block.what == "row":
            tag = "th" if block.pieces[0].kind == "furniture" else "td"
            rows.append("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in text.split("\t")) + "</tr>")
        elif block.what == "heading":
            level = block.pieces[0].level
            parts.append(f"<h1>{text}</h1>" if level == 0 else f"<p><strong>{text}</strong></p>")
        elif block.pieces:
            parts.append(f"<p>&emsp;&emsp;{text}</p>")
    parts.append('</div><div class="share">分享到：<a href="#">微信</a> <a href="#">微博</a></div>')
    parts.append("<footer>版权所有：某某人民政府　<a>网站地图</a></footer></body></html>")
    return "\n".join(parts)


_LEVELS = (("chineseCounting", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%3."))


def as_docx(sample: Sample) -> bytes:
    """A Word file with automatic heading numbers where possible, tables, footnotes, a header and page numbers."""
    body, notes, numbers = [], [], _Numbers()
    for i, block in enumerate(sample.blocks):
        following = sample.blocks[i + 1] if i + 1 < len(sample.blocks) else None
        mark = ""
        if following is not None and following.what == "note":
            notes.append(following.text)
            mark = f'<w:r>{_RAISED}<w:footnoteReference w:id="{len(notes) + 1}"/></w:r>'
        if block.what == "note":
            continue
        if block.what == "row":
            cells = "".join(f"<w:tc><w:p>{_run(cell)}</w:p></w:tc>" for cell in block.text.split("\t"))
            start = "<w:tbl>" if sample.blocks[i - 1].what != "row" else ""
            end = "</w:tbl>" if following is None or following.what != "row" else ""
            body.append(f"{start}<w:tr>{cells}</w:tr>{end}")
            continue
        properties, text = numbers.take(block)
        body.append(f"<w:p><w:pPr>{properties}</w:pPr>{_run(text)}{mark}</w:p>")
    section = "".join(
        f'<w:{kind}Reference w:type="default" r:id="rId{n}"/>' for kind, n in (("header", 4), ("footer", 5))
    )
    text = "".join(body) + f"<w:sectPr>{section}{_PAGE}</w:sectPr>"
    parts = {
        "word/document.xml": f"<w:document><w:body>{text}</w:body></w:document>",
        "word/styles.xml": _STYLES,
        "word/numbering.xml": numbers.part(),
        "word/footnotes.xml": f"<w:footnotes>{_separators()}"
        + "".join(
            f'<w:footnote w:id="{n}"><w:p>{_SMALL}<w:r><w:footnoteRef/></w:r>{_run(note)}</w:p></w:footnote>'
            for n, note in enumerate(notes, 2)
        )
        + "</w:footnotes>",
        "word/header1.xml": f"<w:hdr><w:p>{_SMALL}{_run('内部资料　注意保存')}</w:p></w:hdr>",
        "word/footer1.xml": f"<w:ftr><w:p>{_SMALL}"
        '<w:r><w:t>— </w:t></w:r><w:fldSimple w:instr="PAGE"><w:r><w:t>1</w:t></w:r>'
        "</w:fldSimple><w:r><w:t> —</w:t></w:r></w:p></w:ftr>",
    }
    return _zip(parts)


class _Numbers:
    """Replaces typed numbers by automatic ones of a list with three levels, if Word would give the same number."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._restarts: list[int] = []  # the level at which each further list restarts

    def take(self, block: Block) -> tuple[str, str]:
        """The paragraph's properties, and the text without the automatic number."""
        text = block.text
        style = ""
        if block.what == "heading":
            level = block.pieces[0].level
            style = f'<w:pStyle w:val="{"Title" if level == 0 else f"H{level}"}"/>'
        match = re.match(r"([一二三四五六七八九十]+)、|（([一二三四五六七八九十]+)）|(\d)\.(?!\d)", text)
        if not match:
            return style, text
        level = 0 if match[1] else 1 if match[2] else 2
        count = int(match[3]) if match[3] else "一二三四五六七八九十".index(match[1] or match[2]) + 1
        if count == 1 and self._counts.get(level):
            self._restarts.append(level)
        elif count != self._counts.get(level, 0) + 1:
            return style, text
        self._counts = {n: c for n, c in self._counts.items() if n < level} | {level: count}
        numbers = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{len(self._restarts) + 1}"/></w:numPr>'
        return style + numbers, text[match.end() :]

    def part(self) -> str:
        """The numbering part."""
        levels = "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{style}"/><w:suff w:val="nothing"/>'
            f'<w:lvlText w:val="{text}"/></w:lvl>'
            for n, (style, text) in enumerate(_LEVELS)
        )
        nums = "".join(
            f'<w:num w:numId="{n}"><w:abstractNumId w:val="0"/>'
            + (f'<w:lvlOverride w:ilvl="{at}"><w:startOverride w:val="1"/></w:lvlOverride>' if at is not None else "")
            + "</w:num>"
            for n, at in enumerate([None, *self._restarts], 1)
        )
        return f'<w:numbering><w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>{nums}</w:numbering>'


_SMALL = '<w:pPr><w:pStyle w:val="small"/></w:pPr>'
_RAISED = '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>'
_PAGE = (
    '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1800" w:bottom="1440" w:left="1800" w:header="851"'
    ' w:footer="992" w:gutter="0"/>'
)
_STYLES = (
    '<w:styles><w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/>'
    '<w:rPr><w:sz w:val="28"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="small"><w:name w:val="footnote text"/><w:basedOn w:val="a"/>'
    '<w:rPr><w:sz w:val="18"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="a"/></w:style>'
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="H{n}"><w:name w:val="heading {n}"/><w:basedOn w:val="a"/>'
        f'<w:pPr><w:outlineLvl w:val="{n - 1}"/></w:pPr></w:style>'
        for n in (1, 2, 3)
    )
    + "</w:styles>"
)


def _separators() -> str:
    return "".join(
        f'<w:footnote w:type="{kind}" w:id="{n}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
        for n, kind in enumerate(("separator", "continuationSeparator"))
    )


def _run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{html.escape(text, quote=False)}</w:t></w:r>'


def _zip(parts: dict[str, str]) -> bytes:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.wordprocessingml."
    names = {"document": "document.main", "header1": "header", "footer1": "footer"}
    kinds = ("styles", "numbering", "footnotes", "header", "footer")
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{types}{names.get(Path(part).stem, Path(part).stem)}+xml"/>'
        for part in parts
    )
    package = "http://schemas.openxmlformats.org/package/2006/"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{office}/{kind}" Target="{kind + ("1" if n > 3 else "")}.xml"/>'
            for n, kind in enumerate(kinds, 1)
        )
        + "</Relationships>",
    }
    files |= {
        name: re.sub(r"^<(w:\w+)", rf'<\1 xmlns:w="{_W}" xmlns:r="{office}"', text, count=1)
        for name, text in parts.items()
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + text)
    return out.getvalue()


def as_pdf(sample: Sample) -> bytes:
    """A PDF with running heads and page numbers, made with reportlab and a font that every PDF reader knows."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    plain = ParagraphStyle("text", fontName="STSong-Light", fontSize=14, leading=24, firstLineIndent=28, wordWrap="CJK")
    heading = ParagraphStyle("heading", parent=plain, fontSize=15, leading=28)
    title = ParagraphStyle("title", parent=plain, fontSize=20, leading=32, firstLineIndent=0, alignment=1)
    small = ParagraphStyle("note", parent=plain, fontSize=9, leading=14, firstLineIndent=0)
    story: list[object] = []
    rows: list[list[str]] = []
    for block in [*sample.blocks, Block("end", ())]:
        if block.what != "row" and rows:
            story.append(
                Table(
                    rows,
                    style=[("FONTNAME", (0, 0), (-1, -1), "STSong-Light"), ("GRID", (0, 0), (-1, -1), 0.5, "black")],
                )
            )
            rows = []
        if block.what == "row":
            rows.append(block.text.split("\t"))
        elif block.pieces:
            level = block.pieces[0].level
            style = {"heading": heading if level else title, "furniture": small, "note": small}.get(block.what, plain)
            story.append(Paragraph(html.escape(block.text, quote=False), style))

    def page(canvas: object, document: object) -> None:
        canvas.setFont("STSong-Light", 9)  # type: ignore[attr-defined]
        canvas.drawString(72, 810, "内部资料　注意保存")  # type: ignore[attr-defined]
        canvas.drawCentredString(297, 30, f"— {document.page} —")  # type: ignore[attr-defined]

    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4).build(story, onFirstPage=page, onLaterPages=page)
    return out.getvalue()


FORMATS: dict[str, tuple[str, Callable[[Sample], bytes]]] = {
    "UTF-8 text": (".txt", lambda s: as_text(s).encode()),
    "GB18030 text": (".txt", lambda s: as_text(s).replace("\n", "\r\n").encode("gb18030")),
    "UTF-16 text": (".txt", lambda s: as_text(s).encode("utf-16")),
    "wrapped text": (".txt", lambda s: as_wrapped_text(s).encode()),
    "web page": (".html", lambda s: as_html(s).encode()),
    "Word": (".docx", as_docx),
    "PDF": (".pdf", as_pdf),
}
"""The formats of the samples: extension and writer."""
