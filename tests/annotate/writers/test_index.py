"""The page that lists a run's reports: correct numbers, working links, and names that are only text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from lxml import html
from pizhu.annotate.run.run import annotate_files
from pizhu.annotate.writers import Annotated, Complete
from pizhu.annotate.writers.index import Summary, index_page, summarise, write_index
from pizhu.base.files import write_records, write_text
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report

from .conftest import all_text

HOSTILE = "</td><script>alert(1)</script>\u202e@@rows@@ \" onclick='x' &lt;"


def rows(text: str) -> list[list[str]]:
    table = html.fromstring(text).find(".//table")
    assert table is not None
    return [[all_text(cell) for cell in row] for row in table.iter("tr")]


def test_numbers_and_totals(labelled: Report) -> None:
    one = summarise(labelled.records(), "a.html")
    assert (one.title, one.sentences, one.review) == ("澄岭县档案局2022年工作总结", 17, 0)
    assert one.counts == {"none": 3, "achievement": 6, "metric": 4, "shortcoming": 4, "plan": 5}
    found = rows(index_page([one, one], DEFAULT_LABELS))
    assert found[0] == ["报告", "句子", "成效", "不足", "计划", "指标", "无", "待复核"]
    assert found[1][1:] == ["17", "6", "4", "5", "4", "3", "0"]
    assert found[-1] == ["合计", "34", "12", "8", "10", "8", "6", "0"]


def test_reports_of_one_name_are_told_apart(labelled: Report) -> None:
    one, two = (summarise(labelled.records(), name=name) for name in ("2021/总结", "2022/总结"))
    told = [
        [all_text(small) for small in html.fromstring(index_page(found, DEFAULT_LABELS)).iter("small")]
        for found in ([one, two], [one])
    ]
    assert told == [["2021/总结", "2022/总结"], [labelled.doc]]


def test_unlabelled_is_not_none(labelled: Report) -> None:
    blank = labelled.with_labels([None] * len(labelled.sentences), review=[True] * len(labelled.sentences))
    assert summarise(blank.records()).counts == {}


def test_names_are_only_names() -> None:
    hostile = Summary(HOSTILE, HOSTILE[:9], 1, {"plan": 1}, 0, "")
    text = index_page([hostile], DEFAULT_LABELS, [(HOSTILE, HOSTILE)], HOSTILE)
    tree = html.fromstring(text)
    assert len(tree.findall(".//script")) == 1
    assert not [name for node in tree.iter() for name in map(str, node.attrib) if name.startswith("on")]
    assert tree.findtext(".//h1") == HOSTILE
    assert [all_text(node) for node in tree.iter("li")] == [HOSTILE * 2]
    assert (
        text.count(f"<bdi>{HOSTILE[:4]}".replace("<", "&lt;").replace(">", "&gt;").replace("&lt;bdi&gt;", "<bdi>")) == 3
    )


@pytest.mark.parametrize("name", ["a", "总结 1", "javascript:alert(1)", "a#b?c%20&d", "总/结", "..", "'\"<>"])
def test_links_lead_to_the_pages(labelled: Report, tmp_path: Path, name: str) -> None:
    write_text(tmp_path / f"{name}.html", "page")
    write_records(tmp_path / f"{name}.jsonl", labelled.records())
    (path,) = write_index(tmp_path / "all", DEFAULT_LABELS, Complete([Annotated(name, tmp_path / f"{name}.jsonl", 17)]))
    tree = html.fromstring(path.read_text(encoding="utf-8"))
    (link,) = tree.iter("a")
    where = urljoin(path.as_uri(), link.get("href"))
    assert Path(unquote(where.removeprefix("file://"))) == tmp_path / f"{name}.html"


def test_nothing_is_loaded() -> None:
    text = index_page([], DEFAULT_LABELS)
    assert "@@" not in text and "unsafe" not in text
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|<[^>]+ style=", text)


def test_a_run_writes_it(model: Any, tmp_path: Path) -> None:
    for name in ("甲", "乙"):
        write_text(
            tmp_path / "in" / f"{name}.txt", f"{name}县2022年工作总结\n\n一、主要工作\n\n全年接收档案3卷。还要努力。\n"
        )
    result = annotate_files([tmp_path / "in"], tmp_path / "out", model, ("html", "index"))
    assert result.reports == 2
    text = (tmp_path / "out" / "all" / "index.html").read_text(encoding="utf-8")
    assert sorted(link.get("href", "") for link in html.fromstring(text).iter("a")) == [
        "../%E4%B9%99.html",
        "../%E7%94%B2.html",
    ]
    assert rows(text)[-1][1] == "4"
    (tmp_path / "in" / "坏.docx").write_bytes(b"PK\x03\x04 torn")
    assert len(annotate_files([tmp_path / "in"], tmp_path / "out", model, ("html", "index")).failed) == 1
    tree = html.fromstring((tmp_path / "out" / "all" / "index.html").read_text(encoding="utf-8"))
    (failed,) = tree.iter("li")
    assert "坏.docx" in failed.findtext("bdi", "") and failed.findtext("small")
    annotate_files([tmp_path / "in"], tmp_path / "plain", model, ("index",))  # no pages to link to
    assert "<a " not in (tmp_path / "plain" / "all" / "index.html").read_text(encoding="utf-8")
