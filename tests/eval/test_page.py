"""The evaluation page: complete, offline, and free of anything smuggled in by a report."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from pizhu import Annotator
from pizhu.data.report import Report, Span
from pizhu.eval.attribution import explainer
from pizhu.eval.evaluate import Depth, Evaluation, evaluate
from pizhu.eval.held_out import Division
from pizhu.eval.page import page
from pizhu.tests.support.hostile import HOSTILE as TEXTS
from pizhu.tests.support.hostile import bare, shown, texts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '<script>alert("1")</script>@@tiles@@&amp;"\'深化改革。'


class Reader(HTMLParser):
    """Elements, attributes and text; every element must be closed in its turn."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def found(model_folder: Path, labelled: Report) -> Evaluation:
    """An evaluation with every section, of a report that holds markup wherever a report can hold text."""
    annotator = Annotator.load(model_folder, device="cpu")
    annotator.about = replace(annotator.about, decision=replace(annotator.about.decision, review_below=0.5))
    text = f"{HOSTILE}\n{HOSTILE}{HOSTILE}力争数字化率达到80%以上。"
    size = len(HOSTILE)
    spans = [
        Span(0, size, "heading", 1),
        Span(size + 1, 2 * size + 1, "sentence"),
        Span(2 * size + 1, 3 * size + 1, "sentence"),
        Span(3 * size + 1, len(text), "sentence"),
    ]
    hostile = Report.build(f"{HOSTILE}.txt", text, spans).with_labels(
        [(), ("metric", "shortcoming"), ("plan", "metric"), ()]
    )
    training = [replace(labelled, doc="a.txt"), replace(hostile, doc="b.txt")]
    return evaluate(
        annotator,
        [hostile, replace(labelled, doc="c.txt")],
        [*training, replace(labelled, doc="d.txt")],
        depth=Depth(errors=12, learning=True),
        explain=lambda: explainer(model_folder),
    )


@pytest.fixture(scope="module")
def html(found: Evaluation) -> str:
    return page(found, model=HOSTILE, data=HOSTILE, made=date(2025, 1, 2))


def test_it_is_whole(html: str) -> None:
    reader = Reader(html)
    assert reader.count["section"] == 11 and reader.count["h1"] == 1
    assert reader.count["svg"] > 20
    targets = {value for name, value in reader.attributes if name == "id"} - {"layout"}
    links = {value for name, value in reader.attributes if name == "href"}
    assert links == {f"#{target}" for target in targets}
    assert "2025-01-02" in html


def test_text_from_reports_stays_text(html: str) -> None:
    reader = Reader(html)
    assert reader.count["script"] == 0 and "<script" not in html
    assert "".join(reader.words).count(HOSTILE) > 5
    assert not [name for name, _ in reader.attributes if name.startswith("on")]


def told(found: Evaluation, text: str, other: str) -> str:
    """The page of an evaluation of reports that say ``text`` and are called ``other``."""
    mistakes = [
        replace(
            m,
            doc=other,
            text=text,
            headings=(text, other),
            before=tuple(replace(n, text=text) for n in m.before),
            after=tuple(replace(n, text=other) for n in m.after),
            attribution=m.attribution
            and replace(
                m.attribution,
                path=tuple(replace(word, text=text) for word in m.attribution.path),
                words={place: tuple(replace(w, text=text) for w in ws) for place, ws in m.attribution.words.items()},
            ),
            nearest=tuple(replace(n, text=text, headings=(other,), doc=text) for n in m.nearest),
        )
        for m in found.mistakes[:3]
    ]
    slices = {**found.slices, "report": dict.fromkeys((text, other), found.systems["model"])}
    origin = {**found.about.origin, "versions": {text: other}}
    about = replace(found.about, origin=origin, fingerprint="")
    division = Division(tuple(replace(report, doc=other) for report in found.division.scored))
    changed = replace(found, division=division, mistakes=mistakes, slices=slices, about=about, left_out={text: other})
    return page(changed, model=text, data=other)


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_is_shown_as_it_is(found: Evaluation, text: str) -> None:
    html = told(found, f"〔{text}〕", f"〔{text}〕")
    assert shown(html) == {bare(text)}
    assert "〔49" not in html


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, other=texts)
def test_any_text_is_only_text(found: Evaluation, text: str, other: str) -> None:
    shown(told(found, text, other))


