"""Which label to take when three or more annotators disagree: the majority's, CROWDLAB's or Dawid and Skene's.

    python bench/consensus.py

Simulates annotators with known probabilities of missing a label and of giving a wrong one: 500 sentences, a third of
them with the label, a tenth of the answers missing, 20 simulations. Prints the accuracy on the sentences whose answers
differ, with its standard deviation. CROWDLAB (if cleanlab is installed) takes the frequency of the label as its model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pizhu.cli.display import table
from pizhu.labeling.adjudication.consensus import dawid_skene

Said = NDArray[np.floating]
SIMULATIONS, SENTENCES = 20, 500
TEAMS = {
    "alike": ((0.1, 0.05),) * 3,
    "one careful, two careless": ((0.05, 0.05), (0.3, 0.3), (0.3, 0.3)),
    "one careful, three careless": ((0.04, 0.04), (0.25, 0.25), (0.25, 0.25), (0.3, 0.3)),
    "two miss the label": ((0.05, 0.02), (0.5, 0.02), (0.3, 0.05)),
    "two miss it, one invents it": ((0.04, 0.04), (0.35, 0.05), (0.35, 0.05), (0.1, 0.3)),
}


def simulate(seed: int, rates: tuple[tuple[float, float], ...]) -> tuple[Said, NDArray[np.bool_]]:
    """The answers, (sentences, annotators) with NaN if missing, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(SENTENCES) < 0.35
    wrong = np.stack([rng.random(SENTENCES) < np.where(truth, *probabilities) for probabilities in rates], axis=1)
    said = np.where(wrong, ~truth[:, None], truth[:, None]).astype(float)
    said[rng.random(said.shape) < 0.1] = np.nan
    kept = ~np.isnan(said).all(axis=1)
    return said[kept], truth[kept]


def majority(said: Said) -> Said:
    return np.nanmean(said, axis=1)


def crowdlab(said: Said) -> Said:
    from cleanlab.multiannotator import get_label_quality_multiannotator

    share = float(np.nanmean(said))
    prior = np.tile([1 - share, share], (len(said), 1))
    found = get_label_quality_multiannotator(said, prior, verbose=False)["label_quality"]
    return np.asarray(found["consensus_label"], dtype=float)


def accuracies(method: Callable[[Said], Said], rates: tuple[tuple[float, float], ...]) -> list[float]:
    """One accuracy per simulation, on contested sentences; a tie counts as half right."""
    rows = []
    for seed in range(SIMULATIONS):
        said, truth = simulate(seed, rates)
        share = majority(said)
        contested = (share > 0) & (share < 1)
        probabilities = method(said)
        rows.append(float(np.where(probabilities == 0.5, 0.5, (probabilities > 0.5) == truth)[contested].mean()))
    return rows


def main() -> None:
    methods: dict[str, Callable[[Said], Said]] = {"majority": majority, "Dawid-Skene": dawid_skene}
    try:
        import cleanlab  # noqa: F401

        methods["CROWDLAB"] = crowdlab
    except ImportError:
        pass
    rows = []
    for team, rates in TEAMS.items():
        found = {name: accuracies(method, rates) for name, method in methods.items()}
        rows.append([team, *(f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in found.values())])
    table("accuracy on contested sentences", ["annotators", *methods], rows)


if __name__ == "__main__":
    main()
