"""A label gets another name, and no answer is lost or changed, or gets another time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import ConfigError, DataError, LabelingError, PizhuError
from pizhu.base.files import read_records, write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.labeling.active.review import REVIEW
from pizhu.labeling.adjudication import ADJUDICATION
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import project as projects
from pizhu.labeling.studio import project_labels
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect, request
from pizhu.labeling.studio.config import COMMANDS, label_config
from pizhu.labeling.studio.project import difference, ensure_project, rename_labels
from pizhu.labeling.studio.project_labels import Stored, count
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.rename import rename_file, renamed_files
from pizhu.labeling.studio.task_types import SENTENCES, SPAN_MARKING, TaskKind
from pizhu.labeling.studio.tasks import result
from pizhu.labeling.studio.transfer import transfer
from typer.testing import CliRunner

Records = Callable[..., Path]

ACHIEVEMENT, SHORTCOMING, PLAN, METRIC = DEFAULT_LABELS
RENAMED = LabelSet(
    (ACHIEVEMENT, replace(SHORTCOMING, name="problem", title="问题", formerly=("shortcoming",)), PLAN, METRIC)
)
TOML = "".join(
    f'[[label]]\nname = "{label.name}"\ntitle = "{label.title}"\ncolor = "{label.color}"\nhotkey = "{label.hotkey}"\n'
    f'description = "{label.description}"\n' + "".join(f'formerly = "{name}"\n' for name in label.formerly)
    for label in RENAMED
)


@pytest.fixture
def labelled(server: Server, title: str, records: Records) -> int:
    """A project of six sentences, proposed as shortcomings; 甲 and 乙 answered three and 甲 began a fourth."""
    project = push(server.access, [records(6, labels=["shortcoming"], model="v1")], title=title).project
    people = server.accounts.annotators
    with connect(server.access) as client:
        tasks = sorted(int(task.id) for task in client.tasks.list(project=project))
    for name in ("甲", "乙"):
        with connect(Access(server.url, people[name].token)) as client:
            [proposal] = client.predictions.list(task=tasks[0])
            for task, labels in zip(tasks, (["shortcoming", "plan"], ["plan"], ["shortcoming"]), strict=False):
                parent = {"parent_prediction": proposal.id} if task == tasks[0] else {}
                client.annotations.create(id=task, result=result(labels), was_cancelled=False, lead_time=2.5, **parent)
            if name == "甲":
                request(client, "POST", f"api/tasks/{tasks[3]}/drafts", {"result": result(["shortcoming"])})
    return project


def everything(server: Server, project: int) -> tuple[list[Any], list[Any], list[Any]]:
    """All answers, drafts and proposals as the server has them."""
    with connect(server.access) as client:
        tasks = json.loads(b"".join(client.projects.exports.download_sync(id=project, download_all_tasks=True)))
        answers = [annotation for task in tasks for annotation in task["annotations"]]
        drafts = [draft for task in tasks for draft in request(client, "GET", f"api/tasks/{task['id']}/drafts")]
        proposals = [proposal.dict() for proposal in client.predictions.list(project=project)]
    return answers, drafts, proposals


def facts(answers: list[Any]) -> list[tuple[Any, ...]]:
    """All of an answer but its labels."""
    fields = ("id", "completed_by", "created_at", "updated_at", "lead_time", "was_cancelled", "parent_prediction")
    return sorted(tuple(answer[field] for field in fields) for answer in answers)


@pytest.mark.server
def test_who_answered_and_when_stays(server: Server, title: str, labelled: int, tmp_path: Path) -> None:
    before, [draft], _ = everything(server, labelled)
    pull(server.access, tmp_path / "before.jsonl", title=title)
    time.sleep(0.01)
    assert rename_labels(server.access, RENAMED, title) == Stored(answers=4, drafts=1, proposals=6)

    after, [draft_after], proposals = everything(server, labelled)
    assert facts(after) == facts(before)
    assert "shortcoming" not in json.dumps([answer["result"] for answer in after])
    assert sorted(json.dumps(answer["result"]) for answer in after) == sorted(
        json.dumps(answer["result"]).replace("shortcoming", "problem") for answer in before
    )
    assert draft_after["result"] == result(["problem"]) and draft_after["user"] == draft["user"]
    assert [proposal["result"] for proposal in proposals] == [result(["problem"])] * 6
    with connect(server.access) as client:
        assert client.projects.get(labelled).label_config == label_config(RENAMED)

    # Pulled with the new set: the same answers, what was shown included, which the server keeps under the old name.
    pull(server.access, tmp_path / "after.jsonl", title=title, labels=RENAMED)
    assert rename_file(tmp_path / "before.jsonl", RENAMED) == 3
    assert list(read_records(tmp_path / "after.jsonl")) == list(read_records(tmp_path / "before.jsonl"))
    assert rename_file(tmp_path / "before.jsonl", RENAMED) == 0
    assert rename_labels(server.access, RENAMED, title) == Stored()


@pytest.mark.server
@pytest.mark.parametrize(("point", "turn"), [("_rename_answers", 1), ("_renamed", 3), ("update", 1)])
def test_broken_off_anywhere_and_repeated(
    server: Server, title: str, labelled: int, point: str, turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from label_studio_sdk.projects.client import ProjectsClient

    before = facts(everything(server, labelled)[0])
    place = ProjectsClient if point == "update" else project_labels
    real, turns = getattr(place, point), []

    def breaking(*given: Any, **more: Any) -> Any:
        answer = real(*given, **more)
        turns.append(given)
        if len(turns) == turn:
            raise LabelingError("the connection broke")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(place, point, breaking)
        with pytest.raises(LabelingError, match="connection broke"):
            push(server.access, [], title=title, labels=RENAMED)
    push(server.access, [], title=title, labels=RENAMED)
    answers, drafts, proposals = everything(server, labelled)
    assert facts(answers) == before
    assert "shortcoming" not in json.dumps([row["result"] for row in (*answers, *drafts, *proposals)])


@pytest.mark.server
def test_killed_in_the_middle_and_repeated(server: Server, title: str, records: Records) -> None:
    project = push(server.access, [records(400, labels=["shortcoming"], model="v1")], title=title).project
    code = (
        "import sys; from pathlib import Path; from pizhu.data.labels import LabelSet;"
        "from pizhu.labeling.studio.project import rename_labels; from pizhu.labeling.server.server import running;"
        "rename_labels(running(sys.argv[1]).access, LabelSet.load(sys.argv[2]), sys.argv[3])"
    )
    path = records(1).with_name("标签.toml")
    path.write_text(TOML, encoding="utf-8")
    with (
        connect(server.access) as client,
        subprocess.Popen([sys.executable, "-c", code, server.folder, str(path), title]) as process,
    ):
        while process.poll() is None and not count(client, project, SENTENCES, "problem").proposals:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()
        left = count(client, project, SENTENCES, "shortcoming").proposals
        assert 0 < left < 400, "it was over before it was killed"
        assert rename_labels(server.access, RENAMED, title).proposals == left
        assert count(client, project, SENTENCES, "problem").proposals == 400


@pytest.mark.server
def test_an_answer_from_a_page_that_was_still_open(server: Server, title: str, labelled: int) -> None:
    push(server.access, [], title=title, labels=RENAMED)
    with connect(server.access) as client:
        task = max(int(task.id) for task in client.tasks.list(project=labelled))
        client.annotations.create(id=task, result=result(["shortcoming"]), was_cancelled=False)
        push(server.access, [], title=title, labels=RENAMED)
        assert count(client, labelled, SENTENCES, "shortcoming") == Stored()


@pytest.mark.server
def test_a_label_with_answers_stays_unless_told(server: Server, title: str, labelled: int, tmp_path: Path) -> None:
    fewer = LabelSet((ACHIEVEMENT, PLAN, METRIC))
    before = everything(server, labelled)[0]
    with pytest.raises(
        LabelingError, match=r"label shortcoming has 4 answers and 1 drafts.*--remove-label shortcoming"
    ):
        push(server.access, [], title=title, labels=fewer)
    with connect(server.access) as client:
        assert client.projects.get(labelled).label_config == label_config(DEFAULT_LABELS)
    push(server.access, [], title=title, labels=LabelSet((ACHIEVEMENT, SHORTCOMING, PLAN)))  # nobody chose metric
    push(server.access, [], title=title, labels=fewer, remove=["shortcoming"])
    assert everything(server, labelled)[0] == before
    pull(server.access, tmp_path / "a.jsonl", title=title, labels=fewer)
    kept = [a for record in read_records(tmp_path / "a.jsonl") for a in record["answers"] if "choices" in a]
    assert [answer["choices"] for answer in kept] == [["shortcoming", "plan"]] * 2 + [["shortcoming"]] * 2


@pytest.mark.server
def test_the_commands(server: Server, title: str, labelled: int, tmp_path: Path) -> None:
    (tmp_path / "标 签.toml").write_text(TOML, encoding="utf-8")
    common = ["--project", title, "--folder", server.folder, "--labels", str(tmp_path / "标 签.toml")]
    pull(server.access, tmp_path / "answers.jsonl", title=title)

    shown = CliRunner().invoke(app, ["label", "config", *common, "--out", str(tmp_path / "config.xml")])
    assert shown.exit_code == 1
    assert "label renamed: shortcoming becomes problem" in shown.stdout
    assert "shortcoming is stored in 4 answers, 1 drafts, 6 proposals" in shown.stdout
    assert "+++ as it will be" in shown.stdout
    assert (tmp_path / "config.xml").read_text(encoding="utf-8") == label_config(RENAMED) + "\n"
    assert difference(server.access, RENAMED, title).change.renamed == {"shortcoming": "problem"}

    done = CliRunner().invoke(app, ["label", "rename", *common, str(tmp_path / "answers.jsonl")])
    assert done.exit_code == 0, done.output
    assert "renamed in 4 answers, 1 drafts, 6 proposals" in done.stdout and "in 3 records" in done.stdout
    again = CliRunner().invoke(app, ["label", "config", *common])
    assert (again.exit_code, again.stdout) == (0, "The project's configuration is up to date.\n")
    default = CliRunner().invoke(app, ["label", "config", *common[:-2], "--json"])
    assert json.loads(default.stdout)["change"]["removed"] == ["problem"]


def state(server: Server, project: int) -> Any:
    """All that a renaming could change in the project."""
    answers, drafts, proposals = everything(server, project)
    with connect(server.access) as client:
        config = client.projects.get(project).label_config
    results = [[(row["id"], row["result"]) for row in rows] for rows in (answers, drafts, proposals)]
    return results, facts(answers), config


@pytest.mark.server
@pytest.mark.parametrize("why", ["a label goes", "by hand", "no such file", "no records", "a folder", "too deep"])
def test_what_is_refused_has_changed_nothing(
    server: Server, title: str, labelled: int, tmp_path: Path, why: str
) -> None:
    pull(server.access, tmp_path / "答案.jsonl", title=title)
    files = [tmp_path / "答案.jsonl"]
    toml = TOML
    if why == "a label goes":
        # plan, which answers hold, is not in the new set.
        toml = "[[label]]".join(part for part in TOML.split("[[label]]") if '"plan"' not in part)
    elif why == "by hand":
        with connect(server.access) as client:
            config = client.projects.get(labelled).label_config
            client.projects.update(id=labelled, label_config=config.replace("成效", "成绩"))
    elif why == "no records":
        files.append(tmp_path / "坏.jsonl")
        files[1].write_text('{"labels": ["shortcoming"]}\n不是记录\n', encoding="utf-8")
    elif why == "too deep":
        files.append(tmp_path / "深.jsonl")
        files[1].write_text('{"labels": ["shortcoming"], "x": ' + "[" * 5000 + "]" * 5000 + "}", encoding="utf-8")
    else:
        files.append(tmp_path if why == "a folder" else tmp_path / "没有.jsonl")
    (tmp_path / "标签.toml").write_text(toml, encoding="utf-8")
    before, kept = (
        state(server, labelled),
        sorted((p.name, p.read_bytes()) for p in tmp_path.glob("*.*") if p.is_file()),
    )
    command = [
        "label",
        "rename",
        "--project",
        title,
        "--folder",
        server.folder,
        "--labels",
        str(tmp_path / "标签.toml"),
    ]
    done = CliRunner().invoke(app, [*command, *map(str, files)])
    assert isinstance(done.exception, PizhuError), done.output
    assert state(server, labelled) == before
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.glob("*.*") if p.is_file()) == kept
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.server
@pytest.mark.parametrize("point", ["drafts", "proposals", "update"])
def test_a_failing_server_gives_names_back(
    server: Server, title: str, labelled: int, tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from label_studio_sdk.projects.client import ProjectsClient

    pull(server.access, path := tmp_path / "答案.jsonl", title=title)
    (tmp_path / "标签.toml").write_text(TOML, encoding="utf-8")
    before, held = state(server, labelled), path.read_bytes()
    real, times = request, 0

    def failing(client: Any, method: str, where: str, body: object = None) -> Any:
        nonlocal times
        if method == "PATCH" and where.startswith({"drafts": "api/drafts", "proposals": "api/predictions"}[point]):
            times += 1
            if times == {"drafts": 1, "proposals": 3}[point]:
                raise LabelingError("the disk is full")
        return real(client, method, where, body)

    def refusing(*_: object, **__: object) -> None:
        raise LabelingError("the disk is full")

    with monkeypatch.context() as patched:
        if point == "update":
            patched.setattr(ProjectsClient, "update", refusing)
        else:
            patched.setattr(project_labels, "request", failing)
        command = ["label", "rename", "--project", title, "--folder", server.folder]
        command += ["--labels", str(tmp_path / "标签.toml"), str(path)]
        done = CliRunner().invoke(app, command)
    assert "the disk is full; the former names have been restored" in str(done.exception)
    assert state(server, labelled) == before and path.read_bytes() == held
    assert CliRunner().invoke(app, command).exit_code == 0
    assert "shortcoming" not in json.dumps(state(server, labelled)[0])
    assert b'"problem"' in path.read_bytes()


@pytest.mark.server
def test_names_that_cannot_be_told_apart_any_more_are_not_given_back(
    server: Server, title: str, labelled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has answered under the new name already; it is said that part is done, and repeating goes on."""
    from label_studio_sdk.projects.client import ProjectsClient

    def refusing(*_: object, **__: object) -> None:
        raise LabelingError("the disk is full")

    with connect(server.access) as client:
        task = max(int(task.id) for task in client.tasks.list(project=labelled))
        client.annotations.create(id=task, result=result(["problem"]), was_cancelled=False)
    with monkeypatch.context() as patched:
        patched.setattr(ProjectsClient, "update", refusing)
        with pytest.raises(LabelingError, match="the disk is full; part may have been renamed: repeat the command"):
            rename_labels(server.access, RENAMED, title)
    rename_labels(server.access, RENAMED, title)
    with connect(server.access) as client:
        assert count(client, labelled, SENTENCES, "problem").answers == 5
        assert count(client, labelled, SENTENCES, "shortcoming") == Stored()


