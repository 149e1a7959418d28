"""Similarity of sentences by shared words: single characters and pairs of characters, with more weight on rare ones.

It needs no word list and no segmenter: most Chinese words are pairs of characters, and single characters match words
that are abbreviated or reordered. The weights are inverse document frequencies (Spärck Jones 1972) over the shipped
corpus, where 推进 and 建设 are frequent, and over the two reports, where the body's own name is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from ...data.corpus.load import corpus_folder
from ...data.report import normalise
from ...data.segment.markers import marker

Floats = NDArray[np.float32]

_OWN_WEIGHT = 10
"""A sentence of the two reports counts as much as this many of the corpus, which is large but not what is compared."""
_COMMON = 0.02
"""A term in at least this share of sentences belongs to the language of reports, not to a subject."""
_EMPTY = set("#的了个")
"""Characters without meaning of their own: a pair that contains one crosses a word boundary."""
_NUMBER = re.compile(r"[0-9][0-9.]*%?")
_BETWEEN = re.compile(r"[^\u3400-\u9fffA-Za-z#]+")


def terms(text: str) -> Counter[str]:
    """The characters and pairs of adjacent characters in ``text``, without its numbering; a number is one character."""
    text = normalise(text)
    number = marker(text)
    found: Counter[str] = Counter()
    for run in _BETWEEN.split(_NUMBER.sub("#", text[number.length if number else 0 :])):
        found.update(run)
        found.update(run[i : i + 2] for i in range(len(run) - 1))
    return found


class Words:
    """Similarity by shared terms, weighted for two reports.

    Args:
        sentences: all sentences of both reports.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        self._corpus, corpus_size = _background()
        own = [terms(text) for text in sentences]
        self._own = Counter(term for found in own for term in found)
        self._known: dict[str, dict[str, float]] = {}
        self._rare: dict[str, set[str]] = {}
        self._size = corpus_size + _OWN_WEIGHT * len(own)

    def weight(self, term: str) -> float:
        """The weight of ``term``, above 0: how much it matters that two sentences share it."""
        return log(1 + self._size / (0.5 + self._corpus[term] + _OWN_WEIGHT * self._own[term]))

    def similarity(self, some: Sequence[str], others: Sequence[str]) -> Floats:
        """(some, others), cosines of the weighted terms, 0 to 1."""
        index = Index(self, others)
        result = np.zeros((len(some), len(others)), dtype=np.float32)
        rows: dict[str, int] = {}
        for i, text in enumerate(some):
            first = rows.setdefault(text, i)  # names of figures are often the same
            result[i] = index.similarity(text) if first == i else result[first]
        return result

    def shared(self, one: str, other: str) -> set[str]:
        """Pairs of characters in both texts that are rarer than the stock phrases of reports."""
        return self._rare_pairs(one) & self._rare_pairs(other)

    def _rare_pairs(self, text: str) -> set[str]:
        if text not in self._rare:  # one sentence may be shown next to many others
            common = log(1 + 1 / _COMMON)
            self._rare[text] = {
                term for term in terms(text) if len(term) == 2 and not _EMPTY & set(term) and self.weight(term) > common
            }
        return self._rare[text]

    def vector(self, text: str) -> dict[str, float]:
        """The weighted terms of ``text``, normalised to length 1; empty if it has none."""
        if text not in self._known:
            vector = {term: (1 + log(count)) * self.weight(term) for term, count in terms(text).items()}
            length = sqrt(sum(value * value for value in vector.values())) or 1.0
            self._known[text] = {term: value / length for term, value in vector.items()}
        return self._known[text]


class Index:
    """An inverted index of texts: comparing a text with them visits only the terms that they share.

    Args:
        words: weights the terms.
        texts: equal texts are compared once.
    """

    def __init__(self, words: Words, texts: Sequence[str]) -> None:
        self._words = words
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        self._which = np.array([distinct[text] for text in texts], dtype=np.intp)
        self._size = len(distinct)
        found: dict[str, tuple[list[int], list[float]]] = {}
        for text, i in distinct.items():
            for term, value in words.vector(text).items():
                places, values = found.setdefault(term, ([], []))
                places.append(i)
                values.append(value)
        self._with = {term: (np.array(places), np.array(values)) for term, (places, values) in found.items()}

    def similarity(self, text: str) -> Floats:
        """(texts,), cosines of the weighted terms of ``text`` and of each of the texts, 0 to 1."""
        shared = [(value, *self._with[term]) for term, value in self._words.vector(text).items() if term in self._with]
        if not shared:
            return np.zeros(len(self._which), dtype=np.float32)
        places = np.concatenate([places for _, places, _ in shared])
        products = np.concatenate([value * values for value, _, values in shared])
        sums = np.bincount(places, products, self._size)
        return np.clip(sums, 0, 1).astype(np.float32)[self._which]


@lru_cache(maxsize=1)
def _background() -> tuple[Counter[str], int]:
    """The number of sentences of the shipped corpus with each term, and the number of all its sentences."""
    found: Counter[str] = Counter()
    size = 0
    for path in sorted(corpus_folder().glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            code, bar, text = line.partition(" | ")
            if bar and code[0] not in "#~":
                found.update(terms(text).keys())
                size += 1
    return found, size
