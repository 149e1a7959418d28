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
            help="A host name under which people reach the service, such as a reverse proxy's; may be repeated. IP "
            "addresses, localhost and this machine's name always work; requests to other names are refused.",
            metavar="HOST",
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8765,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            help="File of mode 600 with a secret that requests must send. Default: $PIZHU_SERVE_SECRET, else none.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="The longest time for a request, upload included.")] = 120,
    max_requests: Annotated[
        int, typer.Option(min=1, help="The most requests in flight; further ones get status 503 and a time to retry.")
    ] = 64,
    readers: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many files to read at one time, each in its own process; files that take over a second do not "
            "count.",
        ),
    ] = 4,
    connections: Connections = 500,
    per_address: PerAddress = 125,
    patience: Patience = 10,
    limit: Limit = None,
) -> None:
    """Annotate over HTTP: a page to drop reports on, and JSON for programs.

    `POST /annotate` takes a report as the body or in a form and returns a page (`?format=html`), JSON or JSON Lines;
    `/health` and `/metrics` show the service's state. It stores nothing and sends nothing anywhere. After SIGTERM or
    Ctrl+C it completes the requests in flight and ends.

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

    names = [*(name or ()), *([] if ":" in host else [host])]  # an IPv6 address is not a name, and needs none
    settings = Settings(
        limits(limit or (), SERVICE_LIMITS),
        seconds,
        max_requests,
        readers=readers,
        names=tuple(names),
        terms=Terms(connections, per_address, patience),
        secret=find_secret(secret_file),
    )
    with server.listen(host, port) as listening:  # find a taken port before loading the model
        annotator = Annotator.load(model)
        app = create_app(annotator, settings)
        url = server.address(listening)
        if not server.is_local(host):
            who = " and knows the secret" if settings.secret else ""
            complain(f"anyone who reaches this machine{who} can use the service, without encryption")
        server.run(app, listening, seconds, lambda: echo(f"pizhu serves at {url}"))
