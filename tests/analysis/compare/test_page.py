"""The page shows the results, and text from a report is never more than text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pizhu.analysis.compare.links import Rule, Rules, compare_reports
from pizhu.analysis.compare.page import _marked, _readable, page
from pizhu.data.report import Report

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>修建水库3座",
    "</title></style><img src=x onerror=alert(1)>",
    "@@plans@@ @@style@@ @@",
    '" onmouseover="alert(1)',
    "&lt;script&gt; &amp;amp; &#60;",
    "\u202egnp.exe\u2066",
    "javascript:alert(1)",
]
SHOW_ALL = Rules(*[Rule(-9, 1)] * 3)


class Tree(HTMLParser):
    """Tags with their attributes; every one that opens must close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag


def harmless(html: str) -> None:
    tree = Tree(html)
    assert tree.inside == []
    names = [tag for tag, _ in tree.tags]
    assert (names.count("script"), names.count("style"), names.count("title"), names.count("input")) == (1, 1, 1, 1)
    assert not {"img", "iframe", "link", "object", "embed", "base", "form"} & set(names)
    ids = [attributes["id"] for _, attributes in tree.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in tree.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action", "style")
        ]
        if "href" in attributes:
            assert (attributes["href"] or "").removeprefix("#") in ids


def test_hostile_text_is_shown_as_it_is(report: Callable[..., Report]) -> None:
    lines = [f"{code} {text}" for text in HOSTILE for code in ("#", "AM", "PM", "S")]
    made = report(*lines, doc="<b>@@title@@</b>.txt")
    html = page(compare_reports(made, made, rules=SHOW_ALL))
    harmless(html)
    shown = re.sub(r"\s", "", unescape(re.sub("<[^>]*>", "", html)))
    assert all(shown.count(re.sub(r"\s", "", s.clean)) >= 2 for s in made.sentences)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.text(min_size=1, max_size=20) | st.sampled_from(HOSTILE), min_size=1, max_size=5))
def test_any_text_is_harmless(pieces: list[str], report: Callable[..., Report]) -> None:
    made = report(*(f"{code} {piece}" for piece in pieces for code in ("AM", "PM", "S")), doc=pieces[0])
    harmless(page(compare_reports(made, made, rules=SHOW_ALL)))


def test_nothing_is_loaded_and_only_its_own_script_runs(earlier: Report, later: Report) -> None:
    html = page(compare_reports(earlier, later))
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttpRequest|import\(", html)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy and "unsafe" not in policy[1] and "@@" not in html
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy[1]


def test_what_it_shows(earlier: Report, later: Report) -> None:
    html = page(compare_reports(earlier, later))
    harmless(html)
    assert "<title>砚池县水务局2021年工作总结 与 砚池县水务局2022年工作总结 对照 · 批注</title>" in html
    assert "2021年的计划，2022年是否有交代" in html and "仅字词" in html
    rows = dict(re.findall(r'<article class="row \w+" id="p(\d+)" data-status="(\w+)"', html))
    assert rows == {"4": "general", "5": "partly", "6": "partly", "7": "missing", "8": "general"}
    assert "计划 92% → 90.5%，未达到" in html and "报告自称尚未完成" in html
    assert "不等于没有落实" in html and "次年仍提到" in html and "2022年仍提到" in html
    assert re.search(r'<tr class="up".*?老旧水管.*?40公里.*?4\.6万米.*?▲</span> 6000米</td><td>\+15\.0%', html)
    assert "<mark>青石水库</mark>" in html
    filters = re.findall(r'data-filter="(\w+)" aria-pressed="false"><i class="dot \w+"></i>(\S+) <b>(\d+)</b>', html)
    assert ("partly", "部分回应", "2") in filters and ("again", "次年仍提到", "1") in filters


def test_reports_that_hold_nothing() -> None:
    nothing = Report.build("空.txt", "", [])
    html = page(compare_reports(nothing, nothing))
    harmless(html)
    assert html.count('<p class="none">（无）</p>') == 3 and "前一份的计划" in html


@given(st.text(max_size=20), st.sets(st.text(min_size=2, max_size=2)))
def test_marks_change_no_text(text: str, marks: set[str]) -> None:
    pieces = _marked(text, marks)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(one[1] != other[1] for one, other in pairwise(pieces))
    assert {piece for piece, shared in pieces if shared} <= {
        text[a:b] for a in range(len(text)) for b in range(a + 2, len(text) + 1)
    }


@pytest.mark.parametrize(
    ("value", "shown"), [(520_000_000, "5.2亿"), (14_000, "1.4万"), (230, "230"), ("0.0070", "0.007"), (0, "0")]
)
def test_amounts_as_people_write_them(value: float, shown: str) -> None:
    from decimal import Decimal

    assert _readable(Decimal(value)) == shown
