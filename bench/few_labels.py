"""A few labelled sentences a label: recipe `own` against SetFit's method and others: bench/few_labels.py

With 8, 16, 32, 64 labelled sentences a label and as many without any (drawn from the shipped training split; the other
sentences stay as unlabelled context), each way is trained with each seed and scored on all sentences of the test split.
Reports are divided into training and validation as `pizhu train` does it.

Ways are a recipe or a method, and what it starts from: the bundled encoder, or a model of other labels (`model`, below
`other`). `own` and `finetune` are the recipes; `setfit` is SetFit's method; `tfidf` the baseline of `pizhu evaluate`.

Task `four`: the project's four labels; `other` is a model of the tags below, made on the whole training split with
--recipe. Task `own`: four tags that a user might make up, which rules over the corpus give; `model` is one of the four
labels (--model, default: the shipped one). The rules, over sentence and headings: `money` an amount of 元 in the
sentence; `law` a heading on its path with 依法, 法治, 执法 or 规范; `life` one with 民生, 教育, 医疗, 卫生, 社保, 就业,
养老, 住房 or 惠民; `team` one with 党建, 队伍, 作风, 廉政 or 自身建设. Headings decide three of them, so every way is
also told the heading path: windows carry it, and SetFit reads it before the sentence (`setfit`); `setfit-alone` reads
the sentence without it.

Printed: macro-F1, mean and standard deviation over seeds. What was measured is kept in --out and not measured again.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from corpus_scores import agreeing, kept, score, spread
from pizhu.base.scores import macro_f1
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.report import Report, Sentence, labelled, normalise
from pizhu.models.baseline import TfidfBaseline
from pizhu.models.encoder import load_encoder
from pizhu.models.folder import load_model
from pizhu.models.places import SHIPPED
from pizhu.training.loop import train
from pizhu.training.recipe import load_recipe
from pizhu.training.sources import divide
from setfit import SetFit

OWN = LabelSet(
    (
        Label("money", "资金", "#009e73", "1"),
        Label("law", "法治", "#d55e00", "2"),
        Label("life", "民生", "#0072b2", "3"),
        Label("team", "队伍", "#cc79a7", "4"),
    )
)
TOPICS = {
    "law": re.compile("依法|法治|执法|规范"),
    "life": re.compile("民生|教育|医疗|卫生|社保|就业|养老|住房|惠民"),
    "team": re.compile("党建|队伍|作风|廉政|自身建设"),
}
MONEY = re.compile(r"\d[余多]?[万亿]{0,2}元")
WAYS = {
    "four": (("own", "bundled"), ("own", "other"), ("finetune", "other"), ("setfit", "bundled"),
             ("setfit-alone", "bundled"), ("tfidf", "-")),
    "own": (("own", "bundled"), ("own", "model"), ("finetune", "model"), ("setfit", "bundled"), ("setfit", "model"),
            ("setfit-alone", "bundled"), ("tfidf", "-")),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model trained on the four labels")
    parser.add_argument("--other", type=Path, help="one trained on the own tags; default: made in --out")
    parser.add_argument("--recipe", default="small", help="what --other is made with")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="for the recipes")
    parser.add_argument("--sizes", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--tasks", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--ways", nargs="*", help="e.g. own/bundled setfit/model; default: all")
    parser.add_argument("--pairs", type=int, default=6400, help="the most pairs that SetFit learns from")
    parser.add_argument("--out", type=Path, default=Path("out/few-labels"))
    args = parser.parse_args()
    corpus = {split: [c.report for c in load_corpus(split=split)] for split in ("train", "validation", "test")}
    tagged = {split: [own_tags(r) for r in reports] for split, reports in corpus.items()}
    other = args.other or args.out / "other"
    starts = {"bundled": "bundled", "model": str(args.model), "other": str(other), "-": "-"}
    print(f"{'task':<6} {'way':<13} {'start':<9}" + "".join(f"{size:>18}" for size in args.sizes))
    for task in args.tasks:
        data, labels = (corpus, DEFAULT_LABELS) if task == "four" else (tagged, OWN)
        for way, start in WAYS[task]:
            if args.ways and f"{way}/{start}" not in args.ways:
                continue
            if start == "other" and not other.is_dir():
                train(load_recipe(args.recipe), tagged["train"], tagged["validation"], other, labels=OWN)
            measure, settings = measuring(way, args)
            cells = []
            for size in args.sizes:
                scores = []
                for seed in args.seeds:
                    key = f"{task} {way} {starts[start]} {size} {seed} {settings}"
                    drawn = draw(data["train"], labels.names, size, seed)
                    run = partial(measure, drawn, data["test"], labels, starts[start], seed)
                    scores.append(kept(args.out / "found.jsonl", key, run)["macro_f1"])
                cells.append(f"{spread(scores):>18}")
            print(f"{task:<6} {way:<13} {start:<9}" + "".join(cells), flush=True)


def measuring(way: str, args: argparse.Namespace) -> tuple[Callable[..., dict[str, float]], str]:
    """What measures ``way``, and the settings that its result hangs on."""
    if way == "tfidf":
        return by_tfidf, ""
    if way.startswith("setfit"):
        return partial(by_setfit, pairs=args.pairs, headed=way == "setfit"), str(args.pairs)
    return partial(by_pizhu, recipe=way, extra=args.set, out=args.out), " ".join(args.set)


def by_pizhu(
    reports: Sequence[Report],
    test: Sequence[Report],
    labels: LabelSet,
    start: str,
    seed: int,
    *,
    recipe: str,
    extra: Sequence[str],
    out: Path,
) -> dict[str, float]:
    """``recipe`` from ``start``, as ``pizhu train`` runs it."""
    training, validation = divide(reports)
    lower = ["encoder.frozen_layers=3"] if recipe == "own" and start != "bundled" else []  # of six
    settings = load_recipe(recipe, [f"encoder.name={start}", f"training.seed={seed}", *lower, *extra])
    begun = time.monotonic()
    folder = train(settings, training, validation, out / "last", labels=labels)
    return {"macro_f1": score(folder, test), "minutes": (time.monotonic() - begun) / 60}


def by_setfit(
    reports: Sequence[Report],
    test: Sequence[Report],
    labels: LabelSet,
    start: str,
    seed: int,
    *,
    pairs: int,
    headed: bool,
) -> dict[str, float]:
    """SetFit's method on the encoder of ``start``."""
    if start == "bundled":
        found = load_encoder("bundled")
        encoder, tokenizer = found.model, found.tokenizer
    else:
        model, tokenizer, _ = load_model(start)
        encoder = model.encoder
    texts, truth = examples(reports, labels.names, headed)
    asked, right = examples(test, labels.names, headed)
    begun = time.monotonic()
    given = SetFit(encoder, tokenizer, most=pairs, seed=seed).fit(texts, truth).predict(asked)
    return {"macro_f1": macro_f1(right, given), "minutes": (time.monotonic() - begun) / 60}


