"""How macro-F1 on real reports grows with the number of training reports: bench/learning_curve.py GOLD REPORTS SCORE.py

Trains on nested random subsets of the shipped training split, scores each model on labelled real reports (see
bench/gold.py) and draws docs/learning-curve.svg. Each point takes minutes; finished points are kept in --out and not
trained again. Thresholds are chosen on the shipped validation split at every point. The default recipe is `demo`,
because five points with the full one take more than an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

from gold import annotate, scores
from pizhu import Annotator
from pizhu.base.files import read_records, write_text
from pizhu.data.corpus.load import load_corpus
from pizhu.training.loop import train
from pizhu.training.recipe import load_recipe

SIZES = (5, 10, 20, 40, 60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("reports", type=Path)
    parser.add_argument("score", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/learning-curve"))
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1], help="for the choice of reports and the training")
    parser.add_argument("--picture", type=Path, default=Path("docs/learning-curve.svg"))
    args = parser.parse_args()
    reports = [c.report for c in load_corpus(split="train")]
    validation = [c.report for c in load_corpus(split="validation")]
    gold = list(read_records(args.gold))
    points: dict[int, list[float]] = {}
    for seed in args.seeds:
        order = random.Random(seed).sample(reports, len(reports))
        for size in args.sizes:
            # More epochs for small subsets, so that each point has at least 160 steps.
            recipe = load_recipe(args.recipe, [f"training.seed={seed}"])
            passes = max(recipe.training.epochs, 160 // size)
            recipe = load_recipe(args.recipe, [f"training.seed={seed}", f"training.epochs={passes}"])
            folder = args.out / f"{size}-{seed}"
            if not folder.is_dir():
                chosen = {report.doc for report in order[:size]}
                train(recipe, [r for r in reports if r.doc in chosen], validation, folder)
            with tempfile.TemporaryDirectory() as out:
                annotate(Annotator.load(folder), gold, args.reports, Path(out))
                found = scores(args.score, gold, Path(out))
            points.setdefault(size, []).append(found["macro_f1"])
            labels = {name: round(v["f1"], 4) for name, v in found["labels"].items()}
            print(
                json.dumps({"reports": size, "seed": seed, "macro_f1": round(found["macro_f1"], 4), **labels}),
                flush=True,
            )
    write_text(args.picture, draw(points))


def draw(points: dict[int, list[float]]) -> str:
    """The curve as SVG: the mean over seeds, and each seed as a dot."""
    sizes = sorted(points)
    low = min(0.7, min(min(v) for v in points.values()) // 0.05 * 0.05)
    left, top, width, height = 70, 40, 560, 260

    def x(size: int) -> float:
        return left + 30 + (width - 60) * (size - sizes[0]) / max(1, sizes[-1] - sizes[0])

    def y(value: float) -> float:
        return top + height * (1 - (value - low) / (1 - low))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {top + height + 60}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{left}" y="22" font-size="15">macro-F1 on real reports by number of training reports</text>',
    ]
    value = low
    while value < 1.0001:
        parts.append(f'<path d="M{left} {y(value):.1f}h{width}" stroke="#e3e6ec"/>')
        parts.append(f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#667085">{value:.2f}</text>')
        value += 0.05
    means = {size: sum(points[size]) / len(points[size]) for size in sizes}
    line = " ".join(f"{x(s):.1f},{y(means[s]):.1f}" for s in sizes)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2.5"/>')
    for size in sizes:
        parts += [f'<circle cx="{x(size):.1f}" cy="{y(v):.1f}" r="4" fill="#0072b2"/>' for v in points[size]]
        parts.append(f'<text x="{x(size):.1f}" y="{top + height + 22}" text-anchor="middle">{size}</text>')
        parts.append(
            f'<text x="{x(size):.1f}" y="{y(means[size]) - 10:.1f}" text-anchor="middle">{means[size]:.3f}</text>'
        )
    parts.append(
        f'<text x="{left + width / 2}" y="{top + height + 46}" text-anchor="middle" fill="#667085">reports</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
