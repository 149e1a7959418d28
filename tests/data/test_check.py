"""`pizhu data check`: every kind of problem is found in a small corpus, with file and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pizhu.data.corpus.check import check_corpus

HEAD = '+++\nlevel = "city"\nbody = "x"\nkind = "budget"\nyear = 2015\nplan = "part"\nstyle = []\n+++\n'
WORDS = {
    "a": "春耕备耕扎实，农田水利有序推进，粮食生产再获丰收",
    "b": "校园食堂明厨亮灶，放学路口护学岗风雨无阻，家长更安心",
    "c": "窗口延时服务，一件事联办提速，企业少跑了许多冤枉路",
}
SPLITS = 'train = ["a"]\nvalidation = ["b"]\ntest = ["c"]\n'


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three short reports, one a split, with nothing wrong."""
    for name, words in WORDS.items():
        rows = [
            f"# | {name}报告",
            f"A | {words}。",
            f"S | 但{words[::-1]}还不够。",
            f"PM | 明年{words[::2]}增长百分之五。",
        ]
        (tmp_path / f"{name}.txt").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "splits.toml").write_text(SPLITS, encoding="utf-8")
    return tmp_path


def add(folder: Path, name: str, *rows: str) -> None:
    """Lines 13 and after of a report."""
    path = folder / f"{name}.txt"
    path.write_text(path.read_text(encoding="utf-8") + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in check_corpus(folder).problems]


def test_nothing_wrong(corpus: Path) -> None:
    found = check_corpus(corpus)
    assert found.problems == []
    assert (found.reports, found.sentences, found.shared_runs, found.near_duplicates) == (3, 9, 0, 0)


def test_the_shipped_corpus_is_green() -> None:
    assert check_corpus().problems == []


def test_a_report_on_two_sides(corpus: Path) -> None:
    (corpus / "splits.toml").write_text(SPLITS.replace('["b"]', '["a", "b"]'), encoding="utf-8")
    assert problems(corpus)[0] == "splits.toml: report a is listed 2 times; a report belongs to one split"


def test_a_report_that_is_not_there(corpus: Path) -> None:
    (corpus / "splits.toml").write_text(SPLITS.replace('["b"]', '["b", "z"]'), encoding="utf-8")
    assert problems(corpus) == ["splits.toml: report z is listed but there is no z.txt"]


def test_a_report_in_no_split(corpus: Path) -> None:
    (corpus / "d.txt").write_text(HEAD + "A | 完成了另外一件事。\n", encoding="utf-8")
    assert problems(corpus) == ["d.txt: is in no split; list it in splits.toml"]


@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u202e", "\x07", "\ufffd", "\u00ad"])
def test_invisible_characters(corpus: Path, character: str) -> None:
    add(corpus, "b", f"A | 完成{character}任务。")
    assert problems(corpus) == [f"b.txt, line 13: invisible character U+{ord(character):04X} in column 7"]


def test_a_metric_without_a_number(corpus: Path) -> None:
    add(corpus, "c", "AM | 满意度大幅上升。", "AM | 满意度上升两成。")
    assert problems(corpus) == ["c.txt, line 13: is labelled metric but holds no number"]


def test_a_label_missing_from_a_split(corpus: Path) -> None:
    path = corpus / "c.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("S | ", "- | "), encoding="utf-8")
    assert problems(corpus) == ["splits.toml: no sentence of the test split has the label shortcoming"]


def test_two_labels_for_one_text_in_one_context(corpus: Path) -> None:
    add(corpus, "a", "A | 深化改革。", "# | 一、打算", "P | 深化改革。", "A | 深化，改革。")
    assert problems(corpus) == ["a.txt, line 16: the same text in the same context has other labels in line 15"]


def test_text_copied_between_reports(corpus: Path) -> None:
    shared = "持续推进城乡环卫一体化，垃圾日产日清，村容村貌明显改观"
    add(corpus, "a", f"A | 去年以来各镇街道积极行动起来，{shared}，群众交口称赞。")
    add(corpus, "c", f"A | {shared}，这是近几年来变化最大的地方之一，也是最难的地方。")
    found = check_corpus(corpus)
    assert found.shared_runs == 2
    assert [str(p) for p in found.problems] == [
        "a.txt, line 13: shares more than 24 characters in a row with c.txt, line 13",
        "c.txt, line 13: shares more than 24 characters in a row with a.txt, line 13",
    ]


def test_near_duplicates_on_two_sides(corpus: Path) -> None:
    add(corpus, "a", "A | 认真组织开展安全生产大检查。")
    add(corpus, "c", "A | 认真组织开展安全生产大检查了。")
    found = check_corpus(corpus)
    assert found.near_duplicates == 2
    assert [str(p) for p in found.problems] == [
        "a.txt, line 13: is nearly the same as c.txt, line 13",
        "c.txt, line 13: is nearly the same as a.txt, line 13 on the other side of a split (test, train)",
        "c.txt, line 13: is nearly the same as a.txt, line 13",
    ]


def test_the_command(corpus: Path, pizhu: Callable[..., Any]) -> None:
    assert pizhu("data", "check", corpus).status == 0
    add(corpus, "c", "AM | 满意度大幅上升。")
    answer = pizhu("data", "check", corpus)
    assert (answer.status, answer.out) == (1, "c.txt, line 13: is labelled metric but holds no number\n")
    body = json.loads(pizhu("data", "check", corpus, "--json").out)
    assert body["problems"] == ["c.txt, line 13: is labelled metric but holds no number"]
    assert body["sentences"] == 10
