"""``pizhu demo``: the whole loop on the samples that pizhu ships."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .display import echo, show, table
from .progress import shown

if TYPE_CHECKING:
    from ..labeling.server.server import Server

PROJECT = "批注演示"
ANNOTATORS = (("甲", None), ("乙", None))


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything the demo writes.")] = Path("out/demo"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave Label Studio running at the end.")] = False,
    recipe: Annotated[str, typer.Option(help="Training recipe.")] = "finetune",
) -> None:
    """Run the whole loop on sample reports: push, label, pull, agreement, train, evaluate, annotate.

    Starts a separate Label Studio, sends the sentences of two sample reports with the shipped model's proposals,
    submits two annotators' answers, pulls them back, measures agreement, fine-tunes the shipped model on the shipped
    corpus and the new labels, compares it with a TF-IDF baseline, and annotates a new report.
    """
    from ..base.extras import require

    require("the demonstration", "train", "label")
    from ..data.labels import DEFAULT_LABELS
    from ..labeling.agreement import agreement
    from ..labeling.server import server as servers
    from ..labeling.server.accounts import Accounts
    from ..labeling.studio.answers import read_answers
    from ..labeling.studio.pull import pull
    from ..labeling.studio.push import push
    from ..labeling.studio.submit import submit
    from .label.agreement import agreement_table

    times: dict[str, float] = {}
    samples = Path(__file__).parent.parent / "data" / "samples"

    with _step("1. Read the sample reports and let the shipped model propose labels", times):
        proposals = _propose(samples, out / "proposals")

    folder = out / "label-studio"
    with _step("2. Start Label Studio, push, submit two annotators' answers, pull", times):
        with shown() as tell:
            server = servers.start(folder, annotators=ANNOTATORS, progress=tell)
        try:
            tokens = {name: a.token for name, a in Accounts(folder / "accounts.json").annotators.items()}
            with shown() as tell:
                pushed = push(server.access, proposals, title=PROJECT, overlap=len(ANNOTATORS), progress=tell)
                echo(f"{pushed.sent} sentences sent, {pushed.present} were there, {pushed.proposals} proposals")
                submitted = submit(server.access, samples / "answers.jsonl", tokens, title=PROJECT, progress=tell)
                echo(f"{submitted.sent} answers submitted")
                pulled = pull(server.access, out / "answers.jsonl", title=PROJECT, progress=tell)
            echo(f"pulled {pulled.path}: " + ", ".join(f"{n} {state}" for state, n in sorted(pulled.states.items())))
        finally:
            if not keep:
                servers.stop(folder)

    with _step("3. Agreement of the annotators", times):
        show(agreement_table(agreement(read_answers(pulled.path, DEFAULT_LABELS), DEFAULT_LABELS), DEFAULT_LABELS))

    from . import annotate, evaluate, train

    model = out / "model"
    with _step("4. Fine-tune the shipped model on the corpus and on what was labelled", times):
        train.train(data=[pulled.path], recipe=recipe, out=model)
    with _step("5. Evaluate on held-out reports, beside the baseline", times):
        evaluate.evaluate(model, out=out, fast=True)
    with _step("6. Annotate a new report", times):
        annotate.annotate([str(samples / "new")], model=model, out=out / "annotated", fresh=True)

    _finish(out, times, server if keep else None)


def _propose(samples: Path, out: Path) -> list[Path]:
    """Write the records of the sample reports with the default model's labels."""
    from ..base.files import write_records
    from ..models.annotator import Annotator

    annotator = Annotator.load()
    paths = []
    for path in sorted(p for p in samples.iterdir() if p.suffix in (".txt", ".html")):
        target = out / f"{path.stem}.jsonl"
        records = annotator.annotate(path).records()
        count = write_records(target, ({**record, "model": "pizhu"} for record in records))
        echo(f"{path.name}: {count} records")
        paths.append(target)
    return paths


@contextmanager
def _step(title: str, times: dict[str, float]) -> Iterator[None]:
    echo(f"\n{title}", bold=True)
    begun = time.monotonic()
    yield
    times[title] = time.monotonic() - begun


def _finish(out: Path, times: dict[str, float], server: Server | None) -> None:
    from ..base.files import write_text

    table("time", ["step", "seconds"], [[title, f"{seconds:.0f}"] for title, seconds in times.items()])
    write_text(out / "times.json", json.dumps(times, ensure_ascii=False, indent=2) + "\n")
    echo("\nOpen these:")
    for path in (*sorted((out / "annotated").glob("*.html")), out / "answers.jsonl", out / "evaluation.html"):
        echo(f"  {path.resolve()}")
    if server is not None:
        echo(f"\nLabel Studio runs at {server.url}; who may log in: {out / 'label-studio' / 'accounts.json'}")
        echo(f"stop it with: pizhu label stop --folder {out / 'label-studio'}")
