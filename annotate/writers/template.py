"""Self-contained pages: template, style and script in one file, which can load and run nothing else.

The content security policy in every page lists its style and its script by their hashes. It is a second defence after
the templates' escaping: even text that got past the escaping could not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from ...base.page.templates import stream
from ...data.labels import Label, LabelSet
from .cells import GUARD

WEB = "annotate/web"
"""The folder of this package's pages, relative to the root; other packages have their own."""


def assemble(name: str, style: str, folder: str = WEB, **values: Any) -> Iterator[str]:
    """The template ``<name>.html.j2`` of ``folder``, rendered in pieces with its script, ``style`` and ``values``."""
    code = script(name, folder)
    return stream(f"{folder}/{name}.html.j2", policy=policy(style, code), style=style, script=code, **values)


@cache
def asset(name: str, folder: str = WEB) -> str:
    """The text of a file in ``folder``."""
    return files(__name__.partition(".")[0]).joinpath(folder, name).read_text(encoding="utf-8")


def script(name: str, folder: str = WEB) -> str:
    """The page's script."""
    return asset(f"{name}.js", folder).replace("@@guard@@", GUARD)


def sheet(name: str, labels: LabelSet, folder: str = WEB) -> str:
    """The page's style: what all pages share, its own rules, and the colours of ``labels``."""
    return "\n".join((asset("base.css"), asset(f"{name}.css", folder), *map(_colours, labels)))


def policy(style: str, code: str) -> str:
    """The page's content security policy: it may use ``style`` and run ``code``, and load or send nothing."""
    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(code)}; base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    """``text`` as a source in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _colours(label: Label) -> str:
    # A sentence is tinted with the colour of its first label only, since mixed colours would look like a third label.
    # The small tags after it name all of its labels, so no reader has to distinguish colours.
    color = label.color
    return (
        f".f-{label.name}{{background:{color}2b}}.t-{label.name}{{background:{color};color:{_ink(color)}}}"
        f"@media screen and (prefers-color-scheme:dark){{.f-{label.name}{{background:{color}59}}}}"
    )


def _ink(color: str) -> str:
    """Black or white, whichever has the higher contrast on ``color`` (WCAG 2.2's relative luminance)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
    return "#000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#fff"
