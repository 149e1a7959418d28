"""What validation decides: a score like the annotator's, and thresholds that are robust to few cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.scores import macro_f1
from pizhu.models.decision import Decision
from pizhu.training.validation import ENOUGH, answers, decide, score

if TYPE_CHECKING:
    from pizhu.data.report import Report


@pytest.mark.parametrize("frozen", [0, 1])
def test_the_score_is_that_of_the_annotators_answers(model_folder: Path, labelled: Report, frozen: int) -> None:
    from pizhu.models.folder import load_model
    from pizhu.models.runtime import TorchRuntime
    from pizhu.models.windows import Windower
    from pizhu.training.examples import Example, Lower

    model, tokenizer, about = load_model(model_folder)
    windower = Windower(tokenizer, about.context)
    half = labelled.with_labels([s.labels if i % 3 else None for i, s in enumerate(labelled.sentences)])
    other = half.with_labels([("plan",) for _ in half.sentences])
    example = [Example.of(r, about.labels.names, windower) for r in (half, other)]
    lower = Lower(model, frozen, windower.special.pad, example)
    for e in example:
        lower.warm(e)
    logits, truth = answers(TorchRuntime(model, windower.special.pad), example)
    assert score(model, lower, example) == pytest.approx(macro_f1(truth, logits >= 0))
    assert 0.2 < score(model, lower, example) < 1


@given(st.integers(0, 2**31), st.integers(1, 300))
def test_few_cases_share_a_rule(seed: int, sentences: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((sentences, 3)) < [0.5, 0.2, 0.02]
    logits = rng.normal(0, 2, truth.shape).astype(np.float32) + 3 * truth
    found, own = decide(logits, truth), Decision.fit(logits, truth)
    cases = np.minimum(truth.sum(axis=0), (~truth).sum(axis=0))
    rare = [i for i in range(3) if cases[i] < ENOUGH]
    for i in set(range(3)) - set(rare):
        assert (found.thresholds[i], found.temperatures[i]) == (own.thresholds[i], own.temperatures[i])
    assert len({(found.thresholds[i], found.temperatures[i]) for i in rare}) <= 1
    if cases.sum() < ENOUGH:
        assert found == Decision.plain(3)
    old = Decision((1.5, 2.5, 3.5), (0.31, 0.32, 0.33), 0.2)
    kept = decide(logits, truth, old)
    assert all((kept.thresholds[i], kept.temperatures[i]) == (old.thresholds[i], old.temperatures[i]) for i in rare)
    assert kept == old or cases.sum() >= ENOUGH
