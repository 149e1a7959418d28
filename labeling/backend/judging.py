"""What a training learns from and what it is judged by, divided by report and for good.

Both models are scored on the same reports: those held out of the project's labelled ones, one in five by the checksum
of their name, and, where the shipped corpus teaches too, its validation split. A report that is held out
once is held out of every later training; one that a training learned from is never held out.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import LabelingError
from ...base.files import write_records
from ...data.corpus.load import load_corpus
from ...data.records import Record, load_records


@dataclass(frozen=True)
class Division:
    """Names of the labelled reports on each side."""

    taught: tuple[str, ...]
    held: tuple[str, ...]


def divide(docs: Sequence[str], taught: Sequence[str] = (), held: Sequence[str] = ()) -> Division:
    """Divide ``docs``, keeping every report on the side where an earlier division put it.

    Where none would be held out and there are two or more, the first new one in the order of checksums is.
    """
    fresh = [doc for doc in docs if doc not in taught and doc not in held]
    chosen = {doc for doc in docs if doc in held} | {doc for doc in fresh if _checksum(doc) % 5 == 0}
    if not chosen and fresh and len(docs) > 1:
        chosen = {min(fresh, key=_checksum)}
    return Division(tuple(d for d in docs if d not in chosen), tuple(d for d in docs if d in chosen))


def prepare(
    answers: Path, training: Path, judged: Path, *, corpus: bool, taught: Sequence[str] = (), held: Sequence[str] = ()
) -> Division:
    """Write the files of records to learn from and to judge by.

    Args:
        answers: as ``pull`` writes them; what annotators do not agree on has no labels there.
        training, judged: files to write.
        corpus: add the shipped validation split to ``judged``.
        taught, held: as :func:`divide`.

    Raises:
        LabelingError: there is nothing to learn from or to judge by.
    """
    records = list(load_records(answers))
    docs = list(dict.fromkeys(row["doc"] for row in records if row.get("labels") is not None))
    if not docs:
        raise LabelingError("no sentence has labels that its annotators agree on; label some, then train")
    division = divide(docs, taught, held)
    if not division.taught:
        raise LabelingError("all labelled reports are held out for validation; label another report, then train")
    if not division.held and not corpus:
        raise LabelingError("one labelled report cannot teach and judge a model; label a second one, then train")
    write_records(training, (row for row in records if row["doc"] in division.taught))
    shipped = [row for found in load_corpus(split="validation") for row in found.report.records()] if corpus else []
    held_out: list[Record] = [row for row in records if row["doc"] in division.held]
    write_records(judged, shipped + held_out)
    return division


def _checksum(doc: str) -> int:
    # Not the checksum by which `pizhu train` keeps reports for its own validation, or it would be left with none.
    return zlib.crc32(f"judge {doc}".encode())
