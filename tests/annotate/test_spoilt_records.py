"""Records that somebody spoilt: every command that reads them says in one sentence what is wrong, or does its work."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pizhu.analysis.compare.run import compare_files, write_comparison
from pizhu.annotate.run.run import annotate_files
from pizhu.annotate.run.tables import table_of
from pizhu.annotate.writers.quantities import read_annotated, record_rows, write_metrics
from pizhu.base.errors import DataError, PizhuError
from pizhu.cli.metrics import _show, _tables
from pizhu.data.labels import DEFAULT_LABELS

SAID = {"我局": ["metric", "achievement"], "明年将": ["plan"], "尚未": ["shortcoming"], "将": ["plan", "metric"]}
GOOD: list[dict[str, Any]] = [
    {
        "id": f"i{i}",
        "doc": "甲.txt",
        "start": 20 * i,
        "end": 20 * i + 19,
        "kind": "sentence",
        "text": f"{text}新建公路1{i}.5公里，增长3%。",
        "headings": ["一、工作", "（一）交通"],
        "previous": None if i == 0 else "上一句。",
        "labels": labels,
        "scores": {"plan": 0.5, "metric": 0.25},
        "review": False,
    }
    for i, (text, labels) in enumerate(
        [
            ("我局", ["metric", "achievement"]),
            ("明年将", ["plan"]),
            ("尚未", ["shortcoming"]),
            ("将", ["plan", "metric"]),
        ]
    )
]
DEEP: Any = None
for _ in range(400):
    DEEP = [DEEP]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 7, 2**31, 10**30, 10**400, 0.5, -0.5, float("nan"), float("inf")),
    *("", "x", "\0", "\ud800", "a/b", "=1", DEEP),
    *([], [None], [1], ["x"], ["plan"], ["plan", "plan"], [["plan"]], [{}], {}, {"a": 1}, {"doc": 1}, {"x": 0.5}),
    *({"plan": value} for value in ("1", None, 2, True, float("nan"), 10**400)),
]
FIELDS = [*GOOD[0], "report", "lead", "level", "neu", ""]


def tables(path: Path, out: Path) -> Iterator[Callable[[], Any]]:
    for ending in ("csv", "jsonl", "parquet", "xlsx"):
        yield lambda ending=ending: table_of([path], out / f"t.{ending}", DEFAULT_LABELS)


def metrics(path: Path, out: Path) -> Iterator[Callable[[], Any]]:
    def rows() -> Iterator[dict[str, Any]]:
        yield from record_rows(read_annotated(path), "metric")
        yield from record_rows(read_annotated(path, labelled=False), None)

    yield lambda: write_metrics(out / "m.csv", rows())
    yield lambda: write_metrics(out / "m.jsonl", rows())
    yield lambda: [json.dumps(row, ensure_ascii=False) for row in rows()]
    yield lambda: _show(_tables(rows())[1])


def comparisons(path: Path, out: Path) -> Iterator[Callable[[], Any]]:
    good = write(out / "good.jsonl", GOOD)
    for pair in ((path, good), (good, path)):
        yield lambda pair=pair: write_comparison(compare_files(*pair, no_model, None), pair, out)


def no_model() -> Any:
    raise AssertionError("records need no model")


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def tried(path: Path, out: Path, commands: Any) -> list[str]:
    """What each command says, empty where it does its work; nothing but a sentence comes of it."""
    said = []
    for command in commands(path, out):
        with redirect_stdout(io.StringIO()):
            try:
                command()
                said.append("")
            except PizhuError as error:
                said.append(str(error))
    return said


@pytest.mark.parametrize("commands", [tables, metrics, comparisons])
@pytest.mark.parametrize("field", FIELDS)
def test_any_field_with_any_value(tmp_path: Path, field: str, commands: Any) -> None:
    path = tmp_path / "a.jsonl"
    for value in VALUES:
        for number in (0, 2):
            records = [dict(record) for record in GOOD]
            records[number][field] = value
            for said in tried(write(path, records), tmp_path, commands):
                assert "\n" not in said and len(said) < 400
    for number in (0, 2):
        records = [dict(record) for record in GOOD]
        records[number].pop(field, None)
        tried(write(path, records), tmp_path, commands)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(VALUES[:20]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(FIELDS), JSON), max_size=4), st.sampled_from([tables, metrics, comparisons]))
def test_several_fields_with_anything(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, Any]], commands: Any
) -> None:
    folder = tmp_path_factory.mktemp("r")
    records = [dict(record) for record in GOOD]
    for i, (field, value) in enumerate(changes):
        records[i % 2][field] = value
    tried(write(folder / "a.jsonl", records), folder, commands)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("start", 10**400, "is no range of characters"),
        ("start", True, "lacks start (int)"),
        ("end", 2**31, "is no range of characters"),
        ("id", 7, "id must be a text"),
        ("report", None, "report must be a text"),
        ("previous", 7, "previous must be a text or null"),
        ("review", "ja", "review must be true, false or null"),
        ("scores", {"plan": 10**400}, "scores must give each label a probability between 0 and 1"),
        ("scores", [1], "scores must give each label a probability between 0 and 1"),
        ("headings", 0, "headings must be a list of texts"),
        ("headings", None, "headings must be a list of texts"),
    ],
)
def test_what_is_said(tmp_path: Path, field: str, value: Any, said: str) -> None:
    path = write(tmp_path / "a.jsonl", [GOOD[1], GOOD[0] | {field: value}])
    for message in tried(path, tmp_path, tables):
        assert message.startswith(f"{path}, record 2: ") and said in message


def test_lines_that_are_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for line in (
        "7",
        "[]",
        "null",
        '"x"',
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        "\x00",
        '{"start": ' + "9" * 5000 + "}",
    ):
        path.write_text(line + "\n", encoding="utf-8")
        for commands in (tables, metrics, comparisons):
            assert all(said.startswith(str(path)) for said in tried(path, tmp_path, commands))


def test_records_of_a_run_that_somebody_spoilt(tmp_path: Path, model: Any) -> None:
    """They are read once more where something is made of all of them."""
    paths = [tmp_path / f"{c}.txt" for c in "ab"]
    for path in paths:
        path.write_text("一、工作\n\n建成公路3公里。\n", encoding="utf-8")
    formats = ("jsonl", "index", "jsonl-parts", "parquet-parts", "xlsx-all")
    annotate_files(paths[:1], tmp_path / "out", model, formats)
    record = json.loads((tmp_path / "out" / "a.jsonl").read_text(encoding="utf-8").splitlines()[0])
    for field in FIELDS:
        for value in VALUES:
            write(tmp_path / "out" / "a.jsonl", [record | {field: value}])
            try:
                annotate_files(paths, tmp_path / "out", model, formats)
            except DataError as error:
                assert str(error).startswith(f"{tmp_path / 'out' / 'a.jsonl'}, record 1: ")
            (tmp_path / "out" / "all" / "index.html").unlink(missing_ok=True)
