"""CSV: UTF-8 with a byte order mark, so that Excel shows Chinese; text never becomes a formula (``cells``)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ...base.files import replacing
from ...data.labels import LabelSet
from .cells import guarded
from .table import Reports, rows


def write(reports: Reports, labels: LabelSet, path: Path) -> None:
    """Write one table for ``reports``, one row per record; joins labels with ``;`` and headings with `` › ``."""
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


def _flag(value: Any) -> int | str:
    return "" if value is None else int(value)
