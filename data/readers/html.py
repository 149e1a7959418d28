"""Saved web pages: the visible text, block by block, with navigation, share bars and page ends as furniture."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from lxml import etree
from lxml import html as lxml_html

from ...base.errors import ReadError
from ..encoding import decode
from ..segment import Hint
from .base import Extract, Lines, Source
from .markup import ASIDE, RAW, examine

_OPENING = re.compile(
    rb"\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:<!--(?:(?!-->).){0,2000}+-->\s*+)*+<(?:!doctype\s+html|html|head|body|meta|title|div|p|table|h[1-6]|article|section|center|span|font)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(
    rb"charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9_.:-]{2,30})|<\?xml[^<>]*encoding\s*+=\s*+[\"']([A-Za-z0-9_.:-]{2,30})"
)
_SILENT = RAW | ASIDE | {"head", "meta", "link", "area", "input"}
_BLOCK = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
        " figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre section summary table"
        " tbody td tfoot th thead tr ul",
    )
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_LAYOUT = ("table", "tr", "script", "ul", "form", "div", "h1", "h2", "h3")
_BESIDE = frozenset(["nav", "header", "footer", "aside", "menu"])
_BESIDE_NAME = re.compile(
    r"(?:^|[-_\s])(?:nav|navbar|menu|crumb|breadcrumb|breadcrumbs|share|bdshare\w*|sidebar|side|footer|foot|copyright|topbar|toolbar|tools?|print|pager|pagination|related|recommend|hotnews|login|search|qrcode|ewm|dqwz|weizhi|position|xgxx|lmdh)(?:$|[-_\s0-9])",
    re.IGNORECASE,
)
_BOLD = frozenset(["b", "strong"])
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_LINKS = 0.6  # a block with at least this share of its characters in links is navigation


def matches(data: bytes) -> bool:
    """Whether ``data`` begins as a web page does, in any of the encodings in which pages are saved."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[1:2] == b"\0" or head[:1] == b"\0":
        head = head.replace(b"\0", b"")[2 if head[:1] in b"\xff\xfe" else 0 :]
    return _OPENING.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def read(source: Source) -> Extract:
    """Read the page's own text; scripts, styles and forms are ignored, and nothing is fetched."""
    return from_markup(decode(source.data, source.name, declared_encoding(source.data)), source)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page declares in its head."""
    declared = _CHARSET.search(data[:4096])
    return (declared[1] or declared[2]).decode("ascii") if declared else None


def from_markup(markup: str, source: Source) -> Extract:
    """The text of a page, from its decoded mark-up."""
    markup = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup).replace("\0", "")
    unclosed = examine(markup, source)
    parser = lxml_html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = lxml_html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise ReadError(f"{source.name} is a web page without any text") from None
    if parser.error_log.filter_from_fatals():  # the parser stopped there
        raise ReadError(
            f"{source.name} is a web page whose tags nest too deeply to be read to its end; open it in a browser and "
            "save the text as .txt"
        )
    walker = _Walker(Lines(source), _SILENT - unclosed)
    walker.walk(root)
    if not walker.lines.length:
        raise ReadError(f"{source.name} is a web page without any text")
    return walker.lines.extract()


class _Walker:
    """Walks through the page once, without recursion, since pages may be nested to any depth."""

    def __init__(self, lines: Lines, silent: Set[str]) -> None:
        self.lines = lines
        self._silent = silent
        self._text: list[str] = []
        self._beside = 0
        self._bold = 0
        self._links = 0
        self._bold_end = 0  # bold characters at the line's start
        self._length = 0
        self._linked = 0
        self._level = 0

    def walk(self, root: etree._Element) -> None:
        silent = 0
        row: etree._Element | None = None  # a row of data, which is added as a whole
        forms = iter(_hold_paragraphs(root))
        opened: list[_Opened | None] = []
        quiets: list[bool] = []
        for event, node in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                tag = node.tag if isinstance(node.tag, str) else ""
                controls = tag == "form" and not next(forms)
                style = node.get("style")
                quiet = tag in self._silent or bool(style and tag != "body" and _HIDDEN.search(style))
                quiets.append(quiet)
                silent += quiet
                if not silent and row is None and tag == "tr" and _is_data_row(node):
                    self._flush()
                    row = node
                    self._add_row(node)
                if silent or row is not None:
                    opened.append(None)
                    continue
                bold = tag in _BOLD or bool(style and _BOLD_STYLE.search(style))
                mark = _Opened(tag, controls or _is_beside(node, tag), bold)
                self._open(node, mark)
                opened.append(mark)
            else:
                if (closed := opened.pop()) is not None:
                    self._close(closed)
                if node is row:
                    row = None
                silent -= quiets.pop()
                if not silent and row is None and node.tail and node is not root:
                    self._add(node.tail)
        self._flush()

    def _open(self, node: etree._Element, mark: _Opened) -> None:
        tag = mark.tag
        if tag in _BLOCK or tag == "br":
            self._flush()
        self._beside += mark.beside
        self._bold += mark.bold
        self._links += tag == "a"
        if tag in _HEADINGS:
            self._level = int(tag[1])
        if node.text:
            self._add(node.text)

    def _close(self, mark: _Opened) -> None:
        tag = mark.tag
        if tag in _BLOCK:
            self._flush()
        self._beside -= mark.beside
        self._bold -= mark.bold
        self._links -= tag == "a"
        if tag in _HEADINGS:
            self._level = 0

    def _add(self, text: str) -> None:
        text = re.sub(r"[ \t\r\n\f]+", " ", text)
        if not self._length:
            text = text.lstrip()
        if not text:
            return
        if self._bold and self._bold_end == self._length:
            self._bold_end += len(text)
        self._text.append(text)
        self._length += len(text)
        if self._links:
            self._linked += len(text)

    def _flush(self) -> None:
        line = "".join(self._text)
        visible = line.strip()
        if visible:
            kind = "furniture" if self._beside or (self._linked >= _LINKS * len(line) and "。" not in line) else None
            bold = min(self._bold_end, len(visible))
            hint = Hint(kind, 0 if kind else self._level, bold) if kind or self._level or bold else None  # type: ignore[arg-type]
            self.lines.add(visible, hint)
        self._text.clear()
        self._length = self._linked = self._bold_end = 0

    def _add_row(self, row: etree._Element) -> None:
        cells = [_flat(cell) for cell in row if cell.tag in ("td", "th")]
        head = all(cell.tag == "th" for cell in row if isinstance(cell.tag, str))
        self.lines.add("\t".join(cells), Hint("furniture" if self._beside or head else "sentence"))


class _Opened(NamedTuple):
    """An element that is being read: whether its text is apart from the report's own, and whether it is bold."""

    tag: str
    beside: bool
    bold: bool


