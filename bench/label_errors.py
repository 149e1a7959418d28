"""How well `pizhu label errors` finds wrong labels: bench/label_errors.py [--seeds …] [--show N]

The script flips labels of the shipped corpus, all 81 reports, in two ways:

`sentences`: removes or adds one of the four labels (drawn uniformly) in 5 % of the sentences (drawn uniformly);
`cells`: flips 5 % of all (sentence, label) cells, so that about 19 % of the sentences have an error.

A sentence counts as found if any of its labels is flagged (the annotator who reviews it sees all of it); a cell, if the
flipped label itself is flagged. The corpus' own errors, which every corpus has, count against precision: --show prints
sentences that were flagged but not flipped. The learner sees only the flipped labels of the other sentences; the
shipped model is not used, because it was trained on the true labels.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.records import Record
from pizhu.labeling.active.label_issues import MIN_SCORE, find_errors
from pizhu.labeling.active.pool import Pool

SHARE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[11, 12, 13, 14, 15])
    parser.add_argument("--kinds", nargs="*", choices=("sentences", "cells"), default=["sentences", "cells"])
    parser.add_argument("--min-score", type=float, default=MIN_SCORE)
    parser.add_argument("--show", type=int, default=0, help="flagged sentences that were not flipped, first seed")
    args = parser.parse_args()
    clean = Pool.of([record for c in load_corpus() for record in c.report.records()], DEFAULT_LABELS)
    print(f"{len(clean)} sentences; {'flipped':<12}{'':>16}flagged  precision     recall   (mean ± sd over seeds)")
    for kind in args.kinds:
        rows: dict[str, list[tuple[int, float, float]]] = {}
        for seed in args.seeds:
            begun = time.monotonic()
            flips = flipped(clean.truth.shape, kind, seed)
            pool = relabelled(clean, clean.truth ^ flips)
            doubts = find_errors(pool, min_score=args.min_score)
            for name, chosen in {
                "both": doubts,
                "learner": [d for d in doubts if "learner" in d.why],
                "guideline": [d for d in doubts if "guideline" in d.why],
            }.items():
                flagged = np.zeros(flips.shape, dtype=bool)
                for doubt in chosen:
                    flagged[place(pool, doubt.record["id"]), pool.names.index(doubt.label)] = True
                rows.setdefault(f"{name}, by sentence", []).append(
                    rates(*(np.any(x, axis=1) for x in (flagged, flips)))
                )
                rows.setdefault(f"{name}, by cell", []).append(rates(flagged, flips))
            if args.show and seed == args.seeds[0] and kind == "sentences":
                unflipped = [d for d in doubts if not flips[place(pool, d.record["id"])].any()]
                for doubt in np.random.default_rng(1).permutation(np.array(unflipped, dtype=object))[: args.show]:
                    record = doubt.record
                    print(
                        f"  {doubt.score:.3f} {record['labels']} {doubt.words} | {' / '.join(record['headings'])} |",
                        record["text"],
                    )
            print(f"  {kind} seed {seed}: {time.monotonic() - begun:.0f} s", flush=True)
        for name, found in rows.items():
            count, precision, recall = np.array(found).T
            print(
                f"{kind:<12}{name:<24}{count.mean():6.0f}   {precision.mean():.3f} ± {precision.std():.3f}"
                f"   {recall.mean():.3f} ± {recall.std():.3f}",
                flush=True,
            )


def flipped(shape: tuple[int, ...], kind: str, seed: int) -> np.ndarray:
    """(sentences, labels), True for each flipped label."""
    rng = np.random.default_rng(seed)
    flips = np.zeros(shape, dtype=bool)
    if kind == "cells":
        flips.flat[rng.choice(flips.size, round(flips.size * SHARE), replace=False)] = True
    else:
        rows = rng.choice(shape[0], round(shape[0] * SHARE), replace=False)
        flips[rows, rng.integers(0, shape[1], len(rows))] = True
    return flips


def relabelled(pool: Pool, truth: np.ndarray) -> Pool:
    """The pool with other labels."""
    given = [[name for name, has in zip(pool.names, row, strict=True) if has] for row in truth]
    records: tuple[Record, ...] = tuple(
        {**record, "labels": names} for record, names in zip(pool.records, given, strict=True)
    )
    return replace(pool, records=records, truth=truth)


def place(pool: Pool, identity: str) -> int:
    """The sentence's index in the pool."""
    if not _PLACES:
        _PLACES.update({record["id"]: row for row, record in enumerate(pool.records)})
    return _PLACES[identity]


_PLACES: dict[str, int] = {}


def rates(flagged: np.ndarray, wrong: np.ndarray) -> tuple[int, float, float]:
    """How many are flagged, precision and recall."""
    right = (flagged & wrong).sum()
    return int(flagged.sum()), float(right / max(1, flagged.sum())), float(right / wrong.sum())


if __name__ == "__main__":
    main()
