"""The agreement page: complete, offline, in Chinese, and data never becomes markup."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.files import write_records
from pizhu.cli import app
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.agreement import agreement
from pizhu.labeling.agreement.page import page
from pizhu.labeling.studio.answers import read_answers
from typer.testing import CliRunner

ATTACK = "<script>alert(1)</script>\"'&@@title@@"


class Seen(HTMLParser):
    """Elements and attributes, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "path", "rect", "circle", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


@pytest.fixture
def files(team: list[dict[str, Any]], tmp_path: Path) -> tuple[Path, Path]:
    write_records(tmp_path / "答案.jsonl", team)
    write_records(tmp_path / "gold.jsonl", ({**record, "labels": record["truth"]} for record in team))
    return tmp_path / "答案.jsonl", tmp_path / "gold.jsonl"


def test_the_command_writes_it(files: tuple[Path, Path], tmp_path: Path) -> None:
    answers, gold = files
    out = tmp_path / "报告 一.html"
    outcome = CliRunner().invoke(app, ["label", "agreement", str(answers), "--gold", str(gold), "--out", str(out)])
    assert outcome.exit_code == 0 and "against decided answers" in outcome.stdout
    html = out.read_text(encoding="utf-8")
    seen = Seen(html)
    assert not seen.open, "every element is closed"
    assert not re.search(r"(?:https?:)?//", html), "nothing leads outside"
    assert "script" not in seen.elements and not any(name in ("src", "onload") for name, _ in seen.attributes)
    for anchor in ("labels", "pairs", "gold", "drift", "speed", "anchoring", "contested", "notes"):
        assert f'id="{anchor}"' in html
    assert html.count("<svg") > 15 and "丁 的一致率后期比前期低" in html and "照用了错误的标签" in html


def test_text_and_names_are_data(team: list[dict[str, Any]], tmp_path: Path) -> None:
    for record in team[:60]:
        record = {**record, "doc": ATTACK, "text": ATTACK, "headings": [ATTACK], "previous": ATTACK}
        record["answers"] = [{**a, "annotator": f"{a['annotator']}{ATTACK}"} for a in record["answers"]]
        team = [*team, {**record, "id": f"x{record['id']}"}]
    write_records(tmp_path / "a.jsonl", team[360:])
    found = agreement(read_answers(tmp_path / "a.jsonl", DEFAULT_LABELS))
    html = page(found, DEFAULT_LABELS, data=ATTACK)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "@@title@@" in html, "a placeholder in a text stays a text"
    assert not Seen(html).open


def test_little_to_say(tmp_path: Path) -> None:
    answers = [{"annotator": name, "labels": []} for name in "甲乙"]
    write_records(tmp_path / "a.jsonl", [{"text": "一句。", "answers": answers}])
    html = page(agreement(read_answers(tmp_path / "a.jsonl", DEFAULT_LABELS)), DEFAULT_LABELS, data="a.jsonl")
    assert "nan" not in html.lower().replace("nanoe", "") and "None" not in html
    assert "–" in html and "没有：凡有两人以上作答的句子，答案都一致" in html
    assert 'id="gold"' not in html and 'id="anchoring"' not in html
