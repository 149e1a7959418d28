"""What to label next: ways to order paragraphs, by name.

A strategy yields the open paragraphs of a pool, the one to label first at the front. Paragraphs are weighed by the
mean over their open sentences, because a sentence is what costs an annotator's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .pool import Floats, Ints, Pool, groups

REPEL = 0.5
"""How much of its value a paragraph loses that is just like one chosen before."""
_SMOOTHING = 0.02


@dataclass(frozen=True)
class View:
    """What strategies look at.

    Attributes:
        pool: the sentences.
        open: for each paragraph that has some, its sentences that nobody has dealt with.
        probabilities: one (sentences, labels) array of probabilities a model, as many as the strategy needs.
        vectors: (sentences, width) what each is about, where the strategy needs them.
        seed: of what is drawn.
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
        """(open paragraphs,) means of (sentences,) ``values`` over each one's open sentences."""
        return np.array([values[rows].mean() for rows in self.open])

    def directions(self) -> Floats:
        """(open paragraphs, width) what each one is about, of length 1."""
        return np.stack([self.direction(rows) for rows in self.open])

    def direction(self, rows: Ints) -> Floats:
        """(width,) what a paragraph of these sentences is about, of length 1."""
        assert self.vectors is not None
        mean = self.vectors[rows].mean(axis=0)
        result: Floats = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return result


@dataclass(frozen=True)
class Strategy:
    """A way to choose.

    Attributes:
        order: a view to the places of its open paragraphs, best first.
        models: how many models' probabilities it needs.
        vectors: whether it needs what sentences are about.
    """

    order: Callable[[View], Iterable[int]]
    models: int
    vectors: bool


def choose(view: View, strategy: Strategy, count: int) -> list[Ints]:
    """Open sentences of the best paragraphs, whole ones, at most ``count`` sentences; empty where none fits."""
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
    """Where the model's answers are least certain."""
    return _descending(view.means(entropy(view.probabilities[0]).sum(axis=1)))


def _rare(view: View) -> Iterable[int]:
    """Where labels are likely that few sentences have so far."""
    return _descending(view.means((view.probabilities[0] * _rarity(view.pool) ** 2).sum(axis=1)))


def _disagreement(view: View) -> Iterable[int]:
    """Where two models answer differently, by the Jensen-Shannon divergence."""
    first, second = view.probabilities
    apart = entropy((first + second) / 2) - (entropy(first) + entropy(second)) / 2
    return _descending(view.means(apart.sum(axis=1)))


def _diversity(view: View) -> Iterator[int]:
    """Greedy k-center (Sener and Savarese 2018): always the paragraph furthest from all that are labelled or chosen."""
    asked = view.directions()
    far: Floats = np.full(len(view.open), np.inf)
    done = np.flatnonzero(view.pool.closed)
    for part in groups(view.pool.paragraphs[done]):
        far = np.minimum(far, 1 - asked @ view.direction(done[part]))
    place = int(far.argmax()) if len(done) else int(np.random.default_rng(view.seed).integers(len(far)))
    left = np.ones(len(far), dtype=bool)
    for _ in range(len(far)):
        yield place
        left[place] = False
        far = np.minimum(far, 1 - asked @ asked[place])
        place = int(np.where(left, far, -np.inf).argmax())


def _mixed(view: View) -> Iterator[int]:
    """How near to one half, rare labels counting more, less for paragraphs like a chosen one (marginal relevance)."""
    near_half = 1 - np.abs(2 * view.probabilities[0] - 1)
    values = view.means((near_half * _rarity(view.pool) ** 3).sum(axis=1))
    asked, near, left = view.directions(), np.zeros(len(values)), np.ones(len(values), dtype=bool)
    for _ in range(len(values)):
        place = int(np.where(left, values * (1 - REPEL * near), -np.inf).argmax())
        yield place
        left[place] = False
        near = np.maximum(near, asked @ asked[place])


STRATEGIES: Mapping[str, Strategy] = {
    "mixed": Strategy(_mixed, models=1, vectors=True),
    "uncertainty": Strategy(_uncertainty, models=1, vectors=False),
    "disagreement": Strategy(_disagreement, models=2, vectors=False),
    "diversity": Strategy(_diversity, models=0, vectors=True),
    "rare": Strategy(_rare, models=1, vectors=False),
    "random": Strategy(_random, models=0, vectors=False),
}


def entropy(probabilities: Floats) -> Floats:
    """Of each probability of a yes-or-no answer, in nats: 0 certain, 0.69 at one half (Settles 2009, section 3.1)."""
    safe = np.clip(probabilities, 1e-9, 1 - 1e-9)
    result: Floats = -(safe * np.log(safe) + (1 - safe) * np.log(1 - safe))
    return result


def _rarity(pool: Pool) -> Floats:
    """(labels,) weights, 1 on average: the rarer a label is among the labelled sentences, the heavier."""
    share = pool.truth[pool.known].mean(axis=0) if pool.known.any() else np.ones(len(pool.names))
    weights: Floats = 1 / np.sqrt(share + _SMOOTHING)
    result: Floats = weights / weights.mean()
    return result


def _descending(values: Floats) -> list[int]:
    """Places, the greatest value first; ties as they stand in the text."""
    return np.argsort(-values, kind="stable").tolist()  # type: ignore[no-any-return]
