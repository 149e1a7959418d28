"""Whatever a file of records contains, a command works or reports one error; it never crashes."""

import copy
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pizhu import cli
from pizhu.base.errors import DataError
from pizhu.base.files import write_records
from pizhu.labeling.studio.access import TOKEN_VARIABLE
from pizhu.models.annotator import Annotator
from pizhu.models.paths import SHIPPED

Record = dict[str, Any]

LABELS: tuple[list[str], ...] = (["achievement"], ["plan"], [], ["shortcoming", "metric"])
NOWHERE = ("--url", "http://127.0.0.1:9")


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = {"labels": [value]}
    return value


VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    float("nan"),
    10**400,
    "",
    "\x00",
    "\ud800",
    "heading",
    [],
    [None],
    ["plan", ["x"]],
    [{"labels": 1}],
    ["\ud800"],
    {},
    {"labels": {}},
    {"plan": None},
    {"plan": float("nan")},
    nested(300),
)


def whole() -> list[Record]:
    """Three reports as they come back from Label Studio, with every field that some command reads."""
    rows = []
    for doc in range(3):
        for n in range(8):
            answered = doc < 2 or n < 4
            answer = {
                "skipped": False,
                "at": "2026-11-22T00:34:52Z",
                "lead_time": 3.5,
                "from_prediction": True,
                "shown": {"model": "v1", "labels": ["plan"]},
                "confirmed": False,
                "choices": None,
                "deleted": False,
            }
            rows.append(
                {
                    "id": f"{doc}{n:015x}",
                    "doc": f"青禾县{doc}号报告.txt",
                    "start": 40 * n,
                    "end": 40 * n + 30,
                    "kind": "sentence",
                    "text": f"第{n}段渠道清淤完成，灌溉面积达到{n + 20}万亩，下步继续推进。",
                    "headings": ["一、主要工作"],
                    "previous": f"第{n - 1}段渠道的清淤年内启动。" if n else "",
                    "lead": [] if n else [{"start": 0, "end": 6, "text": "一、主要工作", "headings": []}],
                    "labels": LABELS[n % 4] if answered else None,
                    "scores": {"achievement": 0.9, "plan": 0.1, "metric": 0.2, "shortcoming": 0.1} if n % 2 else None,
                    "model": "v1",
                    "state": "labelled" if answered else "unlabelled",
                    "context": False,
                    "deleted": False,
                    "answers": [
                        {"annotator": name, "labels": LABELS[(n + (name == "乙" and n == 2)) % 4], **answer}
                        for name in "甲乙丙"
                        if answered
                    ],
                    "decided": "agreed",
                    "adjudication": [{"labels": ["plan"], "why": "other", "note": "", "seen": [["plan"], None]}],
                    "doubts": [{"label": "plan", "given": True, "score": 0.9, "why": ["learner"], "words": "像"}],
                    "spans": [{"label": "value", "start": 1, "end": 2, "text": "0"}],
                }
            )
    return rows


def spoilt(record: Record) -> Iterator[tuple[str, Record]]:
    """The record with one field, or one of what it holds, missing or of another kind; and what that is."""
    inner = [("answers", 0), ("answers", 0, "shown"), ("lead", 0), ("adjudication", 0), ("doubts", 0), ("spans", 0)]
    for path in ((), *inner):
        fields = list(followed(record, path))
        for field in fields:
            for value in ("missing", *VALUES):
                changed = copy.deepcopy(record)
                place = followed(changed, path)
                if value == "missing":
                    del place[field]
                else:
                    place[field] = value
                yield f"{'.'.join(map(str, path))}.{field} = {str(value)[:40]}", changed


