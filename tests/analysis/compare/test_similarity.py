"""Similarity of sentences: an encoder's vectors count, and a sentence that fits everything answers nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from pizhu.analysis.compare.place import Place
from pizhu.analysis.compare.similarity import Similarity, Weights, _in_common
from pizhu.data.report import Report


class Topics:
    """Knows two topics, whatever the words, and points mostly one way, as encoders do."""

    name = "topics"

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[9, "水" in t or "池塘" in t, "校" in t or "课堂" in t] for t in texts], dtype=np.float32)


def places(report: Report, side: str) -> list[Place]:
    return [Place(side, i) for i, s in enumerate(report.sentences) if s.kind == "sentence"]  # type: ignore[arg-type]


def test_meaning_finds_what_shares_no_word(report: Callable[..., Report]) -> None:
    one, other = report("P 整治山区水塘。", "P 改造乡村学校。"), report("A 老课堂翻新。", "A 池塘已清淤。")
    queries, candidates = places(one, "earlier"), places(other, "later")
    with_encoder = Similarity(one, other, Topics()).between(queries, candidates)
    assert with_encoder.argmax(axis=1).tolist() == [1, 0]
    by_words = Similarity(one, other).alike(queries, candidates)
    assert by_words[1].max() == pytest.approx(0)
    assert np.allclose(Similarity(one, other, Topics(), Weights(meaning=0)).alike(queries, candidates), by_words)


def test_what_a_candidate_has_in_common_leaves_the_query_out() -> None:
    similarity = np.array([[0.9, 0.1], [0.3, 0.1], [0.1, 0.1]], dtype=np.float32)
    expected = [[0.2, 0.1], [0.5, 0.1], [0.6, 0.1]]
    assert np.allclose(_in_common(similarity), expected, atol=1e-6)
    assert (_in_common(similarity[:1]) == 0).all()
    many = np.arange(40, dtype=np.float32).reshape(20, 2)
    for row in (0, 19):
        others = np.sort(np.delete(many[:, 0], row))[-8:]
        assert _in_common(many)[row, 0] == pytest.approx(others.mean())


def test_nothing_to_compare(report: Callable[..., Report]) -> None:
    one = report("# 题", "- 一句。")
    similarity = Similarity(one, one, Topics())
    assert similarity.between([], places(one, "later")).shape == (0, 1)
    assert similarity.between(places(one, "earlier"), []).shape == (1, 0)
    empty = Report.build("空.txt", "", [])
    assert Similarity(empty, empty, Topics()).between([], []).shape == (0, 0)
