"""All sentences of a complete run together: in numbered files of about equal size for programs that read them in
parallel, or in one table for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...data.labels import LabelSet
from .table import Annotated, Complete, TableWriter, WholeWriter, stored


def parts(write: TableWriter, ending: str) -> WholeWriter:
    """``part-00001.ending``, …: tables over whole reports; a part has more than ``part_size`` sentences only in one
    report alone."""

    def write_parts(folder: Path, labels: LabelSet, run: Complete) -> list[Path]:
        paths: list[Path] = []
        for group in _groups(run.reports, run.part_size):
            paths.append(folder / f"part-{len(paths) + 1:05}.{ending}")
            _write(write, paths[-1], labels, group)
        if folder.is_dir():  # there may have been more of them before a report changed
            for old in folder.iterdir():
                if re.fullmatch(rf"part-\d{{5,}}\.{ending}", old.name) and old not in paths:
                    old.unlink()
        return paths

    return write_parts


def one(write: TableWriter, name: str) -> WholeWriter:
    """One table over all reports, called ``name``."""

    def write_one(folder: Path, labels: LabelSet, run: Complete) -> list[Path]:
        _write(write, folder / name, labels, run.reports)
        return [folder / name]

    return write_one


def _write(write: TableWriter, path: Path, labels: LabelSet, reports: Iterable[Annotated]) -> None:
    write(stored(((report.name, report.records) for report in reports), labels), labels, path)


def _groups(reports: Iterable[Annotated], most: int) -> Iterator[list[Annotated]]:
    group: list[Annotated] = []
    count = 0
    for report in reports:
        if group and count + report.sentences > most:
            yield group
            group, count = [], 0
        group.append(report)
        count += report.sentences
    if group:
        yield group
