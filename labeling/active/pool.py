"""Sentences of several reports and the labels that people gave them, as arrays for learners and strategies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...data.labels import LabelSet
from ...data.records import NEEDED, Record, keep, need
from ...data.report import normalise
from ..studio.tasks import check_id, read_input

_NEEDED = ("id", *NEEDED)
_KEPT = ("id", "doc", "start", "end", "kind", "text", "headings", "previous", "lead")

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Sentences ordered by report and position; every array has one entry (or row) for each sentence.

    Attributes:
        records: the sentences' records.
        entries: all records of each report, headings and furniture included, by report.
        names: the labels' names, in order.
        texts, contexts: the normalised sentence, and its heading path with the sentence before it.
        reports, sections, paragraphs: numbers, from 0, of the report, of the heading path in it, and of the paragraph:
            a run of adjoining sentences without a heading between them.
        places: the sentence's position in its report, 0 to 1.
        known: whether people have labelled it, "none" included.
        closed: whether people are done with it: they labelled it, skipped it or disagree on it.
        truth: (sentences, labels) whether people gave it the label; all False if they have not labelled it.
    """

    records: tuple[Record, ...]
    entries: Mapping[str, tuple[Record, ...]]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    contexts: tuple[str, ...]
    reports: Ints
    sections: Ints
    paragraphs: Ints
    places: Floats
    known: Bools
    closed: Bools
    truth: Bools

    def __len__(self) -> int:
        return len(self.records)

    @classmethod
    def read(cls, paths: Iterable[str | Path], labels: LabelSet) -> Pool:
        """Read reports and JSON Lines of sentence records; a sentence that occurs in several files counts once.

        Of several records with the same id, the last one that people have labelled counts, or else a closed one: a
        report may come with the answers that were pulled for it, and these with a later file of corrections.

        Raises:
            DataError: a record is invalid.
            ReadError: a report cannot be read.
        """
        found: dict[str, Record] = {}
        for path in paths:
            for number, given in enumerate(read_input(path), 1):
                need(record := _present(given, labels), _NEEDED, where := f"{path}, record {number}")
                labels.check(record.get("labels") or (), where)
                check_id(record, where)
                key = record["id"]
                if key not in found or _known(record) or (_closed(record) and not _known(found[key])):
                    found[key] = record
        return cls.of(found.values(), labels)

    @classmethod
    def of(cls, records: Iterable[Record], labels: LabelSet) -> Pool:
        """Make a pool of records that were checked (:func:`~pizhu.data.records.check_record`), in any order.

        Labels from a model (records with ``scores`` and without ``answers``) do not count.
        """
        ordered = sorted(records, key=lambda record: (record["doc"], record["start"]))
        sentences: list[Record] = []
        contexts, sections, paragraphs = [], [], []
        section_of: dict[tuple[str, ...], int] = {}
        paragraph = -1
        entries = {}
        for doc, part in groupby(ordered, key=lambda record: record["doc"]):
            entries[doc] = tuple(part)
            last: Record | None = None
            end = None
            for record in entries[doc]:
                if record.get("kind", "sentence") != "sentence":
                    end = None
                    continue
                paragraph += record["start"] != end
                end = record["end"]
                previous = record.get("previous") or (last["text"] if last else "")
                headings = tuple(record.get("headings", ()))
                contexts.append(normalise(" ".join(headings) + previous))
                sections.append(section_of.setdefault((doc, *headings), len(section_of)))
                paragraphs.append(paragraph)
                sentences.append(record)
                last = record
        docs = {doc: number for number, doc in enumerate(entries)}
        ends = {doc: max(record["end"] for record in part) for doc, part in entries.items()}
        given = [set(record["labels"] or ()) if _known(record) else set() for record in sentences]
        return cls(
            tuple(sentences),
            entries,
            labels.names,
            tuple(normalise(record["text"]) for record in sentences),
            tuple(contexts),
            np.array([docs[record["doc"]] for record in sentences], dtype=np.intp),
            np.array(sections, dtype=np.intp),
            np.array(paragraphs, dtype=np.intp),
            np.array([record["start"] / ends[record["doc"]] for record in sentences], dtype=np.float64),
            np.array([_known(record) for record in sentences], dtype=bool),
            np.array([_closed(record) for record in sentences], dtype=bool),
            np.array([[n in names for n in labels.names] for names in given], dtype=bool).reshape(-1, len(labels)),
        )

    def shown(self, chosen: Collection[str]) -> list[Record]:
        """Records for ``pizhu label push``: the sentences with the ``chosen`` ids, without labels, and the rest of
        their reports as context, which annotators see but do not label.
        """
        records: list[Record] = []
        for part in self.entries.values():
            if any(record["id"] in chosen for record in part):
                for record in part:
                    plain: Record = {**keep(record, _KEPT), "labels": None}
                    records.append(plain if record["id"] in chosen else {**plain, "context": True})
        return records

    def count_reports(self, rows: Bools) -> int:
        """How many reports have a sentence among ``rows`` (sentences)."""
        return len(np.unique(self.reports[rows]))


def groups(numbers: Ints) -> Sequence[Ints]:
    """The indices of each number in ``numbers``, smallest number first."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(numbers) else []


def _present(record: Record, labels: LabelSet) -> Record:
    """The record with the current names of its labels."""
    names = record.get("labels")
    return record if names is None else {**record, "labels": labels.canonical(names)}


def _known(record: Record) -> bool:
    return record.get("labels") is not None and ("answers" in record or record.get("scores") is None)


def _closed(record: Record) -> bool:
    return _known(record) or bool(record.get("answers")) or record.get("state") in ("skipped", "contested")
