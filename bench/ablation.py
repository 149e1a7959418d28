"""What each part of the classifier earns: bench/ablation.py [--gold GOLD.jsonl REPORTS SCORE.py] [--unlabelled FOLDER]

Trains the base and each variant of bench/ablated.py with each seed: a seed chooses --reports of the shipped training
reports, and all that is random in the training. Thresholds are chosen on the shipped validation split; scored are the
validation and test splits together and, with --gold, real reports from their raw text (see bench/gold.py), which are
never trained on. --unlabelled is needed by the variant `adapted` only: a folder of reports without labels.

Every run is a line of docs/ablation.jsonl (--found) as soon as it is done and is not run again. The table is printed at
the end; --table only prints it and writes it to docs/ablation.md. --distilled scores model folders, one a seed, for
that row. Several of these commands with other --variants may run at once. --out holds what is made on the way.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from ablated import VARIANTS, Kept, SortedClassifier, Variant
from adapt import STEPS, adapted, full_vocabulary
from corpus_scores import kept, spread
from gold import scores
from pizhu import Annotator
from pizhu.base.files import read_records, write_records, write_text
from pizhu.base.scores import macro_f1
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import read_report
from pizhu.data.report import Report
from pizhu.models.annotator import answered
from pizhu.models.classifier import ReportClassifier
from pizhu.models.device import half_precision
from pizhu.models.windows import ContextFormat, SpecialTokens, Windower, units
from pizhu.training.examples import Example
from pizhu.training.ranks import joined
from pizhu.training.recipe import Recipe, load_recipe
from pizhu.training.schedule import Schedule
from pizhu.training.start import Start, load_start
from pizhu.training.step import freeze, make_optimizer
from pizhu.training.validation import decide

NAMES = DEFAULT_LABELS.names
PAGE, FOUND = Path("docs/ablation.md"), Path("docs/ablation.jsonl")
BEGIN, END = "<!-- table: bench/ablation.py --table -->\n", "<!-- end of table -->\n"
DISTILLED = "6 layers distilled from 12 (`pizhu distil`)"
Floats = np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, nargs=3, metavar=("GOLD", "REPORTS", "SCORE"))
    parser.add_argument("--unlabelled", type=Path, help="a folder of reports")
    parser.add_argument("--variants", help="names, with commas between; default: all")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--reports", type=int, default=60, help="to train on")
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="for every run")
    parser.add_argument("--masked-steps", type=int, default=STEPS, help="of the masked-language-model training")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--distilled", type=Path, nargs="+", default=[], metavar="MODEL")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--found", type=Path, default=FOUND)
    parser.add_argument("--out", type=Path, default=Path("out/ablation"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    seeds = [int(seed) for seed in args.seeds.split(",")]
    chosen = args.variants.split(",") if args.variants else list(VARIANTS)
    if unknown := set(chosen) - set(VARIANTS):
        parser.error(f"there is no variant {min(unknown)}; there are {', '.join(VARIANTS)}")
    if not args.table:
        for seed, model in enumerate(args.distilled, 1):
            found(args, "distilled", seed, partial(score_model, args, model))
        for name in chosen:  # all seeds of a variant follow each other: what its frozen layers say is kept
            if VARIANTS[name].encoder == "adapted" and args.unlabelled is None:
                print("adapted: left out, it needs --unlabelled")
                continue
            for seed in seeds:
                found(args, name, seed, partial(run, args, VARIANTS[name], seed))
    rows = table(args, seeds)
    print(rows)
    if args.table:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        write_text(PAGE, f"{before}{BEGIN}\n{rows}\n{END}{rest.partition(END)[2]}")


def found(args: argparse.Namespace, name: str, seed: int, measure: Any) -> dict[str, float]:
    """What ``measure`` found for a variant and a seed, now or before."""
    return kept(args.found, key(args, name, seed), measure)


def key(args: argparse.Namespace, name: str, seed: int) -> str:
    """What a run is known by: another budget is another run."""
    return " ".join([name, str(seed), f"{args.reports}x{args.passes}", *args.set, *(["gold"] if args.gold else [])])


def run(args: argparse.Namespace, variant: Variant, seed: int) -> dict[str, float]:
    """Train and score one variant with one seed."""
    begun = time.monotonic(), time.process_time()
    encoders = {
        "bundled": lambda: "bundled",
        "full": lambda: full_vocabulary(args.out / "full"),
        "adapted": lambda: adapted(args.out / "adapted", args.unlabelled, VARIANTS["base"].layers, args.masked_steps),
    }
    settings = [f"encoder.name={encoders[variant.encoder]()}", "encoder.frozen_layers=3"]
    settings += [f"training.epochs={args.passes}", f"training.seed={seed}", *args.set, *variant.settings]
    recipe = load_recipe("default", settings)
    with patch("pizhu.training.start.ReportClassifier", SortedClassifier):
        start = load_start(recipe, NAMES, offline=True)
    layers = start.model.encoder.encoder.layer
    start.model.encoder.encoder.layer = torch.nn.ModuleList([layers[number - 1] for number in variant.layers])
    torch.manual_seed(seed)
    if variant.change:
        variant.change(start.model)
    everything = [c.report for c in load_corpus(split="train")]
    learned = [example(variant, recipe, start, r) for r in random.Random(seed).sample(everything, args.reports)]
    lower = train(variant, recipe, start, learned)
    trained = time.process_time()
    scored = judge(args, partial(answer, variant, recipe, start, lower))
    ended = time.monotonic(), time.process_time()
    spent = {"seconds": ended[0] - begun[0], "core": ended[1] - begun[1], "core_training": trained - begun[1]}
    return scored | {name: round(value, 1) for name, value in spent.items()}


def example(variant: Variant, recipe: Recipe, start: Start, report: Report) -> Example:
    """``report`` made ready, its windows by the variant's cut."""
    windower = Windower(start.tokenizer, recipe.context)
    found = Example.of(report, NAMES, windower, bare=False)

    def windows(context: ContextFormat) -> Any:
        parts = units(report, start.tokenizer, context)
        return variant.cut(report, parts, start.tokenizer, windower.special, context)

    bare = windows(replace(recipe.context, prefix=0)) if recipe.training.heading_dropout else []
    return replace(found, windows=windows(recipe.context), bare=bare)


