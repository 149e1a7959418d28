"""Sentence vectors: the same alone as in a batch, for any text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pizhu.base.errors import ModelError
from pizhu.models.sentence_encoder import SentenceEncoder

TEXTS = ["修建水库。", "", "完成投资18.4亿元，比上年增长12%。", "一" * 900, "\u202e<b>\ud800", "修建水库。"]


@pytest.fixture(scope="module")
def meaning(encoder_folder: Path) -> SentenceEncoder:
    return SentenceEncoder.load(str(encoder_folder), device="cpu")


def test_a_batch_gives_what_each_gives_alone(meaning: SentenceEncoder) -> None:
    texts = TEXTS * 5
    together = meaning.vectors(texts)
    assert together.shape == (30, 32) and together.dtype == np.float32
    assert np.isfinite(together).all()
    for text, vector in zip(texts[:6], together[:6], strict=True):
        assert np.allclose(meaning.vectors([text])[0], vector, atol=1e-5)
    assert np.allclose(together[0], together[5], atol=1e-6)
    assert meaning.vectors([]).shape == (0, 32)


def test_no_hub_is_asked() -> None:
    with pytest.raises(ModelError, match="would be downloaded"):
        SentenceEncoder.load("someone/some-encoder")


@pytest.mark.slow
def test_the_bundled_encoder_knows_what_is_alike() -> None:
    vectors = SentenceEncoder.load(device="cpu").vectors(
        ["改造老旧小区。", "危旧房屋修缮一新。", "查处酒后驾驶。", "扩建学校。", "一" * 900]
    )
    found = vectors - vectors.mean(axis=0)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert found[0] @ found[1] > max(found[0] @ found[2], found[0] @ found[3])
