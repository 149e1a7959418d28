"""``pizhu serve``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .display import complain, echo
from .options import Connections, Limit, Model, Patience, PerAddress


def serve(
    model: Model = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="A name that people type to get here, as with a reverse proxy (repeatable). IP addresses, localhost "
            "and this machine's name need none; requests under other names are refused.",
            metavar="HOST",
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8765,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            help="File of mode 600 with a secret that requests must show. Default: $PIZHU_SERVE_SECRET, else none.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long a request may take in all.")] = 120,
    max_requests: Annotated[
        int, typer.Option(min=1, help="Requests in flight at one time; more are answered with 503 and when to retry.")
    ] = 64,
    readers: Annotated[
        int,
        typer.Option(
            min=1, help="Files that are read at one time, by a process each; those that take over a second not counted."
        ),
    ] = 4,
    connections: Connections = 500,
    per_address: PerAddress = 125,
    patience: Patience = 10,
    limit: Limit = None,
) -> None:
    """Annotate over HTTP: a page to drop reports on, and JSON for programs.

    `POST /annotate` takes a report as the body or in a form and gives the page (`?format=html`), JSON or JSON Lines;
    `/health` and `/metrics` tell how the service is. Nothing is kept and nothing is sent anywhere. SIGTERM and Ctrl+C
    end it when what is under way is done.

    Example: `pizhu serve`, then open http://127.0.0.1:8765, or:
    `curl -F file=@报告.docx 'http://127.0.0.1:8765/annotate?format=jsonl'`
    """
    from ..base.extras import require
    from ..base.limits import limits

    require("the service", "serve")
    from ..annotate.service.app import create_app
    from ..annotate.service.settings import SERVICE_LIMITS, Settings, find_secret
    from ..base import serving as server
    from ..base.terms import Terms
    from ..models.annotator import Annotator

    names = [*(name or ()), *([] if ":" in host else [host])]  # an IPv6 address is no name, and needs none
    settings = Settings(
        limits(limit or (), SERVICE_LIMITS),
        seconds,
        max_requests,
        readers=readers,
        names=tuple(names),
        terms=Terms(connections, per_address, patience),
        secret=find_secret(secret_file),
    )
    with server.listen(host, port) as listening:  # a taken port is told before the model is loaded
        annotator = Annotator.load(model)
        app = create_app(annotator, settings)
        url = server.address(listening)
        if not server.is_local(host):
            who = " and knows the secret" if settings.secret else ""
            complain(f"whoever reaches this machine{who} can use the service, unencrypted")
        server.run(app, listening, seconds, lambda: echo(f"pizhu serves at {url}"))
