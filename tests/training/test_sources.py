"""Training data: the shipped corpus, the user's records, or both; always split by report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pizhu.base.files import write_records
from pizhu.training.sources import divide, gather

if TYPE_CHECKING:
    from pizhu.data.report import Report


def test_the_corpus_splits() -> None:
    sources = gather([])
    assert len(sources.training) > len(sources.validation) > 0
    assert not {r.doc for r in sources.training} & {r.doc for r in sources.validation}


def test_nothing_is_nothing() -> None:
    sources = gather([], corpus=False)
    assert not sources.training and not sources.validation


def test_ones_own_reports_stay_on_their_side(tmp_path: Path, labelled: Report) -> None:
    def write(name: str, count: int) -> Path:
        docs = [replace(labelled, doc=f"报告{i}.txt") for i in range(count)]
        write_records(tmp_path / name, (record for doc in docs for record in doc.records()))
        return tmp_path / name

    few, more = (gather([write(name, n)], corpus=False) for name, n in (("a.jsonl", 20), ("b.jsonl", 60)))
    assert 0 < len(few.validation) < len(few.training)
    assert {r.doc for r in few.validation} <= {r.doc for r in more.validation}
    assert {r.doc for r in few.training} <= {r.doc for r in more.training}
    both = gather([tmp_path / "a.jsonl"])
    assert len(both.training) == len(few.training) + len(gather([]).training)


def test_validation_never_takes_all_that_teaches_a_label(labelled: Report) -> None:
    docs = [replace(labelled, doc=f"报告{i}.txt") for i in range(20)]
    training, validation = divide(docs)
    rare, plain = validation[0], labelled.with_labels([("plan",) for _ in labelled.sentences])
    others = [replace(plain, doc=doc.doc) for doc in docs if doc.doc != rare.doc]
    training, validation = divide([rare, *others])
    assert rare in training and validation
    assert divide([rare]) == ([rare], [])
    assert divide([rare], {"achievement", "shortcoming", "plan", "metric"}) == ([], [rare])


def test_the_origin_names_files_not_folders(tmp_path: Path, labelled: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(Path("里/标注.jsonl"), labelled.records())
    one, other = (
        gather([path], corpus=False).origin for path in (Path("里/标注.jsonl"), tmp_path / "里" / "标注.jsonl")
    )
    assert [o["files"][0]["name"] for o in (one, other)] == ["里/标注.jsonl", "标注.jsonl"]
    assert one["files"][0]["fingerprint"] == other["files"][0]["fingerprint"]
    assert not one["corpus"]
