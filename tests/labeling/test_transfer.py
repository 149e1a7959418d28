"""Pulled, put into an empty server and pulled again: the same records, byte for byte."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pizhu.base.errors import DataError, LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio import transfer as transferring
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.submit import submit
from pizhu.labeling.studio.tasks import result
from pizhu.labeling.studio.transfer import transfer

Records = Callable[..., Path]

pytestmark = pytest.mark.server
_numbers = itertools.count()


@pytest.fixture(scope="module")
def empty(
    environment: Path, new_server: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Another server; the same people have other numbers there."""
    folder = new_server(tmp_path_factory.mktemp("other") / "另一台")
    try:
        yield servers.start(folder, environment=environment, annotators=[("己", None)])
    finally:
        servers.stop(folder)


def test_answers_travel(
    server: Server, empty: Server, title: str, records: Records, tasks: Callable[[int], list[Any]], tmp_path: Path
) -> None:
    server.accounts.ensure(server.access, [("丙", None), ("ding@office.example", "ding@office.example")])
    tokens = {name: account.token for name, account in server.accounts.annotators.items()}
    path = records(6, labels=["plan"], scores={"plan": 0.9}, model="v1")
    project = push(server.access, [path], title=title).project
    said = [
        [
            {"annotator": "甲", "labels": ["plan"], "lead_time": 3.25},
            {"annotator": "丙", "labels": [], "lead_time": 1e-3},
        ],
        [{"annotator": "乙", "labels": None, "skipped": True, "lead_time": 86400.125}],
        [{"annotator": "ding@office.example", "labels": None, "choices": ["none", "plan"]}],
        [{"annotator": "丙", "labels": None, "choices": []}],
        [{"annotator": "丙", "labels": ["metric", "achievement"]}, {"annotator": "甲", "labels": ["metric"]}],
        [],
    ]
    rows = [{**record, "answers": some} for record, some in zip(read_records(path), said, strict=True)]
    write_records(tmp_path / "said.jsonl", rows)
    submit(server.access, tmp_path / "said.jsonl", tokens, title=title)
    with connect(server.access) as client:
        last = tasks(project)[-1]
        # The owner confirms a proposal, as the browser sends it, and answers once more.
        proposal = client.predictions.list(task=last.id)[0].id
        for labels in (["plan"], ["metric"]):
            client.annotations.create(
                id=last.id, result=result(labels), was_cancelled=False, lead_time=2.0, parent_prediction=proposal
            )
    first, second = tmp_path / "一.jsonl", tmp_path / "二.jsonl"
    pull(server.access, first, title=title)
    pulled = list(read_records(first))
    assert [answer["confirmed"] for answer in pulled[-1]["answers"]] == [True, False]

    sent = transfer(empty.access, first, open_accounts=empty.accounts.ensure, title=title)
    assert (sent.sent, sent.answers, sent.present) == (6, 9, 0)
    assert pull(empty.access, second, title=title).problems == ()
    assert second.read_bytes() == first.read_bytes()

    # Again is no harm, and an answer that is changed there is told as changed.
    again = transfer(empty.access, first, open_accounts=empty.accounts.ensure, title=title)
    assert (again.sent, again.present) == (0, 6)
    with connect(empty.access) as client:
        there = find_project(client, title)
        assert there and there.total_annotations_number == 8 and there.ground_truth_number == 0
        task = min(client.tasks.list(project=there.id, fields="all"), key=lambda task: task.id)
        changed = min(annotation["id"] for annotation in task.annotations)
        client.annotations.update(id=changed, result=result(["shortcoming"]))
    pulled_there = pull(empty.access, second, title=title)
    assert (pulled_there.changed, pulled_there.full) == (1, None)
    one, two = (next(iter(read_records(file)))["answers"] for file in (first, second))
    assert two[0].pop("at") > one[0].pop("at")
    assert two == [{**one[0], "labels": ["shortcoming"]}, one[1]]

    # And from there to a third place, the second's answers with the first's times.
    third = tmp_path / "三.jsonl"
    transfer(empty.access, second, title=f"{title[:40]} 三")
    pull(empty.access, third, title=f"{title[:40]} 三")
    assert third.read_bytes() == second.read_bytes()


