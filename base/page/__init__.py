"""Pages: one self-contained HTML file each, in Chinese, that opens offline and prints.

The package holds the template renderer (:mod:`.templates`), the frame of all pages, what the pages of figures share,
and charts as inline SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from .templates import render

if TYPE_CHECKING:
    from markupsafe import Markup


def assemble(
    heading: str,
    about: str,
    tiles: Sequence[tuple[str, str, str]],
    sections: Sequence[tuple[str, str, Markup | None]],
    *,
    title: str = "",
    style: str = "",
) -> str:
    """A page of figures.

    Args:
        heading: what kind of page it is.
        about: one line on what it shows.
        tiles: name, value and note of each headline figure.
        sections: anchor, title and body of each section. One without a body is left out.
        title: text before ``heading`` in the browser's title.
        style: CSS rules of this page alone.
    """
    return str(
        render(
            "base/page/figures.html.j2",
            policy="default-src 'none'; style-src 'unsafe-inline'",
            style=(files(__package__) / "figures.css").read_text(encoding="utf-8") + style,
            title=title,
            heading=heading,
            about=about,
            tiles=tiles,
            sections=[section for section in sections if section[2]],
        )
    )
