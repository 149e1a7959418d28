"""Quantities: what counts as one, its attributes, and its position."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.files import read_records
from pizhu.data.corpus.load import load_corpus
from pizhu.data.quantities import Quantity, quantities, report_quantities
from pizhu.data.report import Report, Span
from pizhu.tests.support.quantity_scores import ASPECTS, counts, predicted, scores

GOLD = Path(__file__).parent / "quantities"


def amounts(text: str) -> list[tuple[str, str, str]]:
    """(text, value with its upper end, unit) of each quantity."""
    found = []
    for q in quantities(text):
        value = f"{q.value}" if q.upper is None else f"{q.value}..{q.upper}"
        found.append((q.text, value, q.unit))
    return found


def only(text: str) -> Quantity:
    (found,) = quantities(text)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("接收档案3.2万卷。", ("3.2万卷", "32000", "卷")),
        ("整理照片一千二百余张。", ("一千二百余张", "1200", "张")),
        ("筹集资金1亿2000万元。", ("1亿2000万元", "120000000", "元")),
        ("实现产值2个亿。", ("2个亿", "200000000", "元")),
        ("满意率９９．８８％。", ("９９．８８％", "99.88", "%")),
        ("占比提高3个百分点。", ("3个百分点", "3", "百分点")),
        ("完成百分之四点三。", ("百分之四点三", "4.3", "%")),
        ("能耗下降三成。", ("三成", "30", "%")),
        ("覆盖率达到九成五以上。", ("九成五", "95", "%")),
        ("约四分之三的村通了公路。", ("四分之三", "75", "%")),
        ("占比过半。", ("过半", "50", "%")),
        ("产量增长2.3倍。", ("2.3倍", "2.3", "倍")),
        ("收入翻了一番。", ("一番", "1", "番")),
        ("每乡建成3至5个站点。", ("3至5个", "3..5", "个")),
        ("投入3—5万元。", ("3—5万元", "30000..50000", "元")),
        ("生产总值增长6.5%－7%。", ("6.5%－7%", "6.5..7", "%")),
        ("成本降低1%至2%。", ("1%至2%", "1..2", "%")),
        ("下去了两三百人。", ("两三百人", "200..300", "人")),
        ("综合考评排名第6。", ("第6", "6", "位次")),
        ("产量居全省第一。", ("第一", "1", "位次")),
        ("歌咏比赛获一等奖第1名。", ("第1名", "1", "位次")),
        ("进入全国前10名。", ("前10名", "10", "位次")),
        ("时限压缩至2.46天。", ("2.46天", "2.46", "天")),
        ("用时3小时40分。", ("3小时40分", "220", "分钟")),
        ("浓度降至29.6微克/立方米。", ("29.6微克/立方米", "29.6", "微克/立方米")),
        ("更新设备280台（套）。", ("280台（套）", "280", "台套")),
        ("装机600万千瓦。", ("600万千瓦", "6000000", "千瓦")),
        ("惠及2300多万群众。", ("2300多万", "23000000", "")),
        ("死亡率8.7/10万。", ("8.7/10万", "8.7", "/10万")),
        ("平均受教育年限提高到11.3年。", ("11.3年", "11.3", "年")),
        ("建成两个中心。", ("两个", "2", "个")),
        ("办理158.4万\n条。", ("158.4万\n条", "1584000", "条")),
    ],
)
def test_what_is_one(text: str, found: tuple[str, str, str]) -> None:
    assert amounts(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "2025年3月15日召开会议。",
        "二〇二五年十月底前完成。",
        "2021-2025年期间持续推进。",
        "“十四五”以来成效明显。",
        "连续三年举办，历时三个月。",
        "印发云府发〔2025〕8号文件。",
        "学习党的二十大和十九届六中全会精神。",
        "举办第五届技能大赛第三季度赛。",
        "一是强化领导。（三）落实责任。2.压实任务。",
        "第一，统一思想。",
        "办好12345热线和110平台。",
        "落实“三张清单”“四个意识”，中央八项规定精神。",
        "建成15分钟便民圈，提供24小时自助服务，48小时内有效。",
        "推进“1+3+N”和1+5+202+N体系。",
        "PM2.5和PM10治理，S317线通车，5G全覆盖。",
        "推出一批措施，涌现多个典型，大幅提升。",
        "65岁以上老年人免费体检。",
        "局领导每周四轮流接访。",
        "分三轮开展整治。",
        "抓了五个方面的工作，重点完成六项任务。",
        "坚持7×24小时值守。",
        "迎战“7·18”暴雨。",
        "位居前列，走在第一方阵，把安全放在第一位。",
        "实现四个现代化，巩固四项基本原则。",
        "培育年产值超千万元的企业。",
        "实行一站式办理、一件事一次办，统一管理。",
        "电话010-66668888转8001。",
    ],
)
def test_what_is_none(text: str) -> None:
    assert amounts(text) == []


@pytest.mark.parametrize(
    ("text", "indicator", "change", "comparison", "bound", "period"),
    [
        ("全年办理复议案件120件。", "办理复议案件", "", "", "", "全年"),
        ("组建三支巡查队伍。", "组建巡查队伍", "", "", "", ""),
        ("2024年，全市生产总值达到320亿元。", "生产总值", "", "", "", "2024年"),
        ("粮食产量同比增长5%左右。", "粮食产量", "增长", "同比", "约", ""),
        ("信访总量较去年下降近两成。", "信访总量", "下降", "较去年", "约", ""),
        ("入园率提高到91%以上。", "入园率", "提高到", "", "以上", ""),
        ("漏损率比全省平均水平高2.1个百分点。", "漏损率", "高", "比全省平均水平", "", ""),
        ("漏损率高于控制目标2.1个百分点。", "漏损率", "高于", "控制目标", "", ""),
        ("一般预算支出为调整预算的96.4%。", "一般预算支出", "", "调整预算", "", ""),
        ("综合考评居全市第3位。", "综合考评", "", "全市", "", ""),
        ("位次前移至全省第4。", "", "前移至", "全省", "", ""),
        ("失业率不超过4.6%。", "失业率", "", "", "以内", ""),
        ("累计培训不少于60场次。", "培训", "", "", "以上", ""),
    ],
)
def test_what_is_said_of_it(text: str, indicator: str, change: str, comparison: str, bound: str, period: str) -> None:
    q = only(text)
    assert (q.indicator, q.change, q.comparison, q.bound, q.period) == (indicator, change, comparison, bound, period)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("受理投诉207件，办结201件。", ["受理投诉", "办结投诉"]),
        ("检查企业120家、学校30所。", ["检查企业", "检查学校"]),
        ("平均用时由5天压缩至2天。", ["平均用时", "平均用时"]),
        ("事故起数、死亡人数分别下降7.4%和12.8%。", ["事故起数", "死亡人数"]),
        ("纳入监测对象412户1468人。", ["纳入监测对象", "纳入监测对象"]),
        ("财政收入320亿元，为预算的108.2%，增长6%。", ["财政收入"] * 3),
        ("民生支出9亿元，占一般预算支出的64%。", ["民生支出", "民生支出占一般预算支出"]),
        ("限制条目减少一半，95%以上实行备案。", ["限制条目", "实行备案"]),
        ("补助从人均40元提高到45元。", ["补助", "补助"]),
        ("进出口总额居世界前列，排名由第十位上升到第五位。", ["进出口总额居世界前列"] * 2),
        ("五次下调利率、四次下调准备金率。", ["下调利率", "下调准备金率"]),
    ],
)
def test_figures_that_share_words(text: str, said: list[str]) -> None:
    assert [q.indicator for q in quantities(text)] == said


def test_the_level_before_and_after() -> None:
    before, after = quantities("漏损率由18.6%降到12.9%。")
    assert (before.change, after.change) == ("由", "降到")
    assert not before.is_change and not after.is_change
    assert (before.direction, after.direction) == (0, -1)
    assert before.key == after.key == "漏损率|%|"
    grown = only("粮食产量增长5%。")
    assert grown.is_change and grown.direction == 1 and grown.key == "粮食产量|%|变化"


def test_keys_meet_from_report_to_report() -> None:
    earlier, later = only("2021年全市完成固定资产投资86亿元。"), only("固定资产投资突破100亿元。")
    assert earlier.key == later.key == "固定资产投资|元|"


def test_units_left_out_in_a_list() -> None:
    assert amounts("不捕率、退查率分别下降3.2个和5.8个百分点。") == [
        ("3.2个", "3.2", "百分点"),
        ("5.8个百分点", "5.8", "百分点"),
    ]


def test_a_row_of_a_table() -> None:
    assert [(q.text, q.indicator) for q in quantities("增值税　5200　5816　111.8　-1.8")] == [
        (cell, "增值税") for cell in ("5200", "5816", "111.8", "-1.8")
    ]


def test_ranges_of_a_sentence_are_those_of_its_report() -> None:
    text = "云溪县2025年工作总结\n\n接收档案 3.2 万卷,\n满意率 99 % 。"
    start = text.index("接收")
    report = Report.build("a.txt", text, [Span(0, 11, "heading"), Span(start, len(text), "sentence")])
    assert list(report_quantities(report)) == []
    found = [q for _, q in report_quantities(report, None)]
    assert [text[q.start : q.end] for q in found] == [q.text for q in found] == ["3.2 万卷", "99 %"]
    labelled = report.with_labels([(), ("metric",)])
    assert [q for _, q in report_quantities(labelled)] == found


def test_json() -> None:
    found = only("全年增长1.5倍。").as_dict()
    assert (found["value"], found["upper"], found["unit"]) == (1.5, None, "倍")
    assert only("办理3.2万件。").as_dict()["value"] == 32000


PIECES = st.one_of(
    st.sampled_from(
        "由至到的、，。和占第前每约近年月日号件个%万成倍番名位〔〕“”《》()×+·-—一两十百千零半aé😀\n\u3000\u200b\ud800"
    ),
    st.sampled_from(
        ["办理案件", "增长", "比上年", "分别", "以上", "左右", "百分点", "亿元", "千瓦", "分之", "居全省", "PM", "5G"]
    ),
    st.sampled_from(["0", "12", "3.5", "1,234", "２０", "三四"]),
)


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=600, deadline=None)
def test_any_text(text: str) -> None:
    last = 0
    for q in quantities(text):
        assert last <= q.start < q.end <= len(text)
        last = q.end
        assert q.text == text[q.start : q.end]
        assert re.search("[0-9０-９零〇○一二两三四五六七八九十百千万亿半首榜]", q.text)
        assert q.value.is_finite() and (q.upper is None or q.upper.is_finite())
        assert len(q.indicator) <= 80


@given(
    st.integers(1949, 2100), st.integers(1, 12), st.integers(1, 31), st.integers(1, 999), st.sampled_from("发办函字")
)
def test_no_date_and_no_document_number(year: int, month: int, day: int, number: int, kind: str) -> None:
    for text in (
        f"{year}年{month}月{day}日印发",
        f"自{year}年{month}月起",
        f"{month}月{day}日前完成整改",
        f"云政{kind}〔{year}〕{number}号",
        f"第{number}号公告",
        f"{year}—{year + 4}年规划",
        f"截至{month}月底",
    ):
        assert amounts(f"根据{text}，有关工作稳步推进。") == []


@given(st.integers(1, 10**9), st.sampled_from(["件", "万元", "亿千瓦时", "个百分点", "人次", "公里"]))
def test_a_plain_count_is_always_found(value: int, unit: str) -> None:
    q = only(f"全年完成{value}{unit}。")
    factor = {"万": 10**4, "亿": 10**8}.get(unit[0], 1)
    assert (q.text, q.value) == (f"{value}{unit}", Decimal(value) * factor)


HOSTILE: list[Callable[[int], str]] = [
    lambda n: "9" * n,
    lambda n: "一" * n,
    lambda n: "1,234" * n,
    lambda n: "1至" * n,
    lambda n: "1、" * n,
    lambda n: "分别1%、2%" * n,
    lambda n: "占1%" * n,
    lambda n: "其中全年" * n + "1件",
    lambda n: "第" * n + "1",
    lambda n: "“" * n + "1件",
    lambda n: "1件" + "的" * n + "2件",
    lambda n: "- 1 " * n + "x",
    lambda n: "十点" * n,
    lambda n: "比" * n + "高1%",
    lambda n: "由1%到" * n,
]


@pytest.mark.parametrize("make", HOSTILE, ids=range(len(HOSTILE)))
def test_long_and_hostile(make: Callable[[int], str]) -> None:
    """Five thousand repetitions end: what takes the square of the length would not for hours."""
    quantities(make(5_000))


def test_the_shipped_corpus() -> None:
    with_one = without = 0
    for report in load_corpus(split="validation"):
        found = {s.id for s, _ in report_quantities(report.report, None)}
        for s in report.report.sentences:
            if s.kind == "sentence":
                with_one += "metric" in (s.labels or ()) and s.id in found
                without += "metric" in (s.labels or ()) and s.id not in found
    assert without <= 0.03 * (with_one + without)


@pytest.mark.parametrize("half", ["development", "held-out"])
def test_the_labelled_sentences(half: str) -> None:
    """The floor below which no change may go; bench/quantities.py prints the figures."""
    records = list(read_records(GOLD / f"{half}.jsonl"))
    assert len(records) == 110
    pairs: list[tuple[list[Any], list[Any]]] = [(r["quantities"], predicted(r["text"])) for r in records]
    for name, least in {"figure (value, unit, range)": 0.97, "indicator, overlap": 0.9, "change": 0.9}.items():
        precision, recall, _ = scores([counts(gold, found, ASPECTS[name]) for gold, found in pairs])
        assert min(precision, recall) >= least, name


def test_the_labels_are_of_their_sentences() -> None:
    for half in ("development", "held-out"):
        for record in read_records(GOLD / f"{half}.jsonl"):
            ends = 0
            for q in record["quantities"]:
                assert record["text"][q["start"] : q["end"]] == q["text"] and q["start"] >= ends
                ends = q["end"]
