"""Malicious TOML, as a label set and as a recipe: a result or one sentence, in linear time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import ConfigError
from pizhu.base.toml import brief, named, parse_toml, read_toml
from pizhu.data.labels import LabelSet
from pizhu.training.recipe import load_recipe

LABEL = """[[label]]
name = "risk"
title = "风险"
color = "#aa0000"
hotkey = "r"
description = "隐患和风险"
formerly = "danger"
"""
RECIPE = """[encoder]
name = "bundled"
[context]
tokens = 256
[training]
epochs = 3
crop = 0.5
"""
DIGITS = "9" * 5000
VALUES = {
    "deep": "[" * 5000 + "]" * 5000,
    "deep, unclosed": "[" * 100_000,
    "deep tables": "{a = " * 3000 + "1" + "}" * 3000,
    "digits": DIGITS,
    "fewer digits": "9" * 4000,
    "hex digits": "0x" + "f" * 50_000,
    "a float of digits": f"1.{DIGITS}e{DIGITS}",
    "inf": "-inf",
    "nan": "nan",
    "a date": "1979-05-27T07:32:00Z",
    "no date": "2024-13-45",
    "a time": "07:32:00",
    "long": '"' + "x" * 100_000 + '"',
    "long list": "[" + "1, " * 50_000 + "]",
    "NUL": '"\\u0000"',
    "a raw NUL": '"\x00"',
    "escape": '"\\u001b[31m"',
    "turned around": '"\\u202e"',
    "lines": '"""a\n\nb"""',
    "surrogate": '"\\ud800"',
    "true": "true",
    "list of lists": "[[], [[]], {}]",
    "nothing": "",
    "a path": '"../../../../etc/passwd"',
    "a long path": '"' + "/x" * 3000 + '"',
}
FILES = {
    "empty": "",
    "other table": "[a]\nb = 1\n",
    "dotted": "a." * 20_000 + "b = 1\n",
    "dotted table": "[" + "a." * 20_000 + "b]\n",
    "dotted in line": "a = {" + "b." * 20_000 + "c = 1}\n",
    "dotted less": ("a." * 499 + "b = 1\n"),
    "keys": "".join(f"k{i} = 1\n" for i in range(5000)),
    "tables": "[[label]]\n" * 5000,
    "strange key": '"\\u001b[2J\\n" = 1\n',
    "strange section": '["\\n\\u202e"]\na = 1\n',
    "long key": "k" * 100_000 + " = 1\n",
    "no TOML": "\x1b[2J",
    "twice": "a = 1\na = 2\n",
    "open text": 'a = """',
    "too large": "# " + "x" * 300_000,
}


def load_label_set(path: Path) -> object:
    return LabelSet.load(path)


def load_as_recipe(path: Path) -> object:
    return load_recipe(path)


LOADERS = {"a label set": (load_label_set, LABEL), "a recipe": (load_as_recipe, RECIPE)}


def told(path: Path, load: Callable[[Path], object]) -> str:
    """What the file is refused with, one sentence; "" where it is taken."""
    try:
        load(path)
    except ConfigError as error:
        sentence = str(error)
        assert sentence.isprintable() and len(sentence) < len(str(path)) + 400, sentence[:1000]
        return sentence
    return ""


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", VALUES)
def test_values(tmp_path: Path, kind: str, name: str) -> None:
    """In the place of each value, as a new one, and in a table of its own."""
    load, good = LOADERS[kind]
    path = tmp_path / "x.toml"
    lines = good.splitlines()
    texts = [
        "\n".join([*lines[:at], f"{line.partition('=')[0]}= {VALUES[name]}", *lines[at + 1 :]])
        for at, line in enumerate(lines)
        if "=" in line
    ]
    for text in (*texts, f"{good}new = {VALUES[name]}\n", f"label = {VALUES[name]}\ntraining = {VALUES[name]}\n"):
        path.write_text(text, encoding="utf-8")
        said = told(path, load)
        assert said or name in ("a path", "a long path", "lines", "escape", "turned around", "NUL"), text[:200]


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", FILES)
def test_files(tmp_path: Path, kind: str, name: str) -> None:
    load, good = LOADERS[kind]
    path = tmp_path / "x.toml"
    for text in (FILES[name], good + FILES[name]):
        path.write_text(text, encoding="utf-8")
        told(path, load)
    if name not in ("empty", "tables"):
        assert told(path, load)


@pytest.mark.parametrize("kind", LOADERS)
def test_what_is_no_file_of_text(tmp_path: Path, kind: str) -> None:
    load, _ = LOADERS[kind]
    assert "does not exist" in told(tmp_path / "none.toml", load)
    assert "cannot be read" in told(tmp_path, load)
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    assert "it is not UTF-8 text" in told(tmp_path / "x.toml", load)
    if sys.platform == "linux":
        assert "is larger than 256 kB" in told(Path("/dev/zero"), load)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("field", ["encoder.name", "training.epochs", "training.crop", "a.b", "context.tokens", "x"])
def test_settings(field: str, name: str) -> None:
    if "\0" not in VALUES[name] and "\n" not in VALUES[name]:
        told(Path("x"), lambda _: load_recipe("default", [f"{field}={VALUES[name]}"]))


def test_many_former_names_take_time_in_proportion(tmp_path: Path) -> None:
    """As many as a file holds; their number squared would be minutes."""
    names = ", ".join(f'"n{number}"' for number in range(20_000))
    path = tmp_path / "x.toml"
    path.write_text(LABEL.replace('"danger"', f"[{names}]"), encoding="utf-8")
    assert len(LabelSet.load(path).renamed) == 20_000


PIECES = [*LABEL.splitlines(), *RECIPE.splitlines(), *"[]{}=.,'\"\n\r a风0-\\#\x00\x1b\ufeff", "[[", "]]", '"""', "'''"]


@pytest.mark.parametrize("kind", LOADERS)
@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from([*PIECES, "1e9", "0x", "nan", "\\u"]) | st.text(max_size=3), max_size=30))
def test_anything(tmp_path_factory: pytest.TempPathFactory, kind: str, pieces: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / f"{os.getpid()}.toml"
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    told(path, LOADERS[kind][0])


def test_a_byte_order_mark_and_line_ends_of_others(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes("\ufeffa = 1\r\nb = 2\rc = 3\n".encode())
    assert read_toml(tmp_path / "x.toml", "x") == {"a": 1, "b": 2, "c": 3}


def test_how_values_are_shown() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert brief(deep) == "a value too long to show (list)"
    assert brief(16**9000) == "a value too long to show (int)"
    assert len(brief("x" * 1000)) == 80 and brief("a\n") == "'a\\n'"
    assert named("passes") == "passes" and named("a\x1bb") == "'a\\x1bb'" and len(named("x" * 1000)) == 80


def test_the_parser_is_not_asked_about_what_would_take_it_long() -> None:
    with pytest.raises(ConfigError, match="a line with more than 500 dots"):
        parse_toml("a." * 200_000 + "b = 1", "it")
