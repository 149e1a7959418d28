"""The label set and its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pizhu.base.errors import ConfigError, DataError
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet

GOOD = """
[[label]]
name = "risk"
title = "风险"
color = "#aa0000"
hotkey = "r"
description = "隐患和风险"

[[label]]
name = "law-2"
title = "立法"
color = "#00AA00"
hotkey = "9"
"""


def test_the_default_set() -> None:
    assert DEFAULT_LABELS.names == ("achievement", "shortcoming", "plan", "metric")
    assert [label.title for label in DEFAULT_LABELS] == ["成效", "不足", "计划", "指标"]
    assert len(DEFAULT_LABELS) == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "标签.toml"
    path.write_text(GOOD, encoding=encoding)
    labels = LabelSet.load(path)
    assert labels.names == ("risk", "law-2")
    assert labels.labels[1] == Label("law-2", "立法", "#00AA00", "9")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"risk"', '"Risk"', "label name 'Risk' must be lower-case ASCII"),
        ('"risk"', '"风险"', "must be lower-case ASCII"),
        ('"risk"', '"none"', "'none' is reserved for sentences without a label"),
        ('"risk"', '"law-2"', "two labels share the name 'law-2'"),
        ('"风险"', '" "', "label 'risk' needs a title"),
        ('"风险"', '"立法"', "two labels share the title '立法'"),
        ('"#aa0000"', '"red"', "has color 'red', expected #rrggbb"),
        ('"#aa0000"', '"#aa00001"', "has color '#aa00001'"),
        ('"r"', '"0"', r"has hotkey '0', expected 1-9 or a-z \(0 means none\)"),
        ('"r"', '"9"', "two labels share the hotkey '9'"),
        ('"r"', "9", "label 1: every value must be a string"),
        ('hotkey = "r"', 'key = "r"', "label 1 has fields name, title, color, key, description; expected name"),
        ('hotkey = "r"', "", "label 1 has fields name, title, color, description; expected name"),
        ("[[label]]", "[[tag]]", "expected .*label.* tables and nothing else"),
        (GOOD, "", "expected .*label.* tables and nothing else"),
        (GOOD, "label = 3", "expected .*label.* tables"),
        (GOOD, "label = []", "needs at least one label"),
        (GOOD, "[[label", "cannot be read"),
    ],
)
def test_wrong_files(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "labels.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as error:
        LabelSet.load(path)
    assert "\n" not in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        LabelSet.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        LabelSet.load(tmp_path)
    (tmp_path / "gbk.toml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(ConfigError, match="cannot be read"):
        LabelSet.load(tmp_path / "gbk.toml")


def test_names_in_order() -> None:
    assert DEFAULT_LABELS.check(["metric", "plan", "plan"], "here") == ("plan", "metric")
    with pytest.raises(DataError, match="here: unknown label 'plans', expected one of achievement"):
        DEFAULT_LABELS.check(["plans"], "here")


def test_former_names(tmp_path: Path) -> None:
    path = tmp_path / "标签.toml"
    path.write_text(
        GOOD.replace('"隐患和风险"', '"隐患"\nformerly = "danger"') + 'formerly = ["law", "rule"]\n', encoding="utf-8"
    )
    labels = LabelSet.load(path)
    assert labels.renamed == {"danger": "risk", "law": "law-2", "rule": "law-2"}
    assert labels.canonical(["rule", "risk", "danger", "other"]) == ["law-2", "risk", "risk", "other"]
    assert labels.labels[0] == Label("risk", "风险", "#aa0000", "r", "隐患")


@pytest.mark.parametrize(
    ("former", "said"),
    [
        ('"risk"', "the former name 'risk' is another label's too"),
        ('["a", "a"]', "the former name 'a' is another label's too"),
        ('"旧"', "the former name '旧' is not a valid label name"),
        ('""', "the former name '' is not a valid label name"),
        ("[1]", "every value must be a string"),
        ("true", "every value must be a string"),
    ],
)
def test_former_names_that_cannot_be(tmp_path: Path, former: str, said: str) -> None:
    path = tmp_path / "labels.toml"
    path.write_text(f"{GOOD}formerly = {former}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        LabelSet.load(path)
