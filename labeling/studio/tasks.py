"""Converts sentence records to Label Studio's tasks and back. The server checks almost nothing, so this module does."""

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
"""The fields that a task keeps of its record; the rest of a task's data is for display only."""
NO_NEXT = "（没有下一句）"


def read_input(path: str | Path) -> list[Record]:
    """The records of a report, or of a JSON Lines file (which may lack fields)."""
    if Path(path).suffix.lower() in (".jsonl", ".ndjson"):
        return list(load_records(path, needed=()))
    from ...data.read import read_report

    return read_report(path).records()


def to_tasks(
    records: Iterable[Record], labels: LabelSet, where: str, report_url: str | None = None
) -> list[dict[str, Any]]:
    """One task for each sentence, in order; headings, furniture and records with ``context: true`` are context only.

    The headings between a sentence and the one before (the report's title is a heading) go with it as ``lead``, since
    the model reads them too. A record with ``labels`` becomes a task with a pre-annotation, with a score if the record
    has ``scores``.

    Args:
        records: records as read, of one or more reports, each report's in the order of its text, so that neighbours
            can be shown.
        labels: the labels that ``labels`` and ``scores`` may name; former names are accepted.
        where: the input's name for messages.
        report_url: where whole reports can be read, see :func:`.place.check_report_url`.

    Raises:
        DataError: a record lacks a field that a task needs; the message names the first such record.
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
    """Raise a :class:`DataError` unless the record has everything that a task needs."""
    need(record, ("id", *NEEDED), where)
    check_id(record, where)
    for field in ("doc", "text"):
        if not record[field].strip():  # type: ignore[literal-required]
            raise DataError(f"{where}: {field} must be a non-empty text")
    if record.get("previous", "") is None:
        raise DataError(f"{where}: previous must be a text")


def check_id(record: Record, where: str) -> None:
    """Raise a :class:`DataError` unless the sentence's id can be the id of a task in Label Studio."""
    if not record["id"].strip():
        raise DataError(f"{where}: id must be a non-empty text")
    if storable(record["id"]) != record["id"]:
        raise DataError(f"{where}: id holds a character that Label Studio cannot store")


def to_record(data: Mapping[str, Any]) -> Record:
    """The sentence record, without labels, from which a task's data were made.

    Raises:
        DataError: pizhu did not make the task, or its data were changed since.
    """
    if missing := [field for field in _FIELDS if field not in data and field not in ("kind", "lead")]:
        raise DataError(f"a task lacks {missing[0]!r}; pizhu did not make it")
    return check_record(keep({**data, "kind": "sentence"}, _FIELDS), "its data", needed=("id", *NEEDED))


def result(names: Sequence[str]) -> list[dict[str, Any]]:
    """An answer in Label Studio's form: the names, or "none" without any."""
    value = {"choices": list(names) or [NONE]}
    return [{"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": value}]


def choices(given: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names in an answer in Label Studio's form."""
    return [name for part in given if part.get("from_name") == CONTROL for name in part["value"].get("choices", ())]


def _led(record: Record, before: Sequence[Record]) -> Record:
    """The sentence with the headings right ``before`` it as its ``lead``, or else with the ``lead`` that it has."""
    headings = [row for row in before if row.get("kind") == "heading"] or record.get("lead") or ()
    fields = ("start", "end", "text", "headings")
    return {**record, "lead": [cast(LeadRecord, keep(heading, fields)) for heading in headings]}


def _proposal(record: Record, labels: LabelSet, where: str) -> dict[str, Any] | None:
    given, scores = record.get("labels"), record.get("scores")
    if given is None and scores is None:
        return None
    if given is None:
        raise DataError(f"{where}: with scores, labels must be a list of label names")
    given = labels.canonical(given)
    if scores is not None:
        scores = dict(zip(labels.canonical(scores), scores.values(), strict=True))
    chosen = labels.check(given, where)
    labels.check(scores or (), where)
    if not (model := record.get("model", "pizhu")):
        raise DataError(f"{where}: model must be a non-empty text")
    # Pushes compare the name with stored ones, so it must be a name that every database stores unchanged.
    proposal: dict[str, Any] = {"model_version": storable(model), "result": result(chosen)}
    if scores is not None:
        proposal["score"] = score(given, scores, where)
    return proposal


def score(given: Sequence[str], scores: Mapping[str, float], where: str) -> float:
    """How certain the model is of its least certain label, 0 to 1.

    Raises:
        DataError: there are no scores.
    """
    if not scores:
        raise DataError(f"{where}: scores must hold a probability for each label")
    return round(min(float(value if name in given else 1 - value) for name, value in scores.items()), 4)