def test_it_opens_offline(html: str) -> None:
    reader = Reader(html)
    assert not reader.count & Counter(["link", "img", "iframe", "object", "embed", "base", "form", "script"])
    assert not [value for name, value in reader.attributes if name in ("src", "xlink:href", "srcset", "data", "action")]
    assert "http:" not in html and "https:" not in html and "url(" not in html and "@import" not in html
    assert "default-src 'none'" in html


def test_pictures_hold_numbers_only(html: str) -> None:
    for name in ("points", "d", "cx", "cy", "x", "y", "width", "height", "viewBox"):
        for value in (v for n, v in Reader(html).attributes if n == name.lower()):
            assert not re.search("nan|inf|None", value), (name, value)


def test_the_same_evaluation_is_the_same_page(found: Evaluation, html: str) -> None:
    assert page(found, model=HOSTILE, data=HOSTILE, made=date(2025, 1, 2)) == html


def test_words_are_coloured_where_there_are_attributions(found: Evaluation, html: str) -> None:
    assert found.mistakes and 'class="w' in html
    bare = replace(found, mistakes=[replace(m, attribution=None) for m in found.mistakes])
    plain = page(bare, model="m", data="d")
    assert "积分梯度" not in plain and "最严重的错误" in plain


def test_what_is_left_out_is_told(found: Evaluation) -> None:
    told = replace(found, left_out={"attributions": "attributions need <torch>"})
    assert "词语归因：<code>attributions need &lt;torch&gt;</code>" in page(told, model="m", data="d")


def test_a_bare_evaluation_has_fewer_sections(model_folder: Path, labelled: Report) -> None:
    """One report, no baselines, no errors, nothing flagged, and a label that nobody has."""
    few = labelled.with_labels([tuple(n for n in s.labels or () if n != "plan") for s in labelled.sentences])
    annotator = Annotator.load(model_folder, device="cpu")
    html = page(evaluate(annotator, [replace(few, doc="x.txt")], depth=Depth(False)), model="m", data="d")
    reader = Reader(html)
    assert reader.count["section"] == 8
    assert "数据中没有这个标签" in html and "只有一份报告，无区间" in html and "没有设复核线" in html
    for absent in ("与基线比较", "最严重的错误", "学习曲线"):
        assert absent not in html


def test_how_the_model_was_made(found: Evaluation, html: str) -> None:
    words = "".join(Reader(html).words)
    assert f"随机种子{found.about.origin['recipe']['training']['seed']}软件版本" in words
    assert found.about.fingerprint[:12] in words


def test_what_the_reports_were_to_the_model(found: Evaluation) -> None:
    docs = found.division.scored
    known = page(replace(found, division=Division(docs, docs, docs[:1])), model="m", data="d")
    assert "2 份模型未见过的报告" in known
    assert "有 2 份报告模型学过" in known and "有 1 份报告用来选定过模型的阈值" in known
    flattering = page(replace(found, division=Division(docs, flattering=True)), model="m", data="d")
    assert "模型未见过的报告" not in flattering and "得分偏高：" in flattering


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 380])
def test_a_real_browser_draws_it(html: str, browser: Browser, tmp_path: Path, width: int) -> None:
    """Chromium reports no error, draws every chart, and nothing is wider than the window."""
    path = tmp_path / "evaluation.html"
    path.write_text(html, encoding="utf-8")
    tab, troubles = browser.new_page(viewport={"width": width, "height": 800}), list[str]()
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    empty = "all => all.filter(e => e.getBoundingClientRect().width < 10).length"
    assert tab.locator("figure svg").count() > 10 and tab.locator("figure svg").evaluate_all(empty) == 0
    tab.close()
    assert troubles == []
