"""The table of quantities: rows, files that spreadsheets open, the command."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu import Annotator
from pizhu.annotate.run.run import annotate_files
from pizhu.annotate.writers.quantities import COLUMNS, cell, record_rows, rows, write_metrics
from pizhu.base.errors import ConfigError
from pizhu.base.files import read_records, write_records
from pizhu.data.records import Record
from pizhu.data.report import Report


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_rows(labelled: Report) -> None:
    found = list(rows(labelled))
    assert [(row["indicator"], row["value"], row["unit"]) for row in found] == [
        ("接收档案", 32000, "卷"),
        ("整理照片", 11000, "张"),
        ("接待查档群众", 4260, "人次"),
        ("满意率", 99.6, "%"),
        ("档案没有目录", 24000, "卷"),
        ("数字化率", 80, "%"),
    ]
    for row in found:
        assert list(row) and set(row) == set(COLUMNS)
        assert labelled.text[row["start"] : row["end"]] == row["text"]
    assert found[0]["labels"] == ["achievement", "metric"]
    assert found[0]["headings"][-1] == "1.加强馆藏建设。"
    assert len(list(rows(labelled, None))) == len(found)


def test_records_give_the_rows_of_their_report(labelled: Report) -> None:
    assert list(record_rows(json.loads(json.dumps(labelled.records())))) == list(rows(labelled))


def test_csv(labelled: Report, tmp_path: Path) -> None:
    path = tmp_path / "表" / "指标.csv"
    assert write_metrics(path, rows(labelled)) == 6
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    found = table(path)
    assert list(found[0]) == list(COLUMNS.values())
    assert (found[0]["指标"], found[0]["数值"], found[0]["单位"]) == ("接收档案", "32000", "卷")
    assert (found[0]["标签"], found[0]["章节"]) == ("成效、指标", "一、主要工作及成效 › 1.加强馆藏建设。")
    assert [p.name for p in path.parent.iterdir()] == ["指标.csv"]


def test_jsonl(labelled: Report, tmp_path: Path) -> None:
    assert write_metrics(tmp_path / "a.jsonl", rows(labelled)) == 6
    assert list(read_records(tmp_path / "a.jsonl")) == list(rows(labelled))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1.8", "'-1.8"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("一行\r\n两行", "一行 两行"),
        ("\ud800", "?"),
        (-1.8, -1.8),
        (None, ""),
        (["一、工作", "1.做法"], "一、工作 › 1.做法"),
    ],
)
def test_no_cell_is_a_formula(value: object, written: object) -> None:
    assert cell(value) == written


def test_hostile_names_and_sentences(tmp_path: Path) -> None:
    record: Record = {"doc": "=1+1.txt", "start": 0, "text": '=HYPERLINK("x"),完成3件"', "labels": ["metric"]}
    write_metrics(tmp_path / "a.csv", record_rows([record]))
    (row,) = table(tmp_path / "a.csv")
    assert (row["报告"], row["原句"][:2], row["原文"]) == ("'=1+1.txt", "'=", "3件")


def test_a_name_of_another_kind(labelled: Report, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.csv or \.jsonl"):
        write_metrics(tmp_path / "a.pdf", rows(labelled))
    assert list(tmp_path.iterdir()) == []


def test_the_format_of_a_run(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "总结.txt").write_text("工作总结\n\n全年接收档案3.2万卷，整理照片1.1万张。\n", encoding="utf-8")
    result = annotate_files(
        [tmp_path / "总结.txt"], tmp_path / "out", Annotator.load(model_folder, device="cpu"), ("metrics",)
    )
    assert result.written == [tmp_path / "out" / "总结.metrics.csv"]
    assert result.written[0].read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.fixture
def annotated(labelled: Report, tmp_path: Path) -> Path:
    path = tmp_path / "总结.jsonl"
    write_records(path, labelled.records())
    return path


TOLD = "Reading reports\n6 quantities\n"


def test_command_shows_a_table(annotated: Path, pizhu: Callable[..., Any]) -> None:
    answer = pizhu("metrics", annotated)
    assert (answer.status, answer.err) == (0, TOLD)
    assert all(word in answer.out for word in ("county-archive-2022", "接收档案", "3.2万卷", "80%（以上）"))


def test_command_writes_a_file(annotated: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    answer = pizhu("metrics", annotated, "--out", tmp_path / "指标.csv")
    assert (answer.status, answer.out, answer.err) == (0, f"{tmp_path / '指标.csv'}\n", TOLD)
    assert len(table(tmp_path / "指标.csv")) == 6


def test_command_reads_reports(model_folder: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    path = tmp_path / "报告.txt"
    path.write_text("工作总结\n\n全年接收档案3.2万卷。\n", encoding="utf-8")
    every = [json.loads(line) for line in pizhu("metrics", path, "--all", "--json").out.splitlines()]
    assert [(row["doc"], row["indicator"], row["value"]) for row in every] == [("报告.txt", "接收档案", 32000)]
    answer = pizhu("metrics", path, "--model", model_folder, "--json")
    assert answer.status == 0
    assert [json.loads(line)["value"] for line in answer.out.splitlines()] in ([32000], [])


def test_command_goes_on_after_a_bad_input(annotated: Path, tmp_path: Path, pizhu: Callable[..., Any]) -> None:
    bare = tmp_path / "bare.jsonl"
    write_records(bare, [{"doc": "a", "start": 0, "text": "3件", "labels": None}])
    wrong = tmp_path / "wrong.jsonl"
    write_records(wrong, [{"doc": "a", "text": "3件"}])
    answer = pizhu("metrics", bare, wrong, tmp_path / "none.txt", annotated, "--json")
    assert answer.status == 1 and len(answer.out.splitlines()) == 6
    assert answer.err.splitlines() == [
        *TOLD.splitlines(),
        f"pizhu: {bare} holds no labelled sentence; run: pizhu annotate, or read every sentence with --all",
        f"pizhu: {wrong}, record 1: lacks start",
        f"pizhu: {tmp_path / 'none.txt'} does not exist",
    ]
    assert len(pizhu("metrics", bare, "--all", "--json").out.splitlines()) == 1


def test_reports_of_one_name_are_told_apart(
    tmp_path: Path, pizhu: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for year in ("2021", "2022"):
        Path(year).mkdir()
        Path(year, "总结.txt").write_text(f"全年接收档案{year}卷。\n", encoding="utf-8")
    answer = pizhu("metrics", "202?/*.txt", "--all", "--out", "指标.csv")
    assert answer.status == 0
    assert [(row["报告"], row["来源"], row["数值"]) for row in table(Path("指标.csv"))] == [
        ("总结.txt", "2021/总结.txt", "2021"),
        ("总结.txt", "2022/总结.txt", "2022"),
    ]
    shown = pizhu("metrics", "2021", "2022/总结.txt", "--all").out
    assert "总结.txt 2021/总结.txt" in shown and "总结.txt 2022/总结.txt" in shown


def test_command_reads_the_folder_of_a_run(
    annotated: Path, tmp_path: Path, model: Any, pizhu: Callable[..., Any], labelled: Report
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "甲.txt").write_text("全年接收档案3.2万卷。\n", encoding="utf-8")
    run = tmp_path / "run"
    annotate_files([tmp_path / "in"], run, model, ("jsonl", "html", "jsonl-parts"))
    answer = pizhu("metrics", run, "--all", "--json")
    assert [json.loads(line)["doc"] for line in answer.out.splitlines()] == ["甲.txt"]  # not the page, nor the parts
    (tmp_path / "copied").mkdir()
    annotated.rename(tmp_path / "copied" / "总结.jsonl")
    assert pizhu("metrics", tmp_path / "copied").err == TOLD
    annotate_files([tmp_path / "in"], tmp_path / "pages", model, ("html",))
    answer = pizhu("metrics", tmp_path / "pages")
    assert answer.status == 2 and "holds no records" in answer.err


def test_nothing_is_shown_before_what_was_named_is_found(
    annotated: Path, tmp_path: Path, pizhu: Callable[..., Any]
) -> None:
    for word in (tmp_path / "*.doc", f"@{tmp_path / 'none'}"):
        answer = pizhu("metrics", annotated, word, "--json")
        assert (answer.status, answer.out) == (2, "")
    (tmp_path / "a.txt").write_text("没有数字。", encoding="utf-8")
    answer = pizhu("metrics", tmp_path / "a.txt", "--all")
    assert (answer.status, answer.out.strip(), answer.err.splitlines()[-1]) == (0, "", "0 quantities")