def _is_data_row(row: etree._Element) -> bool:
    """Whether a table row holds data, cell by cell, and not the page's layout or, if unclosed, the rows below it."""
    cells = [cell for cell in row if cell.tag in ("td", "th")]
    if len(cells) < 2 or any(True for _ in row.iterdescendants(*_LAYOUT)):
        return False
    texts = [_flat(cell) for cell in cells]
    prose = any(len(text) > 40 and "。" in text for text in texts)
    return sum(map(bool, texts)) > 1 and max(map(len, texts)) <= 200 and not (prose and row.find(".//p") is not None)


def _flat(cell: etree._Element) -> str:
    return " ".join("".join(map(str, cell.itertext())).split())


def _hold_paragraphs(root: etree._Element) -> list[bool]:
    """For each form of the page, in order, whether it contains paragraphs: on some pages one form holds everything."""
    found: list[bool] = []
    around: list[int] = []
    for event, node in etree.iterwalk(root, events=("start", "end"), tag=("form", "p")):
        if node.tag == "form" and event == "start":
            around.append(len(found))
            found.append(False)
        elif node.tag == "form":
            around.pop()
        elif event == "start":
            for form in reversed(around):
                if found[form]:
                    break
                found[form] = True
    return found


def _is_beside(node: etree._Element, tag: str) -> bool:
    if tag in ("html", "body"):
        return False
    if tag in _BESIDE:
        return True
    return any(_BESIDE_NAME.search(name) for name in (node.get("class"), node.get("id")) if name)
