"""`pizhu label agreement`: how far annotators agree."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...data.labels import LabelSet
from .options import Json, Labels, label_set

if TYPE_CHECKING:
    from ...labeling.agreement import Agreement


def agreement(
    files: Annotated[list[Path], typer.Argument(help="Answers, as `pizhu label pull` writes them.")],
    labels: Labels = None,
    as_json: Json = False,
) -> None:
    """Measure how far annotators agree on each label: percentage, Cohen's kappa, Krippendorff's alpha."""
    from ...labeling.agreement import agreement as measure
    from ...labeling.answers import read_answers

    chosen = label_set(labels)
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
