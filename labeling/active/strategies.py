"""Strategies for what to label next, by name.

A strategy yields the open paragraphs of a pool, the one to label first at the front. It scores a paragraph by the mean
over its open sentences, because the number of sentences determines an annotator's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .pool import Floats, Ints, Pool, groups

REPEL = 0.5
"""The share of its value that a paragraph loses if it is identical in content to one chosen before."""
_SMOOTHING = 0.02


@dataclass(frozen=True)
class View:
    """The input of a strategy.

    Attributes:
        pool: the sentences.
        open: the open sentences of each paragraph that has some.
        probabilities: one (sentences, labels) array of probabilities for each model that the strategy needs.
        vectors: (sentences, width) vectors of the sentences' content, if the strategy needs them.
        seed: the seed for random choices.
    """

    pool: Pool
    open: Sequence[Ints]
    probabilities: Sequence[Floats]
    vectors: Floats | None
    seed: int

    @classmethod
    def of(cls, pool: Pool, probabilities: Sequence[Floats] = (), vectors: Floats | None = None, seed: int = 1) -> View:
        """The view of a pool's open paragraphs."""
        rows = np.flatnonzero(~pool.closed)
        return cls(pool, [rows[part] for part in groups(pool.paragraphs[rows])], probabilities, vectors, seed)

    def means(self, values: Floats) -> Floats:
        """(open paragraphs,) the mean of (sentences,) ``values`` over each paragraph's open sentences."""
        return np.array([values[rows].mean() for rows in self.open])

    def directions(self) -> Floats:
        """(open paragraphs, width) unit vectors of the paragraphs' content."""
        return np.stack([self.direction(rows) for rows in self.open])

    def direction(self, rows: Ints) -> Floats:
        """(width,) the unit vector of the content of a paragraph with these sentences."""
        assert self.vectors is not None
        mean = self.vectors[rows].mean(axis=0)
        result: Floats = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return result


@dataclass(frozen=True)
class Strategy:
    """A strategy.

    Attributes:
        order: maps a view to the indices of its open paragraphs, best first.
        models: how many models' probabilities it needs.
        vectors: whether it needs vectors of the sentences' content.
    """

    order: Callable[[View], Iterable[int]]
    models: int
    vectors: bool


def choose(view: View, strategy: Strategy, count: int) -> list[Ints]:
    """The open sentences of the best paragraphs, whole paragraphs, at most ``count`` sentences; empty if none fits."""
    chosen: list[Ints] = []
    if not view.open:
        return chosen
    left, least = count, min(map(len, view.open))
    for place in strategy.order(view):
        if left < least:
            break
        if len(view.open[place]) <= left:
            chosen.append(view.open[place])
            left -= len(view.open[place])
    return chosen


def _random(view: View) -> Iterable[int]:
    return np.random.default_rng(view.seed).permutation(len(view.open)).tolist()  # type: ignore[no-any-return]


def _uncertainty(view: View) -> Iterable[int]:
    """Paragraphs on which the model is least certain."""
    return _descending(view.means(entropy(view.probabilities[0]).sum(axis=1)))


def _rare(view: View) -> Iterable[int]:
    """Paragraphs that likely have labels which few sentences have so far."""
    return _descending(view.means((view.probabilities[0] * _rarity(view.pool) ** 2).sum(axis=1)))


def _disagreement(view: View) -> Iterable[int]:
    """Paragraphs on which two models disagree, by the Jensen-Shannon divergence."""
    first, second = view.probabilities
    divergence = entropy((first + second) / 2) - (entropy(first) + entropy(second)) / 2
    return _descending(view.means(divergence.sum(axis=1)))


def _diversity(view: View) -> Iterator[int]:
    """Greedy k-center (Sener and Savarese 2018): always the paragraph furthest from all that are closed or chosen."""
    vectors = view.directions()
    far: Floats = np.full(len(view.open), np.inf)
    done = np.flatnonzero(view.pool.closed)
    for part in groups(view.pool.paragraphs[done]):
        far = np.minimum(far, 1 - vectors @ view.direction(done[part]))
    place = int(far.argmax()) if len(done) else int(np.random.default_rng(view.seed).integers(len(far)))
    left = np.ones(len(far), dtype=bool)
    for _ in range(len(far)):
        yield place
        left[place] = False
        far = np.minimum(far, 1 - vectors @ vectors[place])
        place = int(np.where(left, far, -np.inf).argmax())


def _mixed(view: View) -> Iterator[int]:
    """Uncertainty with more weight on rare labels, and less value for paragraphs like a chosen one (maximal marginal
    relevance).
    """
    near_half = 1 - np.abs(2 * view.probabilities[0] - 1)
    values = view.means((near_half * _rarity(view.pool) ** 3).sum(axis=1))
    vectors, near, left = view.directions(), np.zeros(len(values)), np.ones(len(values), dtype=bool)
    for _ in range(len(values)):
        place = int(np.where(left, values * (1 - REPEL * near), -np.inf).argmax())
        yield place
        left[place] = False
        near = np.maximum(near, vectors @ vectors[place])


STRATEGIES: Mapping[str, Strategy] = {
    "mixed": Strategy(_mixed, models=1, vectors=True),
    "uncertainty": Strategy(_uncertainty, models=1, vectors=False),
    "disagreement": Strategy(_disagreement, models=2, vectors=False),
    "diversity": Strategy(_diversity, models=0, vectors=True),
    "rare": Strategy(_rare, models=1, vectors=False),
    "random": Strategy(_random, models=0, vectors=False),
}


def entropy(probabilities: Floats) -> Floats:
    """The entropy of yes-or-no probabilities, in nats: 0 if certain, 0.69 at one half (Settles 2009, section 3.1)."""
    safe = np.clip(probabilities, 1e-9, 1 - 1e-9)
    result: Floats = -(safe * np.log(safe) + (1 - safe) * np.log(1 - safe))
    return result


def _rarity(pool: Pool) -> Floats:
    """(labels,) weights, 1 on average: the rarer a label among the labelled sentences, the higher its weight."""
    share = pool.truth[pool.known].mean(axis=0) if pool.known.any() else np.ones(len(pool.names))
    weights: Floats = 1 / np.sqrt(share + _SMOOTHING)
    result: Floats = weights / weights.mean()
    return result


def _descending(values: Floats) -> list[int]:
    """Indices, the greatest value first; ties stay in the order of the text."""
    return np.argsort(-values, kind="stable").tolist()  # type: ignore[no-any-return]
