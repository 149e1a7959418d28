"""Links: the results for a small pair of reports, and any two reports can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pizhu.analysis.compare.links import MOST_EVIDENCE, Comparison, Rule, Rules, compare_reports, title
from pizhu.analysis.compare.place import Place
from pizhu.base.errors import ConfigError
from pizhu.data.report import Report, Span
from pizhu.tests.support.pairs import load_pairs


def texts(comparison: Comparison, evidence: object) -> list[str]:
    return [comparison.sentence(e.place).text for e in evidence]  # type: ignore[attr-defined]


def test_a_small_pair(earlier: Report, later: Report) -> None:
    found = compare_reports(earlier, later)
    plans = {found.sentence(plan.place).text: plan for plan in found.plans}
    assert [plan.status for plan in found.plans] == ["general", "partly", "partly", "missing", "general"]
    rate = plans["力争自来水普及率达到92%。"]
    assert rate.reasons == ("target",) and rate.targets[0].met is False
    assert texts(found, rate.evidence) == ["更换老旧水管4.6万米，自来水普及率升至90.5%。"]
    pipe = plans["从青石水库向山区铺设引水主管，解决饮水困难。"]
    assert pipe.reasons == ("ongoing",) and "青石水库" in texts(found, pipe.evidence)[0]
    told = {found.sentence(s.place).text: s for s in found.shortcomings}
    water = told["一是山区饮水困难，水窖干涸时有发生。"]
    assert {e.place.side for e in water.plans} == {"earlier", "later"}
    assert texts(found, water.again) == ["山区饮水困难没有根本解决。"]
    assert told["二是执法车辆老旧。"].status == "missing"
    assert [e.place.side for e in told["山区饮水困难没有根本解决。"].plans] == ["later"]
    assert [(float(m.difference), m.ratio) for m in found.figures] == [(6000, pytest.approx(1.15)), (2.5, None)]
    assert found.counts() == {
        "plans": {"answered": 0, "partly": 2, "missing": 1, "general": 2},
        "shortcomings": {"answered": 2, "missing": 1, "general": 0},
        "again": {"count": 1},
        "figures": {"up": 2, "down": 0, "same": 0},
    }


def test_the_dictionary_is_json_and_names_places(earlier: Report, later: Report) -> None:
    body = json.loads(json.dumps(compare_reports(earlier, later).as_dict(), ensure_ascii=False))
    assert (body["earlier"], body["later"], body["encoder"]) == ("2021.txt", "2022.txt", None)
    for plan in body["plans"]:
        assert earlier.text[plan["start"] : plan["end"]] == plan["text"]
        assert earlier.sentences[plan["sentence"]].id == plan["id"]
        for evidence in plan["evidence"]:
            assert later.text[evidence["start"] : evidence["end"]] == evidence["text"]
            assert 0 <= evidence["probability"] <= 1


def test_what_is_said_twice_answers_itself(earlier: Report, report: Callable[..., Report]) -> None:
    same = [s.text for s in earlier.sentences if "plan" in (s.labels or ())]
    later = report("# 2022年总结", *(f"A {text}" for text in same))
    found = compare_reports(earlier, later)
    for plan in found.plans:
        if plan.status != "general":
            assert texts(found, plan.evidence)[0] == found.sentence(plan.place).text


def test_a_heading_in_a_sentence_is_no_plan_to_look_for() -> None:
    text = "一是加强队伍建设。招聘技术员五名。\n"
    spans = [Span(0, 9, "sentence", 1), Span(9, 17, "sentence")]
    made = Report.build("a.txt", text, spans).with_labels([("plan",), ("plan",)])
    found = compare_reports(made, made)
    assert [plan.status for plan in found.plans] == ["general", "missing"]


def test_a_shortcoming_is_not_its_own_plan(report: Callable[..., Report]) -> None:
    one = report("SP 山区饮水困难，今后要修水窖。", "P 植树。")
    found = compare_reports(one, one)
    assert all(e.place != told.place for told in found.shortcomings for e in told.plans)


def test_unlabelled_reports_are_refused(earlier: Report) -> None:
    bare = Report.build("无.txt", "一句。", [Span(0, 3, "sentence")])
    with pytest.raises(ConfigError, match=r"无\.txt has sentences that are not labelled"):
        compare_reports(earlier, bare)


def test_reports_that_hold_nothing(earlier: Report, report: Callable[..., Report]) -> None:
    nothing = Report.build("空.txt", "", [])
    one = report("- 各位代表：")
    for pair in ((nothing, nothing), (earlier, nothing), (nothing, earlier), (one, earlier), (earlier, one)):
        found = compare_reports(*pair)
        assert not found.figures
        assert {plan.status for plan in found.plans} <= {"missing", "general"}


def test_rules() -> None:
    rule = Rule(0.2, 10)
    assert rule.probability(0.2) == 0.5
    assert 0 < rule.probability(-9e9) < rule.probability(0.1) < rule.probability(0.3) < rule.probability(9e9) <= 1


def test_titles(report: Callable[..., Report]) -> None:
    assert title(report("# 某局2021年总结", "- 一句。")) == "某局2021年总结"
    assert title(report("# 一、回顾", "- 一句。", doc="甲.txt")) == title(report("- 一句。", doc="甲.txt")) == "甲.txt"


PIECES = [
    "修建水库3座。",
    "推进各项工作。",
    "一是修建水库。",
    "<b>@@plans@@</b>",
    "增长5%，达到92%。",
    "\u202e倒。",
    "，",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=st.lists(
        st.tuples(st.sampled_from(["A", "S", "P", "AM", "PM", "SP", "-", "#"]), st.sampled_from(PIECES)), max_size=8
    ),
    other=st.lists(
        st.tuples(
            st.sampled_from(["A", "S", "P", "AM", "-"]), st.sampled_from(PIECES) | st.text(min_size=1, max_size=9)
        )
    ),
)
def test_any_two_reports(
    one: list[tuple[str, str]], other: list[tuple[str, str]], report: Callable[..., Report]
) -> None:
    earlier, later = (report(*(f"{code} {text}" for code, text in lines)) for lines in (one, other))
    everything = Rules(*[Rule(-9, 1)] * 3)
    for rules in (None, everything):
        found = compare_reports(earlier, later, rules=rules)
        planned = [i for i, s in enumerate(earlier.sentences) if "plan" in (s.labels or ())]
        assert [plan.place for plan in found.plans] == [Place("earlier", i) for i in planned]
        for plan in found.plans:
            places = [e.place for e in plan.evidence]
            assert len(set(places)) == len(places)
            assert all("achievement" in (found.sentence(place).labels or ()) for place in places)
            assert [e.probability for e in plan.evidence] == sorted(
                (e.probability for e in plan.evidence), reverse=True
            )
        assert all(len(told.plans) <= MOST_EVIDENCE for told in found.shortcomings)
        assert len({m.old for m in found.figures}) == len({m.new for m in found.figures}) == len(found.figures)
        json.dumps(found.as_dict())


def test_by_words_alone_the_shipped_pairs_are_linked_well_enough() -> None:
    """A floor well under what bench/compare.py measures, so that a change for the worse is seen."""
    right = total = 0
    for pair in load_pairs(split="development"):
        found = compare_reports(pair.earlier.report, pair.later.report, rules=Rules(*[Rule(-9, 1)] * 3))
        first = {plan.place: plan.evidence[0].place for plan in found.plans if plan.evidence}
        for link in pair.plans:
            if link.answers:
                total += 1
                right += first.get(link.plan) in link.answers
    assert right / total >= 0.75
