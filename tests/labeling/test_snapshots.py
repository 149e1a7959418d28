"""States come back as they were pulled, at any time, and damage is noticed."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import LabelingError
from pizhu.labeling.studio.snapshots import Snapshot, Snapshots


def row(task: int, text: str, **more: Any) -> dict[str, Any]:
    return {"task": task, "data": {"text": text}, **more}


def snapshot(hour: int, rows: int, *, whole: bool = False, project: int = 1) -> Snapshot:
    at = datetime(2026, 11, 24, hour, tzinfo=UTC).isoformat()
    return Snapshot(at, project, "2026-11-01T00:00:00+00:00", "项目", {"2": "甲"}, f"digest {hour}", whole, rows)


@pytest.fixture
def store(tmp_path: Path) -> Snapshots:
    """A whole state at 8, changes at 9 and 10, another whole one at 11, changes at 12."""
    store = Snapshots(tmp_path / "答 案.jsonl")
    with store.held():
        store.add(snapshot(8, 2, whole=True), [row(1, "一"), row(2, "二\u2028\x00\ud800")])
        store.add(snapshot(9, 1), [row(2, "改")])
        store.add(snapshot(10, 2), [row(1, "一", deleted=True), row(3, "三")])
        store.add(snapshot(11, 1, whole=True), [row(7, "七")])
        store.add(snapshot(12, 0), [])
    return store


def texts(store: Snapshots, hour: int) -> dict[int, str] | None:
    state = store.state(datetime(2026, 11, 24, hour, 30, tzinfo=UTC))
    return None if state is None else {number: row["data"]["text"] for number, row in state.rows.items()}


def test_any_state_comes_back(store: Snapshots) -> None:
    assert texts(store, 7) is None
    assert texts(store, 8) == {1: "一", 2: "二\u2028\x00\ud800"}
    assert texts(store, 9) == {1: "一", 2: "改"}
    assert texts(store, 10) == {1: "一", 2: "改", 3: "三"}
    assert texts(store, 12) == {7: "七"}
    last = store.state()
    assert last and (last.last.at, last.added, last.damaged) == (snapshot(12, 0).at, 0, False)
    assert [found.whole for found in store.history()] == [True, False, False, True, False]
    assert [path.name for path in sorted(store.folder.iterdir())] == [f"{n:06}.jsonl.gz" for n in range(1, 6)]


@pytest.mark.parametrize("cut", [0, 1, 20, -9, -1])
def test_a_cut_file_is_noticed_and_what_was_before_it_is_used(store: Snapshots, cut: int) -> None:
    path = store.folder / "000004.jsonl.gz"
    path.write_bytes(path.read_bytes()[:cut])
    state = store.state()
    assert state and state.damaged and sorted(state.rows) == [1, 2, 3]
    assert texts(store, 9) == {1: "一", 2: "改"}
    before = store.state(datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
    assert before and not before.damaged


@pytest.mark.parametrize("line", [b"", b"[]\n", b'{"version": 2}\n', b'{"version": 1, "at": 5}\n', b"\xff\n"])
def test_what_is_no_snapshot_is_not_believed(store: Snapshots, line: bytes) -> None:
    (store.folder / "000005.jsonl.gz").write_bytes(gzip.compress(line))
    state = store.state()
    assert state and state.damaged and sorted(state.rows) == [7]
    assert len(store.history()) == 4


def test_a_missing_row_is_noticed(store: Snapshots) -> None:
    path = store.folder / "000002.jsonl.gz"
    header = gzip.decompress(path.read_bytes()).splitlines(keepends=True)[0]
    path.write_bytes(gzip.compress(header))
    state = store.state(datetime(2026, 11, 24, 10, 30, tzinfo=UTC))
    assert state and state.damaged and state.rows[2]["data"]["text"] == "二\u2028\x00\ud800"


def test_no_snapshot_takes_another_s_place(store: Snapshots) -> None:
    (store.folder / "000003.jsonl.gz").unlink()
    with store.held():
        added = store.add(snapshot(13, 1, whole=True), [row(9, "九")])
    assert added.name == "000006.jsonl.gz"
    assert json.loads(gzip.decompress(added.read_bytes()).splitlines()[1]) == row(9, "九")


def test_one_pull_at_a_time(tmp_path: Path) -> None:
    store = Snapshots(tmp_path / "a.jsonl")
    killed = tmp_path / ".a.jsonl.abcd1234.part"
    other = tmp_path / ".b.jsonl.abcd1234.part"
    killed.touch(), other.touch()
    with store.held():
        assert not killed.exists() and other.exists()
        with pytest.raises(LabelingError, match="another pull is writing"), store.held():
            pass
    assert not store.folder.exists()  # nothing was added
