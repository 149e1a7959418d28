"""`pizhu label serve`, `status`, `stop`: the Label Studio on this machine."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..display import complain, echo
from ..progress import shown
from .options import Database, DatabasePasswordFile, Folder, Json

if TYPE_CHECKING:
    from ...labeling.server.server import Server

_OTHER_DATABASE = " --database postgresql://user@host:port/empty"


def serve(
    folder: Folder = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address of this machine to listen on; 0.0.0.0 for all [default: 127.0.0.1, this machine only]."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: a free one].")] = None,
    public_url: Annotated[
        str | None,
        typer.Option(help="The address that users type, behind a proxy or container: https://label.office.example"),
    ] = None,
    database: Database = None,
    database_password_file: DatabasePasswordFile = None,
    annotators: Annotated[
        Path | None,
        typer.Option(
            help="File of those who may log in, one on each line: `name` or `name, email`.", show_default=False
        ),
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(help="Virtual environment for Label Studio [default: PIZHU_LABEL_STUDIO_ENV, or user data]."),
    ] = None,
    install_only: Annotated[bool, typer.Option("--install-only", help="Install Label Studio and exit.")] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Wait for Ctrl+C, then stop it.")] = False,
    as_json: Json = False,
) -> None:
    """Start Label Studio on this machine, by default for this machine only; it makes no calls to the internet.

    The first start installs it into its own environment (1 GB, two minutes) and creates the database (1 to 2 minutes):
    SQLite, or PostgreSQL with --database, which later starts remember. To add people, repeat the command with a longer
    --annotators list. Label Studio's open edition has no roles: anyone who logs in can delete a project, so back up on
    a schedule (`pizhu label backup --keep 14`) and pull often.
    """
    from ...base.extras import require

    require("Label Studio", "label")  # before a gigabyte is installed
    from ...labeling.server import accounts, venv
    from ...labeling.server import server as servers
    from ...labeling.server.postgresql import find_postgresql

    with shown() as progress:
        if install_only:
            command = venv.ensure_environment(environment, progress)
        else:
            people = accounts.read_people(annotators) if annotators else []
            server = servers.start(
                folder,
                environment=environment,
                host=host,
                port=port,
                public_url=public_url,
                database=find_postgresql(database, database_password_file),
                annotators=people,
                progress=progress,
            )
    if install_only:
        echo(json.dumps({"command": str(command)}) if as_json else f"Label Studio is installed: {command}")
        return
    _print_server(server, as_json)
    if foreground:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            servers.wait(server)
        except KeyboardInterrupt:
            servers.stop(server.folder)


def status(folder: Folder = None, as_json: Json = False) -> None:
    """Show whether Label Studio runs here, and where; the exit status is 1 if it does not."""
    from ...labeling.server import server as servers

    server = servers.running(folder)
    if server is not None:
        _print_server(server, as_json)
        return
    echo(json.dumps({"running": False}) if as_json else "Label Studio does not run here.")
    raise typer.Exit(1)


def stop(folder: Folder = None) -> None:
    """Stop the Label Studio that runs here; its data stay."""
    from ...labeling.server import server as servers

    echo("Stopped." if servers.stop(folder) else "Label Studio does not run here.")


def _print_server(server: Server, as_json: bool) -> None:
    from ...labeling.server.server import healthy

    accounts, database = server.accounts, server.database
    people = {account.name: account.email for account in accounts.annotators.values()}
    if as_json:
        facts: dict[str, Any] = {"running": True, "healthy": healthy(server.url), **asdict(replace(server, token=""))}
        del facts["token"]
        facts |= {"owner": accounts.owner.email, "annotators": people, "accounts": str(accounts.path)}
        echo(json.dumps(facts | {"database": database.address}, ensure_ascii=False))
    else:
        here = f"--folder '{server.folder}'"
        echo(f"Label Studio runs at {server.url}" + ("" if healthy(server.url) else ", but does not answer"))
        if server.shared:
            echo(f"  for others  {server.shared}")
        echo(f"  owner       {accounts.owner.email}")
        for name, email in people.items():
            echo(f"  annotator   {name}  {email}")
        echo(f"  passwords   {accounts.path} (only you can read it)")
        echo(f"  data        {server.folder}")
        echo(f"  database    {database.address}")
        echo(f"  back up     pizhu label backup {here}")
        echo("  restore     pizhu label restore BACKUP --folder NEW" + _OTHER_DATABASE * (database.kind != "sqlite"))
        echo(f"  stop with   pizhu label stop {here}")
    if server.shared:
        complain(
            "anyone who reaches this address sees the log-in page, passwords and answers are sent unencrypted over"
            " HTTP, and there are no roles: anyone who logs in can delete a project. Use it in a trusted network only,"
            " and back up on a schedule."
        )
