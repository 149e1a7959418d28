"""`pizhu label backup`, `restore`: back up everything of a served Label Studio to one file, and restore it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Database, DatabasePasswordFile, Folder, Json


def backup(
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option(help="Where backups go [default: `backups` in the server's folder].")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep this many of this server's backups in --out; remove older ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write projects, answers, accounts, uploads and trained models to one file; Label Studio may be in use meanwhile.

    Run it on a schedule, for example by cron: `15 12,18 * * *  pizhu label backup --out /backups --keep 28`. The file
    is named by its time (UTC) and holds passwords: only you can read it. For a server with PostgreSQL, install
    PostgreSQL's client programs (pg_dump) here, of the server's version or later.
    """
    from ...labeling.server.backup import backup as back_up

    with shown() as progress:
        made = back_up(folder, out, keep=keep, progress=progress)
    if as_json:
        echo(json.dumps(asdict(made), ensure_ascii=False, default=str))
        return
    echo(f"{made.path}: {made.database}, {made.size / 1e6:.1f} MB (it holds passwords; only you can read it)")
    for path in made.removed:
        echo(f"removed {path}")
    again = " --database postgresql://user@host:port/empty" if made.database == "postgresql" else ""
    echo(f"restore with: pizhu label restore '{made.path}' --folder NEW{again}")


def restore(
    path: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `pizhu label backup` wrote.")],
    folder: Folder = None,
    database: Database = None,
    database_password_file: DatabasePasswordFile = None,
    as_json: Json = False,
) -> None:
    """Restore a backup to a new or empty folder; `pizhu label serve --folder` then has the same projects and accounts.

    Nothing is overwritten: the folder, and for a server with PostgreSQL the database given by --database, must be
    empty. Every part is checked against its checksum first.
    """
    from ...labeling.server.backup import restore as put_back
    from ...labeling.server.postgresql import find_postgresql

    with shown() as progress:
        place = put_back(path, folder, database=find_postgresql(database, database_password_file), progress=progress)
    echo(
        json.dumps({"folder": str(place)}, ensure_ascii=False)
        if as_json
        else f"Restored. Start it with: pizhu label serve --folder '{place}'"
    )
