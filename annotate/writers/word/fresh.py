"""Makes a new .docx from a report in another format, with headings, tables and marked sentences."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from typing import IO

from lxml import etree

from ....data.labels import LabelSet
from ....data.readers.word import Place
from ....data.report import Report, Sentence
from ..shown import Counts, legal, readable, tint
from .marks import Marker
from .ooxml import CONTENT_TYPES, RELATIONS, WORD_TYPE, Maker, R, W, serialise

Line = list[Sentence]
"""A heading, a piece of furniture, or the sentences of a paragraph."""

_DEEPEST = 6
_COLUMNS = 63
"""The most columns that Word opens."""
_CELLS = 100_000
"""In tables with more cells, rows are not padded: one long row among many short ones would make millions of cells."""
_WIDTH = 8732  # of the lines on A4, in twentieths of a point
_BREAK = re.compile(r"[\r\n\v\f\x85\u2028\u2029]")
_PARTS = ("styles", "settings", "comments", "footer")
_SETTINGS = (
    f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>'
)
_FOOTER = (
    f'<w:ftr xmlns:w="{W}"><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>'
    '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>'
)


def write_fresh(report: Report, labels: LabelSet, out: IO[bytes]) -> None:
    """Write ``report`` as a new document to ``out``, with its legend and counts first."""
    draft = _Draft()
    draft.legend(report, labels)
    draft.report(report)
    comments = draft.make("comments")
    marker = Marker(draft.document, comments, labels)
    marker.mark(draft.places)
    with zipfile.ZipFile(out, "w") as package:
        for name, content in _package(draft.document, comments).items():
            package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


class _Draft:
    """The document under construction; ``places`` holds where each sentence is in it."""

    def __init__(self) -> None:
        self.make = Maker()
        self.body = self.make("body")
        self.document = etree.Element(f"{{{W}}}document", nsmap={"w": W, "r": R})
        self.document.append(self.body)
        self.places: list[tuple[Sentence, list[Place]]] = []

    def legend(self, report: Report, labels: LabelSet) -> None:
        """The table of labels with their colours and counts."""
        counts = Counts.of(report.records())
        self._paragraph(
            "Small", f"《{legal(report.doc)}》批注：底色表示一句的第一个标签，全部标签及其概率见该句的批注。"
        )
        table = self._table([1300, 5232, 1100, 1100])
        self._row(table, ("标签", "含义", "句数", "占比"))
        for label in labels:
            self._count(table, label.title, label.description, counts.labels[label.name], counts, tint(label))
        self._count(table, "无标签", "", counts.none, counts)
        self._count(table, "待核", "模型没有把握，请人工核对；批注的作者是“批注（待核）”", counts.review, counts)
        self._row(table, ("合计", "一句可有多个标签", str(counts.sentences), ""))

    def _count(
        self, table: etree._Element, title: str, meaning: str, count: int, counts: Counts, fill: str | None = None
    ) -> None:
        share = f"{count / counts.sentences:.0%}" if counts.sentences else ""
        self._row(table, (title, meaning, str(count), share), fill)

    def report(self, report: Report) -> None:
        """Headings, paragraphs, tables and furniture in the report's order."""
        title = report.heading
        for is_table, lines in groupby(_lines(report), key=_is_row):
            if is_table:
                self._data(list(lines))
                continue
            for line in lines:
                self._line(line, "Title" if line[0] is title else _style(line[0]))
        make, reference = self.make, self.make("footerReference", {"type": "default"})
        reference.set(f"{{{R}}}id", "footer")
        size = make("pgSz", {"w": "11906", "h": "16838"})
        margins = dict.fromkeys(("left", "right"), "1587") | dict.fromkeys(("top", "bottom"), "1440")
        margins |= {"header": "851", "footer": "992", "gutter": "0"}
        self.body.append(make("sectPr", None, reference, size, make("pgMar", margins)))

    def _line(self, line: Line, style: str) -> None:
        paragraph = self._paragraph(style)
        for sentence in line:
            self._put(sentence, [(paragraph, sentence.text)])

    def _data(self, lines: Sequence[Line]) -> None:
        rows = [line[0] for line in lines]
        width = max(row.text.count("\t") for row in rows) + 1
        table = self._table([_WIDTH // width] * width)
        for row in rows:
            cells = row.text.split("\t")
            paragraphs = self._row(table, [""] * (width if width * len(rows) <= _CELLS else len(cells)))
            self._put(row, list(zip(paragraphs, cells, strict=False)))
        self._paragraph("Small")  # Word would merge two adjacent tables

    def _put(self, sentence: Sentence, pieces: Sequence[tuple[etree._Element, str]]) -> None:
        places = []
        for paragraph, text in pieces:
            run = self.make("r")
            for i, shown in enumerate(readable(text).split("\t")):
                if i:
                    run.append(self.make("tab"))
                if shown:
                    run.append(self.make.text(shown))
                    places.append(Place(run[-1], 0, len(shown)))
            if len(run):
                paragraph.append(run)
        self.places.append((sentence, places))

    def _paragraph(self, style: str, text: str = "") -> etree._Element:
        paragraph = self._filled(style, text)
        self.body.append(paragraph)
        return paragraph

    def _filled(self, style: str, text: str) -> etree._Element:
        make = self.make
        paragraph = make("p", None, make("pPr", None, make("pStyle", {"val": style})))
        if text:
            paragraph.append(make("r", None, make.text(text)))
        return paragraph

    def _table(self, widths: Sequence[int]) -> etree._Element:
        make = self.make
        style, layout = make("tblStyle", {"val": "TableGrid"}), make("tblLayout", {"type": "fixed"})
        properties = make("tblPr", None, style, make("tblW", {"w": str(sum(widths)), "type": "dxa"}), layout)
        grid = make("tblGrid", None, *(make("gridCol", {"w": str(width)}) for width in widths))
        table = make("tbl", None, properties, grid)
        self.body.append(table)
        return table

    def _row(self, table: etree._Element, cells: Sequence[str], fill: str | None = None) -> list[etree._Element]:
        make = self.make
        paragraphs = [self._filled("Small", legal(cell)) for cell in cells]
        row = make("tr", None, *(make("tc", None, paragraph) for paragraph in paragraphs))
        if fill is not None:
            row[0].insert(0, make("tcPr", None, make.shade(fill)))
        table.append(row)
        return paragraphs


def _lines(report: Report) -> Iterator[Line]:
    line: Line = []
    for s in report.sentences:
        alone = s.kind != "sentence" or (line and line[-1].kind != "sentence")
        if line and (alone or _BREAK.search(report.text, line[-1].end, s.start)):
            yield line
            line = []
        line.append(s)
    if line:
        yield line


def _is_row(line: Line) -> bool:
    return len(line) == 1 and 1 < line[0].text.count("\t") + 1 <= _COLUMNS


def _style(sentence: Sentence) -> str:
    if sentence.kind == "heading":
        return f"Heading{min(1 + len(sentence.headings), _DEEPEST)}"
    return "Furniture" if sentence.kind == "furniture" else "BodyText"


def _package(document: etree._Element, comments: etree._Element) -> dict[str, bytes]:
    override = f'<Override PartName="/word/{{}}.xml" ContentType="{WORD_TYPE}{{}}+xml"/>'
    types = "".join(override.format(name, name) for name in _PARTS) + override.format("document", "document.main")
    relation = f'<Relationship Id="{{0}}" Type="{R}/{{0}}" Target="{{0}}.xml"/>'
    top = f'<Relationship Id="document" Type="{R}/officeDocument" Target="word/document.xml"/>'
    xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    texts = {
        "[Content_Types].xml": f'{xml}<Types xmlns="{CONTENT_TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": f'{xml}<Relationships xmlns="{RELATIONS}">{top}</Relationships>',
        "word/_rels/document.xml.rels": f'{xml}<Relationships xmlns="{RELATIONS}">'
        f"{''.join(relation.format(name) for name in _PARTS)}</Relationships>",
        "word/styles.xml": (files(__package__) / "styles.xml").read_text(encoding="utf-8"),
        "word/settings.xml": xml + _SETTINGS,
        "word/footer.xml": xml + _FOOTER,
    }
    parts = {name: text.encode() for name, text in texts.items()}
    return parts | {"word/document.xml": serialise(document), "word/comments.xml": serialise(comments)}
