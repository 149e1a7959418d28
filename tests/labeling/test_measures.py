"""Agreement figures against published examples, and the closed forms against the libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.bootstrap import Bootstrap, by_report
from pizhu.base.interval import Figure
from pizhu.base.scores import Floats
from pizhu.labeling.agreement.measures import (
    alpha,
    alpha_of_coincidences,
    cohen,
    cohen_of_counts,
    coincidences,
    fleiss_of_parts,
    fleiss_parts,
    pair_counts,
)

# Fleiss (1971), table 1: how many of six psychiatrists gave each of 30 patients each of five diagnoses.
FLEISS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)


def answers(annotators: st.SearchStrategy[int], missing: bool = True) -> st.SearchStrategy[Floats]:
    """(sentences, annotators) tables."""
    value = st.sampled_from([0.0, 1.0, np.nan] if missing else [0.0, 1.0])
    return annotators.flatmap(
        lambda n: st.lists(st.lists(value, min_size=n, max_size=n), min_size=1, max_size=30).map(np.array)
    )


def test_fleiss_as_published() -> None:
    counts = np.array([[float(digit) for digit in row] for row in FLEISS.split()])
    kappas = fleiss_of_parts(fleiss_parts(counts, 6).sum(axis=0))
    # The paper's kappas for single diagnoses: depression, personality disorder, schizophrenia, neurosis, other.
    assert kappas == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=0.0005)


def test_krippendorff_as_published() -> None:
    # "Computing Krippendorff's Alpha-Reliability" (2011), section A: Meg and Owen, ten articles, alpha = 0.095.
    said = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float).T
    assert alpha(said) == pytest.approx(0.095, abs=0.0005)
    assert alpha_of_coincidences(coincidences(said).sum(axis=0)) == pytest.approx(0.095, abs=0.0005)


def same(value: float | None, closed: Floats) -> bool:
    return bool(np.isnan(closed)) if value is None else bool(np.isclose(value, closed))


@settings(deadline=None)  # the library is imported when first used
@given(answers(st.just(2)))
def test_cohen_s_closed_form_is_scikit_learn_s(said: Floats) -> None:
    known = said[~np.isnan(said).any(axis=1)]
    assert same(cohen(known), cohen_of_counts(pair_counts(said).sum(axis=0)))


@settings(deadline=None)
@given(answers(st.integers(2, 5)))
def test_alpha_s_closed_form_is_the_library_s(said: Floats) -> None:
    assert same(alpha(said), alpha_of_coincidences(coincidences(said).sum(axis=0)))


@given(answers(st.just(2), missing=False))
def test_fleiss_of_two_is_scott_s_pi(said: Floats) -> None:
    observed, share = (said[:, 0] == said[:, 1]).mean(), said.mean()
    chance = share**2 + (1 - share) ** 2
    kappa = fleiss_of_parts(fleiss_parts(said.sum(axis=1), 2).sum(axis=0))
    assert np.isnan(kappa) if chance == 1 else np.isclose(kappa, (observed - chance) / (1 - chance))


def test_an_interval_holds_its_figure_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        # 40 reports whose own shares differ, 20 sentences each: only whole reports are independent.
        hits = rng.binomial(20, rng.beta(6, 2, 40)).astype(float)
        found = Bootstrap(40, 400, 0).share(hits, np.full(40, 20.0))
        assert found.low is not None and found.high is not None
        held += found.low <= 0.75 <= found.high
    assert 0.89 <= held / 200 <= 0.99


def test_what_is_undefined_is_none() -> None:
    bootstrap = Bootstrap(3)
    nothing = np.zeros(3)
    assert bootstrap.share(nothing, nothing) == Figure(None)
    one = np.array([0.0, 5.0, 0.0])
    assert bootstrap.share(one, one) == Figure(1.0), "one report has no spread"
    assert not Figure(0.2).certain and Figure(0.2, 0.1, 0.3).certain and not Figure(0.2, -0.1, 0.3).certain


def test_sums_by_report() -> None:
    sums = by_report(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1]), 3)
    assert sums.tolist() == [[3, 4], [6, 8], [0, 0]]
