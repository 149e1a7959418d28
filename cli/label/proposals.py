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
        typer.Option(help="Show this model version's, or those of the prediction service `pizhu`.", show_default=False),
    ] = None,
    project: Title = None,
    folder: Folder = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Tell whose proposals annotators see, of how many sentences, and whose else the project has; or change it.

    Of several models' proposals Label Studio shows one's. A push shows what it has sent, unless a prediction service is
    connected.
    """
    from ...labeling.studio.shown import choose
    from ...labeling.studio.task_types import TITLE

    found = choose(access(folder, url, token_file), project or TITLE, show)
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    for version, count in found.versions.items():
        echo(f"{version}: proposals for {count} sentences")
    for line in told_shown(found):
        echo(line)


def told_shown(found: Shown) -> list[str]:
    """What annotators see, in words."""
    told = []
    if found.trouble:
        told.append(trouble(found.trouble))
    elif found.live:
        told.append(f"annotators see what the prediction service {found.by} proposes, not what was pushed")
    elif found.by:
        told.append(f"annotators see the proposals of {found.by}")
    elif found.versions:
        told.append(
            "annotators see no proposals; show some with `pizhu label proposals --show VERSION`, or, where the "
            "project hides them, with `pizhu label push --not-blind`"
        )
    else:
        told.append("annotators see no proposals; `pizhu label push --model default` makes some for what is there")
    if found.hidden:
        told.append(hidden(found.hidden))
    return told


def trouble(why: str) -> str:
    """A prediction service that proposes nothing."""
    return (
        f"annotators see no proposals: {why}; start the service that fits, or show what was pushed with "
        "`pizhu label disconnect`"
    )


def hidden(count: int) -> str:
    """Sentences whose proposals are another model's."""
    return (
        f"{count} sentences that are still open have proposals of other models only, which nobody sees now; give them "
        "this model's with `pizhu label push --model MODEL`, or choose whose are shown with `pizhu label proposals`"
    )
