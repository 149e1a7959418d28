"""Quantities are proposed as spans, shown, marked by hand and pulled; spans that do not fit are reported."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base.errors import DataError
from pizhu.base.files import read_records
from pizhu.cli import app
from pizhu.data.labels import LabelSet
from pizhu.data.quantities import quantities
from pizhu.data.records import Record
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.answers import Answer, answered
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.spans import SPAN_LABELS, MarkedSpan, propose, read_result, result, to_tasks
from pizhu.labeling.studio.task_types import SPAN_MARKING
from typer.testing import CliRunner

TEXT = "全年办理行政复议案件3.2万件，同比增长12.5%，列全省第4位，下降5个百分点。"


def span_answer(
    annotator: str, spans: tuple[MarkedSpan, ...] | None, skipped: bool = False, at: str | None = None
) -> Answer[MarkedSpan]:
    return Answer(annotator, spans, skipped, at, field="spans")


def told(text: str) -> list[tuple[str, str]]:
    return [(span.label, span.text) for span in propose(text, quantities(text))]


def test_quantities_are_proposed() -> None:
    assert told(TEXT) == [
        ("period", "全年"),
        ("indicator", "办理行政复议案件"),
        ("value", "3.2万"),
        ("unit", "件"),
        ("comparison", "同比"),
        ("change", "增长"),
        ("value", "12.5"),
        ("unit", "%"),
        ("comparison", "全省"),
        ("value", "第4位"),
        ("change", "下降"),
        ("value", "5"),
        ("unit", "个百分点"),
    ]
    assert ("value", "三成") in told("灌溉面积占三成。")


@given(st.text(alphabet="全年办理案件3.2万元增长%同比个百分点，。 \n𠮷第4位至", max_size=40))
def test_spans_lie_in_their_sentence_and_come_back(text: str) -> None:
    spans = propose(text, quantities(text))
    assert all(text[span.start : span.end] == span.text != "" for span in spans)
    assert list(read_result(result(spans), text, SPAN_LABELS)) == spans


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"start": 8, "end": 60, "labels": ["value"]}, "from 8 to 60 is outside its sentence of"),
        ({"start": -1, "end": 3, "labels": ["value"]}, "outside its sentence"),
        ({"start": 3, "end": 3, "labels": ["value"]}, "outside its sentence"),
        ({"start": "3", "end": 5, "labels": ["value"]}, "no range"),
        ({"start": 0, "end": 2, "text": "今年", "labels": ["period"]}, "says '今年', but the sentence has '全年'"),
        ({"start": 0, "end": 2, "labels": ["year"]}, "unknown label 'year'"),
    ],
)
def test_what_does_not_fit_is_told(value: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_result([{"from_name": "spans", "value": value}], TEXT, SPAN_LABELS)


def test_only_sentences_with_quantities_are_sent() -> None:
    base: Record = {"doc": "a.txt", "start": 0, "end": 9}
    records: list[Record] = [
        {**base, "id": "a", "text": TEXT},
        {**base, "id": "b", "text": "加强管护。"},
        {**base, "id": "c", "text": "位居前列。", "labels": ["metric", "own-label"]},
    ]
    tasks = to_tasks(records, SPAN_LABELS, "a.jsonl")
    assert [task["data"]["id"] for task in tasks] == ["a", "c"]
    assert [task["data"]["position"] for task in tasks] == ["第 1 句，共 3 句", "第 3 句，共 3 句"]
    assert tasks[1]["predictions"][0]["result"] == []


def test_a_renamed_label_keeps_its_proposals() -> None:
    labels = LabelSet(
        tuple(
            replace(label, name="figure", formerly=("value",)) if label.name == "value" else label
            for label in SPAN_LABELS
        )
    )
    record: Record = {"id": "a", "doc": "a.txt", "start": 0, "end": 9, "text": TEXT}
    [task] = to_tasks([record], labels, "a.jsonl")
    marked = read_result(task["predictions"][0]["result"], TEXT, labels)
    assert [span.text for span in marked if span.label == "figure"] == ["3.2万", "12.5", "第4位", "5"]
    assert len(marked) == len(propose(TEXT, quantities(TEXT)))


def test_what_answers_come_to() -> None:
    one, other = MarkedSpan(0, 2, "period", "全年"), MarkedSpan(10, 14, "value", "3.2万")
    same = answered({"id": "a"}, [span_answer("甲", (one, other)), span_answer("乙", (one, other))], "spans")
    assert same["state"] == "labelled"
    assert same["spans"] == [
        {"label": "period", "start": 0, "end": 2, "text": "全年"},
        {"label": "value", "start": 10, "end": 14, "text": "3.2万"},
    ]
    for answers, state, spans in (
        ([span_answer("甲", (one,)), span_answer("乙", (one, other))], "contested", None),
        ([span_answer("甲", ()), span_answer("乙", ())], "none", []),
        ([span_answer("甲", None, True), span_answer("乙", ())], "none", []),
        ([span_answer("甲", None, True)], "skipped", None),
        ([span_answer("甲", (one,), at="2026-01-01"), span_answer("甲", (), at="2026-01-02")], "none", []),
        ([], "unlabelled", None),
    ):
        record = answered({}, answers, "spans")
        assert (record["state"], record["spans"]) == (state, spans)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "报 告.txt"
    path.write_text(f"一、工作\n\n{TEXT}加强管护。𠮷祥渠完成清淤5公里以上。\n", encoding="utf-8")
    return path


@pytest.mark.server
def test_pushed_answered_and_pulled(server: Server, title: str, report: Path, tmp_path: Path) -> None:
    common = ["--task", "spans", "--project", title, "--folder", server.folder]
    pushed = CliRunner().invoke(app, ["label", "push", str(report), *common, "--json"])
    assert pushed.exit_code == 0, pushed.output
    facts = json.loads(pushed.stdout)
    assert (facts["sent"], facts["proposals"]) == (2, 2)
    people = server.accounts.annotators
    marked = result(propose(TEXT, quantities(TEXT)))
    with connect(server.access) as client:
        first, second = sorted(int(task.id) for task in client.tasks.list(project=facts["project"]))
        [proposal] = client.predictions.list(task=first)
    for name, chosen, skip in (("甲", marked, False), ("乙", marked[:2], True)):
        with connect(Access(server.url, people[name].token)) as client:
            client.annotations.create(
                id=first, result=chosen, was_cancelled=False, lead_time=4.5, parent_prediction=proposal.id
            )
            client.annotations.create(id=second, result=[], was_cancelled=skip)
    fetched = CliRunner().invoke(app, ["label", "pull", str(tmp_path / "spans.jsonl"), *common])
    assert fetched.exit_code == 0, fetched.output
    one, two = read_records(tmp_path / "spans.jsonl")
    assert (one["state"], one["spans"], two["state"], two["spans"]) == ("contested", None, "none", [])
    answers = {answer["annotator"]: answer for answer in one["answers"]}
    assert answers["甲"]["spans"] == [span.record() for span in propose(TEXT, quantities(TEXT))]
    assert len(answers["乙"]["spans"]) == 2
    assert answers["甲"]["lead_time"] == 4.5 and answers["甲"]["from_prediction"] and answers["甲"]["at"]
    assert answers["甲"]["shown"]["spans"] == answers["甲"]["spans"]
    assert [answer["skipped"] for answer in two["answers"]] in ([True, False], [False, True])

    # A span that lies outside its sentence is told, and nothing of it comes into the file.
    with connect(Access(server.url, people["甲"].token)) as client:
        [mine] = [a for a in client.annotations.list(id=first) if a.completed_by == client.users.whoami().id]
        client.annotations.update(id=mine.id, result=[{**marked[0], "value": {**marked[0]["value"], "end": 400}}])
    told = pull(server.access, tmp_path / "again.jsonl", kind=SPAN_MARKING, title=title)
    assert len(told.problems) == 1 and "outside its sentence" in told.problems[0]


@pytest.mark.server
def test_in_a_browser(server: Server, title: str, report: Path, tmp_path: Path) -> None:
    """Proposed spans are shown where they belong, a rare character before them or not, and one is drawn by hand."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no Chromium")
    link = "http://127.0.0.1:9/{name}.html#u{index}"
    project = push(server.access, [report], kind=SPAN_MARKING, title=title, report_url=link).project
    with connect(server.access) as client:
        task = max(int(task.id) for task in client.tasks.list(project=project))
    person = server.accounts.annotators["甲"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium))
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(server.url)
        page.fill("input[name=email]", person.email)
        page.fill("input[name=password]", person.password)
        page.click("button[type=submit]")
        page.goto(f"{server.url}/projects/{project}/data?task={task}")
        # The page draws them more than once.
        marked = sync_api.expect(page.locator(".htx-highlight"))
        marked.to_have_text(["𠮷祥渠完成清淤", "5", "公里"], timeout=60_000)
        page.get_by_text("在报告中的位置").click()
        anchor = page.locator("a[href*='127.0.0.1:9']")
        anchor.wait_for()
        assert anchor.get_attribute("href") == "http://127.0.0.1:9/%E6%8A%A5%20%E5%91%8A.html#u3"
        page.keyboard.press("5")
        left, top, right, bottom = page.evaluate(WHERE, "以上")
        page.mouse.move(left + 1, (top + bottom) / 2)
        page.mouse.down()
        page.mouse.move(right - 1, (top + bottom) / 2, steps=8)
        page.mouse.up()
        page.get_by_text("以上").nth(1).wait_for()
        with page.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST") as response:
            page.click("[data-testid=bottombar-submit-button]")
        assert response.value.status == 201
        browser.close()
    pull(server.access, tmp_path / "spans.jsonl", kind=SPAN_MARKING, title=title)
    [answer] = [answer for record in read_records(tmp_path / "spans.jsonl") for answer in record["answers"]]
    assert [(span["label"], span["text"]) for span in answer["spans"]] == [
        ("indicator", "𠮷祥渠完成清淤"),
        ("value", "5"),
        ("unit", "公里"),
        ("comparison", "以上"),
    ]


# The place on the screen of words in the sentence that is marked.
WHERE = """words => {
    const inside = document.querySelector(".htx-highlight").closest("[class*=richtext], [class*=rich-text]");
    const walker = document.createTreeWalker(inside, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
        const at = node.data.indexOf(words);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        const {left, top, right, bottom} = range.getBoundingClientRect();
        return [left, top, right, bottom];
    }
}"""
