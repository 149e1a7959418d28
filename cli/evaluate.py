"""``pizhu evaluate``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .display import echo, table

if TYPE_CHECKING:
    from ..base.interval import Interval
    from ..eval.evaluate import Evaluation


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(help="Model folder. Default: the one `pizhu annotate` uses, also if only DATA is given."),
    ] = None,
    data: Annotated[
        Path | None, typer.Argument(help="Labelled records (JSON Lines). Default: the shipped corpus' test split.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for evaluation.html and evaluation.json.")
    ] = None,
    training: Annotated[
        list[Path] | None,
        typer.Option(
            help="Labelled records to train the baselines on and to find similar sentences in; may be repeated. "
            "Default: the reports in DATA that the model was trained on, and the shipped corpus' training split if the "
            "model has its labels.",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[bool, typer.Option(help="Score baselines too.")] = True,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Skip what takes minutes: the baseline on a frozen encoder, the words that led to an error, and "
            "similar training sentences.",
        ),
    ] = False,
    errors: Annotated[int, typer.Option(min=0, help="How many of the worst errors to show in context.")] = 12,
    learning_curve: Annotated[
        bool,
        typer.Option("--learning-curve", help="Train the baselines on five sizes of the training data, three times."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Score a model on labelled reports that it has not seen.

    It leaves out the reports in DATA that the model was trained on, and those that chose its thresholds, and prints how
    many. So DATA may be the file that the model was trained with, of which `pizhu train` held back a fifth. If nothing
    else is left, it scores these validation reports and notes that the figures flatter the model.

    Prints precision, recall and F1 per label, macro-F1 and exact match, each with a 95% bootstrap interval over
    reports, and the same for baselines trained on --training, with the paired significance of the difference.

    With `--out` it writes a report in Chinese, one HTML page that opens offline, and its figures as JSON: precision
    against recall, calibration, confusion, review, slices, the worst errors. Without `--out` it skips what takes
    minutes, as with `--fast`.

    Example: `pizhu evaluate 模型 标注.jsonl --out 评测`
    """
    from datetime import date
    from functools import partial
    from importlib.metadata import version

    from ..base.errors import DataError
    from ..base.files import write_text
    from ..data.corpus.load import load_corpus
    from ..data.labels import DEFAULT_LABELS
    from ..data.rebuild import load_reports
    from ..eval.attribution import explainer
    from ..eval.evaluate import Depth
    from ..eval.evaluate import evaluate as run
    from ..eval.held_out import divide
    from ..eval.page import page
    from ..models.annotator import Annotator
    from ..models.paths import default_model
    from .progress import shown

    if out is not None and out.is_file():  # before minutes of work
        raise DataError(f"{out} is a file; choose a folder with --out")
    if data is None and model is not None and model.is_file():
        model, data = None, model
    annotator = Annotator.load(model)
    labels, origin = annotator.about.labels, annotator.about.origin
    shipped = labels.names == DEFAULT_LABELS.names  # the corpus has only these labels
    if data is None and not shipped:
        raise DataError(
            f"the model's labels are {', '.join(labels.names)}, which the shipped test reports do not have; "
            "give labelled records of reports it has not seen: pizhu evaluate MODEL DATA"
        )
    test = [] if data else load_corpus(split="test")
    held_out = load_reports(data, labels) if data else [c.report for c in test]
    if training:
        taught = [report for path in training for report in load_reports(path, labels)]
        teachers = [path.name for path in training]
    else:
        taught = [*divide(held_out, origin).learned]
        teachers = [data.name] if data and taught else []
        if shipped:
            taught += [c.report for c in load_corpus(split="train")]
            teachers.append("shipped corpus, training split")
    slow = out is not None and not fast
    with shown() as tell:
        found = run(
            annotator,
            held_out,
            taught,
            facts={c.report.doc: {"kind": c.kind, "level": c.level} for c in test},
            depth=Depth(baseline, slow, errors, learning_curve),
            explain=partial(explainer, model or default_model()) if slow else None,
            tell=tell,
        )
    made = date.today()
    body = {
        "made": made.isoformat(),
        "pizhu": version("pizhu"),
        "data": data.name if data else "shipped corpus, test split",
        "training_data": teachers,
        **found.as_dict(),
    }
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    if out is not None:
        where = data.name if data else "随附语料的测试集"
        html = page(found, model=model.resolve().name if model else "默认模型", data=where, made=made)
        write_text(out / "evaluation.json", text)
        write_text(out / "evaluation.html", html)
    for note in found.division.notes():
        echo(note, err=True)
    if as_json:
        echo(text, nl=False)
        return
    _print(found)
    for name, reason in found.left_out.items():
        echo(f"left out: {name}: {reason}", err=True)
    if out is not None:
        echo(out / "evaluation.html")
        echo(out / "evaluation.json")


def _print(found: Evaluation) -> None:

    scores = next(iter(found.systems.values()))
    rows = [
        [label, _show(s.precision), _show(s.recall), _show(s.f1), str(s.support)] for label, s in scores.labels.items()
    ]
    rows.append(["macro-F1", "", "", _show(scores.macro_f1), str(scores.sentences)])
    rows.append(["exact match", "", "", _show(scores.exact_match), str(scores.sentences)])
    table(f"model, {scores.reports} reports", ["label", "precision", "recall", "F1", "sentences"], rows)
    if found.comparisons:
        rows = []
        for name, ahead in found.comparisons.items():
            difference = ahead.macro_f1
            p = "" if difference.p is None else f"{difference.p:.4f}"
            gap = f"{difference.value:+.3f} [{difference.low:+.3f} {difference.high:+.3f}]"
            other = found.systems[name]
            rows.append([name, _show(other.macro_f1), _show(other.exact_match), gap, p])
        table("baselines", ["system", "macro-F1", "exact match", "the model's lead in macro-F1", "p"], rows)


def _show(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f} {interval.high:.3f}]"
