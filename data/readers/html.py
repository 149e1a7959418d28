"""Saved web pages: the visible text, block by block, with navigation, share bars and page ends as furniture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from ...base.errors import ReadError
from ...base.limits import over
from ..encoding import decode
from ..segment import Hint
from .base import Extract, Lines, Source

_OPENING = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|title|div|p|table|h[1-6]|article|section|center|span|font)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(
    rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,30})|<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,30})"
)
_SILENT = frozenset(
    re.findall(
        r"\w+",
        "script style noscript template head title meta link iframe object embed svg canvas audio video map area button"
        " select option input textarea datalist",
    )
)
_BLOCK = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
        " figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre section summary table"
        " tbody td tfoot th thead tr ul",
    )
)
_BESIDE = frozenset(["nav", "header", "footer", "aside", "menu", "form"])
_BESIDE_NAME = re.compile(
    r"(?:^|[-_\s])(?:nav|navbar|menu|crumb|breadcrumb|breadcrumbs|share|bdshare\w*|sidebar|side|footer|foot|copyright|topbar|toolbar|tools?|print|pager|pagination|related|recommend|hotnews|login|search|qrcode|ewm|dqwz|weizhi|position|xgxx|lmdh)(?:$|[-_\s0-9])",
    re.IGNORECASE,
)
_BOLD = frozenset(["b", "strong"])
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_LINKS = 0.6  # a block with at least this share of its characters in links is navigation


def matches(data: bytes) -> bool:
    """Whether a web page begins here, in any of the encodings that pages are saved in."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[1:2] == b"\0" or head[:1] == b"\0":
        head = head.replace(b"\0", b"")[2 if head[:1] in b"\xff\xfe" else 0 :]
    return _OPENING.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def read(source: Source) -> Extract:
    """Read the page's own text; scripts, styles and forms say nothing, and nothing is fetched."""
    return from_markup(decode(source.data, source.name, declared_encoding(source.data)), source)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page names in its head."""
    declared = _CHARSET.search(data[:4096])
    return (declared[1] or declared[2]).decode("ascii") if declared else None


def from_markup(markup: str, source: Source) -> Extract:
    """The text of a page given as decoded mark-up."""
    if (tags := markup.count("<")) > 2 * source.limits.elements:
        raise ReadError(over(source.name, f"{tags // 2:,} elements", "elements", source.limits))
    markup = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup).replace("\0", "")
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml_html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise ReadError(f"{source.name} is a web page without any text") from None
    walker = _Walker()
    walker.walk(root)
    if not walker.lines.length:
        raise ReadError(f"{source.name} is a web page without any text")
    return walker.lines.extract()


class _Walker:
    """Goes through the page once, without recursion: pages are nested as deep as they like."""

    def __init__(self) -> None:
        self.lines = Lines()
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
        rows: list[etree._Element] = []
        for event, node in etree.iterwalk(root, events=("start", "end")):
            tag = node.tag if isinstance(node.tag, str) else ""
            quiet = tag in _SILENT or (tag != "body" and _HIDDEN.search(node.get("style") or "") is not None)
            if event == "start":
                silent += quiet
                if silent:
                    continue
                if tag == "tr" and not rows and _is_data_row(node):
                    self._flush()
                    rows.append(node)
                    self._add_row(node)
                if not rows:
                    self._open(node, tag)
            else:
                if not silent and not rows:
                    self._close(node, tag)
                if rows and node is rows[-1]:
                    rows.pop()
                silent -= quiet
                if not silent and not rows and node.tail and node is not root:
                    self._add(node.tail)
        self._flush()

    def _open(self, node: etree._Element, tag: str) -> None:
        if tag in _BLOCK or tag == "br":
            self._flush()
        self._beside += _is_beside(node, tag)
        self._bold += _is_bold(node, tag)
        self._links += tag == "a"
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._level = int(tag[1])
        if node.text:
            self._add(node.text)

    def _close(self, node: etree._Element, tag: str) -> None:
        if tag in _BLOCK:
            self._flush()
        self._beside -= _is_beside(node, tag)
        self._bold -= _is_bold(node, tag)
        self._links -= tag == "a"
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
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


def _is_data_row(row: etree._Element) -> bool:
    """Whether a table row holds data, cell by cell, rather than the page's layout."""
    cells = [cell for cell in row if cell.tag in ("td", "th")]
    if len(cells) < 2 or any(True for _ in row.iter("table", "script", "ul", "form", "div", "h1", "h2", "h3")):
        return False
    texts = [_flat(cell) for cell in cells]
    prose = any(len(text) > 40 and "。" in text for text in texts)
    return sum(map(bool, texts)) > 1 and max(map(len, texts)) <= 200 and not (prose and row.find(".//p") is not None)


def _flat(cell: etree._Element) -> str:
    return " ".join("".join(_visible(cell)).split())


def _visible(cell: etree._Element) -> Iterator[str]:
    for text in cell.itertext():
        yield str(text)


def _is_beside(node: etree._Element, tag: str) -> bool:
    if tag in ("html", "body"):
        return False
    if tag in _BESIDE and not (tag == "form" and len(node) and node.find(".//p") is not None):
        return True
    return any(_BESIDE_NAME.search(node.get(name) or "") for name in ("class", "id"))


def _is_bold(node: etree._Element, tag: str) -> bool:
    return tag in _BOLD or _BOLD_STYLE.search(node.get("style") or "") is not None
