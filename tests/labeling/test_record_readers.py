"""Every reader of records reads files of earlier versions, and plain files that people write, as before; an error is
one sentence with the file, the record and the field.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.writers.quantities import read_annotated, record_rows
from pizhu.annotate.writers.table import rows, stored
from pizhu.base.errors import PizhuError
from pizhu.base.files import read_records, write_records
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.data.rebuild import load_reports
from pizhu.data.records import load_records
from pizhu.labeling.active.pool import Pool
from pizhu.labeling.adjudication.gold import gold_records
from pizhu.labeling.agreement import read_gold
from pizhu.labeling.backend.judging import prepare
from pizhu.labeling.studio.answers import Answer, answered, read_answers
from pizhu.labeling.studio.rename import rename_file
from pizhu.labeling.studio.spans import SPAN_LABELS, MarkedSpan
from pizhu.labeling.studio.spans import to_tasks as span_tasks
from pizhu.labeling.studio.tasks import read_input, to_tasks

OLD = Path(__file__).parent / "old"
"""As the first version wrote them: no ``review`` beside ``scores``, no ``lead``, no ``confirmed`` in answers; and
``bare`` and ``answers`` as people write them, with no more than is needed."""
NAMES = ("annotated", "pulled", "bare", "answers", "spans")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def file_(name: str) -> Path:
        return Path(shutil.copy(OLD / f"{name}.jsonl", tmp_path))

    return file_


@pytest.mark.parametrize("name", NAMES)
def test_reading_changes_nothing(file: Callable[[str], Path], name: str) -> None:
    """Not one value, not the order of the fields, not a number's spelling; what is written again has the same bytes."""
    path = file(name)
    raw = list(read_records(path))
    found = list(load_records(path, needed=("text",)))
    assert json.dumps(found) == json.dumps(raw)
    write_records(path, found)
    plain = (OLD / path.name).read_text(encoding="utf-8-sig").replace("\n\n", "\n")
    assert path.read_text(encoding="utf-8") == plain


def test_reports(file: Callable[[str], Path]) -> None:
    [report] = load_reports(file("annotated"), DEFAULT_LABELS)
    assert report.text == "一、工作\n修路12公里。\n3"
    assert [(s.kind, s.labels) for s in report.sentences] == [
        ("heading", ()),
        ("sentence", ("achievement", "metric")),
        ("furniture", ()),
    ]
    [report] = load_reports(file("pulled"), DEFAULT_LABELS)
    assert report.text == "一、工作\n修路12公里。下步修桥。"
    [report] = load_reports(file("bare"), DEFAULT_LABELS)
    assert [(s.text, s.labels) for s in report.sentences] == [("修路三里。", ("achievement",)), ("下步修桥。", None)]


def test_answers(file: Callable[[str], Path]) -> None:
    shown = {"model": None, "labels": None}
    assert [answers for _, answers in read_answers(file("pulled"), DEFAULT_LABELS)] == [
        [Answer("甲", ("achievement",), at="2026-11-22T00:34:52Z", lead_time=3)],
        [
            Answer("甲", ("plan",), from_prediction=True, shown=shown),  # type: ignore[arg-type]
            Answer("乙", None, at="2026-11-22T00:35:00Z", lead_time=0.5, choices=("旧",)),
        ],
    ]
    assert [answers for _, answers in read_answers(file("answers"), DEFAULT_LABELS)] == [
        [Answer("甲", ("achievement",)), Answer("乙", None, skipped=True)],
        [Answer("甲", ()), Answer("乙", None, choices=())],
    ]


def test_gold(file: Callable[[str], Path]) -> None:
    assert read_gold(file("pulled"), DEFAULT_LABELS) == {"91ab": ("achievement",)}
    assert read_gold(file("bare"), DEFAULT_LABELS) == {"修路三里。": ("achievement",)}
    rows_ = read_answers(file("answers"), DEFAULT_LABELS)
    assert [(r["decided"], r["labels"]) for r in gold_records(rows_, {})] == [("single", ["achievement"]), (None, None)]


def test_pool_and_tasks(file: Callable[[str], Path]) -> None:
    pool = Pool.read([file("annotated"), file("pulled")], DEFAULT_LABELS)
    assert [(r["text"], bool(known)) for r, known in zip(pool.records, pool.known, strict=True)] == [
        ("修路12公里。", True),
        ("下步修桥。", False),
    ]
    [task] = to_tasks(read_input(file("annotated")), DEFAULT_LABELS, "a.jsonl")
    assert task["data"]["lead"] == [{"start": 0, "end": 4, "text": "一、工作", "headings": []}]
    assert (task["predictions"][0]["model_version"], task["predictions"][0]["score"]) == ("pizhu", 0.98)


