"""Malicious archives: those that unpack to more than the limit are refused before they are unpacked."""

from __future__ import annotations

import io
import random
import signal
import struct
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.inputs.find import find
from pizhu.annotate.inputs.packed import Distinct
from pizhu.base.errors import ReadError
from pizhu.base.limits import limits

MB = 2**20
TEXT = "一、主要工作\n\n全年接收档案3.2万卷。\n".encode()
ONE = limits(["archive_mb=1"])


@contextmanager
def bounded(memory: int = 64 * MB, seconds: int = 60) -> Iterator[None]:
    """Far less memory and time than what hostile archives ask for."""

    def late(*_: object) -> None:
        raise AssertionError(f"not done after {seconds} s")

    if sys.platform != "win32":
        before = signal.signal(signal.SIGALRM, late)
        signal.alarm(seconds)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        if sys.platform != "win32":
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
    assert peak < memory


def troubles(path: Path, **options: Any) -> list[str]:
    """What is said of each member, and at last of the archive."""
    return [item.trouble for item in find([path], **options)]


def header(name: str = "a.txt", size: int = 0, kind: bytes = tarfile.REGTYPE, **fields: tuple[int, bytes]) -> bytes:
    """A header of a tar file, sizes as they are told, with bytes put in where ``fields`` say."""
    info = tarfile.TarInfo(name)
    info.type = kind
    data = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    data[124:136] = b"%011o\0" % size if 0 <= size < 8**11 else b"\x80" + size.to_bytes(11, "big", signed=True)
    if size < 0:
        data[124:136] = b"\xff" * 4 + size.to_bytes(8, "big", signed=True)
    for at, value in fields.values():
        data[at : at + len(value)] = value
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def record(key: bytes, value: bytes) -> bytes:
    """A record of a pax header."""
    length = len(key) + len(value) + 3
    while len(str(length)) + len(key) + len(value) + 3 != length:
        length = len(str(length)) + len(key) + len(value) + 3
    return b"%d %b=%b\n" % (length, key, value)


def pax(data: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return header("pax", len(data), kind) + padded(data)


def tarred(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts) + bytes(1024))
    return path


def with_holes(name: str, size: int) -> bytes:
    """A member in GNU's old format of which nothing is stored."""
    pieces = b"%011o\0%011o\0" % (size, 0)
    return header(name, 0, tarfile.GNUTYPE_SPARSE, pieces=(386, pieces), real=(483, b"%011o\0" % size))


def with_pieces(pieces: Iterable[tuple[int, int]], size: int, stored: bytes) -> bytes:
    """A member in the format 1.0 of pax."""
    rows = list(pieces)
    told = b"".join(b"%d\n" % n for n in [len(rows), *(n for row in rows for n in row)])
    keys = {b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.realsize": b"%d" % size}
    data = padded(told) + stored
    return pax(b"".join(record(*row) for row in keys.items())) + header("a.txt", len(data)) + padded(data)


def test_holes_count_by_what_they_unpack_to(tmp_path: Path) -> None:
    path = tarred(tmp_path / "x.tar", *(with_holes(f"{i}.txt", 300_000) for i in range(9)))
    *good, end = find([path], limits=ONE)
    assert [item.data for item in good] == [bytes(300_000)] * 3
    assert "x.tar unpacks to more than 1 MB, perhaps a zip bomb" in end.trouble
    with bounded():
        big = tarred(path, *(with_holes(f"{i}.txt", 90 * MB) for i in range(40)))
        assert len(troubles(big, limits=ONE)) == 1


@pytest.mark.parametrize("name", ["x.tar", "x.tgz"])
def test_holes_between_pieces(tmp_path: Path, name: str) -> None:
    rows = [(0, 3), (10, 2), (12, 0)]
    (good, end) = find([tarred(tmp_path / name, with_pieces(rows, 12, b"abcde"))])
    assert (good.data, end.trouble) == (b"abc" + bytes(7) + b"de", "")


def test_many_pieces(tmp_path: Path) -> None:
    """tarfile copies what it has with each piece: 40,000 times up to 90 MB."""
    rows = [(i * 2300, 1) for i in range(40_000)]
    path = tarred(tmp_path / "x.tar", with_pieces(rows, 90 * MB, b"x" * 40_000))
    with bounded(400 * MB):
        good, end = find([path])
        assert good.data is not None and good.data.count(b"x") == 40_000 and not end.trouble


@pytest.mark.parametrize("rows", [[(10, 2), (0, 3)], [(0, 5), (3, 5)], [(0, -5), (0, 5)], [(-5, 5)]])
def test_pieces_out_of_order(tmp_path: Path, rows: list[tuple[int, int]]) -> None:
    with bounded():
        assert (
            "the pieces of a sparse file are out of order"
            in troubles(tarred(tmp_path / "x.tar", with_pieces(rows, 100, b"x" * 100)))[-1]
        )


@pytest.mark.parametrize("size", [8**11 - 1, 2**40, 2**63, 2**80, 10**25, -1, -512, -(2**40)])
@pytest.mark.parametrize("name", ["a.txt", "a.png"])
def test_members_of_tar_files_whose_sizes_lie(tmp_path: Path, name: str, size: int) -> None:
    path = tarred(tmp_path / "x.tar", header("b.txt", len(TEXT)), padded(TEXT), header(name, size), header())
    with bounded():
        (good, *_, end) = find([path])
        assert good.data == TEXT and (end.trouble or size < 0)


@pytest.mark.parametrize("value", [b"9" * 25, b"-1", b"9" * 5000, b"x", b"1e9"])
def test_records_whose_sizes_lie(tmp_path: Path, value: bytes) -> None:
    for key in (b"size", b"GNU.sparse.size", b"GNU.sparse.realsize", b"GNU.sparse.map", b"GNU.sparse.numblocks"):
        with bounded():
            assert troubles(tarred(tmp_path / "x.tar", pax(record(key, value)), header()))


RECORDS = {
    "digits": record(b"comment", b"1" * (MB - 4096)),
    "lengths": b"2 " * (2**19 - 2048) + b"=",
    "keys": b"".join(b"8 %04x=\n" % i for i in range(2**16)) + b"8 " * 2**17 + b"=\n",
    "no length": b"0 a=b\n" * 1000,
    "cut off": b"900 path=a.txt\n",
    "offsets": record(b"GNU.sparse.size", b"1") + b"1" * 2**19,
}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE])
@pytest.mark.parametrize("name", RECORDS)
def test_records_that_take_quadratic_time(tmp_path: Path, name: str, kind: bytes) -> None:
    with bounded():
        assert troubles(tarred(tmp_path / "x.tar", pax(RECORDS[name], kind), header()))[-1] == (
            "x.tar is damaged or not a tar archive: a header is not a list of records"
        )


