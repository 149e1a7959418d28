"""The body of a .docx in reading order, with notes, text boxes, tables, headers and footers."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from ....base.errors import ReadError
from ...segment import Hint
from ..base import Extract, Lines, Source
from ..zipped import Archive
from .names import child, heading_level, is_on, local, number, value
from .numbering import Numbering
from .places import Piece, Places
from .styles import Styles

_SKIPPED = frozenset(["del", "moveFrom", "Fallback", "rubyPr", "rt", "pPr", "rPr", "sectPr", "tblPr", "tblGrid"])
_DRAWN = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_Collector = Callable[[etree._Element], None]
_DEPTH = 60  # nesting of tables and text boxes, deeper than any office needs
_LONGEST_HEADING = 90


def matches(data: bytes) -> bool:
    """Whether this is a zipped office document; its parts say which kind."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read(source: Source) -> Extract:
    """Read the text; deleted text, comments and hidden runs are left out, inserted text is kept."""
    return _read(source, None).lines.extract()


@dataclass(frozen=True)
class Traced:
    """A document whose text can be traced back to its XML.

    Attributes:
        text: the text that :func:`read` extracts.
        main: the name of the part that holds the body.
        parts: the parsed parts, by name; to write the document with additions, change them in place.
        places: which elements draw which characters of ``text``.
    """

    text: str
    main: str
    parts: Mapping[str, etree._Element]
    places: Places


def trace(source: Source) -> Traced:
    """Read a document so that it can be written again with additions; raises what :func:`read` raises."""
    places = Places()
    reader = _read(source, places)
    return Traced(reader.lines.extract().text, reader.main, reader.parts, places)


def _read(source: Source, places: Places | None) -> _Document:
    archive = Archive(source)
    reader = _Document(archive, _main_part(archive, source), places, source)
    reader.read_pages("header")
    reader.read_body()
    reader.read_pages("footer")
    if not reader.lines.length:
        raise ReadError(f"{source.name} is a Word document without any text; scanned pages cannot be read")
    return reader


def _main_part(archive: Archive, source: Source) -> str:
    if "_rels/.rels" in archive.names:
        for relation in archive.xml("_rels/.rels"):
            if (relation.get("Type") or "").endswith("/officeDocument"):
                target = (relation.get("Target") or "").lstrip("/")
                if "xl/" in target or "ppt/" in target:
                    what = "a spreadsheet" if "xl/" in target else "a slide show"
                    raise ReadError(f"{source.name} is {what}, not a report; save its text as .docx or .txt")
                if target in archive.names:
                    return target
    if "word/document.xml" in archive.names:
        return "word/document.xml"
    raise ReadError(f"{source.name} is a zip archive without a Word document in it; unpack it and name its reports")


