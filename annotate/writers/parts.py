"""All sentences of a run in numbered files of about equal size, for programs that read them in parallel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.files import beside, read_records, replacing
from ...data.labels import LabelSet

if TYPE_CHECKING:
    from . import Annotated


def jsonl_parts(folder: Path, labels: LabelSet, reports: Iterable[Annotated], most: int) -> list[Path]:
    """``part-00001.jsonl``, …: records as they are, of whole reports; more than ``most`` only in one report alone."""

    def write(path: Path, group: list[Annotated]) -> None:
        with replacing(path) as file:
            for report in group:
                with report.records.open(encoding="utf-8", newline="") as lines:
                    file.writelines(lines)

    return _write(folder, ".jsonl", reports, most, write)


def parquet_parts(folder: Path, labels: LabelSet, reports: Iterable[Annotated], most: int) -> list[Path]:
    """``part-00001.parquet``, …: the same with a column a field and a column ``score_LABEL`` a label."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.list_(pa.string())
    fields = {"report": pa.string(), "id": pa.string(), "doc": pa.string(), "start": pa.int32(), "end": pa.int32()}
    fields |= {"kind": pa.string(), "text": pa.string(), "headings": texts, "previous": pa.string(), "labels": texts}
    fields |= {f"score_{name}": pa.float32() for name in labels.names} | {"review": pa.bool_()}
    schema = pa.schema(list(fields.items()))

    def row(report: Annotated, record: dict[str, Any]) -> dict[str, Any]:
        scores = record.get("scores") or {}
        flat = {"report": report.name, **record, **{f"score_{name}": scores.get(name) for name in labels.names}}
        return {name: _unicode(value) for name, value in flat.items()}

    def write(path: Path, group: list[Annotated]) -> None:
        with beside(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as file:
            for report in group:  # a row group a report: programs skip what they do not look for
                rows = [row(report, record) for record in read_records(report.records)]
                file.write_table(pa.Table.from_pylist(rows, schema))

    return _write(folder, ".parquet", reports, most, write)


def _unicode(value: Any) -> Any:
    """Lone surrogates, which Parquet's UTF-8 has not, become ``?``."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return list(map(_unicode, value)) if isinstance(value, list) else value


def _write(
    folder: Path,
    ending: str,
    reports: Iterable[Annotated],
    most: int,
    write: Callable[[Path, list[Annotated]], None],
) -> list[Path]:
    paths: list[Path] = []
    for group in _groups(reports, most):
        paths.append(folder / f"part-{len(paths) + 1:05}{ending}")
        write(paths[-1], group)
    if folder.is_dir():  # there may have been more of them before a report changed
        for old in folder.iterdir():
            if re.fullmatch(rf"part-\d{{5,}}\{ending}", old.name) and old not in paths:
                old.unlink()
    return paths


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
