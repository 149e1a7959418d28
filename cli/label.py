"""`pizhu label`: the labelling loop with Label Studio."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..data.labels import DEFAULT_LABELS, LabelSet
from .progress import shown

if TYPE_CHECKING:
    from ..labeling.access import Access
    from ..labeling.agreement import Agreement
    from ..labeling.server import Server

app = typer.Typer(
    no_args_is_help=True,
    help="Label sentences in Label Studio: serve it, push sentences, pull answers, measure agreement.",
)

Folder = Annotated[Path | None, typer.Option(help="The server's data [default: among the user's data].")]
Title = Annotated[str, typer.Option("--project", help="The project's title in Label Studio.")]
Url = Annotated[str | None, typer.Option(help="Label Studio's address [default: the one served here].")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        help="File of mode 600 with a token [default: PIZHU_LABEL_STUDIO_TOKEN, or the owner's if served here]."
    ),
]
Labels = Annotated[Path | None, typer.Option("--labels", help="TOML file of a label set of your own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TITLE = "报告句子标注"


@app.command()
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
    from ..labeling import accounts
    from ..labeling import environment as environments
    from ..labeling import server as servers

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


@app.command()
def status(folder: Folder = None, as_json: Json = False) -> None:
    """Tell whether Label Studio runs here, and where; the exit status is 1 when it does not."""
    from ..labeling import server as servers

    server = servers.running(folder)
    if server is not None:
        _print_server(server, as_json)
        return
    typer.echo(json.dumps({"running": False}) if as_json else "Label Studio does not run here.")
    raise typer.Exit(1)


@app.command()
def stop(folder: Folder = None) -> None:
    """Stop the Label Studio that runs here; its data stay."""
    from ..labeling import server as servers

    typer.echo("Stopped." if servers.stop(folder) else "Label Studio does not run here.")


@app.command()
def push(
    inputs: Annotated[
        list[Path] | None, typer.Argument(help="Reports, or .jsonl files of sentence records.", show_default=False)
    ] = None,
    project: Title = TITLE,
    labels: Labels = None,
    overlap: Annotated[
        int | None, typer.Option(min=1, help="Annotators per sentence [default: as it is; 2 when new].")
    ] = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--not-blind", help="Hide pre-annotations from annotators.", show_default=False),
    ] = None,
    overwrite_config: Annotated[
        bool, typer.Option("--overwrite-config", help="Replace a configuration that was changed by hand.")
    ] = False,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Send sentences to be labelled; what is there already is not sent again, so an interrupted push is just repeated.

    Records with labels and scores, as `pizhu annotate` writes them, are shown to annotators as proposals. Without
    inputs the project is created or its configuration brought up to date.
    """
    from ..labeling.push import push as send

    access = _access(folder, url, token_file)
    with shown() as progress:
        pushed = send(
            access,
            inputs or [],
            title=project,
            labels=_labels(labels),
            overlap=overlap,
            blind=blind,
            overwrite_config=overwrite_config,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(asdict(pushed), ensure_ascii=False))
    else:
        typer.echo(f"{pushed.sent} sentences sent, {pushed.present} were there, {pushed.proposals} proposals sent")
        typer.echo(f"label them at {pushed.url}")
    _fail_on(pushed.problems)


@app.command()
def pull(
    output: Annotated[Path, typer.Argument(help="The .jsonl file to write.")],
    project: Title = TITLE,
    labels: Labels = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Fetch every sentence with every annotator's answer; an earlier, different file is kept beside."""
    from ..labeling.pull import pull as fetch

    access = _access(folder, url, token_file)
    with shown() as progress:
        pulled = fetch(access, output, title=project, labels=_labels(labels), progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(pulled), ensure_ascii=False, default=str))
    else:
        states = ", ".join(f"{count} {state}" for state, count in sorted(pulled.states.items())) or "no sentences"
        typer.echo(f"{pulled.path}: {states}")
        if pulled.answers:
            typer.echo("answers: " + ", ".join(f"{name} {count}" for name, count in pulled.answers.items()))
        if pulled.kept:
            typer.echo(f"the earlier file is kept as {pulled.kept}")
    _fail_on(pulled.problems)


@app.command()
def agreement(
    files: Annotated[list[Path], typer.Argument(help="Answers, as `pizhu label pull` writes them.")],
    labels: Labels = None,
    as_json: Json = False,
) -> None:
    """Measure how far annotators agree on each label: percentage, Cohen's kappa, Krippendorff's alpha."""
    from ..labeling.agreement import agreement as measure
    from ..labeling.answers import read_answers

    chosen = _labels(labels)
    found = measure([row for file in files for row in read_answers(file, chosen)], chosen)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        Console().print(agreement_table(found, chosen))


def agreement_table(found: Agreement, labels: LabelSet) -> Table:
    """Agreement for people to read."""
    table = Table(
        title=f"{', '.join(found.annotators)}: {found.sentences} sentences answered by two or more, "
        f"{found.exact:.1%} exactly alike, {len(found.contested)} contested"
    )
    table.add_column("label")
    for column in ("chosen", "agreement", "Cohen's kappa", "Krippendorff's alpha"):
        table.add_column(column, justify="right")
    titles = {label.name: f"{label.name} {label.title}" for label in labels}
    for row in found.labels:
        numbers = ["–" if value is None else f"{value:.3f}" for value in (row.kappa, row.alpha)]
        table.add_row(titles[row.label], str(row.chosen), f"{row.agreement:.1%}", *numbers)
    return table


def _access(folder: Path | None, url: str | None, token_file: Path | None) -> Access:
    from ..labeling.access import find_access
    from ..labeling.server import running

    server = running(folder)
    return find_access(url, token_file, server.access if server else None)


def _labels(path: Path | None) -> LabelSet:
    return LabelSet.load(path) if path else DEFAULT_LABELS


def _print_server(server: Server, as_json: bool) -> None:
    from ..labeling.server import healthy

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


def _fail_on(problems: tuple[str, ...]) -> None:
    for problem in problems:
        typer.echo(f"pizhu: {problem}", err=True)
    if problems:
        raise typer.Exit(1)