def train(variant: Variant, recipe: Recipe, start: Start, learned: Sequence[Example]) -> Kept:
    """As ``pizhu.training.loop`` does it, without checkpoints; returns what the frozen layers said."""
    model, frozen = start.model, recipe.encoder.frozen_layers
    freeze(model, frozen)
    same = f"{start.fingerprint} {variant.layers[:frozen]} {variant.cut.__name__} {recipe.context}"
    lower = Kept(model, frozen, SpecialTokens.of(start.tokenizer).pad, same)
    model.eval()
    for one in learned:
        lower.warm(one)
    schedule = Schedule(len(learned), recipe.training)
    with joined("cpu") as ranks:
        stepper = variant.stepper(model, make_optimizer(model, recipe), lower, learned, schedule, ranks)
        for number in range(schedule.steps):
            stepper.step(number)
    model.eval()
    return lower


def answer(variant: Variant, recipe: Recipe, start: Start, lower: Kept, report: Report) -> Floats:
    """Logits (report.sentences, labels); zeros for furniture."""
    model: ReportClassifier = start.model
    asked = replace(example(variant, recipe, start, report), bare=[])
    lower.warm(asked)
    vectors, _ = lower.vectors(asked)
    with torch.no_grad(), half_precision(lower.device):
        logits = model.scores(vectors, asked.outline).float().numpy()
    result = np.zeros((len(report.sentences), len(NAMES)), dtype=np.float32)
    result[[part.index for part in units(report, start.tokenizer, recipe.context)]] = logits
    return result


def score_model(args: argparse.Namespace, model: Path) -> dict[str, float]:
    """The same figures of a model folder, its thresholds chosen anew as those of the others."""
    return judge(args, Annotator.load(model, device="cpu").logits)


def judge(args: argparse.Namespace, ask: Any) -> dict[str, float]:
    """Macro-F1 on the corpus' validation and test splits, and on real reports, of ``ask``, which gives logits."""
    splits = {split: [c.report for c in load_corpus(split=split)] for split in ("validation", "test")}
    logits, truth = {}, {}
    for split, reports in splits.items():
        logits[split] = np.concatenate([ask(r)[[s.kind == "sentence" for s in r.sentences]] for r in reports])
        right = [s.labels or () for r in reports for s in r.sentences if s.kind == "sentence"]
        truth[split] = np.array([[name in labels for name in NAMES] for labels in right])
    decision = decide(logits["validation"], truth["validation"])
    given = decision.choose(decision.probabilities(np.concatenate(list(logits.values()))))
    result = {"corpus": macro_f1(np.concatenate(list(truth.values())), given)}
    if args.gold:
        path, folder, script = args.gold
        gold = list(read_records(path))
        with tempfile.TemporaryDirectory() as out:
            for report in real(folder, frozenset(record["doc"] for record in gold)):
                labelled = answered(report, NAMES, decision, ask(report))
                write_records(Path(out) / f"{Path(report.doc).stem}.jsonl", labelled.records())
            result["real"] = scores(script, gold, Path(out))["macro_f1"]
    return {name: round(value, 5) for name, value in result.items()}


@cache
def real(folder: Path, docs: frozenset[str]) -> list[Report]:
    """The reports in ``folder`` that are called as one of ``docs``."""
    return [read_report(path) for path in sorted(folder.rglob("*")) if path.name in docs]


def table(args: argparse.Namespace, seeds: Sequence[int]) -> str:
    """Markdown: macro-F1 in points, mean ± standard deviation over seeds, and the paired difference to the base."""
    path = args.found
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    known = {row["key"]: row for row in map(json.loads, lines)}

    def of(name: str) -> dict[int, dict[str, float]]:
        return {seed: known[key(args, name, seed)] for seed in seeds if key(args, name, seed) in known}

    base = of("base")
    columns = ["corpus", *(["real"] if args.gold else [])]
    titles = {"corpus": "corpus", "real": "real reports"}
    rows = [
        f"| variant | {' | '.join(f'{titles[c]} | to base' for c in columns)} |",
        "|---" * (1 + 2 * len(columns)) + "|",
    ]
    for name, says in [*((n, v.says) for n, v in VARIANTS.items()), ("distilled", DISTILLED)]:
        measured, cells = of(name), []
        for column in columns:
            cells.append(spread([100 * row[column] for row in measured.values()], 1) if measured else "…")
            apart = [100 * (row[column] - base[seed][column]) for seed, row in measured.items() if seed in base]
            cells.append("" if name == "base" else difference(apart) if apart else "…")
        rows.append(f"| {says} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def difference(apart: Sequence[float]) -> str:
    """Mean of paired differences and its standard error."""
    error = f" ± {statistics.stdev(apart) / math.sqrt(len(apart)):.1f}" if len(apart) > 1 else ""
    return f"{statistics.mean(apart):+.1f}{error}"


if __name__ == "__main__":
    main()