def test_tables_and_quantities(file: Callable[[str], Path]) -> None:
    found = list(rows(stored([("丙", file("bare"))], DEFAULT_LABELS)))
    assert [(r["report"], r["id"], r["kind"], r["headings"]) for r in found] == [("丙", "", "sentence", [])] * 2
    short = file("annotated")
    records: list[dict[str, Any]] = list(read_records(short))
    write_records(short, [{name: value for name, value in r.items() if name not in ("end", "id")} for r in records])
    assert [row["value"] for row in record_rows(read_annotated(short))] == [12]


def test_renaming(file: Callable[[str], Path]) -> None:
    labels = LabelSet.load(_renamed(file("spans").parent))
    assert rename_file(file("spans"), labels) == 1
    [record] = load_records(file("spans").with_name("spans.jsonl"))
    assert rename_file(file("pulled"), labels) == 0
    assert record["answers"][0]["spans"] == record["spans"]


def _renamed(folder: Path) -> Path:
    path = folder / "标签.toml"
    path.write_text(
        '[[label]]\nname = "number"\ntitle = "数值"\ncolor = "#d55e00"\nhotkey = "1"\nformerly = "value"\n',
        encoding="utf-8",
    )
    return path


def test_answers_of_spans_are_written_as_they_were(file: Callable[[str], Path]) -> None:
    """One writer for labels and spans: the fields and their order are those of before."""
    [record] = load_records(file("spans"))
    [entry] = record["answers"]
    answer = Answer("甲", (MarkedSpan(2, 4, "value", "12"),), from_prediction=True, shown=entry["shown"], field="spans")
    assert json.dumps(answer.record()) == json.dumps(entry)
    plain: Any = {name: value for name, value in record.items() if name not in ("state", "spans", "answers")}
    assert json.dumps(answered(plain, [answer], "spans")) == json.dumps(record)


READERS: dict[str, Callable[[Path], Any]] = {
    "train": lambda path: load_reports(path, DEFAULT_LABELS),
    "agreement": lambda path: read_answers(path, DEFAULT_LABELS),
    "gold": lambda path: read_gold(path, DEFAULT_LABELS),
    "next": lambda path: Pool.read([path], DEFAULT_LABELS),
    "push": lambda path: to_tasks(read_input(path), DEFAULT_LABELS, str(path)),
    "push spans": lambda path: span_tasks(read_input(path), SPAN_LABELS, str(path)),
    "metrics": lambda path: read_annotated(path),
    "table": lambda path: list(rows(stored([("a", path)], DEFAULT_LABELS))),
    "judge": lambda path: prepare(path, path.with_suffix(".1"), path.with_suffix(".2"), corpus=True),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 3),
        ("start", "0"),
        ("end", 10**400),
        ("start", -(10**400)),
        ("kind", 10**400),
        ("kind", "x" * 9000),
        ("headings", "一、"),
        ("headings", [["一、"] * 9000]),
        ("labels", {"plan": 1}),
        ("scores", {"plan": 10**400}),
        ("scores", {"plan" * 3000: 2}),
        ("previous", ["上一句。"]),
        ("lead", [{"start": 0, "end": 10**400, "text": "a"}]),
        ("answers", [{"annotator": 7, "labels": []}]),
        ("answers", [{"annotator": "甲", "shown": {"labels": "plan"}}]),
        ("state", "done"),
        ("decided", 10**400),
        ("doubts", [{"label": "plan"}]),
        ("review", "\ud800"),
        ("id", 10**400),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, reader: str, field: str, value: Any) -> None:
    path = tmp_path / "坏.jsonl"
    good = [json.loads(line) for line in (OLD / "pulled.jsonl").read_text(encoding="utf-8").splitlines()]
    write_records(path, good)
    READERS[reader](path)
    write_records(path, [good[0], {**good[1], field: value}])
    with pytest.raises(PizhuError) as error:
        READERS[reader](path)
    said = str(error.value)
    assert said.startswith(f"{path}, record 2: ") and field.removesuffix("s") in said.removeprefix(str(path)), said
    assert len(said) < len(str(path)) + 250 and "\n" not in said
