"""Similarity by words: bounded, symmetric, and higher for rare words than for stock phrases."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pizhu.analysis.compare.words import Words, terms

TEXTS = ["进一步推进各项工作。", "推进各项工作取得进展。", "修建青石水库。", "青石水库建成。", "", "12.5%", "。。。"]


def test_terms_are_characters_and_pairs_without_numbering_and_numbers() -> None:
    assert terms("一是修水库3座。") == {
        "修": 1,
        "水": 1,
        "库": 1,
        "#": 1,
        "座": 1,
        "修水": 1,
        "水库": 1,
        "库#": 1,
        "#座": 1,
    }
    assert terms("（一）修水库") == terms("1.修水库") == terms("修 水 库")
    assert not terms("。，——")


def test_rare_words_say_more_than_common_ones() -> None:
    words = Words(TEXTS)
    common, rare = words.similarity(TEXTS[:1], TEXTS[1:2])[0, 0], words.similarity(TEXTS[2:3], TEXTS[3:4])[0, 0]
    assert 0 < common < rare < 1
    assert words.weight("水库") > words.weight("推进") > 0
    assert words.shared(TEXTS[2], TEXTS[3]) == {"青石", "石水", "水库"}
    assert words.shared("推进，工作。", "工作，推进。") == set()


@given(st.lists(st.text(max_size=30) | st.sampled_from(TEXTS), min_size=1, max_size=5))
def test_similarity_is_bounded_and_the_same_both_ways(texts: list[str]) -> None:
    found = Words(texts).similarity(texts, texts)
    assert found.shape == (len(texts), len(texts))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.allclose(found, found.T, atol=1e-6)
    for i, text in enumerate(texts):
        assert np.isclose(found[i, i], 1 if terms(text) else 0, atol=1e-5)


def test_nothing_with_nothing() -> None:
    assert Words([]).similarity([], []).shape == (0, 0)
    assert Words([]).similarity(["甲"], []).shape == (1, 0)