class _Document:
    def __init__(self, archive: Archive, main: str, places: Places | None, source: Source) -> None:
        self._archive = archive
        self._name = source.name
        self._places = places  # filled while the text is read, for callers that trace it back
        self.main = main
        self.parts: dict[str, etree._Element] = {}
        self._folder = posixpath.dirname(main)
        self._parts = self._relations(main)
        self._styles = Styles(self._part("styles"))
        self._numbering = Numbering(self._part("numbering"))
        self._notes = {kind: self._read_notes(kind) for kind in ("footnote", "endnote")}
        self._pending: list[etree._Element] = []  # notes and text boxes of the present paragraph
        self._joined: list[Piece] = []  # pieces of paragraphs whose paragraph mark was deleted
        self.lines = Lines(source)

    def _relations(self, main: str) -> list[tuple[str, str]]:
        name = posixpath.join(self._folder, "_rels", posixpath.basename(main) + ".rels")
        if name not in self._archive.names:
            return []
        found = []
        for relation in self._archive.xml(name):
            if relation.get("TargetMode") != "External":
                target = relation.get("Target") or ""
                path = target.lstrip("/") if target.startswith("/") else posixpath.join(self._folder, target)
                found.append(((relation.get("Type") or "").rpartition("/")[2], posixpath.normpath(path)))
        return found

    def _part(self, kind: str) -> etree._Element | None:
        path = next((path for name, path in self._parts if name == kind and path in self._archive.names), None)
        return None if path is None else self._xml(path)

    def _xml(self, path: str) -> etree._Element:
        self.parts[path] = root = self._archive.xml(path)
        return root

    def _read_notes(self, kind: str) -> dict[str | None, etree._Element]:
        root = self._part(kind + "s")
        nodes = root if root is not None else ()
        return {value(node, "id"): node for node in nodes if value(node, "type") in (None, "normal")}

    def read_pages(self, kind: str) -> None:
        """Add each distinct header or footer once, as furniture."""
        seen = set()
        for path in dict.fromkeys(path for name, path in self._parts if name == kind):
            if path in self._archive.names:
                for node in _paragraphs(self._archive.xml(path)):
                    text = _text(_plain(node)).strip()
                    if text and text not in seen:
                        seen.add(text)
                        self.lines.add(text, Hint("furniture"))

    def read_body(self) -> None:
        """Add the document's own text."""
        root = self._xml(self.main)
        body = child(root, "body")
        self._blocks(body if body is not None else root, 0)

    def _blocks(self, parent: etree._Element, depth: int) -> None:
        if depth > _DEPTH:
            raise ReadError(f"{self._name} has tables and notes nested more than {_DEPTH} deep; it is refused")
        around = [iter(parent)]
        while around:
            node = next(around[-1], None)
            if node is None:
                around.pop()
            elif (name := local(node)) == "p":
                self._paragraph(node, depth)
            elif name == "tbl":
                self._table(node, depth)
            elif name and name not in _SKIPPED:  # content controls, custom XML, insertions
                around.append(iter(node))

    def _paragraph(self, node: etree._Element, depth: int) -> None:
        properties = child(node, "pPr")
        style = self._styles.get(value(child(properties, "pStyle")))
        pieces, bold = self._pieces(node, style.bold)
        if is_on(child(properties, "rPr", "del")):  # its mark was deleted: it is one paragraph with the next
            self._joined += pieces
            return
        pieces, self._joined = self._joined + pieces, []
        text = _text(pieces)
        if text.strip():
            label = self._label(properties, style.list_id, style.list_level)
            text = label + text.lstrip()
            bold = bold + len(label) if bold else 0
            hint = _hint(properties, style.outline, style.kind, text, bold)
            self._add(text.split("\n"), hint, pieces)
        pending, self._pending = self._pending, []
        for extra in pending:
            self._blocks(extra, depth + 1)

    def _add(self, lines: Iterable[str], hint: Hint, pieces: Sequence[Piece]) -> None:
        start = self.lines.length
        for line in lines:
            self.lines.add(line, hint)
        if self._places is not None:
            self._places.add(start, self.lines.length, pieces)

    def _label(self, properties: etree._Element | None, list_id: str | None, level: int | None) -> str:
        own = child(properties, "numPr")
        if own is not None:
            list_id = value(child(own, "numId")) or list_id
            own_level = number(child(own, "ilvl"))
            level = own_level if own_level is not None else level
        if not list_id or list_id == "0":
            return ""
        return self._numbering.label(list_id, level or 0)

    def _pieces(self, node: etree._Element, bold: bool) -> tuple[list[Piece], int]:
        """The paragraph's visible text in pieces, and how many characters at its start are bold."""
        pieces: list[Piece] = []
        length = bold_end = 0
        for run in _runs_of(node, self._collect):
            properties = child(run, "rPr")
            if properties is not None and is_on(child(properties, "vanish")):
                continue
            found = _run_pieces(run, self._collect)
            size = sum(len(piece) for _, piece in found)
            own = child(properties, "b")
            if bold_end == length and (bold if own is None else is_on(own)):
                bold_end += size
            pieces += found
            length += size
        return pieces, bold_end

    def _collect(self, node: etree._Element) -> None:
        name = local(node)
        if name == "txbxContent":
            self._pending.append(node)
        else:
            # Each is read once: a note that refers to itself would never end.
            note = self._notes[name.removesuffix("Reference")].pop(value(node, "id"), None)
            if note is not None:
                self._pending.append(note)

    def _table(self, table: etree._Element, depth: int) -> None:
        rows = [row for row in _through(table, "tr") if child(row, "trPr", "del") is None]
        plain = len(rows) == 1 and sum(1 for _ in _through(rows[0], "tc")) == 1
        first_body = next((i for i, row in enumerate(rows) if not is_on(child(row, "trPr", "tblHeader"))), 0)
        for i, row in enumerate(rows):
            cells = list(_through(row, "tc"))
            frame = plain or any(next(cell.iter("{*}tbl"), None) is not None for cell in cells)
            drawn = [] if frame else [_drawn(cell) for cell in cells]
            if frame or any(map(_is_prose, drawn)):  # a frame around text, not a table of data
                for cell in cells:
                    self._blocks(cell, depth + 1)
                continue
            texts = [" ".join("".join(map(_text, cell)).split()) for cell in drawn]
            if sum(map(bool, texts)):
                head = i < first_body or (i == 0 and len(rows) > 1 and not any(map(_is_figure, texts)))
                hint = Hint("furniture" if head else "sentence")
                self._add(["\t".join(texts)], hint, [piece for cell in drawn for pieces in cell for piece in pieces])


