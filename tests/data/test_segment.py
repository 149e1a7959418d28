"""Sentences end where readers see their end; headings, paths and furniture are right. All text is invented."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.data.read import report_from_text
from pizhu.data.report import Report
from pizhu.data.segment import spans
from pizhu.data.segment.markers import marker


def build(text: str) -> Report:
    return Report.build("x", text, spans(text))


def pieces(marked: str) -> None:
    """Check a paragraph in which | stands where sentences end."""
    expected = marked.split("|")
    text = "".join(expected)
    assert [text[s.start : s.end] for s in spans(text)] == [part.strip() for part in expected]


@pytest.mark.parametrize(
    "marked",
    [
        "全年接收档案3.2万卷。|整理照片1.1万张！|效果如何？|群众满意。",
        "存在不足：一是人手不够；|二是经费偏紧；|三是场地狭小。",
        "重点抓三件事：（1）修库房；|（2）配设备；|（3）训队伍。",
        "有的县动作慢；有的县标准低；有的县不报数。",
        "局长在会上说：“档案是大事。人人要上心。”|会后逐项落实。",
        "提出“把档案馆建在群众心里！”的口号，反响很好。|",
        "印发《关于档案工作的意见（试行）。附表》，全市执行。|",
        "群众问“档案怎么查？谁来管？”，窗口当场答复。|",
        "完成改造（含西馆。东馆未含）的项目三个。|",
        "增长5.6%，其中A.B两馆占3.5成。|12.5万卷已扫描。",
        "对接12345热线……|这些做法得到肯定。",
        "从查档难到查档易……一项项便民举措落地。|",
        "“老档案”焕发新光彩。”|居民说好。",  # a stray closing mark
        "建成“一窗通办工作得到好评。|各区都在学。",  # an opening mark without its partner
        '他说："一次办好。"|大家点头。',
        "已完工.|",
    ],
)
def test_where_sentences_end(marked: str) -> None:
    pieces(marked.rstrip("|"))


def test_half_width_points_end_sentences_only_where_no_other_stop_does() -> None:
    text = "全年接收档案3.2万卷.整理照片1.1万张.群众满意."
    assert [text[s.start : s.end] for s in spans(text)] == ["全年接收档案3.2万卷.", "整理照片1.1万张.", "群众满意."]


REPORT = """当前位置：首页 > 政务公开 > 工作总结
澄岭市档案局2022年工作总结
发布时间：2023-01-10 来源：办公室 【字体：大 中 小】 打印

各位代表：

一、馆藏建设

一年来，馆藏不断丰富。

（一）接收

1.规范进馆。接收档案3.2万卷。整理照片1.1万张。

2.严把质量。退回不合格案卷四十卷。

（二）征集

一是面向社会。征集家谱八十部。

二是面向名人。征集手稿两箱。

二、存在问题

——库房紧张。现有库房只够用两年。

人手也不够。

澄岭市档案局

2023年1月8日

