"""`pizhu label`: the labelling loop with Label Studio, one file for each command."""

from __future__ import annotations

import typer

from . import (
    adjudicate,
    agreement,
    backup,
    config,
    connect,
    errors,
    next,
    predict,
    proposals,
    pull,
    push,
    rename,
    server,
    transfer,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Label sentences in Label Studio: serve it, push sentences, pull answers, measure agreement, adjudicate, "
    "choose what to label next, find wrong labels, propose labels.",
)
app.command("serve")(server.serve)
app.command("status")(server.status)
app.command("stop")(server.stop)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("push")(push.push)
app.command("config")(config.config)
app.command("rename")(rename.rename)
app.command("pull")(pull.pull)
app.command("transfer")(transfer.transfer)
app.command("agreement")(agreement.agreement)
app.command("adjudicate")(adjudicate.adjudicate)
app.command("next")(next.next_)
app.command("errors")(errors.errors)
app.command("predict-serve")(predict.predict_serve)
app.command("connect")(connect.connect)
app.command("disconnect")(connect.disconnect)
app.command("proposals")(proposals.proposals)
