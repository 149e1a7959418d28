"""Makes elements of WordprocessingML, in the document's variant (transitional or strict)."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
STRICT_R = "http://purl.oclc.org/ooxml/officeDocument/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


class Maker:
    """Makes elements of one namespace: ``make("ind", {"left": "240"})`` is ``<w:ind w:left="240"/>``."""

    def __init__(self, namespace: str = W) -> None:
        self.namespace = namespace

    def __call__(
        self, name: str, attributes: Mapping[str, str] | None = None, *children: etree._Element
    ) -> etree._Element:
        element = etree.Element(self.name(name), nsmap={"w": self.namespace})
        for key, value in (attributes or {}).items():
            element.set(self.name(key), value)
        element.extend(children)
        return element

    def name(self, local: str) -> str:
        """The qualified name."""
        return f"{{{self.namespace}}}{local}"

    def text(self, text: str) -> etree._Element:
        """A ``<w:t>`` that keeps its white space."""
        element = self("t")
        set_text(element, text)
        return element

    def shade(self, fill: str) -> etree._Element:
        """A background of the colour ``RRGGBB``."""
        return self("shd", {"val": "clear", "color": "auto", "fill": fill})


def set_text(element: etree._Element, text: str) -> None:
    """Set the text of a ``w:t``; without ``xml:space``, white space at its ends would be lost."""
    element.text = text
    if text != text.strip():
        element.set(_SPACE, "preserve")


def serialise(root: etree._Element) -> bytes:
    """A part as bytes for the package."""
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True)