扫一扫在手机打开当前页
"""


def test_kinds_and_heading_paths() -> None:
    rows = {s.text: (s.kind, s.headings) for s in build(REPORT).sentences}
    assert rows["当前位置：首页 > 政务公开 > 工作总结"][0] == "furniture"
    assert rows["发布时间：2023-01-10 来源：办公室 【字体：大 中 小】 打印"][0] == "furniture"
    assert rows["扫一扫在手机打开当前页"][0] == "furniture"
    assert rows["澄岭市档案局2022年工作总结"] == ("heading", ())
    assert rows["各位代表："] == ("sentence", ())
    assert rows["（一）接收"] == ("heading", ("一、馆藏建设",))
    assert rows["1.规范进馆。"] == ("sentence", ("一、馆藏建设", "（一）接收"))
    assert rows["整理照片1.1万张。"] == ("sentence", ("一、馆藏建设", "（一）接收", "1.规范进馆。"))
    assert rows["退回不合格案卷四十卷。"][1][-1] == "2.严把质量。"
    assert rows["征集家谱八十部。"][1] == ("一、馆藏建设", "（二）征集", "一是面向社会。")
    assert rows["现有库房只够用两年。"][1] == ("二、存在问题", "——库房紧张。")
    assert rows["人手也不够。"][1] == ("二、存在问题",)
    assert rows["澄岭市档案局"][0] == rows["2023年1月8日"][0] == "sentence"


def test_a_report_may_put_brackets_over_bare_numbers() -> None:
    lines = "（一）形势 总体平稳。 （二）任务 一、修库房 新建一座。 二、训队伍 办班三期。 （三）前景 一片光明。"
    text = "\n\n".join(lines.split())
    paths = {s.text: s.headings for s in build(text).sentences}
    assert paths["办班三期。"] == ("（二）任务", "二、训队伍")
    assert paths["一片光明。"] == ("（三）前景",)


def test_skipped_and_restarted_levels() -> None:
    lines = "一、甲 1.子 做了。 2.丑 完成。 二、乙 （一）寅 1.卯 修好。 三、丙 1.辰 建成。"
    text = "\n\n".join(lines.split())
    paths = {s.text: s.headings for s in build(text).sentences}
    assert paths["完成。"] == ("一、甲", "2.丑")
    assert paths["修好。"] == ("二、乙", "（一）寅", "1.卯")
    assert paths["建成。"] == ("三、丙", "1.辰")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_broken_in_mid_sentence_are_one_sentence(newline: str) -> None:
    lines = [
        "各位同志：",
        "",
        "认真贯彻《",
        "档案管理条例",
        "》，制定《",
        "数字档案办法",
        "》。全年完成扫描。",
        "",
        "一是",
        "修好库房，",
        "保证安全。",
        "",
        "完成改造。",
        "",
        "通过验收。",
    ]
    text = newline.join(lines)
    found = ["".join(s.text.split()) for s in build(text).sentences]
    assert found == [
        "各位同志：",
        "认真贯彻《档案管理条例》，制定《数字档案办法》。",
        "全年完成扫描。",
        "一是修好库房，保证安全。",
        "完成改造。",
        "通过验收。",
    ]


def test_text_wrapped_at_a_fixed_width() -> None:
    paragraphs = [
        "　　一年来，全市档案系统紧紧围绕中心工作，修库房、强队伍、建平台、优服务，"
        "各项工作都有了新的起色，群众查档更加方便。",
        "　　全年接待查档群众四千余人次，提供档案一万多卷次，其中通过网上预约的"
        "占到三成以上，平均等候时间比上年缩短一半。",
    ] * 4
    text = "\n".join(p[i : i + 24] for p in paragraphs for i in range(0, len(p), 24))
    assert ["".join(s.text.split()) for s in build(text).sentences] == [p.strip() for p in paragraphs]


@given(st.text(alphabet='一二、（）()1.。；！？“”《》\n\r \u3000是\u200b年报告工作"0-—:：abc\t', max_size=300))
@settings(max_examples=400, deadline=None)
def test_ranges_are_ordered_trimmed_and_lose_nothing(text: str) -> None:
    at = 0
    for s in spans(text):
        assert at <= s.start < s.end <= len(text)
        assert not text[at : s.start].strip(" \t\r\n\u3000\u200b")  # nothing but white space between
        assert text[s.start : s.end].strip() == text[s.start : s.end]
        at = s.end
    assert not text[at:].strip(" \t\r\n\u3000\u200b")


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_split(text: str) -> None:
    build(text)


def test_a_long_paragraph_takes_linear_time() -> None:
    report = report_from_text("（" * 100_000 + "全面推进各项工作，" * 50_000 + "”" * 50_000, "x")
    assert report.sentences


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("十、工作回顾", 10),
        ("（二十一）统筹推进", 21),
        ("第一百零三章总则", 103),
        ("一百一十、附则", 110),
        ("第二〇章总则", 20),
        ("二条是修桥", 2),
        ("十百、不成数", 0),
        ("１２、全角", 12),
        ("③ 圈号", 3),
    ],
)
def test_what_numbering_counts(line: str, number: int) -> None:
    found = marker(line)
    assert found is not None and found.number == number
