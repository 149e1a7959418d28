"""Sentence records as Label Studio's tasks, and back. The server checks almost nothing; so it is done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ...base.errors import DataError
from ...base.files import read_records
from ...data.labels import LabelSet
from .config import CONTROL, NONE, OBJECT
from .place import address, position
from .place import place as place_of
from .records import check, is_names
from .storable import storable

# What a task keeps of its record; the rest of a task's data is only shown.
_FIELDS = ("id", "doc", "start", "end", "text", "headings", "previous")
NO_NEXT = "（没有下一句）"


def read_input(path: str | Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file, or of a report that is read."""
    if Path(path).suffix.lower() in (".jsonl", ".ndjson"):
        return list(read_records(path))
    from ...data.read import read_report

    return read_report(path).records()


def to_tasks(
    records: Iterable[Mapping[str, Any]], labels: LabelSet, where: str, report_url: str | None = None
) -> list[dict[str, Any]]:
    """One task a sentence, in order; headings, furniture and records with ``context: true`` are context only.

    The headings since the sentence before (the report's title is one) go with the sentence as ``lead``, since the model
    reads them too. A record with ``labels`` becomes a task with a pre-annotation, scored where there are ``scores``.

    Args:
        records: of one or more reports, each report's in the order of its text, so that neighbours can be shown.
        labels: what ``labels`` and ``scores`` may name; former names are understood.
        where: the input's name for messages.
        report_url: where whole reports can be read, see :func:`.place.check_report_url`.

    Raises:
        DataError: a record is not as it must be; names the first one.
    """
    tasks = []
    for record, data, place in sentence_data(records, where, report_url):
        proposal = _proposal(record, labels, place)
        tasks.append({"data": data, "predictions": [proposal] if proposal else []})
    return tasks


def sentence_data(
    records: Iterable[Mapping[str, Any]], where: str, report_url: str | None = None
) -> Iterator[tuple[Mapping[str, Any], dict[str, Any], str]]:
    """Each sentence's record, the data of its task, and its place for messages; arguments as in :func:`to_tasks`."""
    numbered = [(f"{where}, record {number}", record) for number, record in enumerate(records, 1)]
    for place, record in numbered:
        if record.get("kind", "sentence") != "furniture":
            check(record, place)
    for _, part in groupby(numbered, key=lambda row: row[1].get("doc")):
        places, entries = zip(*part, strict=True)
        asked = [index for index, record in enumerate(entries) if record.get("kind", "sentence") == "sentence"]
        sentences = [
            {**entries[index], "lead": _lead(entries[before + 1 : index]) or _headings(entries[index].get("lead"))}
            for before, index in zip([-1, *asked], asked, strict=False)
        ]
        for number, (index, record) in enumerate(zip(asked, sentences, strict=True)):
            if record.get("context"):
                continue
            previous = record.get("previous", "") or (sentences[number - 1]["text"] if number else "")
            path = record.get("headings", [])
            link = None if report_url is None else address(report_url, record, index)
            data = {
                **{field: record[field] for field in ("id", "doc", "start", "end", "text")},
                "headings": path,
                "previous": previous,
                "path": " › ".join([record["doc"], *path]),
                "position": position(number + 1, len(asked)),
                "before": previous or "（没有上一句）",
                "after": sentences[number + 1]["text"] if number + 1 < len(sentences) else NO_NEXT,
                "place": place_of(sentences, number, link),
            }
            yield record, data | ({"lead": record["lead"]} if record["lead"] else {}), places[index]


def to_record(data: Mapping[str, Any]) -> dict[str, Any]:
    """The sentence record that a task's data were made from, without labels.

    Raises:
        DataError: the data are not of a task that pizhu made.
    """
    if missing := [field for field in _FIELDS if field not in data]:
        raise DataError(f"a task holds no {missing[0]!r}; it was not made by pizhu")
    record = {field: data[field] for field in _FIELDS}
    lead = {"lead": data["lead"]} if "lead" in data else {}
    return {**dict(list(record.items())[:4]), "kind": "sentence", **record, **lead}


def result(names: Sequence[str]) -> list[dict[str, Any]]:
    """Label Studio's form of an answer: the names, or "none" where there are none."""
    value = {"choices": list(names) or [NONE]}
    return [{"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": value}]


def choices(given: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that an answer in Label Studio's form holds."""
    return [name for part in given if part.get("from_name") == CONTROL for name in part["value"].get("choices", ())]


def _lead(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The headings among ``entries``."""
    return _headings(row for row in entries if row.get("kind") == "heading")


def _headings(rows: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Headings, with the fields that make them headings again."""
    fields = ("start", "end", "text", "headings")
    return [{f: row[f] for f in fields if f in row} for row in rows or ()]


def _proposal(record: Mapping[str, Any], labels: LabelSet, where: str) -> dict[str, Any] | None:
    given, scores = record.get("labels"), record.get("scores")
    if given is None and scores is None:
        return None
    if not is_names(given):
        raise DataError(f"{where}: 'labels' must be a list of label names")
    if not isinstance(scores, dict | None):
        raise DataError(f"{where}: 'scores' must hold a probability for each label")
    given = labels.present(given)
    if scores is not None:
        scores = dict(zip(labels.present(scores), scores.values(), strict=True))
    if unknown := sorted({*given, *(scores or ())} - set(labels.names)):
        raise DataError(f"{where}: unknown label {unknown[0]!r}, expected one of {', '.join(labels.names)}")
    model = record.get("model", "pizhu")
    if not isinstance(model, str) or not model:
        raise DataError(f"{where}: 'model' must be a text that is not empty")
    # The name is compared with what is there; so it is kept as any database can keep it.
    proposal: dict[str, Any] = {
        "model_version": storable(model),
        "result": result([n for n in labels.names if n in given]),
    }
    if scores is not None:
        proposal["score"] = score(given, scores, where)
    return proposal


def score(given: Sequence[str], scores: object, where: str) -> float:
    """How sure the model is of its least sure label, 0 to 1.

    Raises:
        DataError: ``scores`` are not probabilities by label.
    """
    if not isinstance(scores, dict) or not scores:
        raise DataError(f"{where}: 'scores' must hold a probability for each label")
    for name, value in scores.items():
        if type(value) not in (int, float) or not 0 <= value <= 1:  # so that NaN is refused as well
            raise DataError(f"{where}: the score of {name!r} is {str(value)[:40]}, expected a number from 0 to 1")
    return round(min(float(value if name in given else 1 - value) for name, value in scores.items()), 4)
