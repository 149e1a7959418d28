"""The baseline to beat: TF-IDF of character n-grams and logistic regression, with headings and previous sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.errors import MissingExtraError
from ..data.report import Report, normalise


class TfidfBaseline:
    """One logistic regression a label over two bags of character n-grams: the sentence's, and its context's."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._model: Any = None

    def fit(self, reports: Sequence[Report]) -> TfidfBaseline:
        """Learn from the labelled sentences of ``reports``."""
        try:
            from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
            from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
            from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
            from sklearn.multiclass import OneVsRestClassifier  # type: ignore[import-untyped]
            from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError("the TF-IDF baseline", "train") from None

        def bag() -> Any:
            return TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)

        columns = ColumnTransformer([("sentence", bag(), 0), ("context", bag(), 1)])
        regression = LogisticRegression(C=10, max_iter=1000, class_weight="balanced")
        self._model = make_pipeline(columns, OneVsRestClassifier(regression))
        rows = [row for report in reports for row in _rows(report)]
        truth = [[name in labels for name in self.names] for _, _, labels in rows]
        self._model.fit(_texts(rows), np.asarray(truth, dtype=int))
        return self

    def predict(self, report: Report) -> NDArray[np.bool_]:
        """(labelled sentences, labels) answers for ``report``."""
        rows = _rows(report)
        if not rows:
            return np.zeros((0, len(self.names)), dtype=bool)
        result: NDArray[np.bool_] = self._model.predict(_texts(rows)).astype(bool)
        return result

    def annotate(self, report: Report) -> Report:
        """``report`` with labels and probabilities on every sentence, in the form of ``Annotator.annotate``."""
        asked = [s for s in report.sentences if s.kind == "sentence"]
        rows = _rows(report.with_labels([() for _ in report.sentences]))
        chances = self._model.predict_proba(_texts(rows)) if rows else []
        found = {
            s.id: dict(zip(self.names, map(float, row), strict=True)) for s, row in zip(asked, chances, strict=True)
        }
        scores = [found.get(s.id) for s in report.sentences]
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
    return np.array([[sentence, context] for sentence, context, _ in rows], dtype=object)
