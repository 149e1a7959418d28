"""`pizhu label pull`: fetch answers from Label Studio."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Folder, Json, Labels, Task, Title, TokenFile, Url, access, fail_on, kind_and_labels

if TYPE_CHECKING:
    from ...data.labels import LabelSet
    from ...labeling.studio.pull import Pulled
    from ...labeling.studio.task_types import TaskKind


def pull(
    output: Annotated[Path, typer.Argument(help="The .jsonl file to write.")],
    project: Title = None,
    task: Task = "sentences",
    labels: Labels = None,
    full: Annotated[bool, typer.Option("--full", help="Fetch everything, not only what changed.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the pulls that found something new, and exit.")] = False,
    at: Annotated[
        datetime | None,
        typer.Option(help="Print the answers as of this local time (after the last pull before it), and exit."),
    ] = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Fetch every sentence with every annotator's answer; after the first time, only what changed.

    Nothing is ever lost: a folder beside the output keeps earlier states (--list, --at), and sentences that were
    deleted in Label Studio stay in the output, marked. Nothing is deleted in Label Studio.
    """
    kind, chosen = kind_and_labels(task, labels)
    if list_:
        _list(output, as_json)
    elif at:
        _at(output, at, kind, chosen)
    else:
        from ...labeling.studio.pull import pull as fetch

        there = access(folder, url, token_file)
        with shown() as progress:
            pulled = fetch(there, output, kind=kind, title=project, labels=chosen, full=full, progress=progress)
        if as_json:
            echo(json.dumps(asdict(pulled), ensure_ascii=False, default=str))
        else:
            where = {
                "--project": project,
                "--labels": labels,
                "--folder": folder,
                "--url": url,
                "--token-file": token_file,
            }
            words = [word for name, value in where.items() if value is not None for word in (name, str(value))]
            _print(pulled, kind, words)
        fail_on(pulled.problems)


def _print(pulled: Pulled, kind: TaskKind, where: list[str]) -> None:
    """Print the result; ``where`` holds the options that identify the project."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(pulled.states.items())) or "no sentences"
    echo(f"{pulled.path}: {states}")
    if pulled.answers:
        echo("answers: " + ", ".join(f"{name} {count}" for name, count in pulled.answers.items()))
    how = f"everything was fetched ({pulled.full})" if pulled.full else "only changes were fetched"
    echo(f"{pulled.changed} sentences are new or changed; {how}")
    if pulled.deleted:
        echo(f"{pulled.deleted} sentences were deleted in Label Studio; their answers are kept here, marked deleted")
        if kind.name == "sentences":
            back = ["pizhu", "label", "transfer", str(pulled.path), *where]
            echo(f"put them back with: {shlex.join(back)}")
        else:
            echo(f"answers of --task {kind.name} cannot be transferred back")
    if pulled.withdrawn:
        echo(f"{pulled.withdrawn} answers were deleted in Label Studio; earlier pulls hold them (--list, --at)")
    if pulled.kept:
        echo(f"the earlier file is kept as {pulled.kept}")


def _list(output: Path, as_json: bool) -> None:
    from ...labeling.studio.snapshots import Snapshots

    history = Snapshots(output).history()
    if as_json:
        echo(json.dumps([asdict(snapshot) for snapshot in history], ensure_ascii=False))
        return
    for snapshot in history:
        when = datetime.fromisoformat(snapshot.at).astimezone()
        what = "all" if snapshot.whole else "changed"
        echo(f"{when:%Y-%m-%d %H:%M:%S}  {snapshot.title}  {snapshot.rows} sentences ({what})")
    if not history:
        echo(f"Nothing was pulled to {output} yet.")


def _at(output: Path, at: datetime, kind: TaskKind, labels: LabelSet) -> None:
    from ...base.files import as_line
    from ...labeling.studio.pull import earlier

    for record in earlier(output, at.astimezone(), kind, labels):
        echo(as_line(record), nl=False)
