"""The configuration follows from the label set; a hand-made change of it is noticed."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from pizhu.base.errors import ConfigError, LabelingError
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.records import Kind, LeadRecord, Record
from pizhu.labeling.active.review import REVIEW
from pizhu.labeling.adjudication import ADJUDICATION
from pizhu.labeling.adjudication.config import adjudication_guide
from pizhu.labeling.studio.config import (
    COMMANDS,
    NONE_COLOR,
    check_config,
    check_kind,
    config_kind,
    config_labels,
    instructions,
    label_config,
    span_config,
    span_instructions,
)
from pizhu.labeling.studio.place import address, check_report_url, place
from pizhu.labeling.studio.spans import SPAN_LABELS
from pizhu.labeling.studio.tasks import to_tasks

OWN = LabelSet((Label("risk", '风险 & "隐患"', "#aa0000", "r", "可能出的事 <重要>"),))


CONFIGS = [label_config(DEFAULT_LABELS), label_config(OWN), span_config(SPAN_LABELS)]

# What one with no working cones of a kind sees, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0519]],
    "deuteranopia": [[0.3673, 0.8607, -0.2279], [0.2801, 0.6726, 0.0473], [-0.0118, 0.0430, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def lab(color: str, vision: str) -> np.ndarray:
    """CIELAB (D65) of a colour as it is seen."""
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ seen / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "colors",
    [[*(label.color for label in DEFAULT_LABELS), NONE_COLOR], [label.color for label in SPAN_LABELS]],
    ids=["labels", "spans"],
)
def test_colours_differ_to_every_eye(colors: list[str], vision: str) -> None:
    """A difference of 2.3 in CIELAB is just noticeable; a small patch wants several times that."""
    for one, other in combinations(colors, 2):
        assert np.linalg.norm(lab(one, vision) - lab(other, vision)) > 11.5, (one, other)


@pytest.mark.parametrize("config", CONFIGS)
def test_label_studio_finds_it_valid(config: str) -> None:
    from label_studio_sdk.label_interface.interface import LabelInterface

    LabelInterface(config).validate()


def test_the_labels_can_be_read_back() -> None:
    for labels, config in zip((DEFAULT_LABELS, OWN, SPAN_LABELS), CONFIGS, strict=True):
        assert config_labels(config) == labels.labels
    assert config_labels("no XML <") == config_labels(None) == config_labels("") == ()
    bomb = '<!DOCTYPE v [<!ENTITY a SYSTEM "file:///etc/hostname">]><View><Choice value="&a;" alias="x"/></View>'
    assert {label.title for label in config_labels(bomb)} <= {"", "&a;"}


@pytest.mark.parametrize("labels", [DEFAULT_LABELS, OWN])
def test_choices_show_chinese_and_store_names(labels: LabelSet) -> None:
    choices = list(ElementTree.fromstring(label_config(labels)).iter("Choice"))
    assert [choice.get("value") for choice in choices] == [*(label.title for label in labels), "无"]
    assert [choice.get("alias") for choice in choices] == [*labels.names, "none"]
    assert [choice.get("hotkey") for choice in choices] == [*(label.hotkey for label in labels), "0"]


def test_a_choice_is_required_and_everything_shown_is_sent() -> None:
    root = ElementTree.fromstring(label_config(DEFAULT_LABELS))
    assert next(root.iter("Choices")).get("required") == "true"
    record: Record = {"id": "a", "doc": "b", "start": 0, "end": 1, "text": "c"}
    [task] = to_tasks([record], DEFAULT_LABELS, "here")
    for config in CONFIGS:
        root = ElementTree.fromstring(config)
        shown = {part.get("value", "") for tag in ("Text", "HyperText") for part in root.iter(tag)}
        assert {value.removeprefix("$") for value in shown} <= set(task["data"])


@pytest.mark.parametrize("label", [Label("none", "空", "#000000", "n"), Label("empty", "无", "#000000", "n")])
def test_none_is_kept(label: Label) -> None:
    with pytest.raises(ConfigError, match="reserved for sentences without a label"):
        label_config(LabelSet((label,)))


def test_own_configurations_pass_whatever_the_label_set() -> None:
    for config in (*CONFIGS, label_config(OWN).replace("\n", "\r\n"), label_config(OWN).strip()):
        check_config(config, "项目")


@pytest.mark.parametrize(
    "changed",
    [
        label_config(DEFAULT_LABELS).replace("成效", "成绩"),
        re.sub("<!--.*-->", "", label_config(DEFAULT_LABELS)),
        "<View/>",
        "",
        None,
    ],
)
def test_a_change_by_hand_is_noticed(changed: str | None) -> None:
    with pytest.raises(LabelingError, match="项目 was changed by hand"):
        check_config(changed, "项目")


LIKE_OTHERS = LabelSet((Label("risk", '<Text name="doubt"', "#aa0000", "r", '<Labels name="spans"'),))
OF_KIND = {
    "sentences": [label_config(DEFAULT_LABELS), label_config(LIKE_OTHERS)],
    "spans": [span_config(SPAN_LABELS)],
    "review": [REVIEW.config(DEFAULT_LABELS), REVIEW.config(OWN)],
    "adjudication": [ADJUDICATION.config(DEFAULT_LABELS), ADJUDICATION.config(OWN)],
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_kind_of_task_is_told(kind: str) -> None:
    """Also after Label Studio's editor has written the configuration anew, which leaves out the mark."""
    for config in OF_KIND[kind]:
        edited = ElementTree.tostring(ElementTree.fromstring(config), encoding="unicode")
        for text in (config, edited):
            assert config_kind(text) == kind
            check_kind(text, "项目", kind)
            for other in COMMANDS.keys() - {kind}:
                with pytest.raises(LabelingError, match=f"项目 is for {kind}, not for {other}.*{COMMANDS[kind]}"):
                    check_kind(text, "项目", other)
        with pytest.raises(LabelingError, match=f"by hand.*: {COMMANDS[kind]} --overwrite-config"):
            check_config(edited, "项目")


