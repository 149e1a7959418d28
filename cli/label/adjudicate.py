"""`pizhu label adjudicate`: send contested sentences to an adjudicator, or fetch gold answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..display import echo
from ..progress import shown
from .options import Folder, Json, Labels, OverwriteConfig, Title, TokenFile, Url, access, label_set


def adjudicate(
    files: Annotated[list[Path], typer.Argument(help="Answers, as `pizhu label pull` writes them.")],
    pull: Annotated[
        Path | None,
        typer.Option(help="Fetch the decisions and write gold answers to this .jsonl file.", show_default=False),
    ] = None,
    project: Title = None,
    labels: Labels = None,
    overlap: Annotated[
        int | None, typer.Option(min=1, help="Adjudicators per sentence [default: as it is; 1 when new].")
    ] = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--not-blind", help="Hide the consensus of three or more annotators.", show_default=False),
    ] = None,
    overwrite_config: OverwriteConfig = False,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Send the sentences that annotators disagree on to a second project, or (--pull) fetch the gold answers.

    The adjudicator sees the answers without names and gives a reason. Repeat the command as answers come in: sentences
    already sent are not sent again. Gold answers hold what annotators agreed on and what was adjudicated, by whom and
    why. Train on them with `pizhu train --data GOLD.jsonl`; score annotators with
    `pizhu label agreement --gold GOLD.jsonl`.
    """
    from ...base.errors import ConfigError
    from ...labeling.adjudication import adjudication_title, pull_gold, push_contested
    from ...labeling.studio.answers import read_answers
    from ...labeling.studio.task_types import TITLE

    if pull is not None and (overlap is not None or blind is not None or overwrite_config):
        raise ConfigError("--overlap, --blind and --overwrite-config do not apply to --pull")
    title = project or TITLE
    chosen = label_set(labels)
    there = access(folder, url, token_file)
    rows = [row for file in files for row in read_answers(file, chosen)]
    if pull is not None:
        gold = pull_gold(there, rows, pull, title=title, labels=chosen)
        if as_json:
            echo(json.dumps(asdict(gold), ensure_ascii=False, default=str))
        else:
            echo(f"{gold.path}: " + ", ".join(f"{count} {how}" for how, count in sorted(gold.decided.items())))
            if gold.kept:
                echo(f"the earlier file is kept as {gold.kept}")
        return
    with shown() as progress:
        pushed = push_contested(
            there,
            rows,
            title=title,
            labels=chosen,
            overlap=overlap,
            blind=blind,
            overwrite_config=overwrite_config,
            progress=progress,
        )
    if as_json:
        echo(json.dumps(asdict(pushed), ensure_ascii=False))
    else:
        echo(f"{pushed.sent} contested sentences sent, {pushed.present} were there, {pushed.proposals} proposals sent")
        echo(f"adjudicate them in {adjudication_title(title)}: {pushed.url}")
