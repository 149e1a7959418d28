"""The page shows a report's text, and that text is never more than text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.annotate.writers.page import hotkeys, page
from pizhu.annotate.writers.template import asset, sheet
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.report import Report, Span

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "]]><b>",
    "<!-- --><!doctype>",
    "@@body@@ @@style@@ @@",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "&lt;script&gt; &amp;amp; &#60;",
    "{{7*7}} ${7*7} <%= 7 %>",
    "\u202egnp.exe\u2066",
    "javascript:alert(1)",
]


class Tree(HTMLParser):
    """Tags with their attributes, and the text of the report."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "img", "input"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "main" in self.inside and "sup" not in self.inside:
            self.text.append(data)


def report(*pieces: str, doc: str = "报告.txt") -> Report:
    """A title, a heading, furniture, then sentences, with every label and score."""
    kinds = ["heading", "heading", "furniture"]
    text, spans = "", []
    for i, piece in enumerate((*pieces[:3], *pieces)):
        spans.append(Span(len(text), len(text) + len(piece), kinds[i] if i < 3 else "sentence", int(i == 1)))  # type: ignore[arg-type]
        text += piece + "\n"
    made = Report.build(doc, text, spans)
    scores = [dict.fromkeys(DEFAULT_LABELS.names, 0.987) if s.kind == "sentence" else None for s in made.sentences]
    return made.with_labels([DEFAULT_LABELS.names if s.kind == "sentence" else () for s in made.sentences], scores)


def harmless(html: str) -> Tree:
    tree = Tree(html)
    assert tree.inside == []
    names = [tag for tag, _ in tree.tags]
    assert (names.count("script"), names.count("style"), names.count("title")) == (1, 1, 1)
    assert (names.count("input"), names.count("form")) == (1, 1)  # search, and the button that closes the help
    assert not {"img", "iframe", "link", "object", "embed", "base", "svg"} & set(names)
    for _, attributes in tree.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
        assert (attributes.get("href") or "#").startswith("#")
    return tree


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    made = report(text, text, text, doc=text)
    tree = harmless(page(made, DEFAULT_LABELS))
    assert re.sub(r"\s", "", "".join(tree.text)) == re.sub(r"\s", "", text * 6)


@given(st.lists(st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE), min_size=3, max_size=6))
def test_any_text_is_harmless(pieces: list[str]) -> None:
    harmless(page(report(*pieces, doc=pieces[0]), DEFAULT_LABELS))


def test_writing_direction_is_kept_in_its_sentence() -> None:
    html = page(report("a", "b", "\u202e倒。"), DEFAULT_LABELS)
    assert "<bdi>\u202e倒。</bdi>" in html


def test_no_network() -> None:
    html = page(report("甲", "乙", "丙。"), DEFAULT_LABELS)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon", html)
    assert "@@" not in html


def test_nothing_but_its_own_style_and_script_may_run() -> None:
    """Even markup that got past the escaping would be shut out: the policy names the two by their hashes."""
    html = page(report(*HOSTILE[:3]), DEFAULT_LABELS)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy and "unsafe" not in policy[1]
    directives = dict(directive.split(" ", 1) for directive in policy[1].split("; "))
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert directives.pop(f"{tag}-src") == f"'sha256-{hashed}'"
    assert directives == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    assert not re.search(r"<[^>]+ (style|on\w+)=", html)  # which the policy shuts out too


def test_what_it_shows() -> None:
    text = "打印\n题目\n一、工作\n完成3件。顺利。\n要改。\n"
    spans = [
        Span(0, 2, "furniture"),
        Span(3, 5, "heading"),
        Span(6, 10, "heading", 1),
        Span(11, 16, "sentence"),
        Span(16, 19, "sentence"),
        Span(20, 23, "sentence"),
    ]
    labels = [(), (), (), ("achievement", "metric"), (), ("plan",)]
    scores = [None, None, None, {"achievement": 0.91, "metric": 0.5}, {"plan": 0.0}, None]
    review = [False, False, False, False, True, False]
    html = page(Report.build("报告.txt", text, spans).with_labels(labels, scores, review), DEFAULT_LABELS)
    assert "<title>题目 · 批注</title>" in html
    assert '<p class="furniture">打印</p>\n<h1 id="u1">题目</h1>\n<h2 id="u2">一、工作</h2>\n<p><span id="u3"' in html
    assert re.search('data-labels="achievement metric"[^>]* title="成效 91%，指标 50%"><bdi>完成3件。</bdi>', html)
    assert re.search('data-labels="none"[^>]* data-review title="待复核，计划 0%"><bdi>顺利。', html)
    assert re.search('顺利。</bdi><sup class="doubt"[^>]*>？</sup></span></p>\n<p><span id="u5"', html)  # paragraphs
    assert 'summary>待复核的句子 <b>1</b></summary><ol><li><a href="#u4"><span class="line">顺利。</span>' in html
    assert 'summary>指标 <b>1</b></summary><ol><li><a href="#u3"><span class="figure">' in html
    counts = dict(re.findall(r'data-label="(\w+)".*?<b>(\d+)</b>', html))
    assert counts == {"achievement": "1", "shortcoming": "0", "plan": "1", "metric": "1", "none": "1"}


