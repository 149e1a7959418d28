"""Adjudication with the real server: contested sentences out, decisions back, no duplicates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pizhu.base.errors import LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.rebuild import load_reports
from pizhu.data.records import Record, load_records
from pizhu.labeling.adjudication import adjudication_title, pull_gold, push_contested
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.answers import Answer, read_answers
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.tasks import choices, result
from pizhu.tests.support.browsing import Annotator
from typer.testing import CliRunner

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Records = Callable[..., Path]
Tasks = Callable[[int], list[Any]]
Rows = list[tuple[Record, list[Answer[str]]]]

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def tokens(server: Server, environment: Path) -> dict[str, str]:
    """Of 甲 and 乙, and of 丙, 主编 and 副编, who join a running server."""
    joined = servers.start(
        server.folder, environment=environment, annotators=[("丙", None), ("主编", None), ("副编", None)]
    )
    return {name: account.token for name, account in joined.accounts.annotators.items()}


def answer(
    server: Server, title: str, records: Path, tokens: dict[str, str], folder: Path, *said: dict[str, list[str]]
) -> Rows:
    """Push ``records``, submit what each annotator said of each sentence, and pull it back."""
    push(server.access, [records], title=title)
    given = [
        {**record, "answers": [{"annotator": name, "labels": labels} for name, labels in row.items()]}
        for record, row in zip(read_records(records), said, strict=True)
    ]
    write_records(folder / "given.jsonl", given)
    submit(server.access, folder / "given.jsonl", tokens, title=title)
    pulled = pull(server.access, folder / "答案.jsonl", title=title)
    return read_answers(pulled.path, DEFAULT_LABELS)


def decide(server: Server, token: str, task: int, labels: list[str], why: str = "guideline", note: str = "") -> None:
    """Adjudicate as the page would, with the adjudicator's own token."""
    parts = result(labels)
    parts.append({"from_name": "why", "to_name": "text", "type": "choices", "value": {"choices": [why]}})
    if note:
        parts.append({"from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": [note]}})
    with connect(Access(server.url, token)) as client:
        client.annotations.create(id=task, result=parts, was_cancelled=False, lead_time=8.0)


def test_two_annotators_and_an_adjudicator(
    server: Server, title: str, records: Records, tokens: dict[str, str], tasks: Tasks, tmp_path: Path
) -> None:
    rows = answer(
        server,
        title,
        records(4),
        tokens,
        tmp_path,
        {"甲": ["plan"], "乙": ["plan"]},
        {"甲": ["achievement", "metric"], "乙": []},
        {"甲": [], "乙": []},
        {"甲": ["plan"], "乙": ["metric"]},
    )
    with pytest.raises(LabelingError, match="adjudicate first"):
        pull_gold(server.access, rows, tmp_path / "金标.jsonl", title=title)
    first = push_contested(server.access, rows, title=title)
    again = push_contested(server.access, rows, title=title)
    assert (first.sent, first.present, first.proposals) == (2, 0, 0)
    assert (again.project, again.sent, again.present) == (first.project, 0, 2)
    found = sorted(tasks(first.project), key=lambda task: task.data["start"])
    assert [task.data["id"] for task in found] == [f"{n:016x}" for n in (1, 3)]
    assert (found[0].data["before"], found[0].data["after"]) == ("第0段渠道完成清淤。", "第2段渠道完成清淤。")
    assert not any(name in json.dumps(dict(task.data), ensure_ascii=False) for task in found for name in "甲乙")
    with connect(server.access) as client:
        assert client.projects.get(first.project).maximum_annotations == 1

    decide(server, tokens["主编"], found[0].id, ["achievement"], "guideline", "第二条：没有数量")
    gold = pull_gold(server.access, rows, tmp_path / "金标.jsonl", title=title)
    assert gold.decided == {"agreed": 2, "adjudicated": 1, "open": 1} and gold.kept is None
    made = list(read_records(gold.path))
    assert [(r["labels"], r["decided"]) for r in made] == [
        (["plan"], "agreed"),
        (["achievement"], "adjudicated"),
        ([], "agreed"),
        (None, None),
    ]
    [decision] = made[1]["adjudication"]
    assert (decision["adjudicator"], decision["why"], decision["note"]) == ("主编", "guideline", "第二条：没有数量")
    assert decision["at"].endswith("Z") and decision["lead_time"] == 8.0
    assert sorted(decision["seen"], key=len) == [[], ["achievement", "metric"]]
    assert {a["annotator"] for a in made[1]["answers"]} == {"甲", "乙"}
    [report] = load_reports(gold.path, DEFAULT_LABELS)
    assert [s.labels for s in report.sentences if s.kind == "sentence"] == [("plan",), ("achievement",), (), None]

    # An answer that comes later is shown, as long as nobody has decided.
    late = [{**rows[3][0], "answers": [{"annotator": "丙", "labels": []}]}]
    write_records(tmp_path / "late.jsonl", late)
    submit(server.access, tmp_path / "late.jsonl", tokens, title=title)
    pull(server.access, tmp_path / "答案.jsonl", title=title)
    rows = read_answers(tmp_path / "答案.jsonl", DEFAULT_LABELS)
    assert push_contested(server.access, rows, title=title).sent == 0
    shown = {task.data["id"]: task.data["answers"] for task in tasks(first.project)}
    assert len(shown[f"{3:016x}"].splitlines()) == 3 and len(shown[f"{1:016x}"].splitlines()) == 2


