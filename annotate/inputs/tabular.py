"""Reads reports from Parquet files and datasets, one per row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...base.errors import MissingExtraError
from ...base.limits import Limits
from .base import Input
from .packed import DAMAGED, MB, MEMBER, Distinct, Packed, Trouble
from .pages import page_sizes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PAGE = 16 * MB
"""Pages up to this size are harmless, however small the limit for a report is."""


class _Table(Packed):
    kind = "table"
    damaged = (*DAMAGED, TypeError, AttributeError)  # pyarrow's, datasets'

    def __init__(self, place: Path, text: str, identity: str | None, limits: Limits) -> None:
        super().__init__(place, limits)
        self._text, self._identity = text, identity

    def columns(self, names: Iterable[str]) -> list[str]:
        """The columns to read out of ``names``: that of the text and, if there is one, that of the ids."""
        names = list(names)
        wanted = [self._text, *([self._identity] if self._identity else ["id"] if "id" in names else [])]
        for column in wanted:
            if column not in names:
                raise Trouble(
                    f"{self.place.name} has no column {column!r}, but {', '.join(map(str, names))}; "
                    "name one with --text-column and --id-column"
                )
        return wanted

    def check_types(self, schema: pa.Schema, columns: list[str]) -> None:
        """Check before unpacking that the texts are strings and that the ids are not nested."""
        import pyarrow.types as of

        for column, what in zip(columns, ("text", "names"), strict=False):
            kind = schema.field(column).type
            kind = kind.value_type if of.is_dictionary(kind) else kind
            is_text = of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind)
            if not is_text and (what == "text" or of.is_nested(kind)):
                raise Trouble(
                    f"the column {column!r} of {self.place.name} holds {str(kind)[:80]}, not {what}; "
                    "choose another with --text-column and --id-column"
                )

    def rows(self, rows: Iterable[dict[str, Any]], columns: list[str], under: str = "") -> Iterator[Input]:
        """One report per row."""
        distinct, allowance = Distinct(), self._allowance()
        for number, row in enumerate(rows):
            allowance.take(MEMBER)
            doc = f"{self.place.stem}-{number}" if len(columns) == 1 else str(row[columns[1]])
            self._check_name(doc)
            inside = distinct(f"{under}/{doc}" if under else doc)
            text = row[columns[0]]
            if not isinstance(text, str):
                yield Input(self.place, inside, doc, doc, under, trouble=f"row {number} has no text")
                continue
            size = len(text.encode("utf-8", "surrogatepass"))
            allowance.take(size)
            if size > self._most:
                yield Input(self.place, inside, doc, doc, under, trouble=self._too_large(f"row {number}"))
            else:
                yield Input(self.place, inside, doc, doc, under, text=text)


class Parquet(_Table):
    """A Parquet file with one report per row."""

    kind = "Parquet file"

    def count(self) -> int | None:
        try:
            with _parquet(self.place) as file:
                return int(file.metadata.num_rows)
        except self.damaged:
            return 1

    def members(self) -> Iterator[Input]:
        with self.place.open("rb") as bare, _parquet(self.place) as file:
            columns = self.columns(file.schema_arrow.names)
            self.check_types(file.schema_arrow, columns)
            yield from self.rows(self._unpacked(file, bare, columns), columns)

    def _unpacked(self, file: pq.ParquetFile, bare: IO[bytes], columns: list[str]) -> Iterator[dict[str, Any]]:
        """The rows one at a time: a file stores equal texts once, and many copies of them may not fit in memory."""
        most = max(_PAGE, 2 * self._most)
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            chunks = [c for i in range(group.num_columns) if (c := group.column(i)).path_in_schema in columns]
            size = sum(chunk.total_uncompressed_size for chunk in chunks)
            # pyarrow unpacks whole pages, however few rows we ask for.
            if size > group.num_rows * self._most or any(
                page > most for chunk in chunks for page in page_sizes(bare, chunk)
            ):
                raise Trouble(
                    f"rows of {self.place.name} are larger than the limit of {self._limits.file_mb} MB; "
                    "raise --limit file_mb"
                )
            for batch in file.iter_batches(1, row_groups=[number], columns=columns):
                yield from batch.to_pylist()


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(f"reading {path.name}, a Parquet file,", "tables") from None
    return pq.ParquetFile(path)


class Dataset(_Table):
    """A folder that ``save_to_disk`` of ``datasets`` wrote, with one report per row; all splits are read."""

    kind = "dataset"

    def _splits(self) -> dict[str, Any]:
        try:
            from datasets import DatasetDict, load_from_disk
        except ImportError:
            raise MissingExtraError(f"reading {self.place.name}, a dataset,", "train") from None
        found = load_from_disk(str(self.place))
        return dict(found) if isinstance(found, DatasetDict) else {"": found}

    def count(self) -> int | None:
        try:
            return sum(map(len, self._splits().values()))
        except self.damaged:
            return 1

    def members(self) -> Iterator[Input]:
        for split, rows in self._splits().items():
            columns = self.columns(rows.column_names)
            self.check_types(rows.features.arrow_schema, columns)
            yield from self.rows(iter(rows.select_columns(columns)), columns, split)
