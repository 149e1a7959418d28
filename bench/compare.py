"""How well `pizhu compare` links two reports: bench/compare.py [--model FOLDER] [--encoder SETTING] [--fit] [--errors]

Measured on the hand-linked pairs of data/pairs, separately for the development and the held-out pairs; thresholds and
weights were chosen on the development pairs. Without --model it compares the hand-given labels, which measures only the
linking; with --model it uses the model's labels, as for a user. For plans, shortcomings and repeated shortcomings:

- P@1: of those with a link, how often the highest-ranked sentence is linked, whatever its probability;
- precision: of those predicted to have a link, how often the first sentence shown is linked;
- recall: of those with a link, how many are shown with it;
- none: of those without a link, how many are predicted to have none.

Brackets: Wilson's 95% interval. Figures: pairs of figures found that are linked, and linked ones that are found.
--fit prints the rules that fit the development pairs, for analysis/compare/links.py.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import log, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pizhu import Annotator
from pizhu.analysis.compare.figures import Movement
from pizhu.analysis.compare.links import Comparison, Evidence, Rule, Rules, compare_reports
from pizhu.analysis.compare.place import Place
from pizhu.analysis.compare.similarity import Encodes, Weights
from pizhu.cli.display import table
from pizhu.models.sentence_encoder import SentenceEncoder
from pizhu.tests.support.pairs import PAIR_SPLITS, FigureLink, Pair, load_pairs

EVERYTHING = Rules(*[Rule(middle=-9, slope=1)] * 3)
"""A rule with which the nearest sentence is always shown; the logit of its probability gives the similarity."""


@dataclass
class Remembering:
    """An encoder with a cache: it encodes each sentence once."""

    encoder: Encodes
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.encoder.name

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known.update(zip(new, self.encoder.vectors(new), strict=True))
        return np.stack([self.known[text] for text in texts])


@dataclass
class Tagging:
    """A classifier's own vectors, which cost nothing extra: each sentence is encoded in the window of its report."""

    annotator: Annotator
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    name: str = "tagging"

    def read(self, pair: Pair) -> None:
        """Store the vectors of a pair's sentences."""
        self.known.clear()
        for report in (pair.earlier.report, pair.later.report):
            self.known.update(zip((s.text for s in report.sentences), self.annotator.vectors(report), strict=True))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.known[text] for text in texts])


Shown = dict[Place, tuple[str, Sequence[Evidence]]]
"""For each place: its status, and what was found for it, best first."""
Found = dict[Place, tuple[bool, Place | None, float]]
"""For each place: whether something is shown, the first of it, its probability."""


def found(comparison: Comparison) -> dict[str, Found]:
    """The results of a comparison, by question."""
    plans: Shown = {p.place: (p.status, p.evidence) for p in comparison.plans}
    answers: Shown = {s.place: (s.status, s.plans) for s in comparison.shortcomings}
    again: Shown = {s.place: ("answered" if s.again else "missing", s.again) for s in comparison.shortcomings}
    return {
        question: {
            place: (status in ("answered", "partly"), *((e[0].place, e[0].probability) if e else (None, 0.0)))
            for place, (status, e) in rows.items()
        }
        for question, rows in {"plan": plans, "shortcoming": answers, "again": again}.items()
    }


def wanted(pair: Pair) -> dict[str, dict[Place, set[Place]]]:
    """The hand-made links, by question; omits general sentences."""
    concrete = [link for link in pair.shortcomings if not link.general]
    return {
        "plan": {link.plan: set(link.answers) for link in pair.plans if link.status != "general"},
        "shortcoming": {link.shortcoming: set(link.plans) for link in concrete},
        "again": {link.shortcoming: set(link.again) for link in concrete if link.shortcoming.side == "earlier"},
    }


