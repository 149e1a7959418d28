"""The configuration follows from the label set; a hand-made change of it is noticed."""

import re
from xml.etree import ElementTree

import pytest
from pizhu.data.errors import ConfigError, LabelingError
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.labeling.config import check_config, instructions, label_config
from pizhu.labeling.tasks import to_tasks

OWN = LabelSet((Label("risk", '风险 & "隐患"', "#aa0000", "r", "可能出的事 <重要>"),))


@pytest.mark.parametrize("labels", [DEFAULT_LABELS, OWN])
def test_label_studio_finds_it_valid(labels: LabelSet) -> None:
    from label_studio_sdk.label_interface import LabelInterface

    LabelInterface(label_config(labels)).validate()


@pytest.mark.parametrize("labels", [DEFAULT_LABELS, OWN])
def test_choices_show_chinese_and_store_names(labels: LabelSet) -> None:
    choices = list(ElementTree.fromstring(label_config(labels)).iter("Choice"))
    assert [choice.get("value") for choice in choices] == [*(label.title for label in labels), "无"]
    assert [choice.get("alias") for choice in choices] == [*labels.names, "none"]
    assert [choice.get("hotkey") for choice in choices] == [*(label.hotkey for label in labels), "0"]


def test_a_choice_is_required_and_everything_shown_is_sent() -> None:
    root = ElementTree.fromstring(label_config(DEFAULT_LABELS))
    assert next(root.iter("Choices")).get("required") == "true"
    record = {"id": "a", "doc": "b", "start": 0, "end": 1, "text": "c"}
    [task] = to_tasks([record], DEFAULT_LABELS, "here")
    assert {text.get("value", "").removeprefix("$") for text in root.iter("Text")} <= set(task["data"])


@pytest.mark.parametrize("label", [Label("none", "空", "#000000", "n"), Label("empty", "无", "#000000", "n")])
def test_none_is_kept(label: Label) -> None:
    with pytest.raises(ConfigError, match="kept for sentences without a label"):
        label_config(LabelSet((label,)))


def test_own_configurations_pass_whatever_the_label_set() -> None:
    for config in (label_config(DEFAULT_LABELS), label_config(OWN).replace("\n", "\r\n"), label_config(OWN).strip()):
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


def test_instructions_are_the_guideline() -> None:
    html = instructions(DEFAULT_LABELS)
    assert all(label.title in html for label in DEFAULT_LABELS)
    assert "<table>" in html and "|" not in html
    assert "风险" in instructions(OWN) and "成效" not in instructions(OWN)
