"""Patterns match what glob's match, visit each folder once, and always terminate."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pizhu.annotate.inputs.find import find, is_run
from pizhu.annotate.inputs.patterns import matching
from pizhu.annotate.run.tables import records_in

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
PATTERNS = [
    *("**", "**/*", "**/*.txt", "d/**", "d/**/*.txt", "d/**/b/*.txt", "**/b/**/*.txt", "**/**/c.txt", "d*/**/[ab]*"),
    *("d/**/..", "./**/a.txt", "d/../**/a.txt", ".h/**", "**/.h/*", "**/.*", "d/**/none"),
    *("*", "*/*.txt", "d/[ab].txt", "d/?.txt", ".*", "d/a.txt", "**/b/", "d/a**.txt", "**/b"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.txt", "d/a.txt", "d/b.txt", "d/b/c.txt", "d/b/b/c.txt", "d/b/.x.txt", ".h/a.txt", "d/.h/b/a.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("工作完成。", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_fits_what_glob_fits(folder: Path, pattern: str) -> None:
    def files(paths: list[Path]) -> list[Path]:
        return [path for path in paths if not path.is_dir()]

    for said in (pattern, str(folder / pattern)):
        assert files(matching(said)) == sorted(set(files([Path(p) for p in glob.glob(said, recursive=True)])))  # noqa: PTH207


@links
def test_links_that_lead_back(folder: Path) -> None:
    for name in ("x", "y"):
        (folder / "d" / name).symlink_to(".")
        (folder / "d" / "b" / name).symlink_to(folder)
    (folder / "d" / "gone").symlink_to("nowhere")
    for name in ("self", "self.txt"):
        (folder / "d" / name).symlink_to(name)
    docs = [item.doc for item in find(["d/**/*.txt"])]
    assert sorted(docs) == ["a.txt", "a.txt", "b.txt", "c.txt", "c.txt", "self.txt"]
    assert [str(path) for path in matching("**/b/**/c.txt")] == ["d/b/b/c.txt", "d/b/c.txt"]
    assert len(list(find(["d"]))) == 4


@links
def test_links_that_double_at_each_step(tmp_path: Path) -> None:
    """Thirty folders with two links each to the next one: a thousand million ways to the last."""
    for i in range(30):
        (tmp_path / str(i)).mkdir()
        for name in ("x", "y"):
            (tmp_path / str(i) / name).symlink_to(tmp_path / str(i + 1))
    (tmp_path / "30").mkdir()
    (tmp_path / "30" / "a.txt").touch()
    assert len(matching(str(tmp_path / "0" / "**" / "a.txt"))) == 1
    assert len(matching(str(tmp_path / "0" / "**" / "**" / "x" / "**" / "a.txt"))) == 1


@links
def test_a_folder_behind_a_link_is_looked_into(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "link").symlink_to(folder / "d")
    (folder / "in" / "other").symlink_to(folder / "d")
    (folder / "in" / "z.txt").symlink_to(folder / "a.txt")
    assert [str(path) for path in matching("in/**/*.txt")] == [
        *("in/link/a.txt", "in/link/b/b/c.txt", "in/link/b/c.txt", "in/link/b.txt", "in/z.txt"),
    ]
    assert [str(path) for path in matching("in/link/**/a.txt")] == ["in/link/a.txt"]


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with more folders in each other than a stack holds calls, and two files at their end."""
    folders = [tmp_path / "/".join("d" * depth) for depth in range(1, 1101)]
    for folder in folders:
        folder.mkdir()
    files = [folders[-1] / name for name in ("a.txt", "a.jsonl")]
    for file in files:
        file.touch()
    yield folders[0]
    for file in files:
        file.unlink()
    for folder in reversed(folders):
        folder.rmdir()


def test_folders_in_folders(deep: Path) -> None:
    assert [item.doc for item in find([deep])] == ["a.txt"]
    assert [path.name for path in matching(str(deep / "**" / "*.txt"))] == ["a.txt"]
    assert [path.name for path in records_in(deep)] == ["a.jsonl"]


@links
def test_a_pipe_is_no_manifest(folder: Path) -> None:
    os.mkfifo(folder / "d" / "manifest.json")
    assert not is_run(folder / "d") and len(list(find([folder]))) == 5
