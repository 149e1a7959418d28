"""Characters that no database can store: in a sentence they are replaced, in a name or title refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import ConfigError, DataError, LabelingError
from pizhu.base.files import read_records, write_records
from pizhu.data.labels import DEFAULT_LABELS, LabelSet
from pizhu.data.records import Record
from pizhu.labeling.server.accounts import Accounts
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.config import label_config, span_config
from pizhu.labeling.studio.place import address
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.pull import pull
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.storable import readable, storable
from pizhu.labeling.studio.tasks import to_tasks

Records = Callable[..., Path]

LONE = "\ud800"


def test_offsets_hold() -> None:
    given = {"text": f"一\0二{LONE}\udfff三😀", "headings": ["\0"], "lead": [{"text": LONE, "start": 3}]}
    assert storable(given) == {
        "text": "一\ufffd二\ufffd\ufffd三😀",
        "headings": ["\ufffd"],
        "lead": [{"text": "\ufffd", "start": 3}],
    }
    assert readable(given)["text"] == "一\0二\ufffd\ufffd三😀"
    assert len(storable(given)["text"]) == len(given["text"])


@pytest.mark.parametrize("odd", ["\0", LONE])
def test_what_a_sentence_is_found_again_by_is_refused(odd: str) -> None:
    record: Record = {"id": f"a{odd}", "doc": "甲.txt", "start": 0, "end": 3, "text": "好。"}
    with pytest.raises(DataError, match="记录, record 1: id holds a character that Label Studio cannot store"):
        to_tasks([record], DEFAULT_LABELS, "记录")
    [task] = to_tasks([record | {"id": "a", "labels": ["plan"], "model": f"v{odd}"}], DEFAULT_LABELS, "记录")
    assert task["predictions"][0]["model_version"] == "v\ufffd"


def test_a_report_s_address() -> None:
    record: Record = {"id": "a", "doc": f"甲{LONE}.txt", "start": 0, "end": 3}
    assert address("http://pc/{name}.html", record, 0) == "http://pc/%E7%94%B2%3F.html"


@pytest.mark.parametrize("odd", ["\0", "\x01", "\x1b", "\ufffe", LONE])
@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("config", [label_config, span_config])
def test_labels_that_no_configuration_can_show(odd: str, field: str, config: Callable[[LabelSet], str]) -> None:
    first, *rest = DEFAULT_LABELS
    changed: dict[str, Any] = {field: f"成{odd}效"}
    with pytest.raises(ConfigError, match="label 'achievement'"):
        config(LabelSet((replace(first, **changed), *rest)))


@pytest.mark.parametrize("title", ["报告\0标注", "报告\n标注", "报告\x1b[2J", f"报告{LONE}"])
def test_titles_that_no_project_can_have(title: str) -> None:
    with pytest.raises(LabelingError, match="a project's title must be one line of text"):
        find_project(None, title)


@pytest.mark.parametrize("name", ["甲\0", "甲\n乙", f"甲{LONE}", " 甲", "", "长" * 300])
def test_names_that_no_annotator_can_have(tmp_path: Path, name: str) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    with pytest.raises(LabelingError, match="cannot be an annotator"):
        accounts.ensure(Access("http://127.0.0.1:9", "token"), [("乙", None), (name, None)])
    assert not accounts.path.exists()  # where such a name would make all accounts unreadable
    assert accounts.annotators == {}


@pytest.mark.server
def test_a_sentence_with_one_is_pushed_and_can_be_pulled(
    server: Server, title: str, records: Records, tmp_path: Path
) -> None:
    path = records(4, labels=["plan"], model=f"v{LONE}")
    rows: list[dict[str, Any]] = list(read_records(path))
    rows[1] |= {"text": f"渠道{LONE}清淤。", "previous": LONE, "headings": [LONE], "doc": f"{LONE}.txt"}
    rows[2] |= {"lead": [{"start": 0, "end": 1, "text": LONE, "headings": []}]}
    write_records(path, rows)
    pushed = push(server.access, [path], title=title)
    assert (pushed.sent, pushed.proposals, pushed.shown) == (4, 4, "v\ufffd")
    again = push(server.access, [path], title=title)
    assert (again.sent, again.present, again.proposals) == (0, 4, 0)
    pull(server.access, tmp_path / "答案.jsonl", title=title)
    texts = {record["id"]: record["text"] for record in read_records(tmp_path / "答案.jsonl")}
    assert texts == {row["id"]: row["text"].replace(LONE, "\ufffd") for row in rows}