def test_what_is_left_of_no_kind_may_become_any() -> None:
    for config in (None, "", "<View/>"):
        assert config_kind(config) is None
        check_kind(config, "项目", "spans")
        with pytest.raises(LabelingError, match="push --task spans --overwrite-config"):
            check_config(config, "项目", "spans")


def test_instructions_are_the_guideline() -> None:
    html = instructions(DEFAULT_LABELS)
    assert all(label.title in html for label in DEFAULT_LABELS)
    assert "<table>" in html and "|" not in html
    assert "风险" in instructions(OWN) and "成效" not in instructions(OWN)
    assert all(label.title in span_instructions(SPAN_LABELS) for label in SPAN_LABELS)


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</li></ul><script>alert(1)</script><!--",
    "![图](http://203.0.113.9/x.png)",
    "[点这里](http://203.0.113.9/) 和 <http://203.0.113.9/>",
    "**粗** _斜_ `码` ~~删~~ \\* &lt;b&gt; &#60;",
    "# 标题",
    "- 列表\n\n<div>另一段</div>\n| a | b |\n|---|---|",
    '" onmouseover="alert(1)',
    "\u202e反\u2028行",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [instructions, span_instructions, adjudication_guide])
def test_instructions_hold_labels_as_text(text: str, make: Callable[[LabelSet], str]) -> None:
    """Whatever titles and descriptions hold, it is read as it stands, and nothing else is."""

    def parts(labels: LabelSet) -> tuple[list[str], str]:
        tags: list[str] = []
        read: list[str] = []
        parser = HTMLParser(convert_charrefs=True)
        parser.handle_starttag = lambda tag, attributes: tags.append(f"{tag} {attributes}")  # type: ignore[method-assign, assignment]
        parser.handle_data = read.append  # type: ignore[method-assign, assignment]
        parser.feed(make(labels))
        parser.close()
        return [tag for tag in tags if tag != "br []"], "".join(read)

    def own(title: str, description: str) -> LabelSet:
        return LabelSet((Label("a", title, "#112233", "1", description), Label("b", "乙", "#112233", "2", "平常")))

    plain, hostile = parts(own("甲", "说明")), parts(own(text, text))
    assert hostile[0] == plain[0]
    assert "".join(hostile[1].split()) == "".join(plain[1].replace("甲 说明", f"{text} {text}").split())


def entry(text: str, start: int, kind: Kind = "sentence") -> Record:
    return {
        "id": f"i{start}",
        "doc": "报 告#1.txt",
        "start": start,
        "end": start + len(text),
        "text": text,
        "kind": kind,
    }


def test_the_place_is_a_marked_sentence_among_its_neighbours() -> None:
    heads: list[LeadRecord] = [{"text": "一、<工作>", "start": 0, "end": 4}]
    records: list[Record] = [{**entry("前。", 5), "lead": heads}, entry("<b>&\n本。", 7), entry("远。", 20)]
    html = place(records, 1)
    assert html == ("<p><b>一、&lt;工作&gt;</b></p><p>前。<mark>&lt;b&gt;&amp; 本。</mark></p><p>远。</p>")
    many = [entry("句。", 10 * n) for n in range(30)]
    assert place(many, 15).count("<p>") == 9 and place(many, 0).startswith("<p><mark>句。")


def test_the_link_to_the_report() -> None:
    link = address("http://pc-7:80/结果/{name}.html?d={doc}&s={start}#u{index}", entry("句。", 5), 1)
    assert link == "http://pc-7:80/结果/%E6%8A%A5%20%E5%91%8A%231.html?d=%E6%8A%A5%20%E5%91%8A%231.txt&s=5#u1"
    html = place([entry('"><script>', 5)], 0, f"{link}\"'>")
    opening = f'<a href="{link.replace("&", "&amp;")}&quot;&#x27;&gt;" target="_blank" rel="noopener noreferrer">'
    assert html.endswith(f"{opening}打开整篇报告</a></p>")
    assert "<script>" not in html


@pytest.mark.parametrize(
    "wrong",
    ["javascript:alert(1)", "file:///etc/{name}", "ftp://x/{name}", "http://", "http://x/{title}", "http://x/{}",
     "http://x/{name!r}", "http://x/{name:>9}", "http://x/{name", "http://x/{name.__class__}", "http://a:b@x/", "{doc}",
     "http://{name}/", "http://[x/"],
)  # fmt: skip
def test_what_is_no_address_of_reports(wrong: str) -> None:
    with pytest.raises(ConfigError, match="report address"):
        check_report_url(wrong)
