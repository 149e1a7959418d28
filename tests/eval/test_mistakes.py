"""The worst errors: their order, their context, and similar sentences."""

from __future__ import annotations

import numpy as np
import pytest
from pizhu.data.report import Report
from pizhu.eval.mistakes import TrainingIndex, worst
from pizhu.eval.predictions import Gold, Predictions

NAMES = ("achievement", "shortcoming", "plan", "metric")


def answers(gold: Gold, wrong: dict[int, float]) -> Predictions:
    """All right and sure, but for the rows of ``wrong``: there achievement is told the other way, with that surety."""
    probabilities = np.where(gold.truth[0], 0.99, 0.01)
    given = gold.truth[0].copy()
    for row, sure in wrong.items():
        given[row, 0] = not given[row, 0]
        probabilities[row, 0] = sure if given[row, 0] else 1 - sure
    return Predictions((given,), (probabilities,), (np.arange(len(given)) == 2,))


def test_the_most_surprising_come_first(labelled: Report) -> None:
    gold = Gold.of([labelled], NAMES)
    found = worst(gold, answers(gold, {2: 0.6, 5: 0.95, 7: 0.8}), 2)
    rows = [int(gold.places[0][i]) for i in (5, 7)]
    assert [m.place for m in found] == rows
    first = found[0]
    assert first.text == labelled.sentences[rows[0]].text
    assert first.truth == labelled.sentences[rows[0]].labels != first.given
    assert (first.label, first.review) == ("achievement", False)
    assert first.surprise > found[1].surprise > 0
    assert worst(gold, answers(gold, {2: 0.6}), 5)[0].review
    assert worst(gold, answers(gold, {}), 5) == []


def test_what_stands_around(labelled: Report) -> None:
    gold = Gold.of([labelled], NAMES)
    first, last = worst(gold, answers(gold, {0: 0.7, len(gold.truth[0]) - 1: 0.6}), 2)
    assert [n.kind for n in first.before] == ["heading"]  # the title; furniture is left out
    assert [n.kind for n in first.after] == ["heading", "sentence"]
    assert first.after[0].labels is None and first.after[1].labels == ("achievement",)
    assert len(last.before) == 2 and last.after == ()
    assert last.headings == ("三、下一步打算",)


def test_without_probabilities_nothing_is_worst(labelled: Report) -> None:
    gold = Gold.of([labelled], NAMES)
    with pytest.raises(ValueError, match="without probabilities"):
        worst(gold, Predictions(gold.truth, None, (np.zeros(len(gold.truth[0]), dtype=bool),)), 1)


def test_a_sentence_is_most_like_itself(labelled: Report) -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(len(labelled.sentences), 8)).astype(np.float32) + 5
    told: list[int] = []
    index = TrainingIndex(lambda _: table, [labelled], told.append)
    place = next(i for i, s in enumerate(labelled.sentences) if s.labels and "plan" in s.labels)
    found = index.nearest(labelled, place)
    assert len(found) == 3 and told == [1]
    assert found[0].text == labelled.sentences[place].text and found[0].similarity == pytest.approx(1, abs=1e-5)
    assert found[0].similarity > found[1].similarity >= found[2].similarity >= -1
    assert found[0].labels == labelled.sentences[place].labels and found[0].doc == labelled.doc
