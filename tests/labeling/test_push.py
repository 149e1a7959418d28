"""Each sentence is sent once, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import LabelingError, ReadError
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.data.labels import Label, LabelSet
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import push as pushing
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.config import label_config
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.tasks import choices, result
from typer.testing import CliRunner

Records = Callable[..., Path]
Tasks = Callable[[int], list[Any]]

pytestmark = pytest.mark.server


def ids(tasks: list[Any]) -> list[str]:
    return sorted(task.data["id"] for task in tasks)


def test_twice_is_once(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    path = records(450, labels=["achievement"], scores={"achievement": 0.8, "plan": 0.1}, model="第一版")
    first = push(server.access, [path, path], title=title)
    assert (first.sent, first.present, first.proposals, first.problems) == (450, 0, 450, ())
    again = push(server.access, [path], title=title)
    assert (again.project, again.sent, again.present, again.proposals) == (first.project, 0, 450, 0)
    found = tasks(first.project)
    assert ids(found) == [f"{n:016x}" for n in range(450)]
    task = next(task for task in found if task.data["start"] == 50)
    assert task.data["path"] == "青禾县水务局2025年总结.txt › 一、主要工作 › （一）渠道管护"
    assert (task.data["before"], task.data["after"]) == ("第4段渠道完成清淤。", "第6段渠道完成清淤。")
    [proposal] = task.predictions
    assert choices(proposal.result) == ["achievement"]
    assert (proposal.score, proposal.model_version) == (0.8, "第一版")


def test_a_later_model_s_proposals_join(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    push(server.access, [records(5, labels=[], model="v1")], title=title)
    second = push(server.access, [records(6, labels=["plan"], model="v2")], title=title)
    assert (second.sent, second.present, second.proposals) == (1, 5, 6)
    versions = [sorted(p.model_version for p in task.predictions) for task in tasks(second.project)]
    assert sorted(versions) == [["v1", "v2"]] * 5 + [["v2"]]
    with connect(server.access) as client:
        assert client.projects.get(second.project).model_version == "v2"


def test_the_version_pushed_last_is_shown(server: Server, title: str, records: Records) -> None:
    first = records(3, labels=[], model="v1")
    later = records(6, "乙.jsonl", labels=["plan"], model="v2")
    write_records(later, list(read_records(later))[3:])  # other sentences
    with connect(server.access) as client:
        for path, version in ((first, "v1"), (later, "v2"), (first, "v1")):
            pushed = push(server.access, [path], title=title)
            assert (pushed.shown, pushed.live) == (version, False)
            assert client.projects.get(pushed.project).model_version == version
        told = CliRunner().invoke(app, ["label", "push", str(later), "--project", title, "--folder", server.folder])
        assert "annotators see the proposals of v2" in told.stdout
        assert push(server.access, [records(6)], title=title).shown is None
        assert client.projects.get(pushed.project).model_version == "v2", "what proposes nothing changes nothing"
        assert push(server.access, [later], title=title, blind=True).shown is None


def test_reports_and_bad_inputs(server: Server, title: str, tmp_path: Path, records: Records) -> None:
    (tmp_path / "报 告.txt").write_text("一、工作\n\n新建泵站3座。下一步加强管护。\n", encoding="utf-8")
    (tmp_path / "空.txt").touch()
    (tmp_path / "坏.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    inputs = [tmp_path / name for name in ("空.txt", "坏.jsonl", "没有.txt", "报 告.txt")]
    command = ["label", "push", "--project", title, "--folder", server.folder, *map(str, inputs)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "2 sentences sent" in result.stdout
    complaints = [line for line in result.stderr.splitlines() if line.startswith("pizhu:")]
    assert [any(path.name in line for line in complaints) for path in inputs] == [True, True, True, False]
    assert len(complaints) == 3


def test_folders(server: Server, title: str, records: Records, tmp_path: Path) -> None:
    """Of reports, below it too; of what an annotation wrote; of nothing that could be sent."""
    (reports := tmp_path / "报 告" / "2025").mkdir(parents=True)
    (reports / "一.txt").write_text("开展检查12次。", encoding="utf-8")
    (tmp_path / "报 告" / "二.txt").write_text("检查有待加强。", encoding="utf-8")
    (tmp_path / "报 告" / "说明.xyz").write_text("不是报告。", encoding="utf-8")
    (tmp_path / "空的").mkdir()
    (tmp_path / "记录").mkdir()
    records(3, "记录/甲.jsonl")
    command = ["label", "push", "--project", title, "--folder", server.folder]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "报 告"), str(tmp_path / "记录")])
    assert done.exit_code == 0 and "5 sentences sent" in done.stdout, done.output
    done = CliRunner().invoke(app, [*command, str(tmp_path / "报 告"), str(tmp_path / "空的")])
    assert isinstance(done.exception, ReadError) and "空的 holds neither reports nor records" in str(done.exception)
    assert done.stdout == ""


def test_killed_and_continued(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    path = records(6000)
    code = (
        "import sys; from pizhu.labeling.studio.push import push; from pizhu.labeling.server.server import running;"
        "push(running(sys.argv[1]).access, [sys.argv[2]], title=sys.argv[3])"
    )
    with subprocess.Popen([sys.executable, "-c", code, server.folder, str(path), title]) as process:
        with connect(server.access) as client:
            while process.poll() is None:
                found = [p for p in client.projects.list(title=title) if p.title == title]
                if found and client.projects.get(found[0].id).task_number:
                    break
                time.sleep(0.02)
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    pushed = push(server.access, [path], title=title)
    assert pushed.sent + pushed.present == 6000
    assert pushed.sent > 0, "the push was over before it was killed"
    assert ids(tasks(pushed.project)) == [f"{n:016x}" for n in range(6000)]


def test_an_import_whose_answer_was_lost(
    server: Server, title: str, records: Records, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records(10)
    send = pushing._send

    def lossy(*given: Any) -> None:
        send(*given)
        raise LabelingError("the connection broke")

    monkeypatch.setattr(pushing, "_send", lossy)
    with pytest.raises(LabelingError, match="connection broke"):
        push(server.access, [path], title=title)
    monkeypatch.undo()
    pushed = push(server.access, [path], title=title)
    assert (pushed.sent, pushed.present) == (0, 10)


def test_an_import_that_ends_after_we_asked(
    server: Server, title: str, records: Records, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = records(3)
    project = push(server.access, [path], title=title).project
    more, send = records(6), pushing._send

    def late(client: Any, number: int, batch: list[Any]) -> None:
        with connect(server.access) as other:  # the end of an earlier push of the same sentences
            other.projects.import_tasks(id=project, request=[{"data": task["data"]} for task in batch])
        send(client, number, batch)

    monkeypatch.setattr(pushing, "_send", late)
    assert push(server.access, [more], title=title).sent == 3
    assert ids(tasks(project)) == [f"{n:016x}" for n in range(6)]


def test_what_was_doubled_before_is_mended(server: Server, title: str, records: Records, tasks: Tasks) -> None:
    path = records(3)
    project = push(server.access, [path], title=title).project
    with connect(server.access) as client:
        first = sorted(tasks(project), key=lambda task: task.id)
        client.projects.import_tasks(id=project, request=[{"data": task.data} for task in first])
        answered = max(task.id for task in tasks(project))
        client.annotations.create(id=answered, result=result(["plan"]), was_cancelled=False)
    pushed = push(server.access, [path], title=title)
    assert (pushed.sent, pushed.present) == (0, 3)
    # The later of two goes, unless somebody has answered it.
    assert {task.id for task in tasks(project)} == {*(task.id for task in first), answered}


def test_settings(server: Server, title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> tuple[int, bool]:
        with connect(server.access) as client:
            found = client.projects.get(project)
            return found.maximum_annotations, found.show_collab_predictions

    project = push(server.access, [], title=title).project
    assert shown() == (2, True)
    push(server.access, [], title=title, overlap=3, blind=True)
    assert shown() == (3, False)
    # What is not asked for stays, and what has not changed is not sent.
    from label_studio_sdk.projects.client import ProjectsClient

    monkeypatch.delattr(ProjectsClient, "update")
    push(server.access, [], title=title)
    assert shown() == (3, False)


def test_a_label_set_may_change_but_not_by_hand(server: Server, title: str, records: Records) -> None:
    path = records(2)
    project = push(server.access, [path], title=title).project
    grown = LabelSet((Label("plan", "计划", "#0072b2", "1"), Label("risk", "风险", "#d55e00", "2")))
    push(server.access, [path], title=title, labels=grown)
    with connect(server.access) as client:
        assert client.projects.get(project).label_config == label_config(grown)
        by_hand = label_config(grown).replace("风险", "危险")
        client.projects.update(id=project, label_config=by_hand)
    with pytest.raises(LabelingError, match=r"was changed by hand.*--overwrite-config"):
        push(server.access, [path], title=title, labels=grown)
    with connect(server.access) as client:
        assert client.projects.get(project).label_config == by_hand
    push(server.access, [path], title=title, labels=grown, overwrite_config=True)


def test_a_wrong_token(server: Server, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabelingError, match="does not accept the token") as error:
        push(Access(server.url, "wrong-token"), [records(1)])
    assert "wrong-token" not in str(error.value)


def test_two_projects_of_one_title(server: Server, title: str) -> None:
    with connect(server.access) as client:
        for _ in range(2):
            client.projects.create(title=title)
    with pytest.raises(LabelingError, match="2 projects titled"):
        push(server.access, [], title=title)
    with pytest.raises(LabelingError, match="3 to 50 characters"):
        push(server.access, [], title="短")
