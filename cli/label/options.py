"""Options that the commands of `pizhu label` share, and the objects made from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.labels import DEFAULT_LABELS, LabelSet
from ..display import complain

if TYPE_CHECKING:
    from ...labeling.studio.access import Access
    from ...labeling.studio.task_types import TaskKind

Folder = Annotated[Path | None, typer.Option(help="The server's data [default: among the user's data].")]
Database = Annotated[
    str | None,
    typer.Option(help="postgresql://user@host:port/name [default: SQLite, or what the folder remembers]."),
]
DatabasePasswordFile = Annotated[
    Path | None,
    typer.Option(help="File of mode 600 with the database's password [default: PIZHU_LABEL_DATABASE_PASSWORD]."),
]
Title = Annotated[
    str | None, typer.Option("--project", help="The project's title in Label Studio [default: the task's own].")
]
Task = Annotated[
    str, typer.Option("--task", help="sentences: labels for each sentence; spans: indicator, value and unit in it.")
]
Url = Annotated[str | None, typer.Option(help="Label Studio's address [default: the one served here].")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        help="File of mode 600 with a token [default: PIZHU_LABEL_STUDIO_TOKEN, or the owner's if served here]."
    ),
]
Labels = Annotated[Path | None, typer.Option("--labels", help="TOML file of a label set of your own.")]
OverwriteConfig = Annotated[
    bool, typer.Option("--overwrite-config", help="Replace a configuration that was changed by hand.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def access(folder: Path | None, url: str | None, token_file: Path | None) -> Access:
    from ...labeling.server.server import running
    from ...labeling.studio.access import find_access

    server = running(folder)
    return find_access(url, token_file, server.access if server else None)


def label_set(path: Path | None) -> LabelSet:
    return LabelSet.load(path) if path else DEFAULT_LABELS


def kind_and_labels(task: str, path: Path | None) -> tuple[TaskKind, LabelSet]:
    from ...labeling.studio.task_types import kind_of

    kind = kind_of(task)
    return kind, LabelSet.load(path) if path else kind.labels


def with_folders(paths: Iterable[Path]) -> list[Path]:
    """``paths``, with each folder replaced by the reports in it, or by its files of records if it has no reports."""
    from ...annotate.inputs.find import Folder, is_run
    from ...annotate.run.tables import records_in
    from ...base.errors import ReadError

    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        reports = [] if is_run(path) else [item.place for item in Folder(path)]
        if not (inside := reports or list(records_in(path))):
            raise ReadError(f"folder {path} holds neither reports nor records of reports (.jsonl)")
        found += inside
    return found


def fail_on(problems: tuple[str, ...]) -> None:
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(1)