@pytest.mark.server
@pytest.mark.parametrize("kind", [REVIEW, ADJUDICATION, SPAN_MARKING], ids=lambda kind: kind.name)
def test_a_project_stays_of_its_kind(
    server: Server, title: str, records: Records, tmp_path: Path, kind: TaskKind
) -> None:
    write_records(tmp_path / "a.jsonl", [{**record, "answers": []} for record in read_records(records(1))])
    with connect(server.access) as client:
        project = ensure_project(client, title=title, kind=kind)
        before = client.projects.get(project).label_config
    steps: list[Callable[[], object]] = [
        lambda: push(server.access, [records(1)], title=title),
        lambda: push(server.access, [], title=title, overwrite_config=True),
        lambda: rename_labels(server.access, RENAMED, title),
        lambda: difference(server.access, title=title),
        lambda: transfer(server.access, tmp_path / "a.jsonl", title=title),
    ]
    for step in steps:
        with pytest.raises(LabelingError, match=f"is for {kind.name}, not for sentences.*{COMMANDS[kind.name]}"):
            step()
    with connect(server.access) as client:
        assert client.projects.get(project).label_config == before
        assert ensure_project(client, title=title, kind=kind) == project


def test_a_file_is_renamed_where_names_stand(tmp_path: Path) -> None:
    path = tmp_path / "答案.jsonl"
    rows: list[dict[str, Any]] = [
        {
            "text": "shortcoming",
            "labels": ["shortcoming"],
            "scores": {"plan": 0.1, "shortcoming": 0.9},
            "answers": [
                {"annotator": "shortcoming", "labels": ["plan", "shortcoming"], "shown": {"labels": ["shortcoming"]}},
                {"annotator": "乙", "labels": None, "choices": ["none", "shortcoming"], "shown": None},
            ],
        },
        {"text": "句", "spans": [{"label": "shortcoming", "text": "shortcoming"}], "labels": None},
        {
            "text": "裁",
            "labels": ["shortcoming"],
            "adjudication": [{"labels": ["shortcoming"], "why": "other", "seen": [["plan", "shortcoming"], None, []]}],
        },
        {"text": "疑", "labels": [], "doubts": [{"label": "shortcoming", "given": False, "words": "shortcoming"}]},
        {"text": "别的", "labels": ["plan"]},
    ]
    write_records(path, rows)
    assert rename_file(path, RENAMED) == 4
    first, second, gold, doubtful, last = read_records(path)
    assert (first["text"], first["labels"], first["scores"]) == (
        "shortcoming",
        ["problem"],
        {"plan": 0.1, "problem": 0.9},
    )
    assert first["answers"][0] == {
        "annotator": "shortcoming",
        "labels": ["plan", "problem"],
        "shown": {"labels": ["problem"]},
    }
    assert first["answers"][1]["choices"] == ["none", "problem"]
    assert second["spans"] == [{"label": "problem", "text": "shortcoming"}]
    assert gold["adjudication"][0] == {"labels": ["problem"], "why": "other", "seen": [["plan", "problem"], None, []]}
    assert doubtful["doubts"] == [{"label": "problem", "given": False, "words": "shortcoming"}]
    assert last == rows[-1]


