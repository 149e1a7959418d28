"""Trained baselines: logistic regression on TF-IDF of character n-grams or on vectors of a frozen encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError, MissingExtraError
from ..data.report import Report, normalise


class TfidfBaseline:
    """One logistic regression per label over two bags of character n-grams: the sentence's and its context's.

    Args:
        names: the labels, in order.
        context: also use the heading path and the previous sentence.
    """

    def __init__(self, names: Sequence[str], *, context: bool = True) -> None:
        self.names, self.context = tuple(names), context
        self._bags: Any = None
        self._heads = Heads(C=10)

    def fit(self, reports: Sequence[Report]) -> TfidfBaseline:
        """Train on the labelled sentences of ``reports``.

        Raises:
            DataError: they hold too little text.
            MissingExtraError: scikit-learn is not installed.
        """
        try:
            from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
            from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError("the TF-IDF baseline", "train") from None

        def bag() -> Any:
            return TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)

        columns = [("sentence", bag(), 0), ("context", bag(), 1)]
        self._bags = ColumnTransformer(columns if self.context else columns[:1])
        rows = [row for report in reports for row in _rows(report)]
        try:
            features = self._bags.fit_transform(_texts(rows))
        except ValueError:  # no n-gram occurs in two sentences
            raise DataError("the training reports hold too little text for the TF-IDF baseline") from None
        self._heads.fit(features, np.asarray([[name in labels for name in self.names] for _, _, labels in rows]))
        return self

    def annotate(self, report: Report) -> Report:
        """``report`` with labels and probabilities on every sentence, as ``Annotator.annotate`` returns it."""
        rows = _rows(report.with_labels([() for _ in report.sentences]))
        probabilities = (
            self._heads.probabilities(self._bags.transform(_texts(rows))) if rows else np.zeros((0, len(self.names)))
        )
        return _answered(report, self.names, probabilities)


class FrozenBaseline:
    """One logistic regression per label over sentence vectors that were not trained for these labels.

    Args:
        names: the labels, in order.
        vectors: (report.sentences, width) vectors of a report, e.g. from ``frozen.encoder_vectors``.
    """

    def __init__(self, names: Sequence[str], vectors: Callable[[Report], NDArray[np.float32]]) -> None:
        self.names, self.vectors = tuple(names), vectors
        self._scale: Any = None
        self._heads = Heads(C=0.01)  # the best on the validation split

    def fit(self, reports: Sequence[Report]) -> FrozenBaseline:
        """Train on the labelled sentences of ``reports``; raises a MissingExtraError if scikit-learn is missing."""
        try:
            from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError("the baseline of a frozen encoder", "train") from None
        features, truth = [], []
        for report in reports:
            known = [i for i, s in enumerate(report.sentences) if s.kind == "sentence" and s.labels is not None]
            features.append(self.vectors(report)[known])
            truth += [[name in (report.sentences[i].labels or ()) for name in self.names] for i in known]
        self._scale = StandardScaler()
        self._heads.fit(self._scale.fit_transform(np.concatenate(features)), np.asarray(truth, dtype=bool))
        return self

    def annotate(self, report: Report) -> Report:
        """``report`` with labels and probabilities on every sentence, as ``Annotator.annotate`` returns it."""
        asked = [i for i, s in enumerate(report.sentences) if s.kind == "sentence"]
        if not asked:
            return _answered(report, self.names, np.zeros((0, len(self.names))))
        features = self._scale.transform(self.vectors(report)[asked])
        return _answered(report, self.names, self._heads.probabilities(features))


class Heads:
    """One logistic regression per label; a label that all training sentences have, or none, is always or never given.

    Args:
        C: of each regression, as scikit-learn defines it: smaller is simpler.
        solver: scikit-learn's; ``liblinear`` is several times faster on sparse features.
    """

    def __init__(self, C: float, solver: str = "lbfgs") -> None:
        self.C, self.solver = C, solver
        self._models: list[Any] = []

    def fit(self, features: Any, truth: NDArray[np.bool_]) -> None:
        """Train on (sentences, width) ``features`` with (sentences, labels) ``truth``."""
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

        self._models = []
        for column in truth.T:
            constant = column.all() or not column.any()
            regression = LogisticRegression(C=self.C, solver=self.solver, max_iter=1000, class_weight="balanced")
            self._models.append(float(column[0]) if constant else regression.fit(features, column))

    def probabilities(self, features: Any) -> NDArray[np.float64]:
        """(sentences, labels) probabilities."""
        columns = [
            np.full(features.shape[0], model) if isinstance(model, float) else model.predict_proba(features)[:, 1]
            for model in self._models
        ]
        return np.stack(columns, axis=1)


def _answered(report: Report, names: Sequence[str], probabilities: NDArray[np.float64]) -> Report:
    """``report`` with ``probabilities`` (sentences of kind sentence, labels) and the labels above one half."""
    left = iter(probabilities)
    scores = [
        dict(zip(names, map(float, next(left)), strict=True)) if s.kind == "sentence" else None
        for s in report.sentences
    ]
    return report.with_labels([[n for n, p in (row or {}).items() if p >= 0.5] for row in scores], scores)


def _rows(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    """(sentence, context, labels) of each labelled sentence."""
    rows = []
    previous = ""
    for s in report.sentences:
        if s.kind == "sentence":
            if s.labels is not None:
                rows.append((normalise(s.text), normalise(" ".join(s.headings) + previous), s.labels))
            previous = s.text
    return rows


def _texts(rows: Sequence[tuple[str, str, tuple[str, ...]]]) -> NDArray[np.object_]:
    return np.array([[sentence, context] for sentence, context, _ in rows], dtype=object).reshape(-1, 2)
