"""Malicious tables: the size of a page is checked before it is unpacked."""

from __future__ import annotations

import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pizhu.annotate.inputs.find import find
from pizhu.annotate.inputs.pages import page_sizes
from pizhu.base.limits import limits

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
MB = 2**20
SMALL = limits(["file_mb=1"])
TOO_LARGE = "rows of x.parquet are larger than the limit of 1 MB; raise --limit file_mb"


def troubles(path: Path, **options: Any) -> list[str]:
    return [item.trouble for item in find([path], **options)]


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def number(value: int) -> bytes:
    return varint((value << 1 ^ value >> 63) & (2**64 - 1))


def sizes(header: bytes, body: bytes = b"", *, values: int = 1, told: int | None = None) -> list[int]:
    """The sizes of pages that stand in ``header``, of which the footer tells lies."""
    chunk = SimpleNamespace(
        data_page_offset=0,
        has_dictionary_page=False,
        dictionary_page_offset=None,
        total_compressed_size=len(header + body) if told is None else told,
        total_uncompressed_size=1,
        num_values=values,
    )
    return list(page_sizes(io.BytesIO(header + body), chunk))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_pages_of_every_kind(tmp_path: Path, compression: str, version: str, dictionary: bool) -> None:
    path = tmp_path / "x.parquet"
    chance = random.Random(1)
    rows = ["".join(chance.choices("工作完成计划", k=chance.randrange(400))) for _ in range(700)]
    options: dict[str, Any] = {"compression": compression, "use_dictionary": dictionary, "data_page_size": 9_000}
    options |= {
        "data_page_version": version,
        "write_statistics": True,
        "write_page_checksum": True,
        "write_batch_size": 16,
    }
    pq.write_table(pa.table({"text": [*rows, None]}), path, row_group_size=300, **options)
    with path.open("rb") as file, pq.ParquetFile(path) as table:
        for number in range(table.num_row_groups):
            chunk = table.metadata.row_group(number).column(0)
            found = list(page_sizes(file, chunk))
            assert len(found) == 2 if dictionary else len(found) > 2
            assert 0.8 * chunk.total_uncompressed_size < sum(found) < chunk.total_uncompressed_size
    assert len(list(find([path]))) == 702


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("column", ["text", "id"])
def test_one_long_row_among_short_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, dictionary: bool
) -> None:
    rows = {"text": ["工作完成。"] * 41, "id": [f"r{i}" for i in range(41)]}
    rows[column][-1] = "a" * 30 * MB
    pq.write_table(pa.table(rows), tmp_path / "x.parquet", compression="zstd", use_dictionary=dictionary)
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)  # nothing is unpacked
    assert troubles(tmp_path / "x.parquet", limits=SMALL) == [TOO_LARGE]


REST = b"\x2c\x15\x02\x00\x00"
"""How a header goes on behind its third field: one value, and the end."""


