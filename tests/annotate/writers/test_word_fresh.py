"""A new Word document from a report in another format, read again with an independent library."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pizhu.annotate.writers.shown import readable, tint
from pizhu.annotate.writers.word import write
from pizhu.data.labels import DEFAULT_LABELS, Label, LabelSet
from pizhu.data.read import load_source, read_report, report_from_text
from pizhu.data.report import Report

from .conftest import HOSTILE, W, labelled_at_will

TEXT = f"""澄岭县档案局2022年工作总结
打印本页　关闭窗口

一、主要工作

（一）馆藏建设
全年接收档案3.2万卷。库房改造完成，
查档大厅开放。

单位\t数量\t说明
甲馆\t3200\t{HOSTILE[0]}
乙馆\t80

二、存在的问题

{"".join(HOSTILE)}
"""


def fresh(report: Report, folder: Path, labels: LabelSet = DEFAULT_LABELS) -> docx.document.Document:
    path = folder / "新.docx"
    write(report, labels, path, None)
    return docx.Document(str(path))


def test_headings_paragraphs_tables_and_marks(tmp_path: Path) -> None:
    report = labelled_at_will(report_from_text(TEXT, "总结.txt"))
    made = fresh(report, tmp_path)
    found = [(p.style and p.style.name, p.text) for p in made.paragraphs]
    assert ("Title", "澄岭县档案局2022年工作总结") in found
    assert ("Heading 1", "一、主要工作") in found
    assert ("Heading 2", "（一）馆藏建设") in found
    assert ("Body Text", "全年接收档案3.2万卷。库房改造完成，查档大厅开放。") in found
    assert ("Furniture", "打印本页　关闭窗口") in found
    legend, data = made.tables
    assert [cell.text for cell in legend.rows[1].cells] == ["成效", "做了什么、取得了什么", "4", "25%"]
    assert [cell.text for cell in legend.rows[-1].cells][2] == "16"
    assert [cell.text for cell in data.rows[1].cells] == ["甲馆", "3200", HOSTILE[0]]
    assert [cell.text for cell in data.rows[2].cells] == ["乙馆", "80", ""]
    assert len(list(made.comments)) == sum(bool(s.labels) or s.review for s in report.sentences if s.kind == "sentence")
    assert {c.author for c in made.comments} == {"批注", "批注（待核）"}
    shades = {
        run.text: run._r.xpath("string(w:rPr/w:shd/@w:fill)")
        for p in made.paragraphs
        for run in p.runs
        if run._r.find(f"{{{W}}}rPr/{{{W}}}shd") is not None
    }
    tints = {label.name: tint(label) for label in DEFAULT_LABELS}
    assert shades == {readable(s.text): tints[s.labels[0]] for s in report.sentences if s.labels and "\t" not in s.text}


def test_other_formats_are_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "其实是网页.docx"
    path.write_text(f"<html><body><p>{TEXT}</p></body></html>", encoding="utf-8")
    write(labelled_at_will(read_report(path)), DEFAULT_LABELS, tmp_path / "新.docx", load_source(path))
    assert len(docx.Document(str(tmp_path / "新.docx")).tables) >= 1


def test_labels_of_ones_own(tmp_path: Path) -> None:
    labels = LabelSet((Label("risk", "风险<&", "#123456", "1", "=1+1"),))
    report = report_from_text("库房漏水。", "a.txt").with_labels([("risk",)])
    made = fresh(report, tmp_path, labels)
    assert [c.text for c in made.comments] == ["风险<&"]  # without a model there are no probabilities
    assert [cell.text for cell in made.tables[0].rows[1].cells] == ["风险<&", "=1+1", "1", "100%"]


def test_again_gives_the_same_bytes(tmp_path: Path) -> None:
    report = labelled_at_will(report_from_text(TEXT, "总结.txt"))
    fresh(report, tmp_path)
    first = (tmp_path / "新.docx").read_bytes()
    fresh(report, tmp_path)
    assert (tmp_path / "新.docx").read_bytes() == first


@pytest.mark.parametrize("text", ["控制\x00符\x0b与\ufffe\ud800完。", "从右\u202e往左。", "表情😀。"])
def test_characters_that_word_cannot_hold(tmp_path: Path, text: str) -> None:
    report = labelled_at_will(report_from_text(text, "a\x01\ud800.txt"))
    made = fresh(report, tmp_path)
    shown = "".join(p.text for p in made.paragraphs)
    assert all(readable(s.text) in shown for s in report.sentences)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters() | st.sampled_from("。；\t\n一、<&=")))
def test_every_sentence_is_there_once(tmp_path: Path, text: str) -> None:
    report = labelled_at_will(report_from_text(text + "\n末句。", "a.txt"))
    write(report, DEFAULT_LABELS, tmp_path / "新.docx", None)
    body = docx.Document(str(tmp_path / "新.docx")).element.body
    legend = body[1]
    nodes = [t.text or "" for t in body.iter(f"{{{W}}}t") if legend not in list(t.iterancestors())]
    assert "".join(nodes[1:]) == "".join(readable(c) for s in report.sentences for c in s.text.split("\t"))
    etree.fromstring(etree.tostring(body))
