"""Elements of drawings: the one place where Python writes markup, for charts whose places are computed."""

from __future__ import annotations

from markupsafe import Markup, escape


def element(name: str, *inside: str, **attributes: str | float | None) -> Markup:
    """An SVG element: ``element("text", "甲 < 乙", x=3, text_anchor="end")``.

    Args:
        name: of the element; the program's own, never text.
        inside: text, which is escaped, or other elements.
        attributes: called as in SVG, with ``_`` for ``-`` and a ``_`` behind Python's own words (``class_``); their
            values are escaped, and one that is None is left out.
    """
    given = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    if not inside:
        return Markup("<{}{}/>").format(name, given)
    return Markup("<{}{}>{}</{}>").format(name, given, Markup().join(map(escape, inside)), name)
