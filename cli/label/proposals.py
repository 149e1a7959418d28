"""`pizhu label proposals`: whose proposals annotators see."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import echo
from .options import Folder, Json, Title, TokenFile, Url, access

if TYPE_CHECKING:
    from ...labeling.studio.shown import Shown


def proposals(
    show: Annotated[
        str | None,
        typer.Option(
            help="Show the proposals of this model version, or `pizhu` for the prediction service's.",
            show_default=False,
        ),
    ] = None,
    project: Title = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show which models' proposals the project has, for how many sentences, and whose annotators see; or change that.

    Label Studio shows the proposals of one model only. After a push it shows what was pushed, unless a prediction
    service is connected.
    """
    from ...labeling.studio.shown import choose
    from ...labeling.studio.task_types import TITLE

    found = choose(access(folder, url, token_file), project or TITLE, show)
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    for version, count in found.versions.items():
        echo(f"{version}: proposals for {count} sentences")
    for line in describe_shown(found):
        echo(line)


def describe_shown(found: Shown) -> list[str]:
    """What annotators see, in words."""
    lines = []
    if found.trouble:
        lines.append(trouble(found.trouble))
    elif found.live:
        lines.append(f"annotators see what the prediction service {found.by} proposes, not what was pushed")
    elif found.by:
        lines.append(f"annotators see the proposals of {found.by}")
    elif found.versions:
        lines.append(
            "annotators see no proposals; show some with `pizhu label proposals --show VERSION`, or, if the "
            "project hides them, with `pizhu label push --not-blind`"
        )
    else:
        lines.append("annotators see no proposals; `pizhu label push --model default` makes some")
    if found.hidden:
        lines.append(hidden(found.hidden))
    return lines


def trouble(why: str) -> str:
    """The message for a prediction service that proposes nothing."""
    return (
        f"annotators see no proposals: {why}; start a service that fits, or show what was pushed with "
        "`pizhu label disconnect`"
    )


def hidden(count: int) -> str:
    """The message for sentences that have only other models' proposals."""
    return (
        f"{count} sentences that are still open have proposals of other models only, which nobody sees now; add "
        "this model's with `pizhu label push --model MODEL`, or choose whose to show with `pizhu label proposals`"
    )
