"""Writes the quantities of annotated reports as a table with Chinese titles, as CSV or JSON Lines."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...base.errors import ConfigError, DataError
from ...base.files import replacing, write_records
from ...data.labels import DEFAULT_LABELS
from ...data.quantities import quantities
from ...data.records import Record, load_records
from ...data.report import Report
from .cells import guarded

COLUMNS = {
    "doc": "报告",
    "source": "来源",
    "headings": "章节",
    "indicator": "指标",
    "value": "数值",
    "upper": "上限",
    "unit": "单位",
    "bound": "约数",
    "change": "变化",
    "comparison": "比较对象",
    "period": "时期",
    "text": "原文",
    "sentence": "原句",
    "labels": "标签",
    "start": "起",
    "end": "止",
    "id": "句子编号",
    "key": "匹配键",
}
"""The columns of the table: their names in rows and JSON Lines, with the titles shown in CSV."""

_TITLES = {label.name: label.title for label in DEFAULT_LABELS}
SUFFIXES = (".csv", ".jsonl")
Row = dict[str, Any]


def rows(report: Report, label: str | None = "metric", source: str = "") -> Iterator[Row]:
    """A row with the keys of ``COLUMNS`` for each quantity of a report, in the order of the text.

    Values are numbers (``value``, ``upper`` or None, ``start``, ``end``), lists of strings (``headings``, ``labels``)
    and strings. ``start`` and ``end`` are character offsets in the report's text.

    Args:
        label: read only sentences with this label; None reads all sentences, labelled or not.
        source: the report's path, which distinguishes it from others with its name; empty takes its name.
    """
    return record_rows(report.records(), label, source)


def record_rows(records: Iterable[Record], label: str | None = "metric", source: str = "") -> Iterator[Row]:
    """:func:`rows` for sentence records (docs/records.md)."""
    for record in records:
        if record.get("kind", "sentence") != "sentence" or (label and label not in (record.get("labels") or ())):
            continue
        for quantity in quantities(record["text"]):
            found = quantity.as_dict()
            found["start"] += record["start"]
            found["end"] += record["start"]
            yield {
                "doc": record["doc"],
                "source": source or record["doc"],
                "headings": list(record.get("headings", ())),
                **{name: found[name] for name in COLUMNS if name in found},
                "sentence": record["text"],
                "labels": list(record.get("labels") or ()),
                "id": record.get("id", ""),
            }


def read_annotated(path: Path, *, labelled: bool = True) -> list[Record]:
    """The records of an annotated report.

    Raises:
        DataError: the file cannot be read, a record lacks a field that a row needs, or ``labelled`` is set and no
            record has labels.
    """
    records = list(load_records(path, needed=("doc", "start", "text")))
    if labelled and all(record.get("labels") is None for record in records):
        raise DataError(f"{path} holds no labelled sentence; run: pizhu annotate, or read every sentence with --all")
    return records


def check_name(path: Path) -> None:
    """Raises a ConfigError unless ``path`` has an extension that :func:`write_metrics` accepts."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} must end in {' or '.join(SUFFIXES)}")


def write_metrics(path: str | Path, table: Iterable[Row]) -> int:
    """Replace the .csv or .jsonl file ``path`` by the rows of ``table``; returns the number of rows.

    Raises:
        ConfigError: the file has another extension.
    """
    path = Path(path)
    check_name(path)
    return write_records(path, table) if path.suffix.lower() == ".jsonl" else write_csv(path, table)


def write_csv(path: str | Path, table: Iterable[Row]) -> int:
    """Replace ``path`` by a CSV file with Chinese titles that spreadsheets can open; returns the number of rows.

    The file begins with a byte order mark, so that Excel reads it as UTF-8; no cell is a formula.
    """
    count = 0
    with replacing(path) as file:
        file.write("\ufeff")
        writer = csv.writer(file)
        writer.writerow(COLUMNS.values())
        for row in table:
            titles = "、".join(_TITLES.get(name, name) for name in row["labels"])
            writer.writerow([cell(titles if name == "labels" else row[name]) for name in COLUMNS])
            count += 1
    return count


def cell(value: object) -> str | int | float:
    """A value as a spreadsheet cell: numbers unchanged, text on one line and never a formula."""
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, list):
        value = " › ".join(map(str, value))
    return guarded("" if value is None else " ".join(str(value).split()))
