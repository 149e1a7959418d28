"""`pizhu label transfer`: import answers into another project, or back into one that lost them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Folder, Json, Labels, Title, TokenFile, Url, access, label_set


def transfer(
    answers: Annotated[Path, typer.Argument(help="Answers, as `pizhu label pull` writes them.")],
    project: Title = None,
    labels: Labels = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Import pulled answers into a project: on another server, or after sentences were deleted.

    All annotators' answers keep their times, lead times and skips, so that another pull writes the same records.
    Sentences that the project has stay as they are, so an interrupted transfer can be repeated. On the server that runs
    here, annotators without an account get one.
    """
    from ...labeling.server.server import running
    from ...labeling.studio.transfer import transfer as send

    there = access(folder, url, token_file)
    server = running(folder)
    open_accounts = server.accounts.ensure if server and server.url == there.url else None
    with shown() as progress:
        sent = send(
            there, answers, open_accounts=open_accounts, title=project, labels=label_set(labels), progress=progress
        )
    if as_json:
        echo(json.dumps(asdict(sent), ensure_ascii=False))
    else:
        echo(f"{sent.sent} sentences sent with {sent.answers} answers; {sent.present} were there")