def test_three_annotators_and_two_adjudicators(
    server: Server, title: str, records: Records, tokens: dict[str, str], tasks: Tasks, tmp_path: Path
) -> None:
    said: list[dict[str, list[str]]] = [{"甲": ["plan"], "乙": ["plan"], "丙": []} for _ in range(3)]
    said += [{"甲": ["metric"], "乙": ["metric"], "丙": ["metric"]} for _ in range(3)]
    answer(server, title, records(6), tokens, tmp_path, *said)
    command = ["label", "adjudicate", str(tmp_path / "答案.jsonl"), "--project", title, "--folder", server.folder]
    outcome = CliRunner().invoke(app, [*command, "--overlap", "2", "--blind", "--json"])
    assert outcome.exit_code == 0, outcome.output
    pushed = json.loads(outcome.stdout)
    assert (pushed["sent"], pushed["proposals"]) == (3, 3)
    with connect(server.access) as client:
        project = client.projects.get(pushed["project"])
        assert (project.maximum_annotations, project.show_collab_predictions) == (2, False)
        assert project.title == adjudication_title(title)
    found = sorted(tasks(pushed["project"]), key=lambda task: task.data["start"])
    for task in found:
        [proposal] = task.predictions
        assert choices(proposal.result) == ["plan"] and 0.5 < proposal.score <= 1

    for task, (one, other) in zip(found, ((["plan"], ["plan"]), (["plan"], []), ([], [])), strict=True):
        decide(server, tokens["主编"], task.id, one)
        decide(server, tokens["副编"], task.id, other, "ambiguous")
    outcome = CliRunner().invoke(app, [*command, "--pull", str(tmp_path / "金标.jsonl")])
    assert outcome.exit_code == 0 and "2 adjudicated, 3 agreed, 1 open" in outcome.stdout
    made = list(read_records(tmp_path / "金标.jsonl"))
    assert [(r["state"], r["labels"]) for r in made[:3]] == [("labelled", ["plan"]), ("contested", None), ("none", [])]
    assert [a["why"] for a in made[1]["adjudication"]] == ["guideline", "ambiguous"]

    outcome = CliRunner().invoke(
        app, ["label", "agreement", str(tmp_path / "答案.jsonl"), "--gold", str(tmp_path / "金标.jsonl"), "--json"]
    )
    scores = {score["annotator"]: score for score in json.loads(outcome.stdout)["gold"]}
    assert {name: score["sentences"] for name, score in scores.items()} == {"甲": 5, "乙": 5, "丙": 5}
    assert (scores["甲"]["exact"]["value"], scores["丙"]["exact"]["value"]) == (0.8, 0.8)


def test_a_proposal_follows_its_answers(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    """What three annotators' answers come to is proposed anew when they change, as long as nobody has decided."""
    agreed = [(("plan",),) * 3, (("metric",),) * 3] * 3
    rounds: list[tuple[list[tuple[str, ...]], list[list[str]]]] = [
        ([("plan",), ("plan",), ()], [["plan"]]),
        ([("metric",), ("metric",), ("plan",)], [["metric"]]),
        ([("metric",), ("plan",)], []),
    ]
    for contested, proposed in rounds:
        rows: Rows = [
            (record, [Answer(name, labels) for name, labels in zip("甲乙丙", said, strict=False)])
            for record, said in zip(load_records(records(7)), [contested, *agreed], strict=True)
        ]
        pushed = push_contested(server.access, rows, title=title)
        assert pushed.proposals == len(proposed)
        [task] = tasks(pushed.project)
        assert [choices(proposal.result) for proposal in task.predictions] == proposed
    again = push_contested(server.access, rows, title=title)
    assert (again.sent, again.present, again.proposals) == (0, 1, 0)


def test_adjudicating_in_a_browser(
    server: Server, browser: Browser, title: str, records: Records, tokens: dict[str, str], tmp_path: Path
) -> None:
    rows = answer(server, title, records(1), tokens, tmp_path, {"甲": ["plan"], "乙": []})
    pushed = push_contested(server.access, rows, title=title)
    editor = Annotator(browser, server.url)
    editor.log_in(server.accounts.annotators["主编"])
    editor.begin(pushed.project)
    editor.read("报告句子标注规范")
    shown = editor.page.inner_text("body")
    assert "标注员的答案" in shown and "A：" in shown and "B：" in shown and "依据规范" in shown
    editor.press("3")
    editor.page.get_by_text("规范不清").first.click()
    editor.page.locator("textarea:visible").first.fill("下一步没有写进标题")
    with editor.page.expect_response(lambda r: r.request.method == "POST" and "/annotations" in r.url) as response:
        editor.page.click("[data-testid=bottombar-submit-button]")
    assert response.value.status == 201
    editor.page.context.close()
    pull_gold(server.access, rows, tmp_path / "金标.jsonl", title=title)
    [made] = read_records(tmp_path / "金标.jsonl")
    [decision] = made["adjudication"]
    assert (made["labels"], made["decided"], decision["adjudicator"]) == (["plan"], "adjudicated", "主编")
    # What was typed is kept although nobody pressed "add".
    assert (decision["why"], decision["note"]) == ("unclear", "下一步没有写进标题")


def test_adjudication_is_refused(
    server: Server, title: str, records: Records, tokens: dict[str, str], tmp_path: Path
) -> None:
    rows = answer(server, title, records(1), tokens, tmp_path, {"甲": ["plan"], "乙": []})
    project = push_contested(server.access, rows, title=title).project
    with connect(server.access) as client:
        config = client.projects.get(project).label_config
        client.projects.update(id=project, label_config=config.replace("成效", "成绩"))
    with pytest.raises(LabelingError, match="changed by hand"):
        push_contested(server.access, rows, title=title)
    with pytest.raises(LabelingError, match="changed by hand"):
        pull_gold(server.access, rows, tmp_path / "金标.jsonl", title=title)
    push_contested(server.access, rows, title=title, overwrite_config=True)
    assert pull_gold(server.access, rows, tmp_path / "金标.jsonl", title=title).decided == {"open": 1}
