"""`pizhu label connect` and `disconnect`: register a prediction service with the project, or remove it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from ..display import echo
from .options import Folder, Json, Title, TokenFile, Url, access
from .predict import PORT, SecretFile, describe, service_folder
from .proposals import describe_shown


def connect(
    address: Annotated[
        str, typer.Argument(help="Where Label Studio reaches the service that `pizhu label predict-serve` started.")
    ] = f"http://127.0.0.1:{PORT}",
    project: Title = None,
    events: Annotated[
        bool, typer.Option("--events", help="Notify it of annotations, which its --retrain-every counts.")
    ] = False,
    secret_file: SecretFile = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Register a prediction service with the project, or its new address; Label Studio checks it at once.

    Example: `pizhu label connect http://10.0.0.5:9090 --secret-file 口令`
    """
    from ...base.errors import LabelingError
    from ...base.private import read_private
    from ...labeling.backend.register import register
    from ...labeling.studio.task_types import TITLE

    title = project or TITLE
    path = secret_file or service_folder(folder) / "secret"
    if not path.exists():
        raise LabelingError(
            f"{path} does not exist; start the service here with `pizhu label predict-serve`, which creates it, or "
            "give --secret-file with a copy of the service's"
        )
    secret = read_private(path).strip()
    there = access(folder, url, token_file)
    found = register(there, address, secret, title, events=events)
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        echo(describe(found, there.url, title, address))


def disconnect(
    project: Title = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Remove the prediction service from the project, even if it is down: annotators see again what was pushed.

    Example: `pizhu label disconnect`
    """
    from ...labeling.backend.register import unregister
    from ...labeling.studio.task_types import TITLE

    title = project or TITLE
    there = access(folder, url, token_file)
    found = unregister(there, title)
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    services = " and ".join(found.addresses)
    what = f"the service at {services} was removed" if services else "no pizhu service is registered"
    echo(f"{title} at {there.url}: {what}")
    for line in describe_shown(found.shown):
        echo(line)
