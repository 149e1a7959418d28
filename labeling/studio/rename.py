"""Renames labels in local files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from ...base.files import as_line, read_records, replacing
from ...data.labels import LabelSet

_DEPTH = 3  # levels at which a record holds names: in an answer, in what was shown, in its spans


@contextmanager
def renamed_files(paths: Iterable[str | Path], labels: LabelSet) -> Iterator[dict[str, int]]:
    """Replace former names of ``labels`` by the current ones in files of records or answers, when the block succeeds.

    This renames ``labels``, ``scores``, each answer's ``labels`` and ``choices``, what the annotator was ``shown``,
    each decision's ``labels`` and what the adjudicator has ``seen``, and the ``label`` of each span and doubt; texts
    stay as they are. A file without former names is not touched.

    Yields:
        How many records change in each file; the new files are complete by then, so that little can still go wrong.

    Raises:
        DataError: a file cannot be read.
    """
    with ExitStack() as files:
        changed: dict[str, int] = {}
        for path in dict.fromkeys(map(str, paths)):
            before = list(read_records(path))
            after = [_renamed(record, labels) for record in before]
            changed[path] = sum(old != new for old, new in zip(before, after, strict=True))
            if changed[path]:
                file = files.enter_context(replacing(path))
                file.writelines(map(as_line, after))
                file.flush()  # a full disk raises here, not later
        yield changed


def rename_file(path: str | Path, labels: LabelSet) -> int:
    """As :func:`renamed_files`, for one file and at once; returns how many records changed."""
    with renamed_files([path], labels) as changed:
        return changed[str(path)]


def _renamed(record: dict[str, Any], labels: LabelSet, depth: int = _DEPTH) -> dict[str, Any]:
    """The renamed record, or a part of one ``depth`` levels above the innermost; other shapes stay as they are."""
    new = dict(record)
    for field in ("labels", "choices"):
        if _is_names(names := record.get(field)):
            new[field] = labels.canonical(names)
    if isinstance(record.get("scores"), dict):
        new["scores"] = dict(zip(labels.canonical(record["scores"]), record["scores"].values(), strict=True))
    if isinstance(record.get("seen"), list):
        new["seen"] = [labels.canonical(names) if _is_names(names) else names for names in record["seen"]]
    if isinstance(record.get("label"), str):
        [new["label"]] = labels.canonical([record["label"]])
    if not depth:
        return new
    for field in ("answers", "spans", "adjudication", "doubts"):
        if isinstance(record.get(field), list):
            new[field] = [_renamed(row, labels, depth - 1) if isinstance(row, dict) else row for row in record[field]]
    if isinstance(record.get("shown"), dict):
        new["shown"] = _renamed(record["shown"], labels, depth - 1)
    return new


def _is_names(value: object) -> TypeGuard[list[str]]:
    """Whether ``value`` is a list of strings."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
