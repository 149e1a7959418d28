"""Parquet: one typed table for many reports, for programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import MissingExtraError
from ...base.files import replacing_bytes
from ...data.labels import LabelSet
from ...data.records import Record
from .cells import encodable
from .table import Reports, rows

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH, _GROUP = 2_048, 65_536
"""Rows converted to columns at one time, and rows per row group, which readers can skip."""


def schema(labels: LabelSet) -> pa.Schema:
    """The records' fields as columns; ``scores`` is a struct with a field per label, null ``labels`` say unlabelled."""
    import pyarrow as pa

    text, names = pa.string(), pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            pa.field("report", names, nullable=False),
            pa.field("id", text, nullable=False),
            pa.field("doc", names, nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("kind", names, nullable=False),
            pa.field("text", text, nullable=False),
            pa.field("headings", pa.list_(text), nullable=False),
            pa.field("previous", text),
            pa.field("labels", pa.list_(text)),
            pa.field("scores", pa.struct([pa.field(name, pa.float64()) for name in labels.names])),
            pa.field("review", pa.bool_()),
        ]
    )


def write(reports: Reports, labels: LabelSet, path: Path) -> None:
    """Write one table for ``reports``; holds one row group in memory at a time.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise MissingExtraError("a Parquet table", "tables") from None
    columns = schema(labels)
    records = (_plain(record, columns.names) for record in rows(reports))
    with replacing_bytes(path) as out, ParquetWriter(out, columns, compression="zstd") as writer:
        batches = (pa.RecordBatch.from_pylist(rows, schema=columns) for rows in _chunks(records, _BATCH))
        for group in _chunks(batches, _GROUP // _BATCH):
            writer.write_table(pa.Table.from_batches(group).unify_dictionaries(), row_group_size=_GROUP)


def _chunks(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _plain(record: Record, names: list[str]) -> dict[str, Any]:
    return {name: _encodable(record.get(name)) for name in names}


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    return [encodable(item) for item in value] if isinstance(value, list) else value
