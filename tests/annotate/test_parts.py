"""All sentences of a run in numbered parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.run.run import annotate_files
from pizhu.base.files import read_records


def reports(tmp_path: Path, sentences: list[int]) -> list[Path]:
    paths = []
    for i, count in enumerate(sentences):
        paths.append(tmp_path / f"{i}.txt")
        paths[-1].write_text("".join(f"第{n}件事办完了。" for n in range(count)), encoding="utf-8")
    return paths


def test_parts_hold_every_sentence_once(tmp_path: Path, model: Any) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    out = tmp_path / "out"
    paths = reports(tmp_path, [3, 2, 4, 9, 1])
    annotate_files(paths, out, model, ("html", "jsonl-parts", "parquet-parts"), part_size=5)
    whole = [record for path in sorted(out.glob("*.jsonl")) for record in read_records(path)]
    parts = sorted((out / "all").glob("*.jsonl"))
    assert [sum(1 for _ in read_records(path)) for path in parts] == [5, 4, 9, 1]  # no report stands in two parts
    assert [{"report": r["doc"].removesuffix(".txt"), **r} for r in whole] == [
        record for path in parts for record in read_records(path)
    ]
    rows = [row for path in sorted((out / "all").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert [(row["report"], row["text"], row["labels"]) for row in rows] == [
        (record["doc"].removesuffix(".txt"), record["text"], record["labels"]) for record in whole
    ]
    assert rows[0]["scores"] == whole[0]["scores"]


def test_fewer_parts_leave_no_old_ones(tmp_path: Path, model: Any) -> None:
    out = tmp_path / "out"
    annotate_files(reports(tmp_path, [5, 5, 5]), out, model, ("jsonl-parts",), part_size=5)
    assert len(list((out / "all").iterdir())) == 3
    annotate_files(reports(tmp_path, [1, 1, 1]), out, model, ("jsonl-parts",), part_size=5)
    assert [path.name for path in (out / "all").iterdir()] == ["part-00001.jsonl"]
    (out / "all" / "part-00001.jsonl").unlink()
    annotate_files(reports(tmp_path, [1, 1, 1]), out, model, ("jsonl-parts",), part_size=5)
    assert len(list(read_records(out / "all" / "part-00001.jsonl"))) == 3


def test_text_that_is_not_quite_unicode(tmp_path: Path, model: Any) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq
    from pizhu.annotate.writers import FORMATS, Annotated, Complete
    from pizhu.base.files import write_records
    from pizhu.data.report import Report, Span

    report = model.annotate(Report.build("a.txt", "办完了。", [Span(0, 4, "sentence")]))
    records = [{**record, "text": "甲\ud800"} for record in report.records()]
    write_records(tmp_path / "a.jsonl", records)
    write_parts = FORMATS["parquet-parts"].whole
    assert write_parts is not None
    (path,) = write_parts(tmp_path / "all", model.about.labels, Complete([Annotated("a", tmp_path / "a.jsonl", 1)]))
    assert pq.read_table(path)["text"].to_pylist() == ["甲?"]


def test_a_workbook_over_the_run(tmp_path: Path, model: Any) -> None:
    openpyxl = pytest.importorskip("openpyxl")

    out = tmp_path / "out"
    result = annotate_files(reports(tmp_path, [3, 2]), out, model, ("xlsx-all",))
    assert [path.name for path in result.written] == ["0.jsonl", "1.jsonl", "汇总.xlsx"]
    rows = list(openpyxl.load_workbook(out / "all" / "汇总.xlsx")["各报告"].iter_rows(min_row=2, values_only=True))
    assert [row[:2] for row in rows] == [("0", 3), ("1", 2)]
    (out / "all" / "汇总.xlsx").unlink()
    annotate_files(reports(tmp_path, [3, 2]), out, model, ("xlsx-all",))
    assert (out / "all" / "汇总.xlsx").is_file()