def _hint(properties: etree._Element | None, outline: int, kind: str, text: str, bold: int) -> Hint:
    own = heading_level(child(properties, "outlineLvl"))
    if own is not None:
        outline = own
    if kind in ("contents", "page"):
        return Hint("furniture")
    if len(text) > _LONGEST_HEADING:  # a whole paragraph in a heading style is still body text
        return Hint(bold=bold)
    if kind == "title":
        return Hint("heading")
    return Hint(None, outline, bold)


def _through(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """Children called ``name``, also inside content controls and insertions."""
    around = [iter(parent)]
    while around:
        node = next(around[-1], None)
        if node is None:
            around.pop()
        elif local(node) == name:
            yield node
        elif local(node) in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            around.append(iter(node))


def _runs_of(node: etree._Element, collect: _Collector) -> Iterator[etree._Element]:
    """The runs of a paragraph in order, without those that were deleted or moved elsewhere."""
    waiting = list(reversed(node))
    while waiting:
        found = waiting.pop()
        name = local(found)
        if name == "r":
            yield found
        elif name == "txbxContent":
            collect(found)
        elif name == "t" and "math" in str(found.tag):
            yield found
        elif name and name not in _SKIPPED:
            waiting.extend(reversed(found))


def _run_pieces(run: etree._Element, collect: _Collector) -> list[Piece]:
    if local(run) == "t":
        return [(run, run.text or "")]
    pieces: list[Piece] = []
    waiting = list(reversed(run))
    while waiting:
        node = waiting.pop()
        name = local(node)
        if name == "t":
            pieces.append((node, node.text or ""))
        elif name in _DRAWN:
            pieces.append((node, _DRAWN[name]))
        elif name == "sym":
            pieces.append((node, _symbol(node)))
        elif name in ("footnoteReference", "endnoteReference", "txbxContent"):
            collect(node)
        elif name and name not in _SKIPPED and name not in ("delText", "instrText"):
            waiting.extend(reversed(node))
    return pieces


def _symbol(node: etree._Element) -> str:
    try:
        code = int(value(node, "char") or "", 16)
    except ValueError:
        return ""
    return "•" if 0xE000 <= code <= 0xF8FF else chr(code) if 0x20 <= code < 0xD800 else ""


def _paragraphs(parent: etree._Element) -> Iterator[etree._Element]:
    """All paragraphs in ``parent``, including those in text boxes; a paragraph inside another is part of it."""
    waiting = [(node, False) for node in reversed(parent)]
    while waiting:
        node, inside = waiting.pop()
        name = local(node)
        if name == "p" and not inside:
            yield node
            if next(node.iter("{*}txbxContent"), None) is None:
                continue
            inside = True
        elif name == "txbxContent":
            inside = False
        waiting += [(inner, inside) for inner in reversed(node)]


def _plain(paragraph: etree._Element) -> list[Piece]:
    """The pieces of a paragraph alone, without its notes and text boxes."""
    return [piece for run in _runs_of(paragraph, lambda node: None) for piece in _run_pieces(run, lambda node: None)]


def _text(pieces: Iterable[Piece]) -> str:
    return "".join(piece for _, piece in pieces)


def _drawn(cell: etree._Element) -> list[list[Piece]]:
    """The pieces of each paragraph of a cell, after a space that no element draws: a row becomes one line."""
    return [[(paragraph, " "), *_plain(paragraph)] for paragraph in _paragraphs(cell)]


def _is_prose(cell: Sequence[Sequence[Piece]]) -> bool:
    """Whether a cell's pieces are running text."""
    texts = [_text(paragraph[1:]) for paragraph in cell]
    return sum("。" in text for text in texts) > 1 or any(len(text) > 120 and "。" in text for text in texts)


def _is_figure(text: str) -> bool:
    return bool(text) and sum(c.isdigit() for c in text) * 2 >= len(text) and not text.endswith("年")
