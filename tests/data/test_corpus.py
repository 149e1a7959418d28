"""The corpus' files are read exactly; errors name the file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pizhu.base.errors import DataError
from pizhu.base.files import read_records
from pizhu.data.corpus.export import corpus_records, export_jsonl
from pizhu.data.corpus.load import CASES, SPLITS, load_corpus, load_splits, parse_report
from pizhu.data.corpus.stats import stats

HEAD = """+++
level = "city"
body = "finance"
kind = "budget"
year = 2015
plan = "mixed"
style = ["no-headings"]
+++
"""
BODY = """# | 题目
~ | 打印

AM @found | 查出问题3个。
- | 如下。
P | 今后要改。

# | 一、问题
S | 不快。
"""


def write(folder: Path, text: str = HEAD + BODY, name: str = "a") -> Path:
    path = folder / f"{name}.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_file_says(tmp_path: Path) -> None:
    found = parse_report(write(tmp_path))
    assert (found.id, found.level, found.body, found.kind, found.year) == ("a", "city", "finance", "budget", 2015)
    assert (found.plan, found.style) == ("mixed", ("no-headings",))
    assert found.report.text == "题目\n打印\n查出问题3个。如下。今后要改。\n一、问题\n不快。"
    rows = zip(found.lines, found.cases, found.report.sentences, strict=True)
    assert [(line, case, s.kind, s.text, s.labels) for line, case, s in rows] == [
        (9, None, "heading", "题目", ()),
        (10, None, "furniture", "打印", ()),
        (12, "found", "sentence", "查出问题3个。", ("achievement", "metric")),
        (13, None, "sentence", "如下。", ()),
        (14, None, "sentence", "今后要改。", ("plan",)),
        (16, None, "heading", "一、问题", ()),
        (17, None, "sentence", "不快。", ("shortcoming",)),
    ]
    assert found.report.sentences[-1].headings == ("一、问题",)


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_line_ends_of_any_system(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((HEAD + BODY).replace("\n", ends).encode())
    assert parse_report(path).report.text.endswith("一、问题\n不快。")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("+++\nlevel", "level", r"line 1: expected a head between two \+\+\+ lines"),
        ("]\n+++", "]", r"line 1: expected a head between two \+\+\+ lines"),
        (HEAD + BODY, "", r"line 1: expected a head"),
        ('level = "city"\n', "", r"the head needs level \(str\)"),
        ('"city"', '"village"', "level is 'village', expected one of national, province"),
        ("2015", '"2015"', r"the head needs year \(int\)"),
        ('["no-headings"]', '"x"', r"the head needs style \(list\)"),
        ("year = 2015", "year = 2015\ntitle = 1", "unknown 'title' in the head"),
        ("year = 2015", "year = ", "the head is not TOML"),
        ("- | 如下。", "-| 如下。", "line 13: expected 'CODE | text', found '-| 如下。'"),
        ("- | 如下。", "- | ", "line 13: expected 'CODE | text'"),
        ("- | 如下。", "- | 如下。 ", "line 13: expected 'CODE | text'"),
        ("- | 如下。", "-A | 如下。", "line 13: expected 'CODE | text'"),
        ("- | 如下。", "X | 如下。", "line 13: expected 'CODE | text'"),
        ("AM @found", "MA @found", "line 12: write the code MA in the order ASPM, each once"),
        ("AM @found", "AA @found", "line 12: write the code AA in the order ASPM, each once"),
        ("@found", "@lost", "line 12: unknown case @lost, expected one of leadin"),
        (BODY, "", "holds no sentence"),
        (BODY, "# | 题目\n~ | 打印\n", "holds no sentence"),
    ],
)
def test_wrong_files(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = HEAD + BODY
    assert old in text
    with pytest.raises(DataError, match=said) as error:
        parse_report(write(tmp_path, text.replace(old, new)))
    assert "a.txt" in str(error.value) and "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "gbk.txt").write_bytes((HEAD + BODY).encode("gb18030"))
    with pytest.raises(DataError, match=r"gbk\.txt cannot be read"):
        parse_report(tmp_path / "gbk.txt")
    with pytest.raises(DataError, match="there is no report"):
        load_corpus(tmp_path / "none")


@pytest.mark.parametrize(
    "text", ["", "train = []", "train = 1\nvalidation = []\ntest = []", "train = [1]\nvalidation = []\ntest = []", "["]
)
def test_wrong_lists_of_splits(tmp_path: Path, text: str) -> None:
    write(tmp_path)
    (tmp_path / "splits.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"splits\.toml"):
        load_splits(tmp_path)


def test_the_shipped_corpus_splits_by_report() -> None:
    parts = [{c.id for c in load_corpus(split=split)} for split in SPLITS]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(load_corpus())


def test_headings_and_furniture_carry_no_label() -> None:
    for found in load_corpus():
        assert all(s.labels == () for s in found.report.sentences if s.kind != "sentence")
        assert all(s.labels is not None for s in found.report.sentences)


def test_counts() -> None:
    reports = load_corpus()
    found = stats(reports)
    assert found["reports"] == len(reports)
    assert found["sentences"] == sum(row["sentences"] for row in found["by_split"].values())
    for name in ("achievement", "shortcoming", "plan", "metric"):
        assert found["labels"][name] == sum(row[name] for row in found["by_kind"].values()) > 0
    assert set(CASES) <= set(found["cases"])


def test_export(tmp_path: Path) -> None:
    paths = export_jsonl(tmp_path / "出 口")
    assert [p.name for p in paths] == ["train.jsonl", "validation.jsonl", "test.jsonl"]
    records = list(read_records(paths[2]))
    assert records == corpus_records("test")
    assert {"id", "doc", "labels", "genre", "level", "year", "case"} <= set(records[0])


@pytest.mark.slow
def test_as_a_dataset() -> None:
    pytest.importorskip("datasets")
    from pizhu.data.corpus.export import dataset_dict

    found = dataset_dict()
    assert set(found) == set(SPLITS)
    assert found["test"][0]["doc"] == load_corpus(split="test")[0].report.doc
