"""`pizhu label serve`, `status`, `stop`: the Label Studio on this machine."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..progress import shown
from .options import Folder, Json

if TYPE_CHECKING:
    from ...labeling.server import Server


def serve(
    folder: Folder = None,
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1 [default: a free one].")] = None,
    annotators: Annotated[
        Path | None, typer.Option(help="Who may log in: one a line, `name` or `name, email`.", show_default=False)
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(help="Virtual environment for Label Studio [default: PIZHU_LABEL_STUDIO_ENV, or user data]."),
    ] = None,
    install_only: Annotated[bool, typer.Option("--install-only", help="Install Label Studio and end.")] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay until Ctrl+C, then stop it.")] = False,
    as_json: Json = False,
) -> None:
    """Start Label Studio on this machine: SQLite, 127.0.0.1, no calls to the internet.

    The first start installs it into an environment of its own (1 GB, two minutes) and makes the database (1 to 2
    minutes). Repeat the command with a longer --annotators list to add people. Label Studio's open edition has no
    roles: whoever logs in can delete a project, so pull often.
    """
    from ...labeling import accounts
    from ...labeling import environment as environments
    from ...labeling import server as servers

    with shown() as progress:
        if install_only:
            command = environments.ensure_environment(environment, progress)
        else:
            people = accounts.read_people(annotators) if annotators else []
            server = servers.start(folder, environment=environment, port=port, annotators=people, progress=progress)
    if install_only:
        typer.echo(json.dumps({"command": str(command)}) if as_json else f"Label Studio is installed: {command}")
        return
    _print_server(server, as_json)
    if foreground:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            servers.wait(server)
        except KeyboardInterrupt:
            servers.stop(server.folder)


def status(folder: Folder = None, as_json: Json = False) -> None:
    """Tell whether Label Studio runs here, and where; the exit status is 1 when it does not."""
    from ...labeling import server as servers

    server = servers.running(folder)
    if server is not None:
        _print_server(server, as_json)
        return
    typer.echo(json.dumps({"running": False}) if as_json else "Label Studio does not run here.")
    raise typer.Exit(1)


def stop(folder: Folder = None) -> None:
    """Stop the Label Studio that runs here; its data stay."""
    from ...labeling import server as servers

    typer.echo("Stopped." if servers.stop(folder) else "Label Studio does not run here.")


def _print_server(server: Server, as_json: bool) -> None:
    from ...labeling.server import healthy

    accounts = server.accounts
    people = {account.name: account.email for account in accounts.annotators.values()}
    if as_json:
        facts: dict[str, Any] = {"running": True, "healthy": healthy(server.url), **asdict(replace(server, token=""))}
        del facts["token"], facts["started"]
        facts |= {"owner": accounts.owner.email, "annotators": people, "accounts": str(accounts.path)}
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(f"Label Studio runs at {server.url}" + ("" if healthy(server.url) else ", but does not answer"))
    typer.echo(f"  owner       {accounts.owner.email}")
    for name, email in people.items():
        typer.echo(f"  annotator   {name}  {email}")
    typer.echo(f"  passwords   {accounts.path} (only you can read it)")
    typer.echo(f"  data        {server.folder} (to back up: stop, then copy the folder)")
    typer.echo(f"  stop with   pizhu label stop --folder '{server.folder}'")
