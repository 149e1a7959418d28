"""``pizhu evaluate``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..eval.metrics import Interval


def evaluate(
    model: Annotated[Path | None, typer.Argument(help="Model folder. Default: the one `pizhu annotate` uses.")] = None,
    data: Annotated[
        Path | None, typer.Argument(help="Labelled records (JSON Lines). Default: the shipped corpus' test split.")
    ] = None,
    baseline: Annotated[
        bool, typer.Option(help="Also train the TF-IDF baseline on the shipped corpus and score it.")
    ] = True,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for evaluation.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Score a model on labelled reports that it has not seen.

    Prints precision, recall and F1 a label, macro-F1 and exact match, each with a 95% bootstrap interval over reports,
    and beside them a TF-IDF + logistic regression baseline trained on the same split.

    Example: `pizhu evaluate 模型 标注.jsonl --out 评测`
    """
    from ..data.corpus import load_corpus
    from ..data.files import write_text
    from ..data.labels import DEFAULT_LABELS
    from ..data.records import load_reports
    from ..eval.evaluate import evaluate as run
    from ..models.annotator import Annotator
    from .display import table
    from .progress import shown

    annotator = Annotator.load(model)
    labels = annotator.about.labels
    held_out = load_reports(data, labels) if data else [c.report for c in load_corpus(split="test")]
    # The shipped corpus can teach the baseline its own labels only.
    comparable = labels.names == DEFAULT_LABELS.names
    training = [c.report for c in load_corpus(split="train")] if baseline and comparable else []
    with shown() as tell:
        result = run(annotator, held_out, training, lambda done: tell("Evaluating", done, len(held_out)))
    body = json.dumps(result.as_dict(), ensure_ascii=False, indent=2) + "\n"
    if out is not None:
        write_text(out / "evaluation.json", body)
    if as_json:
        typer.echo(body, nl=False)
        return
    for name, scores in result.systems.items():
        rows = [
            [label, _show(s.precision), _show(s.recall), _show(s.f1), str(s.support)]
            for label, s in scores.labels.items()
        ]
        rows.append(["macro-F1", "", "", _show(scores.macro_f1), str(scores.sentences)])
        rows.append(["exact match", "", "", _show(scores.exact_match), str(scores.sentences)])
        table(f"{name}, {scores.reports} reports", ["label", "precision", "recall", "F1", "sentences"], rows)
    if out is not None:
        typer.echo(out / "evaluation.json")


def _show(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f} {interval.high:.3f}]"