def test_an_interrupted_transfer_is_continued(
    server: Server, title: str, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [{"annotator": "甲", "labels": ["plan"], "at": "2026-01-02T03:04:05.000006Z", "lead_time": 4.0}]
    path = records(5, answers=answers)
    send = transferring._send
    calls = itertools.count()

    def broken(*arguments: Any) -> None:
        if next(calls) == 1:
            raise LabelingError("the connection broke")
        send(*arguments)

    monkeypatch.setattr(transferring, "_BATCH", 2)
    monkeypatch.setattr(transferring, "_send", broken)
    with pytest.raises(LabelingError, match="broke"):
        transfer(server.access, path, title=title)
    sent = transfer(server.access, path, title=title)
    assert (sent.sent, sent.present) == (3, 2)
    pull(server.access, tmp_path / "a.jsonl", title=title)
    found = list(read_records(tmp_path / "a.jsonl"))
    assert [answer["at"] for record in found for answer in record["answers"]] == ["2026-01-02T03:04:05.000006Z"] * 5
    assert [record["previous"] for record in found] == [record["previous"] for record in read_records(path)]


def test_what_a_transfer_refuses(server: Server, title: str, records: Records, tmp_path: Path) -> None:
    path = records(1, answers=[{"annotator": "戊", "labels": []}])
    with pytest.raises(LabelingError, match="has no user called 戊; have each missing annotator sign up"):
        transfer(server.access, path, title=title)
    [record] = read_records(path)
    write_records(path, [record, record])
    with pytest.raises(DataError, match="two records have the same id"):
        transfer(server.access, path, title=title)
    write_records(path, [record | {"kind": "heading"}])
    with pytest.raises(DataError, match="is not a sentence"):
        transfer(server.access, path, title=title)


ODD = st.text(min_size=1, max_size=30) | st.sampled_from(
    [
        "\u2028行\u2029段\x85落\x0b\x0c",
        "<script>alert('甲')</script>&amp;&lt;![CDATA[",
        '=HYPERLINK("http://x","甲")',
        "+1+cmd|' /C calc'!A0",
        "$undefined$ {{data}} ${text} %s %00 \\u0000 \\",
        "👩\u200d👩\u200d👧 \U0001f1e8\U0001f1f3 \U00020000 e\u0301 \u202e反\u202c \ufeff",
        "\x00\x01\x1b[31m\x7f",
        "s3://bucket/甲.txt",
        "很长" * 50_000,
    ]
)


def unordered(shown: dict[str, Any] | None) -> dict[str, Any] | None:
    """A proposal whose labels are a set, since they come back in the label set's order."""
    return shown and shown | {"labels": shown["labels"] and set(shown["labels"])}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(ODD, ODD, st.lists(ODD, max_size=2)), min_size=12, max_size=25), data=st.data())
def test_odd_texts_travel_unchanged(
    server: Server, empty: Server, tmp_path: Path, texts: list[tuple[str, str, list[str]]], data: st.DataObject
) -> None:
    title = f"奇文 {next(_numbers)}"
    labels = st.lists(st.sampled_from(DEFAULT_LABELS.names), unique=True)
    seconds = st.none() | st.floats(0, 1e6)
    rows: list[dict[str, Any]] = [
        {
            "id": f"{number:016x}",
            "doc": f"报告{odd}.txt",
            "start": number,
            "end": number + 9,
            "text": f"句{odd}",
            "headings": headings,
            "previous": previous,
            "answers": [
                {
                    "annotator": name,
                    "labels": data.draw(labels),
                    "lead_time": data.draw(seconds),
                    "from_prediction": data.draw(st.booleans()),
                    "shown": data.draw(st.none() | st.fixed_dictionaries({"model": ODD, "labels": st.none() | labels})),
                }
                for name in data.draw(st.lists(st.sampled_from("甲乙"), max_size=3))
            ],
        }
        for number, (odd, previous, headings) in enumerate(texts)
    ]
    given_, first, second = (tmp_path / f"{name}.jsonl" for name in ("given", "first", "second"))
    write_records(given_, rows)
    transfer(server.access, given_, title=title)
    pull(server.access, first, title=title)
    found = {record["id"]: record for record in read_records(first)}
    for row in rows:
        record = found[row["id"]]
        assert {field: record[field] for field in row if field != "answers"} == {
            field: value for field, value in row.items() if field != "answers"
        }
        for one, two in zip(row["answers"], record["answers"], strict=True):
            assert set(one["labels"]) == set(two["labels"])
            kept = ("annotator", "lead_time", "from_prediction")
            assert [one[field] for field in kept] == [two[field] for field in kept]
            assert unordered(one["shown"]) == unordered(two["shown"])
    transfer(empty.access, first, title=title)
    pull(empty.access, second, title=title)
    assert second.read_bytes() == first.read_bytes()
