"""What pages are put together from: labels and tables as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol


class Named(Protocol):
    """What a label needs to be shown."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def color(self) -> str: ...


def tag(name: str, labels: Iterable[Named]) -> str:
    """A label: its colour and its title."""
    label = next(label for label in labels if label.name == name)
    return f'<span class="tag"><i style="background:{label.color}"></i>{escape(label.title)}</span>'


def tags(names: Sequence[str], labels: Iterable[Named]) -> str:
    """Several labels, or that there are none."""
    inner = "".join(tag(name, labels) for name in names) or '<span class="few">无标签</span>'
    return f'<span class="tags">{inner}</span>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "", ours: int = -1) -> str:
    """A table of HTML cells; ``kind`` is its class, row ``ours`` stands out; cells with a chart are made narrow."""

    def cells(row: Sequence[str], element: str) -> str:
        return "".join(
            f'<{element} class="graph">{cell}</{element}>'
            if cell.startswith("<svg")
            else f"<{element}>{cell}</{element}>"
            for cell in row
        )

    body = "".join(
        f'<tr class="ours">{cells(row, "td")}</tr>' if i == ours else f"<tr>{cells(row, 'td')}</tr>"
        for i, row in enumerate(rows)
    )
    attribute = f' class="{kind}"' if kind else ""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f'<div class="scroll"><table{attribute}>{top}<tbody>{body}</tbody></table></div>'
