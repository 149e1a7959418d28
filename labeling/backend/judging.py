"""Divides reports, once and for all, into those to train on and those to evaluate on.

Both models are scored on the same reports: those held out of the project's labelled ones, one in five by the checksum
of their name, and, if the shipped corpus is used for training, its validation split. A report that is held out once is
held out of every later training; one that a training has used is never held out.
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
    """Names of the labelled reports to train on (``taught``) and to evaluate on (``held``)."""

    taught: tuple[str, ...]
    held: tuple[str, ...]


def divide(docs: Sequence[str], taught: Sequence[str] = (), held: Sequence[str] = ()) -> Division:
    """Divide ``docs``; every report stays on the side that an earlier division put it on.

    If none would be held out of two or more, the new one with the lowest checksum is.
    """
    fresh = [doc for doc in docs if doc not in taught and doc not in held]
    chosen = {doc for doc in docs if doc in held} | {doc for doc in fresh if _checksum(doc) % 5 == 0}
    if not chosen and fresh and len(docs) > 1:
        chosen = {min(fresh, key=_checksum)}
    return Division(tuple(d for d in docs if d not in chosen), tuple(d for d in docs if d in chosen))


def prepare(
    answers: Path, training: Path, judged: Path, *, corpus: bool, taught: Sequence[str] = (), held: Sequence[str] = ()
) -> Division:
    """Write the files of records to train on and to evaluate on.

    Args:
        answers: a file as ``pull`` writes it; sentences that annotators disagree on have no labels there.
        training, judged: the files to write.
        corpus: add the shipped validation split to ``judged``.
        taught, held: as in :func:`divide`.

    Raises:
        LabelingError: there is nothing to train on or to evaluate on.
    """
    records = list(load_records(answers))
    docs = list(dict.fromkeys(row["doc"] for row in records if row.get("labels") is not None))
    if not docs:
        raise LabelingError("no sentence has labels that its annotators agree on; label some, then train")
    division = divide(docs, taught, held)
    if not division.taught:
        raise LabelingError("all labelled reports are held out for validation; label another report, then train")
    if not division.held and not corpus:
        raise LabelingError("training and evaluation need two labelled reports; label a second one, then train")
    write_records(training, (row for row in records if row["doc"] in division.taught))
    shipped = [row for found in load_corpus(split="validation") for row in found.report.records()] if corpus else []
    held_out: list[Record] = [row for row in records if row["doc"] in division.held]
    write_records(judged, shipped + held_out)
    return division


def _checksum(doc: str) -> int:
    # `pizhu train` selects its own validation reports by another checksum; with the same one it would find none.
    return zlib.crc32(f"judge {doc}".encode())
