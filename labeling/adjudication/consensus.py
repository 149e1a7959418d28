"""The consensus of several annotators' answers, each weighted by how far the others confirm it."""

from __future__ import annotations

import numpy as np

from ...base.scores import Floats
from ..agreement.answer_matrix import AnswerMatrix

MODEL = "标注员合议"
"""The model version of the proposals in Label Studio."""
MIN_ANSWERS = 3
"""A sentence with at least this many answers gets a proposal; between two answers there is no majority."""

_ROUNDS = 200
_TOLERANCE = 1e-6


def consensus(matrix: AnswerMatrix) -> Floats:
    """(sentences, labels) the probability that a sentence has a label, given all of its answers.

    Labels are independent, so each is a separate yes-or-no question.
    """
    return np.stack([dawid_skene(matrix.said[..., label]) for label in range(len(matrix.names))], axis=-1)


def dawid_skene(said: Floats) -> Floats:
    """(sentences,) the probability of yes, from (sentences, annotators) answers, NaN where missing.

    Dawid and Skene (1979): expectation-maximisation, starting from the shares of yes, estimates each annotator's
    sensitivity and specificity together with the sentences' true answers. Both start from one right and one wrong
    answer (Laplace smoothing), so that no annotator counts as infallible after a few answers. cleanlab's CROWDLAB has
    only one weight for each annotator and is no better than the majority if annotators miss a label more often than
    they invent it, as ours do. crowd-kit has this method, but requires transformers and pyarrow.
    """
    known = ~np.isnan(said)
    yes, no = np.where(known, said, 0), np.where(known, 1 - said, 0)
    probabilities: Floats = yes.sum(axis=1) / np.maximum(1, known.sum(axis=1))
    for _ in range(_ROUNDS):
        prior = (probabilities.sum() + 1) / (len(probabilities) + 2)
        sensitivity = (probabilities @ yes + 1) / (probabilities @ known + 2)
        specificity = ((1 - probabilities) @ no + 1) / ((1 - probabilities) @ known + 2)
        for_yes = np.log(prior) + yes @ np.log(sensitivity) + no @ np.log(1 - sensitivity)
        for_no = np.log(1 - prior) + yes @ np.log(1 - specificity) + no @ np.log(specificity)
        before, probabilities = probabilities, 1 / (1 + np.exp(np.clip(for_no - for_yes, -500, 500)))
        if np.abs(probabilities - before).max() < _TOLERANCE:
            break
    return probabilities