def followed(record: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        record = record[step]
    return record


COMMANDS = {
    "push": ("label", "push", "FILE", *NOWHERE),
    "push --task spans": ("label", "push", "--task", "spans", "FILE", *NOWHERE),
    "push --model": ("label", "push", "--model", "default", "FILE", *NOWHERE),
    "next": ("label", "next", "FILE", "--out", "OUT"),
    "errors": ("label", "errors", "FILE", "--out", "OUT"),
    "agreement": ("label", "agreement", "FILE", "--json"),
    "agreement --gold": ("label", "agreement", "WHOLE", "--gold", "FILE", "--json"),
    "adjudicate": ("label", "adjudicate", "FILE", *NOWHERE),
    "transfer": ("label", "transfer", "FILE", *NOWHERE),
    "rename": ("label", "rename", "--labels", "LABELS", "FILE", *NOWHERE),
    "table": ("table", "FILE", "--out", "TABLE"),
    "metrics": ("metrics", "FILE", "--json"),
    "metrics --all": ("metrics", "FILE", "--all", "--json"),
    "compare": ("compare", "ONE", "FILE", "--encoder", "none", "--out", "FOLDER", "--json"),
}
FEW = {"errors": 64, "next": 10, "push --model": 32, "agreement": 32, "agreement --gold": 32}
"""Of how many spoilt records one is tried, where that takes long; elsewhere of 11. No divisor is shared with the number
of VALUES and "missing", so that every field meets several of them."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command over records as the command line does; returns what it said on the error stream."""
    import httpx

    def refuse(**_: object) -> None:
        raise httpx.ConnectError("nobody there")

    built = typer.main.get_command(cli.app)  # which takes longer than most of what the commands do here
    annotator = Annotator.load(SHIPPED, device="cpu")
    monkeypatch.setattr(cli, "get_command", lambda app: built)
    monkeypatch.setattr(cli, "_show_warning", lambda show: show)
    monkeypatch.setattr(Annotator, "load", lambda *_, **__: annotator)
    monkeypatch.setattr(httpx, "Client", refuse)
    monkeypatch.setattr("pizhu.labeling.agreement.agreement.__kwdefaults__", {"draws": 20, "seed": 1})
    monkeypatch.setenv(TOKEN_VARIABLE, "a-token")
    write_records(tmp_path / "WHOLE.jsonl", whole())
    write_records(tmp_path / "ONE.jsonl", whole()[:8])
    (tmp_path / "LABELS").write_text(
        "".join(
            f'[[label]]\nname = "{name}"\ntitle = "{title}"\ncolor = "#d55e00"\nhotkey = "{key}"\n{former}\n'
            for key, (name, title, former) in enumerate(
                (
                    ("achievement", "成效", ""),
                    ("problem", "问题", 'formerly = "shortcoming"'),
                    ("plan", "计划", ""),
                    ("metric", "指标", ""),
                ),
                1,
            )
        ),
        encoding="utf-8",
    )

    def run_(words: tuple[str, ...], records: list[Record]) -> str:
        (tmp_path / "FILE.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        places = {
            "FILE": "FILE.jsonl",
            "OUT": "OUT.jsonl",
            "TABLE": "T.csv",
            "WHOLE": "WHOLE.jsonl",
            "ONE": "ONE.jsonl",
            "FOLDER": "compared",
            "LABELS": "LABELS",
        }
        given = [str(tmp_path / places[word]) if word in places else word for word in words]
        monkeypatch.setattr(sys, "argv", ["pizhu", *given, *(("--folder", str(tmp_path)) * ("--url" in words))])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr().err
        complaints = [line for line in said.splitlines() if line.startswith("pizhu: ")]
        if stop.value.code not in (0, None):
            assert (
                stop.value.code == (1 if words[0] == "metrics" else 2)
                and complaints
                and all(len(line) < 400 for line in complaints)
            ), said
            assert len(complaints) == 1, said
        return said

    return run_


@pytest.mark.parametrize("name", COMMANDS)
def test_one_sentence_and_no_traceback(run: Callable[..., str], name: str) -> None:
    words = COMMANDS[name]
    rows = whole()[:8] if name == "compare" else whole()  # it takes the records of one report
    assert "record" not in run(words, rows)
    told = 0
    for count, (what, record) in enumerate(spoilt(whole()[0])):
        if count % FEW.get(name, 11) == 0:
            try:
                told += "record 1" in run(words, [record, *rows[1:]])
            except Exception as error:
                raise AssertionError(f"{name} over a record with {what}: {error!r}") from error
    # A push hears first that nobody is there.
    assert told or words[1] in ("push", "rename"), "nothing was refused"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    deep: Any = 0
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DataError, match="nested too deeply"):
        write_records(tmp_path / "深.jsonl", [{"text": deep}])
    assert list(tmp_path.iterdir()) == []
