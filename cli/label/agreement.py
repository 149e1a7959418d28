"""`pizhu label agreement`: how far annotators agree."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.labels import LabelSet
from ..display import Table, echo, show
from .options import Json, Labels, label_set

if TYPE_CHECKING:
    from ...labeling.agreement import Agreement, Figure


def agreement(
    files: Annotated[list[Path], typer.Argument(help="Answers, as `pizhu label pull` writes them.")],
    gold: Annotated[
        Path | None,
        typer.Option(help="Decided answers, as `pizhu label adjudicate --pull` writes them.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the full report, a page in Chinese.", show_default=False)
    ] = None,
    labels: Labels = None,
    as_json: Json = False,
) -> None:
    """Measure how far annotators agree: on each label, in each pair, over time, with and without proposals.

    Cohen's and Fleiss' kappa and Krippendorff's alpha come with 95% bootstrap intervals over reports. The page of
    --out adds heat maps, who drifts, who is too fast or follows wrong proposals, and the most contested sentences.
    """
    from ...base.files import write_text
    from ...labeling.agreement import agreement as measure
    from ...labeling.agreement import read_gold
    from ...labeling.agreement.page import page
    from ...labeling.studio.answers import read_answers

    chosen = label_set(labels)
    rows = [row for file in files for row in read_answers(file, chosen)]
    found = measure(rows, chosen, read_gold(gold, chosen) if gold else None)
    if out:
        names = "、".join(file.name for file in files)
        write_text(out, page(found, chosen, data=names, made=date.today()))
    if as_json:
        echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    show(agreement_table(found, chosen))
    if len(found.annotators) > 2:
        show(_pairs(found))
    if found.gold:
        show(_gold(found))
    if out:
        echo(f"the full report: {out}")


def agreement_table(found: Agreement, labels: LabelSet) -> Table:
    """The agreement on each label, as a table."""
    exact = found.exact.value or 0.0
    table = _table(
        f"{', '.join(found.annotators)}: {found.sentences} sentences answered by two or more, "
        f"{exact:.1%} exactly alike, {len(found.contested)} contested",
        "label",
        ("chosen", "agreement", "Cohen", "Fleiss", "Krippendorff"),
    )
    titles = {label.name: f"{label.name} {label.title}" for label in labels}
    for row in found.labels:
        share = "–" if row.agreement.value is None else f"{row.agreement.value:.1%}"
        figures = (_show(row.kappa), _show(row.fleiss), _show(row.alpha) + _between(row.alpha))
        table.add_row(titles[row.label], str(row.chosen), share, *figures)
    return table


def _pairs(found: Agreement) -> Table:
    table = _table("Cohen's kappa of each pair, mean over labels", "", found.annotators)
    kappas = {frozenset((pair.first, pair.second)): pair.kappa.value for pair in found.pairs}
    for one in found.annotators:
        values = (kappas.get(frozenset((one, other))) for other in found.annotators)
        table.add_row(one, *("–" if value is None else f"{value:.3f}" for value in values))
    return table


def _gold(found: Agreement) -> Table:
    columns = ("sentences", "exact", "kappa", *(f"{name} F1" for name in found.gold[0].labels))
    table = _table("against decided answers", "annotator", columns)
    for score in found.gold:
        figures = (score.exact, score.kappa, *(label.f1 for label in score.labels.values()))
        table.add_row(score.annotator, str(score.sentences), *map(_show, figures))
    return table


def _table(title: str, first: str, columns: Iterable[str]) -> Table:
    """An empty table for figures."""
    table = Table(title=title)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _show(figure: Figure) -> str:
    return "–" if figure.value is None else f"{figure.value:.3f}"


def _between(figure: Figure) -> str:
    return "" if figure.low is None else f" [{figure.low:.2f}, {figure.high:.2f}]"
