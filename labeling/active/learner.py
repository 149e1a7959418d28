"""A light learner that is trained in seconds on any machine: which labels would a sentence get?

Its features are TF-IDF of the sentence and of its context, as in :class:`~pizhu.models.baseline.TfidfBaseline`, whose
regressions it shares; here they are made once for a whole pool, labelled or not, because strategies and folds train
many times over.
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
"""The neighbours whose labels say something about a sentence's own."""


class Features:
    """TF-IDF of character n-grams, of a pool's sentences and of their contexts.

    Raises:
        DataError: there is too little text.
        MissingExtraError: scikit-learn is not installed.

    Attributes:
        alone: how many of the columns are the sentence's own; they come first.
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
        except ValueError:  # no n-gram stands in two sentences
            raise DataError("the reports hold too little text to learn from") from None
        self.alone = len(self._bags[0].vocabulary_)

    def table(self, pool: Pool) -> Any:
        """(sentences, width) sparse features of a pool, this one or another."""
        from scipy import sparse

        parts = zip(self._bags, (pool.texts, pool.contexts), strict=True)
        return sparse.hstack([bag.transform(texts) for bag, texts in parts]).tocsr()

    @staticmethod
    def directions(table: Any) -> Floats:
        """(sentences, 64) what sentences are about, from a table: latent semantic analysis (Deerwester et al. 1990).

        The bundled encoder's vectors took minutes where these take seconds, too long to wait for before every batch.
        """
        from sklearn.decomposition import TruncatedSVD  # type: ignore[import-untyped]

        width = min(_WIDTH, *(size - 1 for size in table.shape))
        if width < 1:
            return np.ones((table.shape[0], 1))
        found: Floats = TruncatedSVD(width, n_iter=3, random_state=0).fit_transform(table)
        return found


def learn(table: Any, truth: Bools) -> Heads:
    """One regression a label, trained on rows of :meth:`Features.table` and their (rows, labels) ``truth``."""
    heads = Heads(C=10, solver="liblinear")
    heads.fit(table, truth)
    return heads


def out_of_fold(pool: Pool, table: Any, *, folds: int = FOLDS, progress: Progress = silent) -> Floats:
    """(sentences, labels) probability of each label, from learners that never saw the sentence's report.

    Two stages (stacking, Wolpert 1992). The first reads the text. The second, gradient-boosted trees, reads the
    first's out-of-fold probabilities for the sentence, its neighbours, its paragraph and its section, the labels that
    people gave to those *other* sentences (never its own), the number of quantities, and where the sentence stands.
    Sections of reports are of one mind, so that the neighbours' labels tell far more than words do.

    Args:
        pool: of which only labelled sentences are learned from; the others get probabilities too.
        table: :meth:`Features.table` of it.
        folds: at most so many; each holds whole reports.
        progress: told how many fits are done.

    Raises:
        DataError: fewer than two reports have labelled sentences.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
    from threadpoolctl import threadpool_limits

    if (count := pool.count_reports(pool.known)) < 2:
        raise DataError(f"labels of at least two reports are needed to check one against the other; here are {count}")
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
        told = ~np.isnan(seen[rows]).all(axis=0)  # trees take no column that says nothing of any sentence
        for column in range(len(pool.names)):
            target = pool.truth[rows, column]
            if target.any() and not target.all():
                trees = HistGradientBoostingClassifier(
                    max_iter=80, max_leaf_nodes=8, l2_regularization=5, early_stopping=False, random_state=0
                )
                with threadpool_limits(1):  # on a busy machine, threads that wait for each other cost minutes
                    trees.fit(seen[rows][:, told], target)
                    second[fold == number, column] = trees.predict_proba(seen[fold == number][:, told])[:, 1]
    progress("Learning from the other reports", total, total)
    return second


def _folds(pool: Pool, most: int) -> Ints:
    """The fold of each sentence: whole reports, folds of about equally many labelled sentences."""
    from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

    # Reports without labels teach nothing: were they counted, all that do could fall into one fold.
    taught = pool.reports[pool.known]
    fold = np.zeros(pool.reports.max() + 1, dtype=np.intp)
    splitter = GroupKFold(min(most, len(np.unique(taught))))
    for number, (_, held) in enumerate(splitter.split(taught, groups=taught)):
        fold[taught[held]] = number
    return fold[pool.reports]


def _surroundings(pool: Pool, probabilities: Floats) -> Floats:
    """What the first stage thinks of the neighbours, and on average of paragraph and section."""
    near = [_shifted(pool, probabilities, step) for step in (-2, -1, 1, 2)]
    return np.hstack([*near, _others(probabilities, pool.paragraphs), _others(probabilities, pool.sections)])


def _given(pool: Pool) -> Floats:
    """What people said of the neighbours, and on average of the rest of paragraph and section; NaN where nothing."""
    said = np.where(pool.known[:, None], pool.truth.astype(np.float64), np.nan)
    near = [_shifted(pool, said, step) for step in _NEAR]
    return np.hstack([*near, _others(said, pool.paragraphs), _others(said, pool.sections)])


def _position(pool: Pool) -> Floats:
    figures = [len(quantities(record["text"])) for record in pool.records]
    depth = [len(record.get("headings", ())) for record in pool.records]
    sizes = [np.bincount(numbers)[numbers] for numbers in (pool.paragraphs, pool.sections)]
    columns = [figures, depth, [len(text) for text in pool.texts], pool.places, *sizes]
    return np.array(columns, dtype=np.float64).T


def _shifted(pool: Pool, values: Floats, step: int) -> Floats:
    """The values of the sentence ``step`` further on in the same report; NaN where there is none."""
    result = np.full(values.shape, np.nan)
    places = np.arange(len(pool))
    inside = (places + step >= 0) & (places + step < len(pool))
    inside[inside] = pool.reports[places[inside] + step] == pool.reports[places[inside]]
    result[inside] = values[places[inside] + step]
    return result


def _others(values: Floats, numbers: Ints) -> Floats:
    """The mean over the other sentences of the same number; NaN where there is none that has a value."""
    filled, valued = np.nan_to_num(values), ~np.isnan(values)
    result = np.full(values.shape, np.nan)
    for rows in groups(numbers):
        total = filled[rows].sum(axis=0) - filled[rows]
        count = valued[rows].sum(axis=0) - valued[rows]
        result[rows] = np.where(count > 0, total / np.maximum(1, count), np.nan)
    return result
