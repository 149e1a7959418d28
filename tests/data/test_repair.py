"""Repaired text reads well, does not change again, and keeps track of each character's origin."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pizhu.data.repair import repair
from pizhu.data.report import Report, Span


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("办理 1158.4万\n条,占 35 % 。", "办理1158.4万条，占35%。"),
        ("超 1 万件，新增 400 项", "超1万件，新增400项"),
        ("认真贯彻《\r\n档案管理条例\r\n》 。", "认真贯彻《档案管理条例》。"),
        ("交出一份人\n\u200b\n民满意的答卷。", "交出一份人民满意的答卷。"),
        ("１９８７年达到１０．５％", "1987年达到10.5%"),
        ("1 9 9 8 年，排查 1 874 个", "1998年，排查1874个"),
        ("(一)落实;完成了吗?增长3,200元,时间14:35", "（一）落实；完成了吗？增长3,200元，时间14:35"),
        ("通过 ISO 9001 认证，在 LED 显示屏展播", "通过ISO 9001认证，在LED显示屏展播"),
        ("Open\nSource", "Open Source"),
        ("中共枫渡镇委员会　枫渡镇人民政府", "中共枫渡镇委员会　枫渡镇人民政府"),
        ("接收\t3.2\t5%", "接收\t3.2\t5%"),
    ],
)
def test_what_is_mended(broken: str, mended: str) -> None:
    assert repair(broken).text == mended


def test_a_missing_full_stop_is_added_to_sentences_only() -> None:
    text = "再取消、下放、优化一批行政权力事项，方便群众就近办理"
    assert repair(text, close=True).text == text + "。"
    assert repair(text, close=True).source(0, len(text) + 1) == (0, len(text))
    assert repair(text + "1 ", close=True).text == text + "1。"
    assert repair("澄岭市档案局", close=True).text == "澄岭市档案局"
    report = Report.build("x", text, [Span(0, len(text), "sentence")])
    assert report.sentences[0].text == text
    assert report.sentences[0].clean == text + "。"


@example("1" * 18 + "， ", True)
@given(st.text(alphabet="工作，。,.:;()（）《》 1２9%％\n\r\t\u200b\u3000aＢ", max_size=80), st.booleans())
@settings(max_examples=500, deadline=None)
def test_the_way_back(text: str, close: bool) -> None:
    found = repair(text, close=close)
    assert len(found.origin) == len(found.text)
    assert list(found.origin) == sorted(set(found.origin))
    assert repair(found.text).text == found.text
    for i, (char, at) in enumerate(zip(found.text, found.origin, strict=True)):
        if text[at : at + 1] == char:
            assert found.source(i, i + 1) == (at, at + 1)
        assert found.mended(at) == i