def test_records_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    names = ["短.txt", "长" * 300 + ".txt", "换\n行.txt", "a=b.txt", "9" * 90 + ".txt"]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "甲=乙\n3 c=d"}) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.pax_headers = {"SCHILY.xattr.user.说明": "x" * 9999, "mtime": "1700000000.123456789"}
            archive.addfile(info)
    assert [item.inside for item in find([path])] == [*names, ""]


def test_names_without_end(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        for name in ("a" * 5000 + ".txt", "a/" * 2500 + "b.png"):
            with tarfile.open(path, "w", format=format) as archive:  # type: ignore[call-overload]
                archive.addfile(tarfile.TarInfo(name))
            assert troubles(path) == ["x.tar has a name of more than 4,096 characters; it is refused"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as together:
        together.writestr("a" * 5000 + ".txt", TEXT)
    assert troubles(tmp_path / "x.zip") == ["x.zip has a name of more than 4,096 characters; it is refused"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16-le", "shift-jis", "latin-1", "utf-7"])
def test_names_in_odd_encodings(tmp_path: Path, model: Any, encoding: str) -> None:
    from pizhu.annotate.run.run import annotate_files

    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding=encoding, errors="replace") as archive:
        for name in ("总结.txt", "\u202egnp.txt"):
            info = tarfile.TarInfo(name)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
    result = annotate_files([path], tmp_path / "out", model)
    assert result.reports == (0 if encoding == "utf-16-le" else 2)
    assert {p.parent for p in tmp_path.rglob("*.jsonl")} <= {tmp_path / "out"}


def listed(
    name: bytes, packed: int, size: int, offset: int, *, crc: int = 0, flags: int = 0, extra: bytes = b""
) -> bytes:
    """How a file stands in the list of a zip archive."""
    head = struct.pack(
        "<4s4B4H3L5H2L",
        *(b"PK\x01\x02", 20, 3, 20, 0, flags, 8, 0, 33, crc, packed, size),
        *(len(name), len(extra), 0, 0, 0, 0, offset),
    )
    return head + name + extra


def zipped(path: Path, files: bytes, rows: list[bytes], size: int | None = None) -> Path:
    """A zip archive of ``files``, headers included, and the list of them."""
    table = b"".join(rows)
    told = len(table) if size is None else size
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, min(len(rows), 65535), min(len(rows), 65535), told, len(files), 0
    )
    path.write_bytes(files + table + end)
    return path


def stored(name: bytes, content: bytes) -> tuple[bytes, bytes, int]:
    """A file with its header, packed; the packed bytes alone; the CRC."""
    data = zlib.compress(content, 9)[2:-4]
    crc = zlib.crc32(content)
    head = struct.pack("<4s2B4HL2L2H", b"PK\x03\x04", 20, 0, 0, 8, 0, 33, crc, len(data), len(content), len(name), 0)
    return head + name + data, data, crc


def test_files_that_lie_upon_each_other(tmp_path: Path) -> None:
    """The same bytes again and again, and each file's bytes within the next one's."""
    file, data, crc = stored(b"a.txt", bytes(10 * MB))
    same = [listed(b"a.txt", len(data), 10 * MB, 0, crc=crc)] * 1000
    nested = [listed(b"%d.txt" % i, len(data) - i, 10 * MB, i, crc=crc) for i in range(1000)]
    for rows in (same, nested, nested[::-1]):
        with bounded():
            assert troubles(zipped(tmp_path / "x.zip", file, rows)) == [
                "x.zip has overlapping files, as in a zip bomb; it is refused"
            ]
    (good, end) = find([zipped(tmp_path / "x.zip", file, same[:1])])
    assert good.data == bytes(10 * MB) and not end.trouble


def test_lists_of_millions_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "x.zip holds more than 200,000 files; pack them into several archives"
    row = listed(b"a.txt", 0, 0, 0)
    inputs = find([zipped(tmp_path / "x.zip", b"", [row] * 1_000_000)])
    with bounded(110 * MB):  # the list itself is read
        assert inputs.count() == 1 and [item.trouble for item in inputs] == [said]
    long = listed(b"a.txt", 0, 0, 0, extra=b"\xff\xff\xfb\xff" + bytes(0xFFFB))
    path = zipped(tmp_path / "x.zip", b"", [long] * 1000)
    with bounded(MB):
        assert troubles(path) == [said]
    path = zipped(tmp_path / "x.zip", bytes(100), [row], 0xFFFFFFFE)
    with bounded(MB):
        assert troubles(path)[-1].startswith("x.zip is damaged")
    monkeypatch.setattr("pizhu.annotate.inputs.archives.MEMBERS", 3)
    path = tarred(tmp_path / "x.tar", *(header(f"{i}.{kind}") for i in range(4) for kind in ("png", "txt")))
    *good, end = find([path])
    assert len(good) == 3 and end.trouble == "x.tar holds more than 3 files; pack them into several archives"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"flags": 1}, "a.txt is protected by a password; pack it without one"),
        ({"flags": 0x41}, "a.txt cannot be unpacked: strong encryption"),
        ({"flags": 0x20}, "a.txt cannot be unpacked: compressed patched data"),
        ({"size": 5}, "a.txt cannot be unpacked: Bad CRC-32 for file 'a.txt'"),
        ({"packed": 5}, "a.txt cannot be unpacked: Bad CRC-32"),
        ({"size": 2**31}, "a.txt is larger than the limit of 100 MB"),
        ({"offset": 2**32 - 2}, "a.txt cannot be unpacked: Truncated file header"),
        ({"offset": 3}, "a.txt cannot be unpacked: Bad magic number for file header"),
        ({"name": b"b.txt"}, "b.txt cannot be unpacked: File name in directory 'b.txt' and header b'a.txt' differ."),
        ({"crc": 1}, "a.txt cannot be unpacked: Bad CRC-32 for file 'a.txt'"),
        ({"extra": struct.pack("<2HQ", 1, 8, 2**64 - 1), "offset": 2**32 - 1}, "x.zip is damaged"),
        ({"extra": struct.pack("<2HQ", 1, 8, 2**64 - 1), "size": 2**32 - 1}, "a.txt is larger than the limit"),
    ],
)
def test_lists_that_lie(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    content = TEXT * 1000
    file, data, crc = stored(b"a.txt", content)
    told: dict[str, Any] = {
        "name": b"a.txt",
        "packed": len(data),
        "size": len(content),
        "offset": 0,
        "crc": crc,
    } | change
    with bounded():
        assert any(said in trouble for trouble in troubles(zipped(tmp_path / "x.zip", file, [listed(**told | change)])))


def test_spoilt_bytes(tmp_path: Path) -> None:
    """Whatever a byte is changed to, reading ends and says what is wrong with the archive, if anything."""
    chance = random.Random(3)
    sparse = with_pieces([(0, 3), (10, 2), (12, 0)], 12, b"abcde")
    tar = pax(record(b"path", "长.txt".encode())) + header() + sparse + with_holes("b.txt", 999) + header("c.txt", 30)
    with tarfile.open(tmp_path / "gnu.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("d" * 200 + ".txt"))
    tar += padded(TEXT[:30]) + (tmp_path / "gnu.tar").read_bytes()
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as whole:
        for name in ("a.txt", "深/b.txt"):
            whole.writestr(name, TEXT)
    for name, data in (("x.tar", tar), ("x.zip", (tmp_path / "whole.zip").read_bytes())):
        for _ in range(600):
            spoilt = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                spoilt[chance.randrange(len(spoilt))] = chance.choice([0, 255, 0x80, 0x39, chance.randrange(256)])
            (tmp_path / name).write_bytes(spoilt)
            with suppress(ReadError):  # where no name is a report's any more
                *_, end = find([tmp_path / name], limits=ONE)
                assert end.end


def test_names_that_are_given_numbers() -> None:
    assert list(map(Distinct(), ["a", "a", "a#2", "a", "b#2", "b", "b", "b#2"])) == [
        *("a", "a#2", "a#2#2", "a#3", "b#2", "b", "b#3", "b#2#2"),
    ]
    names = list(map(Distinct("-"), ["a"] * 100_000))  # with a look at each number that was given: hours
    assert len(set(names)) == 100_000 and names[-1] == "a-100000"
