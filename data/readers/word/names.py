"""Names of the WordprocessingML elements and attributes that are read."""

from __future__ import annotations

from lxml import etree

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_W_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"


def local(node: etree._Element) -> str:
    """The element's name without its namespace; empty for comments and processing instructions."""
    tag = node.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def value(node: etree._Element | None, name: str = "val") -> str | None:
    """An attribute of the main namespace, in the transitional or the strict form."""
    if node is None:
        return None
    found = node.get(f"{{{_W}}}{name}")
    return found if found is not None else node.get(f"{{{_W_STRICT}}}{name}")


def child(node: etree._Element | None, *path: str) -> etree._Element | None:
    """The descendant reached by the first child of each name in ``path`` (local names)."""
    for name in path:
        if node is None:
            return None
        node = next((c for c in node if local(c) == name), None)
    return node


def is_on(node: etree._Element | None) -> bool:
    """Whether a toggle such as ``<w:b/>`` is present and not switched off."""
    return node is not None and value(node) not in ("0", "false", "off", "none")


def number(node: etree._Element | None, name: str = "val") -> int | None:
    """An attribute as a whole number of at most nine digits, or None."""
    found = value(node, name)
    try:
        return int(found) if found is not None and len(found) <= 10 else None
    except ValueError:
        return None


def heading_level(node: etree._Element | None) -> int | None:
    """The value of ``<w:outlineLvl>``: 1 the outermost heading, 0 body text; None if there is none."""
    level = number(node)
    if level is None:
        return None
    return level + 1 if 0 <= level < 9 else 0
