"""Writes all sentences of a complete run: into numbered files of about equal size for programs that read them in
parallel, or into one table for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...data.labels import LabelSet
from .table import Annotated, Complete, TableWriter, WholeWriter, stored


def parts(write: TableWriter, ending: str) -> WholeWriter:
    """Writes ``part-00001.ending``, …: tables of whole reports. A part exceeds ``part_size`` sentences only if it
    consists of one report."""

    def write_parts(folder: Path, labels: LabelSet, run: Complete) -> list[Path]:
        paths: list[Path] = []
        for group in _groups(run.reports, run.part_size):
            paths.append(folder / f"part-{len(paths) + 1:05}.{ending}")
            _write(write, paths[-1], labels, group)
        if folder.is_dir():  # an earlier run may have written more parts
            for old in folder.iterdir():
                if re.fullmatch(rf"part-\d{{5,}}\.{ending}", old.name) and old not in paths:
                    old.unlink()
        return paths

    return write_parts


def one(write: TableWriter, name: str) -> WholeWriter:
    """Writes one table of all reports, called ``name``."""

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
