"""Local files under the present names of their labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from ...base.files import as_line, read_records, replacing
from ...data.labels import LabelSet

_DEPTH = 3  # of what holds names in a record: the spans, in what was shown, of an answer


@contextmanager
def renamed_files(paths: Iterable[str | Path], labels: LabelSet) -> Iterator[dict[str, int]]:
    """Files of records or answers under the present names of ``labels``, as soon as the block has ended well.

    Renamed are the names in ``labels``, ``scores``, in each answer's ``labels`` and ``choices``, what the annotator was
    ``shown``, each decision's ``labels`` and what the adjudicator has ``seen``, and the ``label`` of each span and
    doubt; texts are left alone. A file without former names is not touched.

    Yields:
        How many records change in each file; all of them lie ready by then, so that little can still go wrong.

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
                file.flush()  # a full disk is told now
        yield changed


def rename_file(path: str | Path, labels: LabelSet) -> int:
    """:func:`renamed_files` of one, at once; returns how many records changed."""
    with renamed_files([path], labels) as changed:
        return changed[str(path)]


def _renamed(record: dict[str, Any], labels: LabelSet, depth: int = _DEPTH) -> dict[str, Any]:
    """The record, or what stands ``depth`` levels above the innermost in one; what is of another shape stays."""
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
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