def by_tfidf(reports: Sequence[Report], test: Sequence[Report], labels: LabelSet, *_: object) -> dict[str, float]:
    """Character n-grams of the sentence and of its context, which start from nothing and need no seed."""
    baseline = TfidfBaseline(labels.names).fit(reports)
    return {"macro_f1": agreeing(test, map(baseline.annotate, test), labels.names)}


def examples(reports: Sequence[Report], names: Sequence[str], headed: bool) -> tuple[list[str], np.ndarray]:
    """Texts of the labelled sentences, with their heading paths if ``headed``, and (texts, labels) what is right."""
    found = [s for r in reports for s in r.sentences if s.kind == "sentence" and s.labels is not None]
    texts = [normalise(" ".join([*s.headings, s.text]) if headed else s.text) for s in found]
    return texts, np.array([[name in (s.labels or ()) for name in names] for s in found])


def own_tags(report: Report) -> Report:
    """``report`` with the tags of task ``own`` in the place of its labels."""

    def tags(sentence: Sentence) -> list[str]:
        given = ["money"] if MONEY.search(sentence.text) else []
        return given + [name for name, words in TOPICS.items() if any(words.search(h) for h in sentence.headings)]

    return report.with_labels([tags(s) for s in report.sentences])


def draw(reports: Sequence[Report], names: Sequence[str], size: int, seed: int) -> list[Report]:
    """``size`` labelled sentences of each label and ``size`` without any, the rest unlabelled; other reports left out.

    The rarest label is drawn first, and a sentence counts for all labels that it has.
    """
    rng = random.Random(seed)
    pool = [
        (row, place, s.labels or ())
        for row, report in enumerate(reports)
        for place, s in enumerate(report.sentences)
        if s.kind == "sentence"
    ]
    rng.shuffle(pool)
    chosen: dict[tuple[int, int], Sequence[str]] = {}
    for name in sorted(names, key=lambda name: sum(name in given for _, _, given in pool)):
        have = sum(name in given for given in chosen.values())
        fresh = [p for p in pool if name in p[2] and p[:2] not in chosen]
        chosen |= {(row, place): given for row, place, given in fresh[: max(0, size - have)]}
    chosen |= {(row, place): () for row, place, given in [p for p in pool if not p[2]][:size]}
    return labelled(
        [
            report.with_labels([s.labels if (row, i) in chosen else None for i, s in enumerate(report.sentences)])
            for row, report in enumerate(reports)
        ]
    )


if __name__ == "__main__":
    main()
