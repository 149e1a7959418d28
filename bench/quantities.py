"""Measure the extraction of quantities on hand-labelled sentences: bench/quantities.py [--errors development]

Prints precision, recall and F1 for each half of the sentences (``development``, from which the rules were written, and
``held-out``), with 95% intervals from a bootstrap over sentences. What counts as found:

- figure: value (both ends of a range), unit and range of characters are exactly those of a labelled quantity;
- indicator (exact): the figure is found and the indicator is equal except for punctuation, white space and 的;
- indicator (overlap): the figure is found and the longest common subsequence of both indicators has an F1 of at least
  0.5 in characters;
- change, comparison, period, bound: the figure is found and the word is equal (comparisons except for 比, 较, 与 and
  相比; for periods, one must contain the other), counted over the quantities that have one.

``--errors HALF`` prints the differences in that half. After looking at those of ``held-out``, label a new half.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from pizhu.base.files import read_records
from pizhu.tests.support.quantity_scores import ASPECTS, Item, base, counts, figure, overlap, predicted, scores

HALVES = ("development", "held-out")
GOLD = Path(__file__).parents[1] / "tests" / "data" / "quantities"
FIELDS = ("bound", "indicator", "change", "comparison", "period")


def interval(rows: list[tuple[int, int, int]], times: int) -> list[tuple[float, float]]:
    """95% bootstrap intervals of :func:`scores`, resampling sentences."""
    draw = random.Random(0)
    drawn = [scores(draw.choices(rows, k=len(rows))) for _ in range(times)]
    columns = [sorted(column) for column in zip(*drawn, strict=True)]
    return [(column[int(0.025 * times)], column[int(0.975 * times)]) for column in columns]


def errors(text: str, gold: list[Item], found: list[Item]) -> list[str]:
    """The differences in one sentence, as lines."""
    wanted, got = {figure(q): q for q in gold}, {figure(q): q for q in found}
    lines = [f"  missed {wanted[key]['text']}" for key in wanted if key not in got]
    lines += [f"  extra  {got[key]['text']}" for key in got if key not in wanted]
    for key in wanted.keys() & got.keys():
        for field in FIELDS:
            a, b = wanted[key].get(field, ""), got[key].get(field, "")
            if (overlap(a, b) < 0.5) if field == "indicator" else base(a) != base(b):
                lines.append(f"  {wanted[key]['text']} {field}: labelled {a!r}, found {b!r}")
    return [text, *lines] if lines else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, default=GOLD)
    parser.add_argument("--times", type=int, default=1000, help="draws of the bootstrap")
    parser.add_argument("--errors", choices=HALVES, action="append", default=[])
    args = parser.parse_args()
    for half in HALVES:
        records = list(read_records(args.gold / f"{half}.jsonl"))
        pairs = [(r["text"], r["quantities"], predicted(r["text"])) for r in records]
        print(f"{half}: {len(pairs)} sentences, {sum(len(gold) for _, gold, _ in pairs)} quantities")
        print(f"  {'':28} {'precision':>20} {'recall':>20} {'F1':>20}  labelled")
        for name, aspect in ASPECTS.items():
            rows = [counts(gold, found, aspect) for _, gold, found in pairs]
            cells = [
                f"{value:.3f} [{low:.3f} {high:.3f}]"
                for value, (low, high) in zip(scores(rows), interval(rows, args.times), strict=True)
            ]
            print(f"  {name:28} {cells[0]:>20} {cells[1]:>20} {cells[2]:>20}  {sum(row[2] for row in rows)}")
        if half in args.errors:
            for pair in pairs:
                print("\n".join(errors(*pair)), end="\n" if errors(*pair) else "")


if __name__ == "__main__":
    main()
