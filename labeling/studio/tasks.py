"""Sentence records as Label Studio's tasks, and back. The server checks almost nothing; so it is done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from ...base.errors import DataError
from ...data.labels import LabelSet
from ...data.records import NEEDED, LeadRecord, Record, check_record, keep, load_records, need
from .config import CONTROL, NONE, OBJECT
from .place import address, position
from .place import place as place_of
from .storable import storable

_FIELDS = ("id", "doc", "start", "end", "kind", "text", "headings", "previous", "lead")
"""What a task keeps of its record; the rest of a task's data is only shown."""
NO_NEXT = "（没有下一句）"


def read_input(path: str | Path) -> list[Record]:
    """The records of a JSON Lines file, whatever they lack, or of a report that is read."""
    if Path(path).suffix.lower() in (".jsonl", ".ndjson"):
        return list(load_records(path, needed=()))
    from ...data.read import read_report

    return read_report(path).records()


def to_tasks(
    records: Iterable[Record], labels: LabelSet, where: str, report_url: str | None = None
) -> list[dict[str, Any]]:
    """One task a sentence, in order; headings, furniture and records with ``context: true`` are context only.

    The headings since the sentence before (the report's title is one) go with the sentence as ``lead``, since the model
    reads them too. A record with ``labels`` becomes a task with a pre-annotation, scored where there are ``scores``.

    Args:
        records: as they were read, of one or more reports, each report's in the order of its text, so that neighbours
            can be shown.
        labels: what ``labels`` and ``scores`` may name; former names are understood.
        where: the input's name for messages.
        report_url: where whole reports can be read, see :func:`.place.check_report_url`.

    Raises:
        DataError: a record lacks what it must have to be sent; names the first one.
    """
    tasks = []
    for record, data, place in sentence_data(records, where, report_url):
        proposal = _proposal(record, labels, place)
        tasks.append({"data": data, "predictions": [proposal] if proposal else []})
    return tasks


def sentence_data(
    records: Iterable[Record], where: str, report_url: str | None = None
) -> Iterator[tuple[Record, dict[str, Any], str]]:
    """Each sentence's record, the data of its task, and its place for messages; arguments as in :func:`to_tasks`."""
    numbered = [(f"{where}, record {number}", record) for number, record in enumerate(records, 1)]
    for place, record in numbered:
        if record.get("kind", "sentence") != "furniture":
            _check(record, place)
    for _, part in groupby(numbered, key=lambda row: row[1].get("doc")):
        rows = list(part)
        entries = [record for _, record in rows]
        asked = [index for index, record in enumerate(entries) if record.get("kind", "sentence") == "sentence"]
        sentences = [
            _led(entries[index], entries[before + 1 : index])
            for before, index in zip([-1, *asked], asked, strict=False)
        ]
        for number, (index, record) in enumerate(zip(asked, sentences, strict=True)):
            if record.get("context"):
                continue
            previous = record.get("previous") or (sentences[number - 1]["text"] if number else "")
            path = record.get("headings", [])
            link = None if report_url is None else address(report_url, record, index)
            data = {
                **keep(record, ("id", "doc", "start", "end", "text")),
                "headings": path,
                "previous": previous,
                "path": " › ".join([record["doc"], *path]),
                "position": position(number + 1, len(asked)),
                "before": previous or "（没有上一句）",
                "after": sentences[number + 1]["text"] if number + 1 < len(sentences) else NO_NEXT,
                "place": place_of(sentences, number, link),
            }
            yield record, data | ({"lead": record["lead"]} if record["lead"] else {}), rows[index][0]


def _check(record: Record, where: str) -> None:
    """See that a sentence has what it must have to be sent."""
    need(record, ("id", *NEEDED), where)
    check_id(record, where)
    for field in ("doc", "text"):
        if not record[field].strip():  # type: ignore[literal-required]
            raise DataError(f"{where}: {field} must be a text that is not empty")
    if record.get("previous", "") is None:
        raise DataError(f"{where}: previous must be a text")


def check_id(record: Record, where: str) -> None:
    """See that it can be the id of a task in Label Studio; a :class:`DataError` says ``where`` it cannot."""
    if not record["id"].strip():
        raise DataError(f"{where}: id must be a text that is not empty")
    if storable(record["id"]) != record["id"]:
        raise DataError(f"{where}: id holds a character that Label Studio cannot keep")


def to_record(data: Mapping[str, Any]) -> Record:
    """The sentence record that a task's data were made from, without labels.

    Raises:
        DataError: the data are not of a task that pizhu made, or were changed since.
    """
    if missing := [field for field in _FIELDS if field not in data and field not in ("kind", "lead")]:
        raise DataError(f"a task holds no {missing[0]!r}; it was not made by pizhu")
    return check_record(keep({**data, "kind": "sentence"}, _FIELDS), "its data", needed=("id", *NEEDED))


def result(names: Sequence[str]) -> list[dict[str, Any]]:
    """Label Studio's form of an answer: the names, or "none" where there are none."""
    value = {"choices": list(names) or [NONE]}
    return [{"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": value}]


def choices(given: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that an answer in Label Studio's form holds."""
    return [name for part in given if part.get("from_name") == CONTROL for name in part["value"].get("choices", ())]


def _led(record: Record, before: Sequence[Record]) -> Record:
    """The sentence with the headings right ``before`` it, or else those that it brings, as its ``lead``."""
    headings = [row for row in before if row.get("kind") == "heading"] or record.get("lead") or ()
    fields = ("start", "end", "text", "headings")
    return {**record, "lead": [cast(LeadRecord, keep(heading, fields)) for heading in headings]}


def _proposal(record: Record, labels: LabelSet, where: str) -> dict[str, Any] | None:
    given, scores = record.get("labels"), record.get("scores")
    if given is None and scores is None:
        return None
    if given is None:
        raise DataError(f"{where}: labels must be a list of label names where there are scores")
    given = labels.canonical(given)
    if scores is not None:
        scores = dict(zip(labels.canonical(scores), scores.values(), strict=True))
    chosen = labels.check(given, where)
    labels.check(scores or (), where)
    if not (model := record.get("model", "pizhu")):
        raise DataError(f"{where}: model must be a text that is not empty")
    # The name is compared with what is there; so it is kept as any database can keep it.
    proposal: dict[str, Any] = {"model_version": storable(model), "result": result(chosen)}
    if scores is not None:
        proposal["score"] = score(given, scores, where)
    return proposal


def score(given: Sequence[str], scores: Mapping[str, float], where: str) -> float:
    """How sure the model is of its least sure label, 0 to 1.

    Raises:
        DataError: there are no scores.
    """
    if not scores:
        raise DataError(f"{where}: scores must hold a probability for each label")
    return round(min(float(value if name in given else 1 - value) for name, value in scores.items()), 4)