@pytest.mark.parametrize(
    "header",
    [
        b"\x15\x00\x15" + number(7) + b"\x15\x00" + REST,
        b"\x15\x00\x15" + number(7) + b"\x15\x00" + REST[:-1] + b"\x10",  # an end with something in it
        b"\x05" + number(1) + b"\x00\x05" + number(2) + number(7) + b"\x05" + number(3) + b"\x00" + REST,
        b"\x05" + number(2 + 2**16) + number(7) + b"\x05" + number(3) + b"\x00" + REST,  # numbers of fields wrap round
        b"\x25" + number(7) + b"\x06" + number(2) + number(1) + b"\x15\x00" + REST,  # one of 64 bits is another
        b"\x25" + varint(2**32 + 14) + b"\x15\x00" + REST,
        b"\x25" + number(1) + b"\x05" + number(2) + number(7) + b"\x15\x00" + REST,  # the last one counts
        b"\x25"
        + number(7)
        + b"\x15\x00"
        + REST[:-1]
        + b"\x38\x03abc\x19\x25\x02\x02\x1b\x01\x88\x01a\x01b\x11\x12\x13\x09\x00",
    ],
)
def test_headers_are_read_as_pyarrow_reads_them(header: bytes) -> None:
    assert sizes(header) == [7]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\x15",
        b"\x15\x00\x00",
        b"\x15\x00\x15" + number(-1) + b"\x15\x00\x2c\x15\x02\x00\x00",
        b"\x15\x00\x15\x0e\x15" + number(-1) + b"\x2c\x15\x02\x00\x00",
        b"\x15\x00\x15\x0e\x15\x00\x2c\x15" + number(-1) + b"\x00\x00",
        b"\x15" + b"\x80" * 30,
        b"\x1c" * 100_000,
        b"\x19\xf2" + varint(2**62) + b"\x00",
        b"\x19\xf3" + varint(2**62) + b"\x00",
        b"\x1b" + varint(2**31 - 1) + b"\x33",
        b"\x18" + varint(2**31),
        b"\x18" + varint(2**31 - 1),
        b"\x1d",
        b"\x1e",
    ],
)
def test_what_is_no_page(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        sizes(header, told=10**12)


def test_pages_that_hold_nothing_end() -> None:
    page = b"\x15\x04\x15\x00\x15\x00\x3c\x00\x00"
    assert sizes(page * 1000) == [0] * 1000
    with pytest.raises(ValueError, match="cut off"):
        sizes(page * 1000, told=10**12)


def test_spoilt_tables(tmp_path: Path) -> None:
    """Whatever a byte is changed to, reading ends and says what is wrong with the table, if anything."""
    path, chance = tmp_path / "x.parquet", random.Random(5)
    pq.write_table(
        pa.table({"text": ["甲局工作完成。", "乙", None] * 9, "id": list(range(27))}), path, row_group_size=9
    )
    data = path.read_bytes()
    for _ in range(300):
        spoilt = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            spoilt[chance.randrange(len(spoilt))] = chance.choice([0, 255, 0x80, chance.randrange(256)])
        path.write_bytes(spoilt)
        *_, end = find([path], limits=limits(["archive_mb=1"]))
        assert end.end


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ([["a", "b"]], "list<element: string>"),
        ([{"a": "b"}], "struct<a: string>"),
        ([b"abc"], "binary"),
        ([1], "int64"),
        ([None], "null"),
    ],
)
def test_columns_that_hold_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: list[Any], said: str) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": kind, "id": ["a"]}), path)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)
    assert troubles(path) == [
        f"the column 'text' of x.parquet holds {said}, not text; choose another with --text-column and --id-column"
    ]
    pq.write_table(pa.table({"text": ["a"], "id": kind}), path)
    monkeypatch.undo()
    nested = said.startswith(("list", "struct"))
    assert any(", not names; choose another" in trouble for trouble in troubles(path)) == nested


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_of_every_kind(tmp_path: Path, kind: Any) -> None:
    pq.write_table(pa.table({"text": pa.array(["a", None], kind), "id": [1.5, 2.5]}), tmp_path / "x.parquet")
    assert [(i.inside, i.text, i.trouble) for i in find([tmp_path / "x.parquet"])] == [
        ("1.5", "a", ""),
        ("2.5", None, "row 1 has no text"),
        ("", None, ""),
    ]


@pytest.mark.parametrize("text", [None, "", "a"])
def test_rows_that_take_no_bytes(tmp_path: Path, text: str | None) -> None:
    """A million of them are a few bytes of the file, and each is a report."""
    path = tmp_path / "x.parquet"
    table = pa.table({"text": pa.array([text] * 1_000_000, pa.string()), "id": pa.array([0] * 1_000_000)})
    pq.write_table(table, path, row_group_size=10**9)
    assert path.stat().st_size < 10_000
    said = troubles(path, limits=limits(["archive_mb=1"]))
    assert len(said) <= 257 and said[-1].startswith("x.parquet unpacks to more than 1 MB, perhaps a zip bomb")


def test_names_without_end(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "id": ["a" * 4096, "b" * 4097]}), path)
    assert troubles(path) == ["", "x.parquet has a name of more than 4,096 characters; it is refused"]
