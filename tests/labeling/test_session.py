"""A real labelling session: two annotators, one in a real browser, from logging in to agreement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.push import Pushed, push
from pizhu.labeling.studio.submit import submit
from pizhu.tests.support.browsing import Annotator
from typer.testing import CliRunner

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.server

TITLE = "两人标注"
INSTRUCTIONS = "报告句子标注规范"
REQUIRED = "请选择标签；都不符合时选“无”（按 0）"
NAMES = {"成效": "achievement", "不足": "shortcoming", "计划": "plan", "指标": "metric"}

Labels = tuple[str, ...] | None  # () is 无, None a skip, or no proposal


class Turn(NamedTuple):
    """One sentence: what the model proposes, the keys that 甲 presses, 甲's and 乙's answers, and what they come to."""

    text: str
    proposed: Labels
    keys: str
    first: Labels
    second: Labels
    state: str


TURNS = [
    Turn("全年清淤渠道12公里。", None, "14", ("achievement", "metric"), ("achievement", "metric"), "labelled"),
    Turn("新建泵站如期通过验收。", ("achievement",), "", ("achievement",), ("achievement",), "labelled"),
    Turn("部分支渠渗漏仍然严重。", ("achievement",), "12", ("shortcoming",), ("shortcoming",), "labelled"),
    Turn("在此表示衷心感谢。", None, "0", (), (), "none"),
    Turn("详见附件三。", ("metric",), "", None, None, "skipped"),
    Turn("下一步，启动支渠衬砌。", ("plan",), "", ("plan",), ("plan",), "labelled"),
    Turn("力争灌溉水利用系数达到0.6。", None, "34", ("plan", "metric"), ("plan",), "contested"),
    Turn("管护经费存在缺口。", None, "2", ("shortcoming",), (), "contested"),
    Turn("对这些问题，我们将逐项整改。", None, "23", ("shortcoming", "plan"), None, "labelled"),
    Turn("明年是规划的收官之年。", (), "", (), (), "none"),
]


class Session(NamedTuple):
    """What came of the session: its project, what 乙 was served, the windows, and the file that was pulled."""

    pushed: Pushed
    served: list[str | None]
    windows: tuple[Annotator, Annotator]
    answers: Path


@pytest.fixture(scope="module")
def enter(server: Server, browser: Browser) -> Iterator[Callable[[str], Annotator]]:
    """Log the annotator of that name in, once."""
    windows: dict[str, Annotator] = {}

    def log_in(name: str) -> Annotator:
        if name not in windows:
            windows[name] = Annotator(browser, server.url)
            windows[name].log_in(server.accounts.annotators[name])
        return windows[name]

    yield log_in
    for window in windows.values():
        window.page.context.close()


def write(path: Path, turns: Sequence[Turn], more: Callable[[Turn], dict[str, Any]]) -> Path:
    """Records of the sentences, each with ``more`` fields."""
    same = {"doc": "青禾县水务局总结.txt", "kind": "sentence"}
    write_records(
        path,
        (
            {"id": f"{n:016x}", **same, "start": 20 * n, "end": 20 * n + 19, "text": turn.text, **more(turn)}
            for n, turn in enumerate(turns)
        ),
    )
    return path


def proposal(turn: Turn) -> dict[str, Any]:
    return {} if turn.proposed is None else {"labels": list(turn.proposed), "model": "v1"}


def answer_of_second(turn: Turn) -> dict[str, Any]:
    labels = None if turn.second is None else list(turn.second)
    return {"answers": [{"annotator": "乙", "labels": labels, "skipped": labels is None}]}


@pytest.fixture(scope="module")
def session(server: Server, enter: Callable[[str], Annotator], tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("session")
    pushed = push(server.access, [write(folder / "句子.jsonl", TURNS, proposal)], title=TITLE, overlap=2)

    first = enter("甲")
    sentence = first.begin(pushed.project)
    first.read(INSTRUCTIONS)
    for turn in TURNS:
        assert sentence == turn.text
        assert [NAMES.get(title, "none") for title in first.chosen] == (
            [] if turn.proposed is None else list(turn.proposed) or ["none"]
        )
        first.press(turn.keys)
        sentence = first.skip() if turn.first is None else first.submit()
    assert sentence is None  # and no sentence a second time

    tokens = {name: account.token for name, account in server.accounts.annotators.items()}
    submit(server.access, write(folder / "乙.jsonl", TURNS[:-1], answer_of_second), tokens, title=TITLE)
    second = enter("乙")
    served = [second.begin(pushed.project)]
    second.read(INSTRUCTIONS)
    served.append(second.submit())

    answers = folder / "标注 结果.jsonl"
    words = ["label", "pull", str(answers), "--project", TITLE, "--folder", server.folder]
    assert CliRunner().invoke(app, words).exit_code == 0
    return Session(pushed, served, (first, second), answers)


def test_what_was_pulled_is_what_was_pressed(session: Session) -> None:
    records = list(read_records(session.answers))
    assert [record["text"] for record in records] == [turn.text for turn in TURNS]
    assert [record["state"] for record in records] == [turn.state for turn in TURNS]
    assert records[8]["labels"] == ["shortcoming", "plan"]  # a skip leaves the other's answer standing
    for record, turn in zip(records, TURNS, strict=True):
        answers = {answer["annotator"]: answer for answer in record["answers"]}
        assert set(answers) == {"甲", "乙"}
        for name, labels in (("甲", turn.first), ("乙", turn.second)):
            assert answers[name]["labels"] == (None if labels is None else list(labels)), turn
            assert answers[name]["skipped"] == (labels is None)
        assert 0 < answers["甲"]["lead_time"] < 600
        assert answers["甲"]["from_prediction"] == (turn.proposed is not None)
        expected = None if turn.proposed is None else {"model": "v1", "labels": list(turn.proposed)}
        assert answers["甲"]["shown"] == expected
    confirmed = records[-1]["answers"]
    assert all(answer["from_prediction"] and answer["lead_time"] > 0 for answer in confirmed)


def test_each_sentence_is_served_to_two(server: Server, session: Session) -> None:
    assert session.served == [TURNS[-1].text, None]
    answer = httpx.post(
        f"{server.url}/api/dm/actions",
        params={"id": "next_task", "project": session.pushed.project},
        headers={"Authorization": f"Token {server.token}"},
    )
    # A third is asked for what somebody skipped, and for nothing else.
    assert answer.json()["data"]["text"] in [turn.text for turn in TURNS if None in (turn.first, turn.second)]


def test_agreement_and_what_is_contested(session: Session) -> None:
    outcome = CliRunner().invoke(app, ["label", "agreement", str(session.answers), "--json"])
    found = json.loads(outcome.stdout)
    assert (found["annotators"], found["sentences"], found["exact"]["value"]) == (["乙", "甲"], 8, 6 / 8)
    assert sorted(row["id"] for row in found["contested"]) == [f"{n:016x}" for n in (6, 7)]
    agreed = {row["label"]: (row["chosen"], row["agreement"]["value"]) for row in found["labels"]}
    assert agreed == {"achievement": (4, 1), "shortcoming": (3, 7 / 8), "plan": (4, 1), "metric": (3, 7 / 8)}


def test_what_is_contested_is_adjudicated(server: Server, browser: Browser, session: Session, tmp_path: Path) -> None:
    """By the owner, by keys: 5 says that the guideline decides, 8 that it is not clear."""
    command = ["label", "adjudicate", str(session.answers), "--project", TITLE, "--folder", server.folder]
    sent = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert sent["sent"] == 2
    keys = {TURNS[6].text: "345", TURNS[7].text: "28"}
    window = Annotator(browser, server.url)
    window.log_in(server.accounts.owner)
    sentence = window.begin(sent["project"])
    window.read(INSTRUCTIONS)
    while sentence is not None:
        assert not {"甲", "乙"} & set(window.page.locator(".lsf-main-view").inner_text())
        window.press(keys.pop(sentence))
        sentence = window.submit()
    assert keys == {} and window.troubles == [] and window.hosts == {"127.0.0.1"}
    window.page.context.close()

    gold = tmp_path / "裁决.jsonl"
    assert CliRunner().invoke(app, [*command, "--pull", str(gold)]).exit_code == 0
    records = list(read_records(gold))
    assert [(record["labels"], record["adjudication"][0]["why"]) for record in records[6:8]] == [
        (["plan", "metric"], "guideline"),
        (["shortcoming"], "unclear"),
    ]
    assert "contested" not in [record["state"] for record in records]


def test_nothing_left_this_machine_and_nothing_broke(session: Session) -> None:
    for window in session.windows:
        assert window.hosts == {"127.0.0.1"}
        assert window.troubles == []


def test_an_answer_without_a_choice_is_refused(
    server: Server, enter: Callable[[str], Annotator], tmp_path: Path
) -> None:
    """And blind annotators see no proposal, which would make for a choice."""
    records = write(tmp_path / "句子.jsonl", TURNS, proposal)
    pushed = push(server.access, [records], title="盲标项目", blind=True)
    assert pushed.proposals == sum(turn.proposed is not None for turn in TURNS)
    window = enter("甲")
    assert window.begin(pushed.project) == TURNS[0].text
    window.read(INSTRUCTIONS)
    window.press("1")
    assert window.chosen == ["成效"]
    window.page.get_by_role("button", name="Instructions").click()
    window.read(INSTRUCTIONS)
    assert window.submit() == TURNS[1].text and TURNS[1].proposed
    assert window.chosen == []
    window.page.keyboard.press("Control+Enter")
    window.page.get_by_text(REQUIRED).wait_for()
    assert window.troubles == []
    answer = httpx.get(
        f"{server.url}/api/projects/{pushed.project}", headers={"Authorization": f"Token {server.token}"}
    ).json()
    assert answer["total_annotations_number"] == 1


def test_nobody_signs_up_without_an_invitation(server: Server, browser: Browser) -> None:
    window = Annotator(browser, server.url)
    window.page.goto(f"{server.url}/user/signup/")
    window.page.fill("input[name=email]", "stranger@office.example")
    window.page.fill("input[name=password]", "long-enough-password")
    window.page.get_by_role("button", name="Create Account").click()
    window.page.wait_for_load_state()
    assert window.page.url != f"{server.url}/"
    window.page.goto(f"{server.url}/projects")
    assert "/user/login" in window.page.url
    assert window.hosts == {"127.0.0.1"}
    window.page.context.close()
