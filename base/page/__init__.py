"""Pages of figures: one self-contained HTML file, in Chinese, that opens offline and prints.

What the evaluation report and the agreement report share: the frame, tables, tags, and charts as inline SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from .template import fill


def assemble(
    heading: str,
    about: str,
    tiles: Sequence[tuple[str, str, str]],
    sections: Sequence[tuple[str, str, str]],
    *,
    title: str = "",
    style: str = "",
) -> str:
    """The page. What callers hand over as markup they have escaped; ``heading`` and ``title`` are text.

    Args:
        heading: what kind of page it is.
        about: one line on what it shows; markup.
        tiles: name, figure and note of each of the large figures; markup.
        sections: anchor, title and body of each section; markup. One without a body is left out.
        title: what stands before ``heading`` in the browser's title.
        style: rules of this page alone.
    """
    shown = [section for section in sections if section[2]]
    return fill(
        (files(__package__) / "page.html").read_text(encoding="utf-8"),
        {
            "policy": "default-src 'none'; style-src 'unsafe-inline'",
            "title": " · ".join(escape(part) for part in (title, heading) if part),
            "style": (files(__package__) / "page.css").read_text(encoding="utf-8") + style,
            "heading": escape(heading),
            "about": about,
            "contents": "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in shown),
            "tiles": '<dl class="tiles">'
            + "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in tiles)
            + "</dl>",
            "sections": "\n".join(
                f'<section id="{key}"><h2>{name}</h2>\n{body}\n</section>' for key, name, body in shown
            ),
        },
    )
