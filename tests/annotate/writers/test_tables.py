"""Tables of one report and of a run: text stays text, nothing is lost, memory stays constant."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pizhu.annotate import writers
from pizhu.annotate.run.run import annotate_files
from pizhu.annotate.run.runfolder import RunFolder
from pizhu.annotate.run.tables import table_of
from pizhu.annotate.writers import excel
from pizhu.annotate.writers.cells import PATTERN, guarded, unguarded
from pizhu.base.errors import ConfigError, DataError, MissingExtraError
from pizhu.base.files import read_records, write_records
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.read import report_from_text
from pizhu.data.records import Record
from pizhu.data.report import Report

from .conftest import HOSTILE, labelled_at_will


@pytest.fixture
def reports() -> list[Report]:
    texts = ["一、工作\n" + "\n".join(HOSTILE), "澄岭县总结\n\n一、主要工作\n\n全年接收档案3.2万卷。\n库房改造完成。"]
    return [labelled_at_will(report_from_text(text, f"{i}.txt")) for i, text in enumerate(texts)]


def by_name(reports: list[Report]) -> list[tuple[str, list[Record]]]:
    return [(f"报告{i}", report.records()) for i, report in enumerate(reports)]


def sentences(reports: list[Report]) -> list[str]:
    return [s.text for report in reports for s in report.sentences if s.kind == "sentence"]


def sheet_rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    head, *rows = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_excel(reports: list[Report], tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    writers.write_table(path, by_name(reports), DEFAULT_LABELS)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["汇总", "各报告", "句子"]
    rows = sheet_rows(path, "句子")
    assert [unescape(row["句子"]) for row in rows] == sentences(reports)
    assert {cell.data_type for row in book["句子"].iter_rows(min_row=2, max_col=5) for cell in row} == {"s", "n"}
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)
    assert (rows[1]["报告"], rows[1]["序号"], rows[1]["标题路径"]) == ("报告0", 2, "一、工作")
    assert (rows[1]["标签"], rows[1]["计划"], rows[1]["成效"]) == ("计划、指标", "✓", None)
    assert (rows[1]["计划概率"], rows[1]["成效概率"]) == (0.9, 0.1234)
    assert [row["待核"] for row in rows].count("待核") == 2
    sheet = book["句子"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", f"A1:N{len(rows) + 1}")
    assert sheet["D2"].alignment.wrap_text and sheet.column_dimensions["D"].width > 60
    (first, second) = sheet_rows(path, "各报告")
    assert (first["报告"], first["句数"], first["计划"], first["计划占比"]) == ("报告0", 12, 3, 0.25)
    assert second["句数"] == 2
    summary = book["汇总"]
    assert summary["A1"].value == "2 份报告，14 句"
    assert [summary.cell(4, i).value for i in (1, 2)] == ["成效", 4]
    assert len(summary._charts) == 2


def test_excel_holds_what_excel_can_hold(tmp_path: Path) -> None:
    texts = ["😀" * 20_000, "控制\x00符\x07\ud800。", "_x0041_", "长" * 40_000, "  前后有空格  "]
    records: list[Record] = [{"kind": "sentence", "text": text, "labels": None, "headings": []} for text in texts]
    path = tmp_path / "a.xlsx"
    writers.write_table(path, [("../../x" + "\x01", records)], DEFAULT_LABELS)
    rows = sheet_rows(path, "句子")
    assert len(rows[0]["句子"].encode("utf-16-le")) // 2 <= 32_767
    assert rows[0]["句子"].startswith("😀" * 16_000) and rows[0]["句子"].endswith("（全文见 JSONL）")
    assert len(rows[3]["句子"]) == 32_767
    assert [unescape(row["句子"]) for row in rows[1:3]] == ["控制\ufffd符\ufffd\ufffd。", "_x0041_"]
    assert (rows[0]["报告"], rows[0]["标签"]) == ("../../x\ufffd", "未标注")


def test_a_full_sheet_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_ROWS", 5)
    records: list[Record] = [
        {"kind": "sentence", "text": f"第{i}句。", "labels": [], "headings": []} for i in range(10)
    ]
    path = tmp_path / "a.xlsx"
    writers.write_table(path, [(f"r{i}", records[i : i + 1]) for i in range(10)], DEFAULT_LABELS)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["汇总", "各报告", "句子", "句子 2", "句子 3"]
    assert [book[name].max_row for name in book.sheetnames[1:]] == [5, 5, 5, 3]
    assert book["句子 3"].auto_filter.ref == "A1:N3"
    assert book["汇总"]["A1"].value == "10 份报告，10 句"
    assert book["汇总"]["A2"].value == "“各报告”只列出前 4 份（一张表的上限）；此页各数包括全部报告。"
    writers.write_table(path, [(f"r{i}", records[i : i + 1]) for i in range(4)], DEFAULT_LABELS)
    assert openpyxl.load_workbook(path)["汇总"]["A2"].value is None


def test_heights_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlsxwriter.worksheet import Worksheet

    kept = []
    close = Worksheet.autofilter
    monkeypatch.setattr(Worksheet, "autofilter", lambda sheet, *a: (kept.append(len(sheet.row_info)), close(sheet, *a)))
    records: list[Record] = [
        {"kind": "sentence", "text": "句" * n, "labels": [], "headings": []} for n in (1, 100, 9999) * 20
    ]
    path = tmp_path / "a.xlsx"
    writers.write_table(path, [("a", records)], DEFAULT_LABELS)
    heights = [openpyxl.load_workbook(path)["句子"].row_dimensions[row].height for row in (2, 3, 4, 59, 60, 61)]
    assert heights[:3] == heights[3:]
    assert 14 < heights[0] < 20 < heights[1] < 60 and heights[2] == pytest.approx(409, abs=1)
    assert max(kept) <= 2  # or memory would grow with the run


def test_csv(reports: list[Report], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    writers.write_table(path, by_name(reports), DEFAULT_LABELS)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    records = [record for report in reports for record in report.records()]
    assert [unguarded(row["text"]) for row in rows] == [record["text"] for record in records]
    assert not any(re.match(r"\s*[=+\-@＝＋－＠]", value) for row in rows for value in row.values())
    assert rows[2] | {"id": ""} == {
        "report": "报告0",
        "id": "",
        "doc": "0.txt",
        "start": str(records[2]["start"]),
        "end": str(records[2]["end"]),
        "kind": "sentence",
        "headings": "一、工作",
        "text": "'=cmd|' /C calc'!",
        "labels": "plan;metric",
        "achievement": "0",
        "shortcoming": "0",
        "plan": "1",
        "metric": "1",
        "p_achievement": "0.1234",
        "p_shortcoming": "0.1234",
        "p_plan": "0.9",
        "p_metric": "0.9",
        "review": "0",
    }
    assert rows[0]["labels"] == rows[0]["plan"] == rows[0]["review"] == ""  # a heading is not labelled
    table = pandas.read_csv(path, keep_default_na=False)
    assert list(table.text.str.replace(PATTERN, "", regex=True)) == [record["text"] for record in records]


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'=+-@\t ＝")))
def test_guarding_loses_nothing(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", guarded(text))


def test_parquet(reports: list[Report], tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    writers.write_table(path, by_name(reports), DEFAULT_LABELS)
    found = pyarrow.parquet.read_table(path).to_pylist()
    expected = [{"report": name, **record} for name, records in by_name(reports) for record in records]
    assert found == [{"scores": None, "review": None} | row for row in expected]
    names = pyarrow.parquet.read_schema(path).names
    assert names[:3] == ["report", "id", "doc"]


def test_parquet_is_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pizhu.annotate.writers import parquet

    monkeypatch.setattr(parquet, "_GROUP", 100)
    monkeypatch.setattr(parquet, "_BATCH", 20)
    asked = 0

    def records(doc: str) -> Iterator[Record]:
        nonlocal asked
        for i in range(50):
            asked += 1
            yield {
                "id": str(i),
                "doc": doc,
                "start": i,
                "end": i + 1,
                "kind": "sentence",
                "text": "\ud800",
                "headings": [],
            }

    path = tmp_path / "a.parquet"
    writers.write_table(path, ((f"r{i}", records(f"r{i}")) for i in range(7)), DEFAULT_LABELS)
    file = pyarrow.parquet.ParquetFile(path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [100, 100, 100, 50]
    assert asked == 350
    assert file.read().column("text")[0].as_py() == "?"


def test_jsonl(reports: list[Report], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writers.write_table(path, by_name(reports), DEFAULT_LABELS)
    expected = [{"report": name, **record} for name, records in by_name(reports) for record in records]
    assert list(read_records(path)) == json.loads(json.dumps(expected))


@pytest.mark.parametrize("name", ["xlsx", "csv", "parquet"])
def test_one_report_and_twice_the_same_bytes(reports: list[Report], tmp_path: Path, name: str) -> None:
    path = tmp_path / f"报告.{name}"
    writers.write(name, reports[0], DEFAULT_LABELS, path)
    first = path.read_bytes()
    writers.write(name, reports[0], DEFAULT_LABELS, path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [f"报告.{name}"]


@pytest.mark.parametrize("name", writers.TABLES)
def test_a_run_without_reports_and_one_that_fails(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a.{name}"
    writers.write_table(path, [], DEFAULT_LABELS)
    before = path.read_bytes()

    def broken() -> Iterator[Record]:
        raise DataError("line 3 is no JSON")
        yield {}

    with pytest.raises(DataError, match="line 3 is no JSON"):
        writers.write_table(path, [("a", broken())], DEFAULT_LABELS)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [f"a.{name}"]


def test_missing_packages_are_told_before_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(writers, "find_spec", lambda name: None)
    writers.check(["jsonl", "docx", "csv"])
    with pytest.raises(MissingExtraError, match=r"the format xlsx needs .* pip install 'pizhu\[tables\]'"):
        writers.check(["jsonl", "xlsx"])
    with pytest.raises(MissingExtraError):
        writers.write_table(tmp_path / "a.parquet", [], DEFAULT_LABELS)


def test_a_format_whose_label_is_never_given_is_refused(tmp_path: Path, model: Any) -> None:
    other = LabelSet((Label("risk", "风险", "#ff0000", "1"),))
    writers.check(["metrics"], labels=DEFAULT_LABELS)
    with pytest.raises(ConfigError, match="the format metrics needs the label 'metric'"):
        writers.check(["jsonl", "metrics"], labels=other)
    model.about = replace(model.about, labels=other)
    (tmp_path / "a.txt").write_text("完成了任务。", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs the label"):
        annotate_files([tmp_path / "a.txt"], tmp_path / "out", model, ("metrics",))
    assert not (tmp_path / "out").exists()


def test_import_loads_no_heavy_package() -> None:
    import subprocess

    code = (
        "import pizhu.annotate.writers, sys; print([m for m in ('pyarrow', 'xlsxwriter', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command(reports: list[Report], tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    for i, report in enumerate(reports):
        write_records(tmp_path / "出" / str(i) / "总结.jsonl", report.records())
    out = tmp_path / "出" / "汇总.xlsx"
    answer = pizhu("table", tmp_path / "出", "--out", out)
    assert (answer.status, answer.out, answer.err) == (0, f"{out}\n", "2 reports\n")
    assert [row["报告"] for row in sheet_rows(out, "各报告")] == ["0/总结", "1/总结"]
    again = tmp_path / "出" / "全部.jsonl"
    for _ in range(2):  # the second time the first table is none of the reports
        assert pizhu("table", tmp_path / "出", "--out", again).err == "2 reports\n"


def test_a_run_as_a_table(tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run keeps beside its reports' records is none of them, wherever the run lies in what was named."""
    for text in ("一件事办完了。", "另一件办完了。"):
        (tmp_path / f"{text[:1]}.txt").write_text(text, encoding="utf-8")
    inputs = [tmp_path / "一.txt", tmp_path / "另.txt"]
    annotate_files(inputs, tmp_path / "年" / "all", model, ("jsonl-parts",))
    monkeypatch.setattr(RunFolder, "finish", lambda *_: None)  # this one is cut off at its end
    annotate_files(inputs, tmp_path / "年" / "甲", model, ("jsonl",))
    assert (tmp_path / "年" / "甲" / ".journal.jsonl").exists()
    assert (tmp_path / "年" / "all" / "all" / "part-00001.jsonl").exists()
    assert table_of([tmp_path / "年"], tmp_path / "汇总.jsonl", DEFAULT_LABELS) == 4
    names = [record["report"] for record in read_records(tmp_path / "汇总.jsonl")]
    assert sorted(names) == ["all/一", "all/另", "甲/一", "甲/另"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"doc": "a"}, "lacks start"),
        ({"doc": "a", "start": 0, "end": 1, "text": "a", "labels": ["joy"]}, "unknown label 'joy'"),
        (
            {"doc": "a", "start": 0, "end": 1, "text": "a", "scores": {"plan": "=1"}},
            "a value of scores must be a number, not a text",
        ),
        (
            {"doc": "a", "start": 0, "end": 1, "text": "a", "scores": {"plan": float("nan")}},
            "the score of 'plan' is nan, expected a number from 0 to 1",
        ),
    ],
)
def test_records_that_are_none(tmp_path: Path, record: dict[str, Any], said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        table_of([path], tmp_path / "a.xlsx", DEFAULT_LABELS)
    assert not (tmp_path / "a.xlsx").exists()


def test_records_of_labelled_sentences(tmp_path: Path) -> None:
    """What `pizhu label pull` writes has no probabilities, and may lack more."""
    path = tmp_path / "标注.jsonl"
    write_records(path, [{"doc": "a.txt", "start": 0, "end": 3, "text": "完成。", "labels": ["achievement"]}])
    for name in writers.TABLES:
        assert table_of([path], tmp_path / f"汇总.{name}", DEFAULT_LABELS) == 1
    assert pyarrow.parquet.read_table(tmp_path / "汇总.parquet").to_pylist()[0]["labels"] == ["achievement"]


def test_names_of_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_records(path, [])
    with pytest.raises(ConfigError, match=r"must end in \.jsonl, \.xlsx"):
        table_of([path], tmp_path / "a.docx", DEFAULT_LABELS)
    with pytest.raises(ConfigError, match="is one of the files to read"):
        table_of([path], path, DEFAULT_LABELS)
    (tmp_path / "空").mkdir()
    with pytest.raises(DataError, match="no records"):
        table_of([tmp_path / "空"], tmp_path / "a.xlsx", DEFAULT_LABELS)
