"""The changes of a new configuration are listed label by label."""

from dataclasses import replace

from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.labeling.studio.config import label_config
from pizhu.labeling.studio.config_diff import compare

OLD = label_config(DEFAULT_LABELS)
ACHIEVEMENT, SHORTCOMING, PLAN, METRIC = DEFAULT_LABELS


def test_nothing_changes() -> None:
    change = compare(OLD.replace("\n", "\r\n"), OLD, DEFAULT_LABELS)
    assert not change and change.lines() == [] and change.diff == ""


def test_labels_come_and_go() -> None:
    labels = LabelSet((ACHIEVEMENT, SHORTCOMING, PLAN, Label("risk", "风险", "#000000", "5")))
    change = compare(OLD, label_config(labels), labels)
    assert (change.added, change.removed, change.renamed, change.changed) == (("risk",), ("metric",), {}, {})
    assert change.lines() == ["label added: risk", "label removed: metric"]
    assert any(line.startswith("+") and 'alias="risk"' in line for line in change.diff.splitlines())
    assert any(line.startswith("-") and 'alias="metric"' in line for line in change.diff.splitlines())


def test_a_label_that_says_what_it_was_is_renamed() -> None:
    problem = replace(SHORTCOMING, name="problem", title="问题", hotkey="w", formerly=("shortcoming",))
    labels = LabelSet((ACHIEVEMENT, problem, PLAN, METRIC))
    change = compare(OLD, label_config(labels), labels)
    assert (change.added, change.removed, change.renamed) == ((), (), {"shortcoming": "problem"})
    assert change.lines() == [
        "label renamed: shortcoming becomes problem",
        "problem: title '不足' becomes '问题'",
        "problem: hot key '2' becomes 'w'",
    ]
    # What a label was called before the project was made is no news.
    assert not compare(label_config(labels), label_config(labels), labels)


def test_two_labels_become_one() -> None:
    problem = replace(SHORTCOMING, formerly=("plan",))
    labels = LabelSet((ACHIEVEMENT, problem, METRIC))
    change = compare(OLD, label_config(labels), labels)
    assert (change.added, change.removed, change.renamed) == ((), (), {"plan": "shortcoming"})


def test_colours_and_order() -> None:
    labels = LabelSet((PLAN, replace(ACHIEVEMENT, color="#123456"), SHORTCOMING, METRIC))
    change = compare(OLD, label_config(labels), labels)
    assert change.moved
    assert change.changed == {"achievement": {"color": ("#009e73", "#123456")}}
    assert "the order of the labels changes" in change.lines()


def test_a_change_of_the_layout_and_what_is_no_configuration() -> None:
    change = compare(OLD.replace("font-size: 125%", "font-size: 90%"), OLD, DEFAULT_LABELS)
    assert change.lines() == ["labels stay; what is shown around them changes"]
    assert compare(None, OLD, DEFAULT_LABELS).added == DEFAULT_LABELS.names
