"""What several annotators' answers come to when each is trusted as far as the others bear it out."""

from __future__ import annotations

import numpy as np

from ...base.scores import Floats
from ..agreement.answer_matrix import AnswerMatrix

MODEL = "标注员合议"
"""What the proposals are called in Label Studio."""
ANNOTATORS = 3
"""From so many answers on a sentence has a proposal: between two there is nobody to tip the scales."""

_ROUNDS = 200
_STILL = 1e-6


def consensus(sheet: AnswerMatrix) -> Floats:
    """(sentences, labels) the probability that each label belongs to each sentence, by all of its answers.

    Labels are independent, so each is a yes-or-no question of its own.
    """
    return np.stack([dawid_skene(sheet.said[..., label]) for label in range(len(sheet.names))], axis=-1)


def dawid_skene(said: Floats) -> Floats:
    """(sentences,) the probability of yes, from (sentences, annotators) answers, NaN where missing.

    Dawid and Skene (1979): each annotator has a chance of seeing a yes and one of seeing a no, estimated together with
    the sentences' answers by expectation-maximisation from the majority's shares. Every chance begins from one answer
    seen rightly and one wrongly (Laplace), so that few answers make nobody infallible. cleanlab's CROWDLAB, which has
    one weight an annotator, gains nothing over the majority where annotators miss a label more often than they invent
    it, as they do; crowd-kit has this method, and asks for transformers and pyarrow beside it.
    """
    known = ~np.isnan(said)
    yes, no = np.where(known, said, 0), np.where(known, 1 - said, 0)
    probabilities: Floats = yes.sum(axis=1) / np.maximum(1, known.sum(axis=1))
    for _ in range(_ROUNDS):
        prior = (probabilities.sum() + 1) / (len(probabilities) + 2)
        sees_yes = (probabilities @ yes + 1) / (probabilities @ known + 2)
        sees_no = ((1 - probabilities) @ no + 1) / ((1 - probabilities) @ known + 2)
        for_yes = np.log(prior) + yes @ np.log(sees_yes) + no @ np.log(1 - sees_yes)
        for_no = np.log(1 - prior) + yes @ np.log(1 - sees_no) + no @ np.log(sees_no)
        before, probabilities = probabilities, 1 / (1 + np.exp(np.clip(for_no - for_yes, -500, 500)))
        if np.abs(probabilities - before).max() < _STILL:
            break
    return probabilities
