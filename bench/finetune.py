"""Recipe `finetune` against plain training on the same new sentences: bench/finetune.py [--start MODEL]

The script trains a start model on one half of the shipped training reports, or takes --start and leaves out the reports
that it was trained on. The newly labelled reports, about --sentences sentences in all, come from the other half. Each
method trains on them with each seed, and is scored on the shipped test split:

- `finetune`: the recipe, from the start model, with the changes of --finetune-set (encoder.frozen_layers=3, …).
- `plain`: the --recipe from the start model, with no frozen layer and all epochs.
- `anew`: the --recipe from the bundled encoder, on the old half and the new sentences together.

Prints minutes and macro-F1 as mean and standard deviation over seeds, and each method's ratio to `plain`. Results are
kept in --out and not measured again; remove the folder to start over. Timings are valid only on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pizhu import Annotator
from pizhu.base.scores import macro_f1
from pizhu.data.corpus.load import load_corpus
from pizhu.data.report import Report
from pizhu.models.folder import load_about
from pizhu.training.loop import train
from pizhu.training.recipe import load_recipe

WAYS = ("plain", "finetune", "anew")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, help="a model folder; default: one trained here on half of the corpus")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="for all methods")
    parser.add_argument("--finetune-set", action="append", default=[], metavar="FIELD=VALUE", help="for finetune only")
    parser.add_argument("--recipe", default="default", help="the plain recipe")
    parser.add_argument("--out", type=Path, default=Path("out/finetune"))
    args = parser.parse_args()
    reports = [c.report for c in load_corpus(split="train")]
    validation = [c.report for c in load_corpus(split="validation")]
    test = [c.report for c in load_corpus(split="test")]
    if args.start is None:
        start, old = args.out / "start", reports[::2]
        if not start.is_dir():
            train(load_recipe(args.recipe, args.set), old, validation, start)
    else:
        start = args.start
        seen = set(load_about(start).origin["data"]["training"])
        old = [r for r in reports if r.doc in seen]
    new = take([r for r in reports if r.doc not in {o.doc for o in old}], args.sentences)
    if not new:
        raise SystemExit(f"{start} was trained on all training reports; leave --start out, and one is made of half")
    print(f"{len(new)} new reports, {sum(map(sentences, new))} sentences; start {score(start, test):.3f}", flush=True)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in args.ways}
    for seed in args.seeds:
        for way in args.ways:

            def measure(way: str = way, seed: int = seed) -> dict[str, float]:
                extra = {
                    "finetune": [f"encoder.name={start}", *args.finetune_set],
                    "plain": [f"encoder.name={start}", "encoder.frozen_layers=0"],
                    "anew": [],
                }[way]
                recipe = load_recipe(
                    "finetune" if way == "finetune" else args.recipe, [f"training.seed={seed}", *args.set, *extra]
                )
                folder = args.out / f"{way}-{seed}"
                begun = time.monotonic()
                train(recipe, [*old, *new] if way == "anew" else new, validation, folder)
                return {"minutes": (time.monotonic() - begun) / 60, "macro_f1": score(folder, test)}

            settings = " ".join([*args.set, *(args.finetune_set if way == "finetune" else ())])
            found[way].append(kept(args.out / "found.jsonl", f"{way} {seed} {len(new)} {settings}", measure))
    print(f"{'way':<10} {'minutes':>16} {'macro-F1':>16} {'time ratio':>12} {'F1 ratio':>10}")
    for way, rows in found.items():
        columns = {name: [row[name] for row in rows] for name in ("minutes", "macro_f1")}
        ratios = [
            statistics.mean(values) / statistics.mean([row[name] for row in found["plain"]]) if "plain" in found else 1
            for name, values in columns.items()
        ]
        times = spread(columns["minutes"], 2)
        print(f"{way:<10} {times:>16} {spread(columns['macro_f1']):>16} {ratios[0]:>12.2f} {ratios[1]:>10.3f}")


def sentences(report: Report) -> int:
    return sum(s.kind == "sentence" for s in report.sentences)


def take(reports: Sequence[Report], count: int) -> list[Report]:
    """The first reports that together have ``count`` sentences."""
    taken: list[Report] = []
    for report in reports:
        if sum(map(sentences, taken)) >= count:
            break
        taken.append(report)
    return taken


def score(folder: Path, reports: Sequence[Report]) -> float:
    """Macro-F1 of a model on the labelled sentences of ``reports``."""
    annotator = Annotator.load(folder)
    names = annotator.about.labels.names
    given, truth = [], []
    for report, answer in zip(reports, annotator.annotate_many(reports), strict=True):
        for right, found in zip(report.sentences, answer.sentences, strict=True):
            if right.kind == "sentence" and right.labels is not None:
                truth.append([name in right.labels for name in names])
                given.append([name in (found.labels or ()) for name in names])
    return macro_f1(np.asarray(truth), np.asarray(given))


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Mean and standard deviation over seeds."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.{digits}f} ± {deviation:.{digits}f}"


def kept(path: Path, key: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The result of ``measure``, cached under ``key`` in the JSON Lines file ``path``."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            if row.pop("key") == key:
                return row
    found = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, **found}, ensure_ascii=False) + "\n")
    print(json.dumps({"measured": key, **found}, ensure_ascii=False), flush=True)
    return found


if __name__ == "__main__":
    main()