def test_nothing_to_rename() -> None:
    with pytest.raises(ConfigError, match="formerly"):
        projects.rename_labels(Access("http://127.0.0.1:1", "x"), DEFAULT_LABELS)


def test_files_are_renamed_together_or_not(tmp_path: Path) -> None:
    good, other, bad = (tmp_path / name for name in ("一.jsonl", "二.jsonl", "三.jsonl"))
    for path in (good, other):
        write_records(path, [{"text": "句", "labels": ["shortcoming"]}])
    bad.write_text("不是记录\n", encoding="utf-8")
    with pytest.raises(DataError, match="三"), renamed_files([good, bad], RENAMED):
        pytest.fail("the block must not begin")
    with pytest.raises(LabelingError), renamed_files([good, other], RENAMED) as counts:
        assert counts == {str(good): 1, str(other): 1}
        raise LabelingError("the server refuses")
    assert [next(iter(read_records(path)))["labels"] for path in (good, other)] == [["shortcoming"]] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["一.jsonl", "三.jsonl", "二.jsonl"]
    with renamed_files([good, other, good], RENAMED):
        pass
    assert [next(iter(read_records(path)))["labels"] for path in (good, other)] == [["problem"]] * 2


def test_what_is_of_another_shape_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "答案.jsonl"
    rows: list[dict[str, Any]] = [
        {"labels": [["shortcoming"], 1], "answers": ["shortcoming", None, {"labels": {"shortcoming": 1}}], "seen": 5},
        {"scores": ["shortcoming"], "shown": "shortcoming", "spans": {"label": "shortcoming"}, "label": None},
    ]
    write_records(path, rows)
    assert rename_file(path, RENAMED) == 0
    assert list(read_records(path)) == rows