def test_a_label_set_of_ones_own() -> None:
    labels = LabelSet((Label("risk", "风险", "#112233", "r", "隐患<b>"),))
    made = Report.build("a.txt", "有险。", [Span(0, 3, "sentence")]).with_labels([("risk",)], [{"risk": 1.0}])
    html = page(made, labels)
    assert "#112233" in html and "<kbd>r</kbd>" in html and "隐患&lt;b&gt;" in html
    assert 'id="metrics"' not in html  # no metrics to list
    assert ">风</sup>" in html


def test_an_unlabelled_report() -> None:
    html = page(Report.build("a.txt", "一句。", [Span(0, 3, "sentence")]), DEFAULT_LABELS)
    harmless(html)
    assert "<title>a.txt · 批注</title>" in html and "（无标题）" in html
    assert 'data-labels=""' in html and set(re.findall(r"data-label=.*?<b>(\d+)</b>", html)) == {"0"}  # not "none"


def test_the_outline_counts_what_lies_under_a_heading() -> None:
    text = "题目\n一、甲\n（一）乙\n一句。\n（二）丙\n二句。\n二、丁\n三句。\n"
    spans = [Span(0, 2, "heading"), Span(3, 6, "heading", 1), Span(7, 11, "heading", 2), Span(12, 15, "sentence")]
    spans += [
        Span(16, 20, "heading", 2),
        Span(21, 24, "sentence"),
        Span(25, 28, "heading", 1),
        Span(29, 32, "sentence"),
    ]
    given = [("plan",) if span.kind == "sentence" else () for span in spans]
    html = page(Report.build("a.txt", text, spans).with_labels(given), DEFAULT_LABELS)
    found = re.findall(r'<li class="d(\d)"><a href="#u\d">([^<]+)</a>(?:<span><b[^>]*>(\d)</b></span>)?</li>', html)
    assert found == [
        ("0", "题目", ""),
        ("0", "一、甲", "2"),
        ("1", "（一）乙", "1"),
        ("1", "（二）丙", "1"),
        ("0", "二、丁", "1"),
    ]


def test_labels_that_begin_alike_are_told_apart() -> None:
    labels = LabelSet(
        (Label("a", "成效", "#000000", "1"), Label("b", "成本", "#ffffff", "2"), Label("c", "问题", "#0072b2", "3"))
    )
    made = Report.build("a.txt", "一句。", [Span(0, 3, "sentence")]).with_labels([labels.names])
    html = page(made, labels)
    assert re.findall(r"<sup class=\"t-\w\"[^>]*>(\w+)</sup>", html) == ["成效", "成本", "问"]
    assert ".t-a{background:#000000;color:#fff}" in html and ".t-b{background:#ffffff;color:#000}" in html


@pytest.mark.parametrize("label", list(DEFAULT_LABELS), ids=DEFAULT_LABELS.names)
def test_tags_can_be_read(label: Label) -> None:
    """Contrast of at least 4.5 (WCAG 2.2, AA)."""
    ink = re.search(rf"\.t-{label.name}{{background:{label.color};color:(#\w+)}}", sheet("page", DEFAULT_LABELS))
    assert ink

    def luminance(color: str) -> float:
        digits = color[1:] if len(color) == 7 else "".join(2 * c for c in color[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(ink[1]), luminance(label.color)))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_long_report_stays_small() -> None:
    sentence = "深化“放管服”改革，全年办结行政审批事项3.2万件，同比增长5.6%，群众满意率达到99.6%，位居全省第2位。"
    made = report(
        "某市2022年工作总结", "一、主要工作", "打印", *[f"{sentence[:-1]}，其中第{i}批。" for i in range(150)]
    )
    assert len(page(made, DEFAULT_LABELS).encode()) < 300_000


def test_the_pages_own_keys_are_no_labels() -> None:
    labels = LabelSet(tuple(Label(f"l{key}", f"标签{key}", "#aaaaaa", key) for key in "a1rx"))
    assert hotkeys(labels) == ["2", "1", "3", "x"]
    html = page(report("一句。"), labels)
    keys = [str(found) for _, attributes in Tree(html).tags if (found := attributes.get("data-key"))]
    assert keys == ["2", "1", "3", "x", "0", "r", "a", "h"]  # each once: labels, none, and the page's own
    assert all(f"<dt><kbd>{key}</kbd></dt><dd>标签" in html for key in "213x")
    script = asset("page.js")
    pressed = set(
        re.findall(
            r"\b([a-z]): ", script[script.index("const keys = {") : script.index("};", script.index("const keys"))]
        )
    )
    assert {*pressed, *(key for key in keys[5:])} == set("achjkr")
    many = LabelSet(tuple(Label(f"l{key}", f"标签{key}", "#aaaaaa", key) for key in "123456789k"))
    assert hotkeys(many)[-1] == ""
    assert "<kbd></kbd>" not in page(report("一句。"), many)
