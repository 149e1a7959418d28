"""Pages from templates: markup with places marked ``@@name@@``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files


def fill(template: str, parts: Mapping[str, str]) -> str:
    """``template`` with ``parts`` in their places, and with the head that pages share in the place ``head``.

    ``parts`` are markup: whoever makes them has escaped what is text. The head needs ``policy``, ``title``, ``style``.
    """
    if "@@head@@" in template:
        template = template.replace("@@head@@", (files(__package__) / "head.html").read_text(encoding="utf-8"))
    # One pass over the template, so that text from a report can never be taken for a placeholder.
    pieces = template.split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))
