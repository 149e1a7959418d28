"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None,
    typer.Option(help="Model folder. Default: $PIZHU_MODEL, else the one `pizhu train` made, else the shipped one."),
]

Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="Change a safety limit, e.g. `pages=5000` or `file_mb=500`; may be repeated. Names: file_mb, "
        "expanded_mb, elements, characters, lines, line, pages, seconds, read_seconds, cpu_seconds, memory_mb, "
        "archive_mb.",
        show_default=False,
    ),
]

Connections = Annotated[
    int,
    typer.Option(min=1, help="The most connections at one time; fewer if the system limits open files."),
]

PerAddress = Annotated[
    int,
    typer.Option(
        min=1,
        help="The most connections from one address, such as a reverse proxy. Idle ones are closed to make room.",
    ),
]

Patience = Annotated[
    float,
    typer.Option(
        min=0.1, help="Seconds for the headers of a request; its body must then arrive at 1,000 bytes a second or more."
    ),
]
