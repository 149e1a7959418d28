"""Every answer comes back, in the right state, and nothing that was pulled is lost."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import DataError, LabelingError
from pizhu.base.files import as_line, read_records, write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.agreement import agreement
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import pull as pulling
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.answers import read_answers
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.pull import earlier, pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.snapshots import Snapshots
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.tasks import result
from typer.testing import CliRunner

Records = Callable[..., Path]

pytestmark = pytest.mark.server
SAMPLES = Path(__file__).parents[2] / "data" / "samples"


@pytest.fixture
def tokens(server: Server) -> dict[str, str]:
    return {name: account.token for name, account in server.accounts.annotators.items()}


def said(annotator: str, *labels: str, **more: Any) -> dict[str, Any]:
    return {"annotator": annotator, "labels": list(labels), **more}


def skipped(annotator: str) -> dict[str, Any]:
    return {"annotator": annotator, "labels": None, "skipped": True}


def test_states_are_told_apart(
    server: Server, title: str, records: Records, tokens: dict[str, str], tmp_path: Path
) -> None:
    answers = [
        [said("甲", "achievement", "metric", lead_time=3.5), said("乙", "metric", "achievement")],
        [said("甲"), said("乙")],
        [skipped("甲"), skipped("乙")],
        [],
        [said("甲", "plan"), said("乙")],
        [skipped("甲"), said("乙", "plan")],
        [{"annotator": "甲", "labels": None, "choices": ["none", "plan"]}],
        [{"annotator": "甲", "labels": None, "choices": []}],
    ]
    path = records(8, labels=["plan"], model="v1")
    push(server.access, [path], title=title)
    given = [{**record, "answers": some} for record, some in zip(read_records(path), answers, strict=True)]
    write_records(tmp_path / "given.jsonl", given)
    sent = submit(server.access, tmp_path / "given.jsonl", tokens, title=title)
    assert (sent.sent, sent.present) == (12, 0)
    again = submit(server.access, tmp_path / "given.jsonl", tokens, title=title)
    assert (again.sent, again.present) == (0, 12)

    pulled = pull(server.access, tmp_path / "答案.jsonl", title=title)
    found = list(read_records(pulled.path))
    assert [record["state"] for record in found] == [
        "labelled",
        "none",
        "skipped",
        "unlabelled",
        "contested",
        "labelled",
        "contested",
        "contested",
    ]
    assert pulled.states == dict(Counter(record["state"] for record in found))
    assert pulled.answers == {"乙": 5, "甲": 7}
    assert [record["labels"] for record in found[:4]] == [["achievement", "metric"], [], None, None]
    first = {answer["annotator"]: answer for answer in found[0]["answers"]}
    assert first["甲"]["lead_time"] == 3.5 and first["甲"]["at"].endswith("Z")
    assert first["甲"]["shown"] == {"model": "v1", "labels": ["plan"]} and not first["甲"]["from_prediction"]
    assert found[6]["answers"][0]["choices"] == ["none", "plan"]
    for record, before in zip(found, read_records(path), strict=True):
        assert {
            field: record[field] for field in ("id", "doc", "start", "end", "kind", "text", "headings", "previous")
        } == {field: value for field, value in before.items() if field not in ("labels", "model")}

    # What was pulled can be moved to another project: the same answers.
    other = f"{title[:40]} 另一个"
    push(server.access, [path], title=other)
    submit(server.access, pulled.path, tokens, title=other)
    pull(server.access, tmp_path / "moved.jsonl", title=other)
    moved = list(read_records(tmp_path / "moved.jsonl"))
    for one, two in zip(found, moved, strict=True):
        assert (one["state"], one["labels"]) == (two["state"], two["labels"])


def test_nothing_is_lost(
    server: Server, title: str, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out" / "答案.jsonl"
    project = push(server.access, [records(3)], title=title).project
    output.parent.mkdir()
    output.write_text("某人的笔记", encoding="utf-8")
    kept = pull(server.access, output, title=title).kept
    assert kept is not None and kept.read_text(encoding="utf-8") == "某人的笔记"
    before = output.read_bytes()
    assert pull(server.access, output, title=title).kept is None
    assert {path.name for path in output.parent.iterdir()} == {"答案.jsonl", "答案.snapshots", kept.name}

    with connect(server.access) as client:
        [task, *_] = client.tasks.list(project=project)
        client.annotations.create(id=task.id, result=result(["plan"]), was_cancelled=False)

    class Broken(LabelingError):
        pass

    def broken(*_: object) -> Iterator[object]:
        raise Broken("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(pulling, "fetch_changes", broken)
        with pytest.raises(Broken):
            pull(server.access, output, title=title)
    assert output.read_bytes() == before

    pulled = pull(server.access, output, title=title)
    assert (pulled.kept, pulled.changed, pulled.full) == (None, 1, None)
    assert output.read_bytes() != before
    first = Snapshots(output).history()[0]
    records_then = earlier(output, datetime.fromisoformat(first.at))
    assert "".join(map(as_line, records_then)).encode() == before

    output.write_bytes(before.replace("渠道".encode(), "管道".encode()))  # edited by hand
    kept = pull(server.access, output, title=title).kept
    assert kept is not None and "管道" in kept.read_text(encoding="utf-8")
    # The owner has no first name, so the answer carries the email.
    assert [a["annotator"] for record in read_records(output) for a in record["answers"]] == ["owner@pizhu.local"]


def test_tasks_of_others_are_told(server: Server, title: str, records: Records, tmp_path: Path) -> None:
    project = push(server.access, [records(1)], title=title).project
    with connect(server.access) as client:
        shown = dict.fromkeys(("path", "position", "before", "after", "place"), "")
        client.projects.import_tasks(id=project, request=[{"data": {"text": "别处来的", **shown}}])
    command = ["label", "pull", str(tmp_path / "a.jsonl"), "--project", title, "--folder", server.folder]
    outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 1 and "pizhu did not make it" in outcome.stderr
    assert len(list(read_records(tmp_path / "a.jsonl"))) == 1


def test_refusals(server: Server, title: str, records: Records, tokens: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    with pytest.raises(LabelingError, match=r"no project titled .*; push first"):
        pull(server.access, output, title=title)
    with pytest.raises(LabelingError, match="does not accept the token"):
        pull(Access(server.url, "wrong-token"), output, title=title)
    path = records(2)
    project = push(server.access, [path], title=title).project
    with connect(server.access) as client:
        config = client.projects.get(project).label_config
        client.projects.update(id=project, label_config=config.replace("成效", "成绩"))
    with pytest.raises(LabelingError, match="changed by hand"):
        pull(server.access, output, title=title)
    assert not output.exists()

    write_records(tmp_path / "b.jsonl", [{"doc": "别的.txt", "text": "没有推送过。", "answers": [said("甲")]}])
    with pytest.raises(DataError, match=r"no sentence '没有推送过。' of 别的.txt"):
        submit(server.access, tmp_path / "b.jsonl", tokens, title=title)
    write_records(tmp_path / "c.jsonl", [{"text": "句。", "answers": [said("丁")]}])
    with pytest.raises(LabelingError, match="no account for annotator 丁"):
        submit(server.access, tmp_path / "c.jsonl", tokens, title=title)


def test_the_samples_go_round(server: Server, title: str, tokens: dict[str, str], tmp_path: Path) -> None:
    reports = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".txt", ".html"))
    push(server.access, reports, title=title)
    rows = read_answers(SAMPLES / "answers.jsonl", DEFAULT_LABELS)
    sent = submit(server.access, SAMPLES / "answers.jsonl", tokens, title=title)
    assert sent.sent == sum(len(answers) for _, answers in rows)
    command = ["label", "pull", str(tmp_path / "a.jsonl"), "--project", title, "--folder", server.folder, "--json"]
    outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 0 and set(json.loads(outcome.stdout)["states"]) >= {"labelled", "none", "contested"}
    pulled = agreement(read_answers(tmp_path / "a.jsonl", DEFAULT_LABELS))
    shipped = agreement(rows)
    assert (pulled.labels, pulled.exact, pulled.sentences) == (shipped.labels, shipped.exact, shipped.sentences)
