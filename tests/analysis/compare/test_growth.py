"""Long reports: twice the sentences take about twice the work, with the same results as comparing every pair."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pizhu.analysis import compare
from pizhu.analysis.compare.figures import (
    _LEAST,
    _LEAST_TARGET,
    _SAME_NAME,
    Figure,
    Reported,
    _name,
    _unit_factor,
    movements,
    targets,
)
from pizhu.analysis.compare.links import compare_reports
from pizhu.analysis.compare.page import page
from pizhu.analysis.compare.place import Place
from pizhu.analysis.compare.ranking import highest, one_to_one
from pizhu.analysis.compare.similarity import _in_common
from pizhu.analysis.compare.words import Words, terms
from pizhu.data.quantities.quantity import Quantity
from pizhu.data.report import Report

FOLDER = str(Path(compare.__file__).parent)
CHARACTERS = [chr(0x4E00 + 7 * i) for i in range(900)]


def word(number: int) -> str:
    """Three characters that hardly any other number gives."""
    return "".join(CHARACTERS[(number * step + step) % len(CHARACTERS)] for step in (7, 31, 113))


def apart(i: int, year: int) -> str:
    """A sentence on a matter of its own."""
    return f"{word(2 * i)}修建{word(2 * i + 1)}{i + year}公里，培训{word(3 * i)}{i + 5}人。"


def alike(i: int, year: int) -> str:
    """A sentence on the matter that all others are on."""
    return f"新增就业{i + year}人。"


def both(i: int, year: int) -> str:
    """A few matters, told again and again."""
    return f"{word(i % 5)}新增就业{i + year}人，修建{word(i % 3)}{i + 4}公里。"


class Fake:
    """Vectors from characters, the same at every call."""

    name = "fake"

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([np.bincount([ord(c) % 16 for c in text], minlength=16) for text in texts], dtype=np.float32)


def steps(run: Callable[[], Any]) -> int:
    """How many instructions of Python the comparison's own modules take, numpy's loops not among them."""
    count = 0

    def inside(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return inside

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return inside

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("sentence", [apart, alike, both])
@pytest.mark.parametrize("encoder", [None, Fake()])
def test_four_times_the_sentences_are_not_sixteen_times_the_work(
    report: Callable[..., Report], sentence: Callable[[int, int], str], encoder: Fake | None
) -> None:
    def work(size: int) -> int:
        codes = ("AM", "PM", "S", "AM", "PS")
        one, other = (
            report(*(f"{codes[i % 5]} {sentence(i, year)}" for i in range(size)), doc=f"{year}.txt")
            for year in (2021, 2022)
        )
        return steps(lambda: page(compare_reports(one, other, encoder)))

    work(5)  # what is read once is read now
    assert work(160) < 5 * work(40)


def test_one_sentence_of_many_figures_is_no_way_around(report: Callable[..., Report]) -> None:
    def work(size: int) -> int:
        many = "，".join(alike(i, 10)[:-1] for i in range(size))
        one, other = (
            report(f"PM {many}。", doc="1"),
            report(f"AM {many}。", *(f"AM {alike(i, 10)}" for i in range(size))),
        )
        return steps(lambda: page(compare_reports(one, other)))

    work(5)
    assert work(160) < 5 * work(40)


NAMES = ["新增就业", "城镇新增就业", "新增就业岗位", "修建水管", "更换水管", "", "公园"]
quantity = st.builds(
    Quantity,
    start=st.just(0),
    end=st.just(1),
    text=st.just("3件"),
    indicator=st.sampled_from(NAMES),
    value=st.integers(0, 9).map(Decimal),
    upper=st.sampled_from([None, None, Decimal(12)]),
    unit=st.sampled_from(["件", "宗", "人", "人次", "米", "公里", "个", "%", ""]),
    change=st.sampled_from(["", "", "增长", "下降", "提高到"]),
)
WORDS = Words([*NAMES, "推进各项工作。", "修建公园，更换水管。"])


def figures(side: Literal["earlier", "later"], found: Sequence[Quantity], a_sentence: int = 2) -> list[Figure]:
    return [Figure(Place(side, i // a_sentence), q) for i, q in enumerate(found)]


def plain_one_to_one(scores: NDArray[Any], least: float) -> list[tuple[int, int]]:
    order = sorted(np.ndindex(scores.shape), key=lambda pair: -scores[pair])
    found: list[tuple[int, int]] = []
    for i, j in order:
        if scores[i, j] >= least and all(i != row and j != column for row, column in found):
            found.append((i, j))
    return sorted(found)


def plain_targets(
    planned: Sequence[Figure], answering: Sequence[Figure], others: Sequence[Figure]
) -> list[tuple[Figure, Figure, float]]:
    """What :func:`targets` means, pair by pair."""
    reported = [*answering, *others]
    names = WORDS.similarity([*map(_name, planned)], [*map(_name, reported)])
    scores = np.zeros_like(names)
    for i, a in enumerate(planned):
        for j, b in enumerate(reported):
            factor, name = _unit_factor(a.quantity, b.quantity), float(names[i, j])
            if j >= len(answering):
                scores[i, j] = factor * name * (name >= _SAME_NAME)
                continue
            alone = all(factor > _unit_factor(a.quantity, c.quantity) for c in answering if c is not b)
            alone &= all(factor > _unit_factor(c.quantity, b.quantity) for c in planned if c is not a)
            alone &= a.quantity.unit != "个" or name > 0.05
            scores[i, j] = factor * max(name, 0.5 * alone)
    return [(planned[i], reported[j], float(scores[i, j])) for i, j in plain_one_to_one(scores, _LEAST_TARGET)]


@given(st.lists(quantity, max_size=5), st.lists(quantity, max_size=12), st.sets(st.integers(0, 5), max_size=3))
def test_targets_are_those_of_every_pair(plan: list[Quantity], told: list[Quantity], answers: set[int]) -> None:
    planned, reported = figures("earlier", plan, 9), figures("later", told)
    places = {Place("later", i) for i in answers}
    answering = [figure for figure in reported if figure.place in places]
    others = [figure for figure in reported if figure.place not in places]
    index = Reported(reported, WORDS)
    assert [id(figure) for figure in index.of(places)] == [id(figure) for figure in answering]
    found = targets(planned, index.of(places), index.named_like(planned, places), WORDS)
    expected = plain_targets(planned, answering, others)
    assert [(id(m.old), id(m.new), m.score) for m in found] == [(id(a), id(b), score) for a, b, score in expected]


@given(st.lists(quantity, max_size=9), st.lists(quantity, max_size=9), st.integers(0, 99))
def test_movements_are_those_of_every_pair(before: list[Quantity], after: list[Quantity], seed: int) -> None:
    old, new = figures("earlier", before), figures("later", after)
    likeness = np.random.default_rng(seed).choice([-0.2, 0, 0.3, 0.9], (len(old), len(new))).astype(np.float32)
    names = WORDS.similarity([*map(_name, old)], [*map(_name, new)])
    scores = 0.7 * names + 0.3 * np.clip(2 * likeness, 0, 1)
    scores *= np.array([[_unit_factor(a.quantity, b.quantity) for b in new] for a in old]).reshape(scores.shape)
    expected = [(id(old[i]), id(new[j]), float(scores[i, j])) for i, j in plain_one_to_one(scores, _LEAST)]
    found = movements(old, new, WORDS, likeness)
    assert [(id(m.old), id(m.new), m.score) for m in found] == expected


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 6), st.integers(0, 10**6))
def test_pairs_and_the_highest_are_those_of_every_look(rows: int, columns: int, most: int, seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, (rows, columns)).astype(np.float32) / 4
    assert one_to_one(scores, 0.5) == plain_one_to_one(scores, 0.5)
    for row in scores:
        assert highest(row, most).tolist() == sorted(range(columns), key=lambda i: -row[i])[:most]


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 10**6))
def test_what_is_in_common_is_the_mean_of_the_others_highest(rows: int, columns: int, seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 6, (rows, columns)).astype(np.float32)
    for i in range(rows):
        others = -np.sort(-np.delete(scores, i, axis=0), axis=0)[:8]
        assert np.allclose(_in_common(scores)[i], others.mean(axis=0))


@given(
    st.lists(st.text("水库修建路#3，的", max_size=8), max_size=6),
    st.lists(st.text("水库修建路3", max_size=8), max_size=6),
)
def test_similarity_is_the_cosine_of_the_weighed_terms(some: list[str], others: list[str]) -> None:
    def vector(text: str) -> dict[str, float]:
        found = {term: (1 + np.log(count)) * WORDS.weight(term) for term, count in terms(text).items()}
        return {term: value / np.sqrt(sum(v * v for v in found.values())) for term, value in found.items()}

    expected = [[sum(vector(a)[t] * vector(b).get(t, 0) for t in vector(a)) for b in others] for a in some]
    found = WORDS.similarity(some, others)
    assert found.shape == (len(some), len(others))
    assert np.allclose(found, np.array(expected).reshape(found.shape), atol=1e-6)


def test_figures_of_answers_stand_among_no_others_and_unnamed_ones_must_be_alone() -> None:
    one, unnamed = (Quantity(0, 1, "3件", name, Decimal(3), unit="件") for name in ("公园", ""))
    planned, told = figures("earlier", [one]), figures("later", [one, one], 1)
    assert Reported(told, WORDS).named_like(planned, {Place("later", 0)}) == [told[1]]
    assert len(targets(planned, figures("later", [unnamed]), [], WORDS)) == 1
    assert targets(planned, figures("later", [unnamed, unnamed]), [], WORDS) == []