def measure(pair: Pair, shown: Comparison, ranked: Comparison, counts: Counter[str]) -> None:
    """Add one pair to ``counts``: the numbers of correct and of all cases, for each figure of each question."""
    answers, nearest = found(shown), found(ranked)
    for question, links in wanted(pair).items():
        for place, right in links.items():
            said, first, _ = answers[question].get(place, (False, None, 0.0))
            top = nearest[question].get(place, (False, None, 0.0))[1]
            good = said and first in right
            if right:
                tally(counts, f"{question} P@1", top in right)
                tally(counts, f"{question} recall", good)
            else:
                tally(counts, f"{question} none", not said)
            if said:
                tally(counts, f"{question} precision", good)
    statuses = {link.plan: link.status.replace("unanswered", "missing") for link in pair.plans}
    given = {plan.place: plan.status for plan in shown.plans}
    for place, status in statuses.items():
        tally(counts, "status", given.get(place) == status)
        counts[f"status {status} as {given.get(place)}"] += 1
    goals = [goal for plan in shown.plans for goal in plan.targets]
    kinds: tuple[tuple[str, Sequence[FigureLink], Sequence[Movement]], ...] = (
        ("figure", pair.figures, shown.figures),
        ("target", pair.targets, goals),
    )
    for what, figures, movements in kinds:
        got, gold = set(map(key, movements)), set(map(link_key, figures))
        counts.update({f"{what} precision": len(got & gold), f"{what} precision of": len(got)})
        counts.update({f"{what} recall": len(got & gold), f"{what} recall of": len(gold)})


def tally(counts: Counter[str], name: str, right: bool) -> None:
    """Count one more case, right or wrong."""
    counts[name] += right
    counts[f"{name} of"] += 1


def key(movement: Movement) -> tuple[object, ...]:
    return (
        movement.old.place,
        movement.old.quantity.text,
        movement.new.place,
        movement.new.quantity.text,
        movement.met,
    )


def link_key(link: FigureLink) -> tuple[object, ...]:
    return (link.old.place, link.old.text, link.new.place, link.new.text, link.met)


def share(counts: Counter[str], name: str) -> str:
    """``27/31 0.87 [0.71 0.95]`` with Wilson's interval."""
    right, total = counts[name], counts[f"{name} of"]
    if not total:
        return "-"
    p, z = right / total, 1.96
    middle, half = p + z * z / (2 * total), z * sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    low, high = ((middle + sign * half) / (1 + z * z / total) for sign in (-1, 1))
    return f"{right}/{total} {p:.2f} [{low:.2f} {high:.2f}]"


def logistic(similarities: Sequence[float], right: Sequence[bool]) -> Rule:
    """The maximum-likelihood rule, with a slope limited to about 40 by a weak prior."""
    x, y = np.asarray(similarities), np.asarray(right, dtype=float)
    best = (np.inf, Rule(0, 1))
    for middle in np.arange(0.02, 0.4, 0.005):
        for slope in range(6, 41, 2):
            z = slope * (x - middle)
            loss = float(np.logaddexp(0, np.where(y > 0, -z, z)).sum() + 0.02 * slope)
            best = min(best, (loss, Rule(round(float(middle), 3), slope)), key=lambda pair: pair[0])
    return best[1]


