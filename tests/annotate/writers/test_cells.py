"""No text in a CSV file becomes a formula, whatever separator a spreadsheet expects."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.annotate.writers import quantities
from pizhu.annotate.writers.cells import GUARD, PATTERN, guarded, unguarded
from pizhu.annotate.writers.csv import write
from pizhu.annotate.writers.template import script
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.records import Record

FORMULA = re.compile(r"[\0-\x20\x7f-\xa0\u2000-\u200f\u3000\ufeff\"]*[=+\-@＝＋－＠]")
TEXTS = [
    *("=1+1", "x;=1+1", "x\t=1+1", "x\n=1+1", "x\r\n=1+1", "x;'=1", "x; =1", 'x;"=1"', 'x;""=1', "x;;=1;=2"),
    *("x;\n=1", "x;\t\r=1", "；=1", "'=1", "' '=1", "\t", "\n\n", "\0=1", "x;\0=1", "\ufeff=1", "x;\u200b＝1", "x;＠1"),
    *(
        "x;'",
        "x;'y",
        "=",
        ";",
        ";=",
        "x;+",
        '"',
        '";=1',
        ",;=1",
        "a,b;=c",
        "x;\u3000－1",
        "甲\t乙\t-3.2%",
        "'''=",
        "\v=1",
    ),
]
ANY = st.text(st.sampled_from("'=+-@;\t\r\n, \"\0\ufeffx＝"), max_size=12) | st.text(max_size=30)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_it_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == re.sub(PATTERN, "", guarded(text)) == text


@given(ANY)
def test_anything_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text.encode("utf-8", "replace").decode()


def test_what_stays_as_it_is() -> None:
    for text in ("甲局工作完成。", "增长3-5%，a;b", "x,=1", "一、=", "见表\n\n合计\t100", "x; y", "", "x'=1", "；＝"):
        assert guarded(text) == text


def test_time_is_linear() -> None:
    for text in ("\n", "\t ", "; ", "'", ";'", '";', "\0\n"):
        assert unguarded(guarded(text * 500_000)) == text * 500_000


def rows(texts: list[str]) -> list[Record]:
    """Records with a text in every place that holds one."""
    named: Record = {"start": 0, "end": 1, "kind": "sentence", "labels": ["plan", "metric"], "scores": {"plan": 0.5}}
    return [
        {**named, "doc": texts[i - 1], "text": text, "headings": [texts[i - 2], texts[i - 3]], "id": texts[i - 4]}
        for i, text in enumerate(texts)
    ]


def no_formula(path: Path) -> None:
    """No cell of a file is one, in whatever program."""
    text = path.read_bytes().decode("utf-8-sig")
    for mark in ",;\t":
        lines = re.split("(?<=[\r\n])", text)
        assert not [cell for row in csv.reader(lines, delimiter=mark) for cell in row if FORMULA.match(cell)]
    for mark in ";\t":  # and in one that knows no quotes
        assert not [cell for line in re.split("[\r\n]", text) for cell in line.split(mark) if FORMULA.match(cell)]


def test_tables(tmp_path: Path) -> None:
    write([(name, rows(TEXTS)) for name in TEXTS], DEFAULT_LABELS, tmp_path / "a.csv")
    no_formula(tmp_path / "a.csv")


@given(st.lists(ANY, min_size=4, max_size=5))
def test_tables_of_anything(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("t") / "a.csv"
    write([(texts[0], rows(texts))], DEFAULT_LABELS, path)
    no_formula(path)


def test_tables_of_quantities(tmp_path: Path) -> None:
    names = dict.fromkeys(quantities.COLUMNS, "")
    table = [names | {"sentence": text, "text": text, "labels": [text], "headings": [text, text]} for text in TEXTS]
    quantities.write_csv(tmp_path / "a.csv", table)
    no_formula(tmp_path / "a.csv")


def test_a_page_has_the_same_pattern() -> None:
    assert f"text.replace(/{GUARD}/gu" in script("page")


def test_a_browser_puts_the_same_apostrophes(browser: Any) -> None:
    tab = browser.new_page()
    code = script("page")
    begin = code.index("const cell")
    cells = tab.evaluate(f"texts => {{ {code[begin : code.index(chr(10), begin)]} return texts.map(cell) }}", TEXTS)
    tab.close()
    assert cells == ['"' + guarded(text).replace('"', '""') + '"' for text in TEXTS]
