"""Local files under the present names of their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...base.files import read_records, write_records
from ...data.labels import LabelSet


def rename_file(path: str | Path, labels: LabelSet) -> int:
    """Rewrite former names of ``labels`` in a file of records or answers; returns how many records changed.

    Renamed are the names in ``labels``, ``scores``, in each answer's ``labels`` and ``choices``, what the annotator was
    ``shown``, each decision's ``labels`` and what the adjudicator has ``seen``, and the ``label`` of each span and
    doubt; texts are left alone. A file without former names is not touched.

    Raises:
        DataError: the file cannot be read.
    """
    before = list(read_records(path))
    after = [_renamed(record, labels) for record in before]
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    if changed:
        write_records(path, after)
    return changed


def _renamed(record: dict[str, Any], labels: LabelSet) -> dict[str, Any]:
    new = dict(record)
    for field in ("labels", "choices"):
        if isinstance(record.get(field), list):
            new[field] = labels.present(record[field])
    if isinstance(record.get("scores"), dict):
        new["scores"] = dict(zip(labels.present(record["scores"]), record["scores"].values(), strict=True))
    for field in ("answers", "spans", "adjudication", "doubts"):
        if isinstance(record.get(field), list):
            new[field] = [_renamed(entry, labels) for entry in record[field]]
    if isinstance(record.get("shown"), dict):
        new["shown"] = _renamed(record["shown"], labels)
    if isinstance(record.get("seen"), list):
        new["seen"] = [names if names is None else labels.present(names) for names in record["seen"]]
    if isinstance(record.get("label"), str):
        [new["label"]] = labels.present([record["label"]])
    return new