def fit(pairs: Iterable[Pair], encoder: Encodes | None, weights: Weights) -> Rules:
    """Fit rules that separate the best linked sentence of each place from the best of the others.

    The others stand for what would be shown had the linked ones not been written, so that the rules do not hang on how
    many plans were dropped in these few pairs.
    """
    seen: dict[str, list[tuple[float, bool]]] = {"plan": [], "shortcoming": [], "again": []}
    for pair in pairs:
        if isinstance(encoder, Tagging):
            encoder.read(pair)
        ranked = compare_reports(pair.earlier.report, pair.later.report, encoder, weights, EVERYTHING)
        evidence = {
            "plan": {p.place: p.evidence for p in ranked.plans},
            "shortcoming": {s.place: s.plans for s in ranked.shortcomings},
            "again": {s.place: s.again for s in ranked.shortcomings},
        }
        for question, links in wanted(pair).items():
            for place, right in links.items():
                for linked in (True, False):
                    best = next((e for e in evidence[question].get(place, ()) if (e.place in right) == linked), None)
                    if best:
                        similarity = log(best.probability / (1 - best.probability)) + EVERYTHING.plan.middle
                        seen[question].append((similarity, linked))
    return Rules(*(logistic(*zip(*seen[question], strict=True)) for question in ("plan", "shortcoming", "again")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="label with this model instead of taking the labels given by hand")
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--split", choices=PAIR_SPLITS, action="append", help="only these pairs; may be repeated")
    parser.add_argument("--errors", action="store_true", help="list what is wrong on the development pairs")
    args = parser.parse_args()
    pairs = load_pairs()
    annotator = Annotator.load(args.model)
    if args.model:
        pairs = [
            replace(
                pair,
                earlier=replace(pair.earlier, report=annotator.annotate(pair.earlier.report)),
                later=replace(pair.later, report=annotator.annotate(pair.later.report)),
            )
            for pair in pairs
        ]
    encoder = Remembering(SentenceEncoder.load(args.encoder))
    both = Weights()
    variants: dict[str, tuple[Encodes | None, Weights]] = {
        "words and encoder": (encoder, both),
        "words only": (None, both),
        "encoder only": (encoder, replace(both, words=0)),
        "words, model's vectors": (Tagging(annotator), both),
        "both, common part kept": (encoder, replace(both, common=0)),
    }
    development = [pair for pair in pairs if pair.split == "development"]
    if args.fit:
        for name in ("words and encoder", "words only"):
            print(name, fit(development, *variants[name]))
        return
    for split in args.split or PAIR_SPLITS:
        chosen = [pair for pair in pairs if pair.split == split]
        results = {}
        for name, (with_encoder, weights) in variants.items():
            counts: Counter[str] = Counter()
            # Fit rules for each variant, so that the comparison is fair.
            rules = None if name in ("words and encoder", "words only") else fit(development, with_encoder, weights)
            for pair in chosen:
                reports = (pair.earlier.report, pair.later.report)
                if isinstance(with_encoder, Tagging):
                    with_encoder.read(pair)
                shown = compare_reports(*reports, with_encoder, weights, rules)
                measure(pair, shown, compare_reports(*reports, with_encoder, weights, EVERYTHING), counts)
                if args.errors and split == "development" and name == "words and encoder":
                    errors(pair, shown)
            results[name] = counts
        for question in ("plan", "shortcoming", "again"):
            columns = [f"{question} {what}" for what in ("P@1", "precision", "recall", "none")]
            table(
                f"{split}: {question} ({len(chosen)} pairs)",
                ["", "P@1", "precision", "recall", "none"],
                [[name, *(share(counts, column) for column in columns)] for name, counts in results.items()],
            )
        columns = ["figure precision", "figure recall", "target precision", "target recall", "status"]
        table(
            f"{split}: figures, targets and the status of plans",
            ["", *columns],
            [[name, *(share(counts, column) for column in columns)] for name, counts in results.items()],
        )
        mixed = results["words and encoder"]
        print({name: count for name, count in sorted(mixed.items()) if " as " in name})


def errors(pair: Pair, shown: Comparison) -> None:
    """Print the differences between the hand-made links and the comparison."""
    answers = found(shown)
    for question, links in wanted(pair).items():
        for place, right in links.items():
            said, first, probability = answers[question].get(place, (False, None, 0.0))
            if (first not in right) if right else said:
                print(f"{pair.id} {question}: {shown.sentence(place).text}")
                text = shown.sentence(first).text if first else "-"
                print(f"    {probability:.2f} {'shown' if said else 'not shown'}: {text}")
                for other in right:
                    print(f"    linked: {shown.sentence(other).text}")
    for plan in shown.plans:
        status = next(link.status for link in pair.plans if link.plan == plan.place).replace("unanswered", "missing")
        if status != plan.status:
            print(f"{pair.id} status {plan.status}, by hand {status} {plan.reasons}: {shown.sentence(plan.place).text}")


if __name__ == "__main__":
    main()
