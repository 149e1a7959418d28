"""What is trained on: the shipped corpus, one's own records, or both; always split by report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pizhu.data.files import write_records
from pizhu.training.sources import gather

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
