"""The page: what a report says is shown, and nothing in it is ever more than text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.annotate.page import page
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
        if tag not in ("meta", "br", "img"):
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
    assert not {"img", "iframe", "link", "object", "embed", "form", "input", "base", "svg"} & set(names)
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
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttpRequest|import\(", html)
    assert "@@" not in html


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
    html = page(Report.build("报告.txt", text, spans).with_labels(labels, scores), DEFAULT_LABELS)
    assert "<title>题目 · 批注</title>" in html
    assert '<p class="furniture">打印</p>\n<h1 id="u1">题目</h1>\n<h2 id="u2">一、工作</h2>\n<p><span id="u3"' in html
    assert 'data-labels="achievement metric" title="成效 91%，指标 50%"><bdi>完成3件。</bdi>' in html
    assert '顺利。</bdi></span></p>\n<p><span id="u5"' in html  # paragraphs as in the text
    assert '<li><a href="#u3">完成3件。</a></li></ol></aside>' in html
    counts = dict(re.findall(r'data-label="(\w+)".*?<b>(\d+)</b>', html))
    assert counts == {"achievement": "1", "shortcoming": "0", "plan": "1", "metric": "1", "none": "1"}


def test_a_label_set_of_ones_own() -> None:
    labels = LabelSet((Label("risk", "风险", "#112233", "r", "隐患<b>"),))
    made = Report.build("a.txt", "有险。", [Span(0, 3, "sentence")]).with_labels([("risk",)], [{"risk": 1.0}])
    html = page(made, labels)
    assert "#112233" in html and "<kbd>r</kbd>" in html and "隐患&lt;b&gt;" in html
    assert "aside aria-label" not in html  # no metrics to list


def test_an_unlabelled_report() -> None:
    html = page(Report.build("a.txt", "一句。", [Span(0, 3, "sentence")]), DEFAULT_LABELS)
    harmless(html)
    assert "<title>a.txt · 批注</title>" in html and "（无标题）" in html
