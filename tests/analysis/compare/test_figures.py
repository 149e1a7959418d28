"""Figures: those of the same thing are paired across units, others stay apart, and targets are judged."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from pizhu.analysis.compare.figures import Figure, Movement, movements, reached, targets
from pizhu.analysis.compare.place import Place
from pizhu.analysis.compare.words import Words
from pizhu.data.quantities import quantities

WORDS = Words(["全市自来水普及率达到91%。"])


def figures(text: str, side: str = "earlier", index: int = 0) -> list[Figure]:
    return [Figure(Place(side, index), q) for q in quantities(text)]  # type: ignore[arg-type]


def moved(old: str, new: str) -> list[Movement]:
    before, after = figures(old), figures(new, "later")
    return movements(before, after, WORDS, np.zeros((len(before), len(after)), dtype=np.float32))


@pytest.mark.parametrize(
    ("old", "new", "difference", "ratio"),
    [
        ("完成水利投资18.4亿元。", "完成水利投资236000万元。", 520_000_000, 23.6 / 18.4),
        ("自来水普及率达到91.5%。", "自来水普及率升至94.6%。", Decimal("3.1"), None),
        ("更换供水管道46公里。", "更换供水管道38000米。", -8000, 38 / 46),
        ("治理水土流失面积30平方公里。", "治理水土流失面积4000公顷。", 1000, 4 / 3),
        ("接待游客三千人次。", "接待游客0.3万人次。", 0, 1.0),
    ],
)
def test_one_thing_in_two_reports(old: str, new: str, difference: float, ratio: float | None) -> None:
    (movement,) = moved(old, new)
    assert movement.difference == pytest.approx(Decimal(difference))
    assert movement.ratio == (None if ratio is None else pytest.approx(ratio))
    assert not movement.other_unit and 0.3 <= movement.score <= 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("自来水普及率达到91.5%。", "森林覆盖率达到60%。"),
        ("完成投资18亿元。", "完成投资18个。"),
        ("地区生产总值增长5%。", "地区生产总值下降2%。"),
        ("地区生产总值增长5%。", "地区生产总值占5%。"),
        ("没有数。", "更没有。"),
    ],
)
def test_other_things_are_kept_apart(old: str, new: str) -> None:
    assert moved(old, new) == []


def test_units_of_another_base_are_told() -> None:
    (movement,) = moved("检查学校食堂143家。", "检查学校食堂156家次。")
    assert movement.other_unit and movement.as_dict()["other_unit"]


def test_figures_are_paired_once_each() -> None:
    pairs = moved("办理案件10件，办理案件20件。", "办理案件30件。")
    assert len(pairs) == 1


def test_nothing_is_divided_by_nothing() -> None:
    (movement,) = moved("办理案件0件。", "办理案件3件。")
    assert movement.ratio is None and movement.difference == 3


@pytest.mark.parametrize(
    ("planned", "reported", "met"),
    [
        ("改造水管50公里。", "改造水管38公里。", False),
        ("改造水管50公里以上。", "改造水管50公里。", True),
        ("漏损率控制在10%以内。", "漏损率降到9.7%。", True),
        ("漏损率控制在10%以内。", "漏损率升到10.2%。", False),
        ("办理时限压缩到5天。", "办理时限压缩到3天。", True),
        ("单位能耗下降3%。", "单位能耗下降3.4%。", True),
        ("单位能耗下降3%。", "单位能耗下降2%。", False),
        ("城镇调查失业率5.5%左右。", "城镇调查失业率5.1%。", True),
        ("地区生产总值增长5%左右。", "地区生产总值增长4.9%。", True),
        ("地区生产总值增长5%左右。", "地区生产总值增长4.5%。", False),
    ],
)
def test_goals(planned: str, reported: str, met: bool) -> None:
    (goal,), (result,) = quantities(planned), quantities(reported)
    assert reached(goal, result) is met


def test_targets_of_answers_need_no_name_and_others_do() -> None:
    plan = figures("对病险山塘逐座会诊，当年整治60座以上。")
    answer = figures("给失修的塘坝清淤加固，48座重新蓄水。", "later", 1)
    (goal,) = targets(plan, answer, [], WORDS)
    assert goal.met is False and goal.new.place.index == 1
    assert targets(plan, [], answer, WORDS) == []
    named = figures("城镇新增就业4730人。", "later", 2)
    (goal,) = targets(figures("城镇新增就业4500人以上。"), [], named, WORDS)
    assert goal.met is True
    assert targets(figures("新增学位20个。"), figures("建成公园3个。", "later"), [], WORDS) == []
