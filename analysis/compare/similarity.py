"""Scores how well one sentence answers another: by shared words and, with an encoder, meaning, minus commonplaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...data.report import Report, Sentence
from .place import Place, Side
from .words import Words

Floats = NDArray[np.float32]


class Encodes(Protocol):
    """Computes vectors of sentences: :class:`~pizhu.models.sentence_encoder.SentenceEncoder`."""

    @property
    def name(self) -> str: ...

    def vectors(self, texts: Sequence[str]) -> Floats:
        """(texts, hidden)."""
        ...


@dataclass(frozen=True)
class Weights:
    """The weights of the parts of the similarity.

    Attributes:
        words: the weight of the shared words.
        meaning: the weight of the encoder's cosine, if there is an encoder; the two weights are divided by their sum.
        common: how much to subtract of the candidate's similarity to the other queries, so that a sentence that is a
            little like every plan (本年各项工作稳步推进) answers none of them (CSLS; Conneau et al. 2018).
    """

    words: float = 1.0
    meaning: float = 1.0
    common: float = 0.5


DEFAULT_WEIGHTS = Weights()
_OTHERS = 8
"""How many other queries are used to measure what a candidate has in common with all."""


class Similarity:
    """Compares sentences of two reports.

    Args:
        encoder: computes the vectors; None compares only words.
    """

    def __init__(
        self, earlier: Report, later: Report, encoder: Encodes | None = None, weights: Weights = DEFAULT_WEIGHTS
    ) -> None:
        self._reports: dict[Side, tuple[Sentence, ...]] = {"earlier": earlier.sentences, "later": later.sentences}
        self._weights = weights
        places = [
            Place(side, i) for side, rows in self._reports.items() for i, s in enumerate(rows) if s.kind == "sentence"
        ]
        self.words = Words(self._text(place) for place in places)
        self._vectors: dict[Place, Floats] = {}
        if encoder is not None and weights.meaning and places:
            found = encoder.vectors([self._text(place) for place in places])
            # An encoder's vectors all share one direction, those of two reports of one body even more so. Subtracting
            # the mean leaves what distinguishes sentences (Mu and Viswanath 2018).
            found = found - found.mean(axis=0)
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
            self._vectors = dict(zip(places, found / np.where(lengths > 1e-6, lengths, 1), strict=True))

    def between(self, queries: Sequence[Place], candidates: Sequence[Place]) -> Floats:
        """(queries, candidates), how well each candidate answers each query: about -0.5 to 1, mostly below 0.5."""
        alike = self.alike(queries, candidates)
        return np.asarray(alike - self._weights.common * _in_common(alike), dtype=np.float32)

    def alike(self, queries: Sequence[Place], candidates: Sequence[Place]) -> Floats:
        """(queries, candidates), as :meth:`between`, but keeps what a candidate has in common with all queries."""
        if not queries or not candidates:
            return np.zeros((len(queries), len(candidates)), dtype=np.float32)
        weights = self._weights
        result = weights.words * self.words.similarity([*map(self._text, queries)], [*map(self._text, candidates)])
        total = weights.words
        if self._vectors:
            rows = np.stack([self._vectors[place] for place in queries])
            columns = np.stack([self._vectors[place] for place in candidates])
            result = result + weights.meaning * (rows @ columns.T)
            total += weights.meaning
        return np.asarray(result / total, dtype=np.float32)

    def _text(self, place: Place) -> str:
        return self._reports[place.side][place.index].text


def _in_common(similarity: Floats) -> Floats:
    """For each query and candidate, the mean of the candidate's highest similarities to other queries; 0 if none."""
    queries = len(similarity)
    most = min(_OTHERS, queries - 1)
    if most < 1:
        return np.zeros_like(similarity)
    highest = -np.sort(np.partition(-similarity, most, axis=0)[: most + 1], axis=0)
    among = similarity >= highest[most - 1]  # the query itself is among the highest, so subtract its own value
    total: Floats = np.where(among, highest.sum(axis=0) - similarity, highest[:most].sum(axis=0))
    return (total / most).astype(np.float32)
