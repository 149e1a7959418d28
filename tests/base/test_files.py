"""Files are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.base import files
from pizhu.base.errors import DataError
from pizhu.base.files import read_records, replacing, write_records, write_text


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "新 文件夹" / "报告.jsonl"
    write_text(path, "旧")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), replacing(path) as file:
            file.write("新")
            raise error
    assert path.read_text(encoding="utf-8") == "旧"
    assert [p.name for p in path.parent.iterdir()] == ["报告.jsonl"]


def test_a_file_that_another_program_has_open_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = Path.replace, []

    def replace(part: Path, path: Path) -> Path:
        tries.append(part)
        if len(tries) <= refusals:
            raise PermissionError(13, "Permission denied", str(part), None, str(path))
        return real(part, path)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(files, "_PATIENCE", (0.0, 0.0))
    path = tmp_path / "a.txt"
    refusals = 2
    write_text(path, "新")
    assert path.read_text(encoding="utf-8") == "新"
    refusals = 9
    with pytest.raises(PermissionError) as caught:
        write_text(path, "更新")
    assert (caught.value.filename, caught.value.filename2) == (str(path), None)  # not the file beside it
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and len(tries) == 6


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    for error, named in ((OSError(28, "No space left on device"), str(tmp_path / "a")), (OSError(99, "?"), None)):
        with pytest.raises(OSError) as caught, replacing(tmp_path / "a"):
            raise error
        assert caught.value.filename == named


def test_records_that_break_off_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_records(tmp_path / "a.jsonl", [{"a": 1}, {"a": object()}])
    assert not list(tmp_path.iterdir())


def test_line_ends_are_the_same_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "一\n二\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "一\n二\r\n".encode()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_who_may_read(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_text(tmp_path / "open", "x")
        with replacing(tmp_path / "closed", private=True) as file:
            file.write("secret")
    finally:
        os.umask(mask)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_umask_is_nobody_elses_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the process's: changed for a moment it would open the files of other threads."""
    mask = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", lambda _: pytest.fail("the umask was changed"))
            write_text(tmp_path / "a", "x")
            with replacing(tmp_path / "b", private=True) as file:
                file.write("secret")
            with files.beside(tmp_path / "c") as part:  # by a writer that puts a file of its own in its place
                part.unlink()
                part.touch(0o600)
    finally:
        os.umask(mask)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "abc"] == [0o640, 0o600, 0o640]


def test_text_that_is_not_quite_unicode(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "甲\ud800乙")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "甲?乙"  # as long as it was: offsets hold


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(st.characters()), VALUES, max_size=3), max_size=5))
def test_records_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("r") / "a.jsonl"
    assert write_records(path, records) == len(records)
    assert list(read_records(path)) == records


def test_lone_surrogates_come_back(tmp_path: Path) -> None:
    write_records(tmp_path / "a.jsonl", [{"text": "甲\udc80"}])
    assert list(read_records(tmp_path / "a.jsonl")) == [{"text": "甲\udc80"}]


def test_empty_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n  \n{"a": 2}', encoding="utf-8-sig")
    assert list(read_records(tmp_path / "a.jsonl")) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2: not JSON"),
        (b"[" * 100_000, "line 1: not JSON"),
        (b'{"a": 1}\n[1]\n', "line 2: expected a JSON object"),
        ("\n".join([json.dumps({"a": 1})] * 3000).encode() + "\n中".encode("gb18030"), "is not UTF-8 text"),
        (None, "does not exist"),
    ],
)
def test_what_is_no_file_of_records(tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "a.jsonl"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DataError, match=said):
        list(read_records(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(read_records(tmp_path))
