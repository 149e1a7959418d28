"""Paragraph styles: which are headings, which number their paragraphs, which are bold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from .names import child, heading_level, is_on, local, number, value

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录)\s*[0-9]?$|TOC Heading$|table of (?:contents|figures)$", re.IGNORECASE)
_PAGE = re.compile(r"(?:header|footer|页眉|页脚|page number|页码)$", re.IGNORECASE)


@dataclass(frozen=True)
class Style:
    """The properties that a paragraph inherits.

    Attributes:
        outline: heading level, 1 the outermost; 0 for no heading.
        list_id, list_level: the list that numbers it; None for no list.
        bold: whether its text is bold.
        kind: ``title``, ``contents`` or ``page`` where the style says so, else empty.
    """

    outline: int = 0
    list_id: str | None = None
    list_level: int | None = None
    bold: bool = False
    kind: str = ""


PLAIN = Style()


class Styles:
    """The styles of a document by id."""

    def __init__(self, root: etree._Element | None) -> None:
        self._nodes: dict[str, etree._Element] = {}
        self._known: dict[str, Style] = {}
        self._default = ""
        for node in root if root is not None else ():
            if local(node) != "style":
                continue
            name = value(node, "styleId") or ""
            self._nodes[name] = node
            if value(node, "type") == "paragraph" and value(node, "default") in ("1", "true"):
                self._default = name

    def get(self, name: str | None) -> Style:
        """The style called ``name``; None gives the default paragraph style."""
        return self._resolve(self._default if name is None else name, ())

    def _resolve(self, name: str, below: tuple[str, ...]) -> Style:
        if name in self._known:
            return self._known[name]
        node = self._nodes.get(name)
        if node is None or name in below or len(below) > 20:
            return PLAIN
        based = value(child(node, "basedOn"))
        parent = self._resolve(based, (*below, name)) if based else PLAIN
        self._known[name] = found = _own(node, parent)
        return found


def _own(node: etree._Element, parent: Style) -> Style:
    title = value(child(node, "name")) or ""
    outline = heading_level(child(node, "pPr", "outlineLvl"))
    heading = _HEADING.match(title)
    level = parent.outline
    if outline is not None:
        level = outline
    elif heading:
        level = int(heading[1])
    kind = parent.kind
    if title.lower() in ("title", "标题", "subtitle", "副标题"):
        kind = "title"
    elif _CONTENTS.match(title):
        kind = "contents"
    elif _PAGE.match(title):
        kind = "page"
    bold = child(node, "rPr", "b")
    list_id = value(child(node, "pPr", "numPr", "numId"))
    list_level = number(child(node, "pPr", "numPr", "ilvl"))
    return Style(
        outline=level,
        list_id=parent.list_id if list_id is None else list_id,
        list_level=parent.list_level if list_level is None else list_level,
        bold=parent.bold if bold is None else is_on(bold),
        kind=kind,
    )
