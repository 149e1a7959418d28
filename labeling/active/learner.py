"""A light learner that predicts a sentence's labels and trains in seconds on any machine.

Its features are TF-IDF of the sentence and of its context, as in :class:`~pizhu.models.baseline.TfidfBaseline`, whose
regressions it shares. They are computed once for a whole pool, labelled or not, because strategies and folds train many
times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.errors import DataError, MissingExtraError
from ...base.progress import Progress, silent
from ...data.quantities import quantities
from ...models.baseline import Heads
from .pool import Bools, Floats, Ints, Pool, groups

FOLDS = 5
_WIDTH = 64
_NEAR = (-3, -2, -1, 1, 2, 3)
"""Offsets of the neighbours whose labels help to predict a sentence's."""


class Features:
    """TF-IDF of character n-grams, of a pool's sentences and of their contexts.

    Raises:
        DataError: there is too little text.
        MissingExtraError: scikit-learn is not installed.

    Attributes:
        alone: how many of the columns are from the sentence without its context; they come first.
    """

    def __init__(self, pool: Pool) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError("the light learner", "label") from None

        def bag() -> Any:
            return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32)

        try:
            self._bags = [bag().fit(texts) for texts in (pool.texts, pool.contexts)]
        except ValueError:  # no n-gram occurs in two sentences
            raise DataError("the reports hold too little text to learn from") from None
        self.alone = len(self._bags[0].vocabulary_)

    def table(self, pool: Pool) -> Any:
        """(sentences, width) sparse features of this pool or another."""
        from scipy import sparse

        parts = zip(self._bags, (pool.texts, pool.contexts), strict=True)
        return sparse.hstack([bag.transform(texts) for bag, texts in parts]).tocsr()

    @staticmethod
    def directions(table: Any) -> Floats:
        """(sentences, 64) vectors of the sentences' content, by latent semantic analysis (Deerwester et al. 1990).

        The bundled encoder's vectors take minutes, these take seconds, and annotators wait for them before every batch.
        """
        from sklearn.decomposition import TruncatedSVD  # type: ignore[import-untyped]

        width = min(_WIDTH, *(size - 1 for size in table.shape))
        if width < 1:
            return np.ones((table.shape[0], 1))
        found: Floats = TruncatedSVD(width, n_iter=3, random_state=0).fit_transform(table)
        return found


def learn(table: Any, truth: Bools) -> Heads:
    """One regression for each label, trained on rows of :meth:`Features.table` and their (rows, labels) ``truth``."""
    heads = Heads(C=10, solver="liblinear")
    heads.fit(table, truth)
    return heads


def out_of_fold(pool: Pool, table: Any, *, folds: int = FOLDS, progress: Progress = silent) -> Floats:
    """(sentences, labels) probability of each label, from learners that never saw the sentence's report.

    Two stages (stacking, Wolpert 1992). The first reads the text. The second, gradient-boosted trees, reads the
    first's out-of-fold probabilities for the sentence, its neighbours, its paragraph and its section, the labels that
    people gave to those *other* sentences (never its own), the number of quantities, and the sentence's position.
    Sentences of a section tend to have the same labels, so the neighbours' labels predict far better than words do.

    Args:
        pool: the learners train on its labelled sentences; the others get probabilities too.
        table: its :meth:`Features.table`.
        folds: the largest number of folds; each holds whole reports.
        progress: reports how many fits are done.

    Raises:
        DataError: fewer than two reports have labelled sentences.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
    from threadpoolctl import threadpool_limits

    if (count := pool.count_reports(pool.known)) < 2:
        raise DataError(f"labels of at least two reports are needed to check one against the other; found {count}")
    fold = _folds(pool, folds)
    total = (fold.max() + 1) * 2
    first = np.zeros(pool.truth.shape)
    for number in range(fold.max() + 1):
        progress("Learning from the other reports", number, total)
        learned = learn(table[rows := pool.known & (fold != number)], pool.truth[rows])
        first[fold == number] = learned.probabilities(table[fold == number])
    seen = np.hstack([first, _surroundings(pool, first), _given(pool), _position(pool)])
    second = first.copy()
    for number in range(fold.max() + 1):
        progress("Learning from the other reports", number + fold.max() + 1, total)
        rows = pool.known & (fold != number)
        informative = ~np.isnan(seen[rows]).all(axis=0)  # the trees refuse columns that are all NaN
        for column in range(len(pool.names)):
            target = pool.truth[rows, column]
            if target.any() and not target.all():
                trees = HistGradientBoostingClassifier(
                    max_iter=80, max_leaf_nodes=8, l2_regularization=5, early_stopping=False, random_state=0
                )
                with threadpool_limits(1):  # on a busy machine, threads that wait for each other cost minutes
                    trees.fit(seen[rows][:, informative], target)
                    second[fold == number, column] = trees.predict_proba(seen[fold == number][:, informative])[:, 1]
    progress("Learning from the other reports", total, total)
    return second


def _folds(pool: Pool, most: int) -> Ints:
    """The fold of each sentence; folds hold whole reports and about equally many labelled sentences."""
    from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

    # Only labelled sentences count: otherwise all labelled reports could end up in the same fold.
    labelled = pool.reports[pool.known]
    fold = np.zeros(pool.reports.max() + 1, dtype=np.intp)
    splitter = GroupKFold(min(most, len(np.unique(labelled))))
    for number, (_, held) in enumerate(splitter.split(labelled, groups=labelled)):
        fold[labelled[held]] = number
    return fold[pool.reports]


def _surroundings(pool: Pool, probabilities: Floats) -> Floats:
    """The first stage's probabilities for the neighbours, and their means over paragraph and section."""
    near = [_shifted(pool, probabilities, step) for step in (-2, -1, 1, 2)]
    return np.hstack([*near, _others(probabilities, pool.paragraphs), _others(probabilities, pool.sections)])


def _given(pool: Pool) -> Floats:
    """People's labels of the neighbours, and their means over the rest of paragraph and section; NaN if none."""
    labels = np.where(pool.known[:, None], pool.truth.astype(np.float64), np.nan)
    near = [_shifted(pool, labels, step) for step in _NEAR]
    return np.hstack([*near, _others(labels, pool.paragraphs), _others(labels, pool.sections)])


def _position(pool: Pool) -> Floats:
    figures = [len(quantities(record["text"])) for record in pool.records]
    depth = [len(record.get("headings", ())) for record in pool.records]
    sizes = [np.bincount(numbers)[numbers] for numbers in (pool.paragraphs, pool.sections)]
    columns = [figures, depth, [len(text) for text in pool.texts], pool.places, *sizes]
    return np.array(columns, dtype=np.float64).T


def _shifted(pool: Pool, values: Floats, step: int) -> Floats:
    """The values of the sentence ``step`` further on in the same report; NaN if there is none."""
    result = np.full(values.shape, np.nan)
    places = np.arange(len(pool))
    inside = (places + step >= 0) & (places + step < len(pool))
    inside[inside] = pool.reports[places[inside] + step] == pool.reports[places[inside]]
    result[inside] = values[places[inside] + step]
    return result


def _others(values: Floats, numbers: Ints) -> Floats:
    """The mean over the other sentences with the same number; NaN if none of them has a value."""
    filled, valued = np.nan_to_num(values), ~np.isnan(values)
    result = np.full(values.shape, np.nan)
    for rows in groups(numbers):
        total = filled[rows].sum(axis=0) - filled[rows]
        count = valued[rows].sum(axis=0) - valued[rows]
        result[rows] = np.where(count > 0, total / np.maximum(1, count), np.nan)
    return result
