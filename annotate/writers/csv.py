"""CSV (UTF-8 with a byte order mark, so that Excel shows Chinese) that no spreadsheet takes for formulas.

A cell of text that a spreadsheet would take for a formula gets an apostrophe in front, and so does one that begins
with apostrophes before such a text. Therefore nothing is lost: :func:`unguarded` gives every text back exactly, and in
pandas ``column.str.replace(PATTERN, "", regex=True)`` with the :data:`PATTERN` below does.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from ...data.files import replacing
from ...data.labels import LabelSet
from .table import Reports, encodable, rows

# What begins a formula, full-width forms for Chinese and Japanese editions included, and white space skipped before.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
PATTERN = r"^'(?='*\s*[=+\-@＝＋－＠]|'*[\t\r\n])"


def write(reports: Reports, labels: LabelSet, path: Path) -> None:
    """Write one table over ``reports``: a row a record, lists joined with ``;`` (labels) and `` › `` (headings)."""
    head = ["report", "id", "doc", "start", "end", "kind", "headings", "text", "labels"]
    with replacing(path) as file:
        file.write("\ufeff")
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow([*head, *labels.names, *(f"p_{name}" for name in labels.names), "review"])
        for record in rows(reports):
            given, scores = record.get("labels"), record.get("scores") or {}
            texts = record["report"], record["id"], record["doc"]
            table.writerow(
                [
                    *map(guarded, texts),
                    record["start"],
                    record["end"],
                    record["kind"],
                    guarded(" › ".join(record.get("headings", ()))),
                    guarded(record["text"]),
                    "" if given is None else ";".join(given),
                    *("" if given is None else int(name in given) for name in labels.names),
                    *(scores.get(name, "") for name in labels.names),
                    _flag(record.get("review")),
                ]
            )


def guarded(text: str) -> str:
    """``text`` as a cell that a spreadsheet shows and does not compute."""
    text = encodable(text)
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that :func:`guarded` made ``cell`` of."""
    return re.sub(PATTERN, "", cell)


def _flag(value: Any) -> int | str:
    return "" if value is None else int(value)
