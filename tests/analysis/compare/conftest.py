"""Reports of a few sentences, each with its label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest
from pizhu.data.report import Report, Span

CODES = {"A": "achievement", "S": "shortcoming", "P": "plan", "M": "metric"}


class Build(Protocol):
    def __call__(self, *lines: str, doc: str = "报告.txt") -> Report: ...


def build(*lines: str, doc: str = "报告.txt") -> Report:
    """``build("# 标题", "AM 完成3件。")``: a line a paragraph, # a heading, - a sentence without a label."""
    text = ""
    spans: list[Span] = []
    labels: list[tuple[str, ...]] = []
    for line in lines:
        code, _, piece = line.partition(" ")
        spans.append(Span(len(text), len(text) + len(piece), "heading" if code == "#" else "sentence"))
        labels.append(tuple(CODES[c] for c in code if c in CODES))
        text += piece + "\n"
    return Report.build(doc, text, spans).with_labels(labels)


@pytest.fixture
def report() -> Callable[..., Report]:
    return build


@pytest.fixture
def earlier() -> Report:
    return build(
        "# 砚池县水务局2021年工作总结",
        "AM 全年更换老旧水管40公里，自来水普及率88%。",
        "S 一是山区饮水困难，水窖干涸时有发生。",
        "S 二是执法车辆老旧。",
        "P 2022年重点做好以下工作：",
        "PM 力争自来水普及率达到92%。",
        "P 从青石水库向山区铺设引水主管，解决饮水困难。",
        "P 举办龙舟文化节，擦亮旅游名片。",
        "P 让我们为建设美丽砚池而努力奋斗！",
        doc="2021.txt",
    )


@pytest.fixture
def later() -> Report:
    return build(
        "# 砚池县水务局2022年工作总结",
        "AM 更换老旧水管4.6万米，自来水普及率升至90.5%。",
        "A 青石水库引水主管正在铺设，山区三个村已经通水。",
        "A 严肃查处非法采砂。",
        "S 山区饮水困难没有根本解决。",
        "P 继续向山区延伸引水主管，让饮水困难的村都通水。",
        doc="2022.txt",
    )
