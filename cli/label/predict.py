"""`pizhu label predict-serve`: propose labels while people label, and train a better model on their answers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import complain, echo
from ..options import Connections, Model, Patience, PerAddress
from .options import Folder, Labels, Title, TokenFile, Url, access, label_set

if TYPE_CHECKING:
    from ...labeling.backend.register import Registered

SecretFile = Annotated[
    Path | None,
    typer.Option(help="Private file of the service's secret, created if missing [default: FOLDER/predict/secret]."),
]
PORT = 9090


def predict_serve(
    model: Model = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = PORT,
    project: Title = None,
    labels: Labels = None,
    connect: Annotated[bool, typer.Option("--connect", help="Register the service with the project.")] = False,
    address: Annotated[
        str | None, typer.Option(help="Where Label Studio reaches the service [default: where it listens].")
    ] = None,
    recipe: Annotated[str, typer.Option(help="How to train: see `pizhu train`.")] = "finetune",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One field of the recipe; may be repeated.", show_default=False)
    ] = None,
    corpus: Annotated[
        bool, typer.Option(help="Also train on the shipped corpus and evaluate on its validation split.")
    ] = True,
    body_mb: Annotated[int, typer.Option(min=1, help="The largest request body, in MB.")] = 16,
    connections: Connections = 500,
    per_address: PerAddress = 125,
    patience: Patience = 10,
    retrain_every: Annotated[
        int, typer.Option(min=0, help="Start a training after this many annotations; 0: only on request.")
    ] = 0,
    secret_file: SecretFile = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Propose labels in Label Studio while people label; train on their answers on request.

    Annotators who open a sentence see the model's labels for it, made in the context of the whole report. The button in
    Label Studio (project settings, Model), the button on the service's page or --retrain-every starts a training. It
    runs in the background; the new model is used only if its macro-F1 is higher than the present one's on the same
    validation reports. Open the service's address in a browser to see the progress (user `pizhu`, the secret as
    password). Models, state and secret are in FOLDER/predict.

    Example: `pizhu label predict-serve --connect`, then label.
    """
    from ...base.extras import require

    require("the prediction service", "serve", "label")
    from ...base import serving as server
    from ...base.terms import Terms
    from ...labeling.backend.register import register
    from ...labeling.backend.secret import ensure_secret
    from ...labeling.backend.service import keep_trying, opened
    from ...labeling.backend.trainer import Plan
    from ...labeling.studio.task_types import TITLE
    from ...models.paths import default_model

    home = service_folder(folder)
    secret = ensure_secret(secret_file or home / "secret")
    title = project or TITLE
    plan = Plan(
        title,
        label_set(labels),
        labels.absolute() if labels else None,
        recipe,
        tuple(settings or ()),
        corpus,
        retrain_every,
    )

    connected = threading.Event()
    start = (model or default_model()).absolute()
    with (
        server.listen(host, port) as listening,  # raises if the port is taken, before the model is loaded
        opened(
            home,
            start,
            plan,
            secret,
            lambda: access(folder, url, token_file),
            address=address,
            body_mb=body_mb,
            terms=Terms(connections, per_address, patience),
        ) as app,
    ):
        here = server.address(listening)
        if not server.is_local(host):
            complain("anyone who reaches this machine and knows the secret can use the service, unencrypted")
        if problem := app.state.predictor.problem:
            complain(problem)

        def attempt() -> None:
            there = access(folder, url, token_file)
            found = register(there, address or here, secret, title, events=retrain_every > 0)
            connected.set()
            echo(describe(found, there.url, title, address or here))

        def ready() -> None:
            echo(f"pizhu proposes labels at {here}")
            if connect:
                keep_trying(attempt, complain)

        server.run(app, listening, 100, ready)
        if connected.is_set():
            complain(
                "annotators see no proposals until the service runs again; to show what was pushed instead, run "
                "`pizhu label disconnect`"
            )


def service_folder(folder: Path | None) -> Path:
    """The service's folder, in the server's."""
    from ...labeling.server.server import default_folder

    return (folder or default_folder()).absolute() / "predict"


def describe(found: Registered, label_studio: str, project: str, address: str) -> str:
    """A registration, in words."""
    if found.created:
        what = "registered"
    elif found.moved_from:
        what = f"moved from {found.moved_from}"
    else:
        what = "was registered already"
    text = f"{project} at {label_studio}: the service at {address} {what}; its model is {found.version}"
    return text + ("; the project hides proposals (`pizhu label push --not-blind` shows them)" if found.hidden else "")
