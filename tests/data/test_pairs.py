"""Linked pairs: the shipped ones are consistent, and errors in one are reported in a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pizhu.base.errors import DataError
from pizhu.data.corpus.load import load_corpus
from pizhu.data.report import normalise
from pizhu.tests.support.pairs import Pair, load_pairs, pairs_folder, parse_pair


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return load_pairs()


def test_there_are_pairs_to_develop_on_and_pairs_held_out(pairs: list[Pair]) -> None:
    assert {pair.split for pair in pairs} == {"development", "held-out"}
    assert load_pairs(split="held-out") == [pair for pair in pairs if pair.split == "held-out"]
    assert {link.status for pair in pairs for link in pair.plans} == {"answered", "partly", "unanswered", "general"}


def test_links_lead_to_what_they_say(pairs: list[Pair]) -> None:
    for pair in pairs:
        reports = {"earlier": pair.earlier.report, "later": pair.later.report}
        assert pair.earlier.year < pair.later.year and pair.earlier.body == pair.later.body
        for link in pair.plans:
            assert link.plan.side == "earlier" and {place.side for place in link.answers} <= {"later"}
            for place in link.answers:
                assert "achievement" in (reports["later"].sentences[place.index].labels or ())
        for told in pair.shortcomings:
            assert not (told.general and (told.plans or told.again))
            assert all("plan" in (reports[p.side].sentences[p.index].labels or ()) for p in told.plans)
        for figure in (*pair.figures, *pair.targets):
            for amount in (figure.old, figure.new):
                assert amount.text in reports[amount.place.side].sentences[amount.place.index].text


def test_the_pairs_are_not_in_the_corpus(pairs: list[Pair]) -> None:
    known = {normalise(s.text) for report in load_corpus() for s in report.report.sentences if len(s.text) > 20}
    for pair in pairs:
        for report in (pair.earlier.report, pair.later.report):
            assert not [s.text for s in report.sentences if normalise(s.text) in known]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('split = "development"', 'split = "both"'), "split is 'both'"),
        (lambda text: text.replace('status = "general"', 'status = "perhaps"', 1), "has status 'perhaps'"),
        (lambda text: text.replace('by = ["', 'by = ["没有这一句', 1), "stands in 0 sentences labelled achievement"),
        (lambda text: text[: text.index("[[plan]]")] + text[text.index("[[plan]]", 40) :], "expected one plan entry"),
        (lambda text: text.replace('"91.5%"', '"99.9%"'), "'99.9%' does not stand in the sentence"),
        (lambda text: text.replace('"91.5%"]', '"91.5%", 1]'), "expected [excerpt, quantity]"),
        (lambda text: text + "[[plan", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told(change: Callable[[str], str], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "water"
    shutil.copytree(pairs_folder() / "city-water", folder)
    path = folder / "links.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    with pytest.raises(DataError) as error:
        parse_pair(folder)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_pair_has_two_reports(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no pair"):
        load_pairs(tmp_path)
    (tmp_path / "links.toml").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="holds 0 reports"):
        parse_pair(tmp_path)
