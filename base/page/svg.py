"""SVG elements: the only place where Python writes markup, for charts whose coordinates are computed."""

from __future__ import annotations

from markupsafe import Markup, escape


def element(name: str, *inside: str, **attributes: str | float | None) -> Markup:
    """An SVG element: ``element("text", "甲 < 乙", x=3, text_anchor="end")``.

    Args:
        name: of the element; always the program's own, never text from a report.
        inside: text, which is escaped, or other elements.
        attributes: named as in SVG, with ``_`` for ``-`` and a ``_`` after Python's keywords (``class_``); their values
            are escaped, and those that are None are left out.
    """
    given = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    if not inside:
        return Markup("<{}{}/>").format(name, given)
    return Markup("<{}{}>{}</{}>").format(name, given, Markup().join(map(escape, inside)), name)
