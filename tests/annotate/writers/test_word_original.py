"""The original .docx with marks: only marks are added, exactly on the sentences."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pizhu.annotate.writers.shown import tint
from pizhu.annotate.writers.word import write
from pizhu.base.errors import ReadError
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import load_source, read_report
from pizhu.data.report import Report

from .conftest import HOSTILE, Document, W, all_text, labelled_at_will

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_TINTS = {label.name: tint(label) for label in DEFAULT_LABELS}


def w(name: str) -> str:
    return f"{{{W}}}{name}"


def run(text: str, properties: str = "") -> str:
    properties = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def marked(source: Path, report: Report | None = None) -> tuple[Report, Path]:
    report = report or labelled_at_will(read_report(source))
    path = source.with_name("出.docx")
    write(report, DEFAULT_LABELS, path, load_source(source))
    return report, path


def part(path: Path, name: str = "word/document.xml") -> etree._Element:
    with zipfile.ZipFile(path) as archive:
        return etree.fromstring(archive.read(name))


def around(node: etree._Element) -> etree._Element:
    parent = node.getparent()
    assert parent is not None
    return parent


def formatted(root: etree._Element) -> Iterator[tuple[str, ...]]:
    """Every character that is drawn with its formatting and its place, and each element that draws something else."""
    for node in root.iter(
        w("t"), w("delText"), w("tab"), w("br"), w("footnoteReference"), w("fldChar"), w("instrText")
    ):
        properties = around(node).find(w("rPr"))
        shown = [] if properties is None else [etree.tostring(p) for p in properties if p.tag != w("shd")]
        where = [str(a.tag) for a in node.iterancestors()]
        for c in node.text or [""]:
            yield (c, node.tag, b"".join(shown).decode(), *where)


def shaded(root: etree._Element) -> str:
    """The characters that are shaded, each behind the colour of its run where that changes."""
    parts, last = [], None
    for node in root.iter(w("t"), w("noBreakHyphen")):
        shade = around(node).find(f"{w('rPr')}/{w('shd')}")
        fill = None if shade is None else shade.get(w("fill"))
        if fill is not None:
            text = "".join((node.text or "-").split())
            parts.append(text if fill == last or not text else f"[{fill}]{text}")
        last = fill if "".join((node.text or "-").split()) else last
    return "".join(parts)


def expected(report: Report) -> str:
    parts, last = [], None
    for s in report.sentences:
        fill = _TINTS[s.labels[0]] if s.labels else None
        if fill:
            parts.append("".join(s.text.split()) if fill == last else f"[{fill}]{''.join(s.text.split())}")
        last = fill
    return "".join(parts)


def comments(path: Path) -> dict[str, tuple[str, str]]:
    """What comments say: text on which they hang, then author and words."""
    body = part(path)
    found: dict[str, tuple[str, str]] = {}
    said = {
        c.get(w("id"), ""): (c.get(w("author"), ""), "\n".join(map(all_text, c)))
        for c in part(path, "word/comments.xml")
    }
    for start in body.iter(w("commentRangeStart")):
        text, inside = "", False
        for node in body.iter():
            if node is start:
                inside = True
            elif node.tag == w("commentRangeEnd") and node.get(w("id")) == start.get(w("id")):
                break
            elif inside and node.tag == w("t"):
                text += node.text or ""
        found[text] = said[start.get(w("id"), "")]
    order = [(n.get(w("id")), n.tag) for n in body.iter(w("commentRangeStart"), w("commentRangeEnd"))]
    assert all(order.index((i, w("commentRangeStart"))) < order.index((i, w("commentRangeEnd"))) for i in said)
    references = [r.get(w("id"), "") for r in body.iter(w("commentReference"))]
    assert sorted(references) == sorted(said)
    assert len(set(references)) == len(references)
    return found


BODY = paragraph(run("档案馆工作总结")) + paragraph(
    run("全年接收档案"),
    run("三千", "<w:b/>"),
    run("卷。库房"),
    run("如期改造", "<w:i/>"),
    run("。人员不足。还有一句。"),
)


def test_sentences_are_shaded_and_commented_on(document: Document) -> None:
    report, path = marked(document(BODY))
    assert shaded(part(path)) == expected(report)
    found = comments(path)
    assert found["全年接收档案三千卷。"] == ("批注", "成效 90%")
    assert found["库房如期改造。"] == ("批注", "计划 90%　指标 90%")
    assert found["还有一句。"] == ("批注（待核）", "【待核】不足 90%（或：成效 12%、计划 12%、指标 12%）")
    first = found["档案馆工作总结"][1]
    assert "本报告共 4 句" in first and "成效：1 句" in first
    assert "人员不足。" not in found  # it has no label, and no need of review


def test_what_needs_review_has_an_author_of_its_own(document: Document) -> None:
    report = read_report(document(paragraph(run("人员不足。已经解决。"))))
    scores = [{"achievement": 0.21, "shortcoming": 0.38, "plan": 0.02, "metric": 0.0}] * 2
    report = report.with_labels([(), ("achievement",)], scores, [True, False])
    _, path = marked(document(paragraph(run("人员不足。已经解决。"))), report)
    said = sorted(comments(path).values())
    assert said[-1] == ("批注（待核）", "【待核】无标签（或：不足 38%、成效 21%）")
    assert shaded(part(path)) == f"[{_TINTS['achievement']}]已经解决。"


def test_other_parts_are_copied_byte_for_byte(document: Document) -> None:
    styles = '<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>'
    source = document(BODY, styles=styles, header=paragraph(run("内部资料")), footnotes="")
    _, path = marked(source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path) as new:
        changed = {name for name in old.namelist() if old.read(name) != new.read(name)}
        assert changed == {"[Content_Types].xml", "word/document.xml", "word/_rels/document.xml.rels"}
        assert new.namelist() == [*old.namelist(), "word/comments.xml"]


def test_existing_comments_and_formatting_stay(document: Document) -> None:
    body = paragraph(
        '<w:commentRangeStart w:id="7"/>',
        run("作者自己涂黄的", '<w:highlight w:val="yellow"/>'),
        run("字。", '<w:shd w:val="clear" w:fill="FFFFFF"/><w:lang w:val="zh-CN"/>'),
        '<w:commentRangeEnd w:id="7"/><w:r><w:commentReference w:id="7"/></w:r>',
    )
    own = '<w:comment w:id="7" w:author="处长"><w:p><w:r><w:t>核实</w:t></w:r></w:p></w:comment>'
    source = document(body, comments=own)
    _, path = marked(source)
    said = part(path, "word/comments.xml")
    assert [c.get(w("id")) for c in said] == ["7", "8", "9"]
    assert etree.tostring(said[0]) == etree.tostring(part(source, "word/comments.xml")[0])
    root = part(path)
    assert shaded(root) == f"[{_TINTS['achievement']}]字。"  # white is what web pages leave behind, no choice
    assert [etree.QName(p).localname for p in root.findall(f".//{w('rPr')}")[1]] == ["shd", "lang"]
    assert list(formatted(root)) == list(formatted(part(source)))


def test_links_fields_changes_and_breaks(document: Document) -> None:
    body = paragraph(
        run("见"),
        f'<w:hyperlink r:id="x">{run("网站公告。全文")}</w:hyperlink>',
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>',
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("三")}<w:r><w:fldChar w:fldCharType="end"/></w:r>',
        run("页。"),
        f'<w:ins w:id="1" w:author="甲">{run("补充一句。又")}</w:ins>',
        '<w:del w:id="2" w:author="甲"><w:r><w:delText>删去的。</w:delText></w:r></w:del>',
        f"<w:sdt><w:sdtContent>{run('一句')}</w:sdtContent></w:sdt>",
        "<w:r><w:t>在此。</w:t><w:tab/><w:t>末</w:t><w:noBreakHyphen/><w:t>句。</w:t>",
        '<w:footnoteReference w:id="3"/></w:r>',
        f'<w:fldSimple w:instr=" DATE ">{run("今天的事。")}</w:fldSimple>',
    )
    source = document(body, footnotes=f'<w:footnote w:id="3">{paragraph(run("注。"))}</w:footnote>')
    report, path = marked(source, labelled_at_will(read_report(source), [("achievement",), ("plan",)]))
    root = part(path)
    assert list(formatted(root)) == list(formatted(part(source)))
    texts = [s.text for s in report.sentences]
    assert texts == ["见网站公告。", "全文三页。", "补充一句。", "又一句在此。", "末-句。", "今天的事。", "注。"]
    assert shaded(root) + shaded(part(path, "word/footnotes.xml")) == expected(report)
    assert read_report(path).text == report.text


def test_table_cells_notes_text_boxes_and_numbers(document: Document) -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(run(cell))}</w:tc>" for cell in cells) + "</w:tr>"

    box = f"<w:txbxContent>{paragraph(run('框里的话。'))}</w:txbxContent>"
    drawing = f"<w:r><mc:AlternateContent><mc:Choice><wps:txbx>{box}</wps:txbx></mc:Choice></mc:AlternateContent></w:r>"
    lists = (
        '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
        '<w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="%1是"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    )
    number = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    body = (
        paragraph(run("情况"), '<w:r><w:footnoteReference w:id="4"/></w:r>', run("如下。"))
        + f"<w:tbl>{row('项目', '数量')}{row('接收', '3200')}{row('征集', '80')}</w:tbl>"
        + f"<w:tbl>{row('框起来的一段话。它有两句。')}</w:tbl>"
        + paragraph(run("正文。"), drawing)
        + paragraph(run("抓好队伍。队伍很好。"), properties=number)
    )
    notes = f'<w:footnote w:id="4">{paragraph(run("注里的话。"))}</w:footnote>'
    source = document(body, footnotes=notes, numbering=lists)
    report = labelled_at_will(read_report(source), [("achievement",), ("plan",)])
    assert "一是 抓好队伍。" in [s.text for s in report.sentences]
    _, path = marked(source, report)
    root = part(path)
    for text in (
        "情况",
        "如下。",
        "接收",
        "3200",
        "框起来的一段话。",
        "它有两句。",
        "框里的话。",
        "抓好队伍。",
        "队伍很好。",
    ):
        assert text in shaded(root)
    assert shaded(part(path, "word/footnotes.xml")).endswith("注里的话。")
    assert list(formatted(root)) == list(formatted(part(source)))
    assert not any(list(node.iter(w("commentReference"))) for node in root.iter(w("txbxContent")))
    assert not list(part(path, "word/footnotes.xml").iter(w("commentReference")))
    assert len(comments(path)) >= 8
    assert [(s.text, s.kind, s.headings) for s in read_report(path).sentences] == [
        (s.text, s.kind, s.headings) for s in report.sentences
    ]


def test_a_sentence_that_runs_on_in_a_note(document: Document) -> None:
    body = paragraph(run("情况"), '<w:r><w:footnoteReference w:id="4"/></w:r>', run("如下。还要看到，"))
    source = document(body, footnotes=f'<w:footnote w:id="4">{paragraph(run("，注里的话。"))}</w:footnote>')
    report = labelled_at_will(read_report(source), [("achievement",), ("plan",)])
    assert [s.text for s in report.sentences] == ["情况如下。", "还要看到，\n，注里的话。"]
    _, path = marked(source, report)
    assert shaded(part(path)).endswith("还要看到，")
    assert shaded(part(path, "word/footnotes.xml")).endswith("，注里的话。")
    assert comments(path)["还要看到，"] == ("批注", "计划 90%")


def test_mathematics_and_ruby_are_left_alone(document: Document) -> None:
    ruby = f"<w:r><w:ruby><w:rt>{run('dàng')}</w:rt><w:rubyBase>{run('档')}</w:rubyBase></w:ruby></w:r>"
    body = paragraph(run("设"), "<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath>", run("为真。"), ruby, run("案很多。"))
    source = document(body)
    _, path = marked(source, labelled_at_will(read_report(source), [("plan",)]))
    assert shaded(part(path)).replace(f"[{_TINTS['plan']}]", "") == "设为真。档案很多。"
    assert list(formatted(part(path))) == list(formatted(part(source)))
    assert "设为真。" in comments(path)


def test_a_document_with_macros_becomes_one_without(document: Document) -> None:
    main = "application/vnd.ms-word.document.macroEnabled.main+xml"
    source = document(BODY, name="报告.docm", main=main)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"macro")
    _, path = marked(source)
    with zipfile.ZipFile(path) as archive:
        assert "word/vbaProject.bin" not in archive.namelist()
        assert b"macroEnabled" not in archive.read("[Content_Types].xml")


def test_a_strict_document(document: Document) -> None:
    source = document(BODY)
    strict = source.with_name("strict.docx")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(strict, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            text = text.replace(W, "http://purl.oclc.org/ooxml/wordprocessingml/main")
            new.writestr(name, text)
    report, path = marked(strict)
    assert read_report(path).text == report.text
    assert "http://schemas" not in etree.tostring(part(path, "word/comments.xml")).decode()
    assert len(list(part(path).iter("{*}shd"))) > 0


def test_a_document_that_changed_meanwhile(document: Document) -> None:
    report = labelled_at_will(read_report(document(BODY)))
    changed = document(BODY + paragraph(run("后来加的。")))
    with pytest.raises(ReadError, match=r"was changed while it was annotated; annotate it again"):
        write(report, DEFAULT_LABELS, changed.with_name("出.docx"), load_source(changed))
    assert not changed.with_name("出.docx").exists()


def test_a_damaged_picture(document: Document) -> None:
    source = document(BODY)
    data = source.read_bytes()
    report = labelled_at_will(read_report(source))
    at = data.index(b"image1.png") + len("image1.png") + 2
    source.write_bytes(data[:at] + b"\xff\xff" + data[at + 2 :])
    with pytest.raises(ReadError, match="has a damaged or locked part"):
        write(report, DEFAULT_LABELS, source.with_name("出.docx"), load_source(source))


_TEXTS = st.text(
    st.sampled_from("档案全部完成，。；！？ \t、（）“”一是1.=<&'-"), min_size=1, max_size=12
) | st.sampled_from(HOSTILE)
_PROPERTIES = st.sampled_from(["", "<w:b/>", '<w:sz w:val="30"/><w:lang w:val="zh-CN"/>', '<w:color w:val="FF0000"/>'])
_WRAPS = st.sampled_from(
    [
        "{}",
        "{}",
        '<w:hyperlink r:id="x">{}</w:hyperlink>',
        '<w:ins w:id="1" w:author="a">{}</w:ins>',
        "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>",
        '<w:bookmarkStart w:id="1" w:name="b"/>{}<w:bookmarkEnd w:id="1"/>',
        '{}<w:del w:id="2" w:author="a"><w:r><w:delText>删。</w:delText></w:r></w:del>',
        "<w:r><w:tab/><w:t>又。</w:t><w:br/><w:t>一段</w:t></w:r>{}",
    ]
)
_RUNS = st.builds(lambda text, properties, wrap: wrap.replace("{}", run(text, properties)), _TEXTS, _PROPERTIES, _WRAPS)
_PARAGRAPHS = st.lists(_RUNS, max_size=6).map(lambda runs: paragraph(*runs))
_FRAMES = st.sampled_from(["{}", "{}", "<w:tbl><w:tr><w:tc>{}</w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>"])
_BODIES = st.lists(st.builds(lambda frame, inner: frame.replace("{}", inner), _FRAMES, _PARAGRAPHS), max_size=6)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_BODIES, st.lists(st.sampled_from([("achievement",), ("plan", "metric"), ()]), min_size=1, max_size=5))
def test_only_marks_are_added(document: Document, bodies: list[str], labels: list[tuple[str, ...]]) -> None:
    source = document("".join(bodies) + paragraph(run("末段一句。")))
    report, path = marked(source, labelled_at_will(read_report(source), labels))
    before, after = part(source), part(path)
    assert list(formatted(after)) == list(formatted(before))
    assert shaded(after) == expected(report)
    for node in after.iter(w("t")):  # or Word would drop the white space where a run was split
        assert node.text == (node.text or "").strip() or node.get(_SPACE) == "preserve"
    again = read_report(path)
    assert again.text == report.text
    assert [(s.start, s.end, s.kind) for s in again.sentences] == [(s.start, s.end, s.kind) for s in report.sentences]
    comments(path)
