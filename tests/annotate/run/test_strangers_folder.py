"""A run folder from a stranger: whatever its manifest, journal and links say, nothing outside it changes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.run.names import Names, claims, is_given, safe
from pizhu.annotate.run.run import annotate_files
from pizhu.base import inside
from pizhu.base.errors import ConfigError
from pizhu.base.files import leftovers
from pizhu.tests.support.killing import Hashed

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
pytestmark = pytest.mark.filterwarnings("error")
FORMATS = ("jsonl", "txt", "html", "jsonl-parts")


@pytest.fixture(params=["by handle", "by path"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds of systems: those that open folders, and those that do not."""
    if request.param == "by path":
        monkeypatch.setattr(inside, "_BY_HANDLE", False)


def write(path: Path, text: str = "一、主要工作\n\n全年接收档案3.2万卷。\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def seen(folder: Path) -> dict[str, tuple[bytes | str, int]]:
    """Everything below a folder, links as such, with the modes."""
    return {
        str(p.relative_to(folder)): (
            str(p.readlink()) if p.is_symlink() else p.read_bytes() if p.is_file() else "",
            p.lstat().st_mode,
        )
        for p in sorted(folder.rglob("*"))
    }


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """What lies elsewhere, by names that a run may ask for."""
    folder = tmp_path / "victim"
    for name in ("a.jsonl", "a.txt", "a.html", "part-00001.jsonl", "part-00009.jsonl", "index.html", "deep/a.txt"):
        write(folder / name, "mine")
    return folder


@pytest.fixture
def out(tmp_path: Path, model: Any) -> Path:
    """A run folder that a stranger may have changed."""
    annotate_files([write(tmp_path / "in" / "x.txt")], tmp_path / "out", model, FORMATS, layout="folders")
    return tmp_path / "out"


def forge(out: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change what the manifest says."""
    path = out / "manifest.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    change(body)
    text = json.dumps(body)
    path.write_text("{\n" + text[1:], encoding="utf-8")


def named(name: Any, **more: Any) -> Callable[[dict[str, Any]], Any]:
    """A manifest by which an input has outputs called ``name``."""
    row = {"state": "done", "name": name, "sha256": "0" * 64, "sentences": 1} | more
    return lambda body: body["inputs"].update({"../in/stranger.txt": row})


def again(tmp_path: Path, model: Any, *, fresh: bool, more: tuple[Path, ...] = ()) -> Any:
    return annotate_files([tmp_path / "in", *more], tmp_path / "out", model, FORMATS, layout="folders", fresh=fresh)


NAMES = [
    *("/etc/a", "../victim/a", "sub/../../victim/a", "./a", "sub//a", "a/", "", ".", "..", "sub/.."),
    *("..\\victim\\a", "sub\\a", "C:a", "C:\\a", "C:/a", "\\\\server\\share\\a", "a:stream", "a::$DATA"),
    *("con", "sub/NUL", "aux .x", "com1", "LPT9.txt", "CONIN$", "a.", "a ", " a", "sub./a", "a\0b", "a\nb", "a\x1b[2J"),
    *("\u202egnp", "\udc80", "a" * 300, "长" * 90, "a/" * 200 + "a", ".journal", ".begun", ".lock", ".git/config"),
    *("all/part-00001", "ALL/index", 7, None, ["a"], {"a": 1}),
]


def refused(tmp_path: Path, model: Hashed, changes: Iterable[Callable[[dict[str, Any]], Any]], said: str) -> None:
    """Each of ``changes`` makes a manifest of which nothing is believed."""
    path = tmp_path / "out" / "manifest.json"
    good = path.read_bytes()
    for change in changes:
        path.write_bytes(good)
        forge(path.parent, change)
        before = seen(tmp_path)
        for fresh in (True, False):
            with pytest.raises(ConfigError, match=said):
                again(tmp_path, model, fresh=fresh)
            assert seen(tmp_path) == before


@pytest.mark.usefixtures("out", "victim")
def test_names_that_no_run_gives(tmp_path: Path, model: Hashed) -> None:
    refused(tmp_path, model, map(named, NAMES), r"cannot be understood .*; name a new folder")


def test_names_of_the_journal(tmp_path: Path, model: Hashed, out: Path, victim: Path) -> None:
    """There such a line counts as a torn one."""
    row = {"input": "../in/y.txt", "state": "done", "sha256": "0" * 64, "sentences": 1}
    names = [name for name in NAMES if isinstance(name, str)]
    before = seen(victim)
    for fresh in (False, True):
        (out / ".journal.jsonl").write_text("".join(json.dumps({**row, "name": n}) + "\n" for n in names), "utf-8")
        (out / ".begun.txt").write_bytes(b"".join(n.encode("utf-8", "surrogatepass") + b"\n" for n in names))
        assert len(again(tmp_path, model, fresh=fresh).written) == 4
        assert list(json.loads((out / "manifest.json").read_text(encoding="utf-8"))["inputs"]) == ["../in/x.txt"]
    assert seen(victim) == before


OUTPUTS = [
    *("../victim/a.txt", "notes.txt", "x.jsonl", "all/../notes.txt", "all/part-00001/../../notes.jsonl", "all/sub/a"),
    *("/etc/index.html", "all\\index.html", "all/index.html:a", "all/con", "all/", "all", 3, None, ["all/index.html"]),
]


@pytest.mark.usefixtures("victim")
def test_files_of_all_reports_that_no_run_makes(tmp_path: Path, model: Hashed, out: Path) -> None:
    write(out / "notes.txt", "mine")
    changes = (lambda body, name=name: body.update(outputs=[name]) for name in OUTPUTS)
    refused(tmp_path, model, changes, "cannot be understood")


@pytest.mark.usefixtures("out")
def test_two_inputs_with_one_output(tmp_path: Path, model: Hashed) -> None:
    refused(tmp_path, model, map(named, ("x", "X", "x.metrics", "X.METRICS")), "two inputs are called")


VALUES: list[Callable[[dict[str, Any]], Any]] = [
    named("y", sentences=float("inf")),
    named("y", sentences=float("nan")),
    named("y", sentences=-1),
    named("y", sentences="1"),
    named("y", sentences=None),
    named("y", sentences=True),
    named("y", state=["done"]),
    named("y", sha256=1),
    lambda body: body["settings"].update(formats=7),
    lambda body: body["settings"].update(formats=[["txt"]]),
    lambda body: body["settings"].update(formats="txt"),
    lambda body: body["settings"].update(limits=3),
    lambda body: body.update(settings=[]),
    lambda body: body.update(inputs=[]),
    lambda body: body.update(outputs=None),
    lambda body: body.update(model="x"),
    lambda body: body.update(versions=[]),
    lambda body: body["inputs"].update(y=None),
]


@pytest.mark.usefixtures("out")
def test_values_that_no_run_writes(tmp_path: Path, model: Hashed) -> None:
    refused(tmp_path, model, VALUES, "cannot be understood")


def test_lines_of_the_journal_that_no_run_writes(tmp_path: Path, model: Hashed, out: Path) -> None:
    good = {"input": "../in/y.txt", "state": "done", "name": "y", "sha256": "0", "sentences": 1}
    values: tuple[Any, ...] = (None, 1.5, [], {}, float("inf"))
    rows: list[Any] = [{**good, name: value} for name in good for value in values]
    text = "".join(json.dumps(row) + "\n" for row in [*rows, 3, [], None, [[[]]]]) + "[" * 100_000 + "\n"
    (out / ".journal.jsonl").write_text(text, encoding="utf-8")
    assert again(tmp_path, model, fresh=False).failed == []


@links
@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("fresh", [True, False])
def test_a_folder_that_is_a_link(tmp_path: Path, model: Hashed, out: Path, victim: Path, fresh: bool) -> None:
    forge(out, named("sub/a"))
    forge(out, lambda body: body["inputs"].update(z={**body["inputs"]["../in/x.txt"], "name": "sub/deep/a"}))
    (out / ".begun.txt").write_text("sub/a\nsub/deep/a\n", encoding="utf-8")
    (out / "sub").symlink_to(victim, target_is_directory=True)
    before = seen(victim)
    again(tmp_path, model, fresh=fresh)
    assert seen(victim) == before


@links
@pytest.mark.usefixtures("system")
def test_reports_that_would_be_written_through_a_link(tmp_path: Path, model: Hashed, out: Path, victim: Path) -> None:
    (out / "sub").symlink_to(victim, target_is_directory=True)
    write(out / "real" / "deep.txt", "mine").parent.joinpath("deep").symlink_to(victim / "deep")
    before = seen(victim)
    write(tmp_path / "in" / "sub" / "a.txt")
    write(tmp_path / "in" / "real" / "deep" / "a.txt")
    write(tmp_path / "in" / "real" / "b.txt")
    for _ in range(2):  # it is tried again, and nothing lies there that could stand
        result = again(tmp_path, model, fresh=False)
        assert [(Path(name).name, "is a link" in reason) for name, reason in result.failed] == [("a.txt", True)] * 2
        reason = result.failed[1][1]
        assert f"a.txt cannot be written: {out / 'sub'}: it is a link, and a run does not write through links" in reason
    assert seen(victim) == before and (out / "real" / "b.jsonl").is_file()
    (out / "sub").unlink()
    (out / "real" / "deep").unlink()
    assert again(tmp_path, model, fresh=False).failed == []


@links
@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("fresh", [True, False])
def test_the_folder_of_all_reports_is_a_link(
    tmp_path: Path, model: Hashed, out: Path, victim: Path, fresh: bool
) -> None:
    (out / "all" / "part-00001.jsonl").unlink()
    (out / "all").rmdir()
    (out / "all").symlink_to(victim, target_is_directory=True)
    before = seen(victim)
    with pytest.raises(NotADirectoryError, match="it is a link, and a run does not write through links"):
        again(tmp_path, model, fresh=fresh)
    assert seen(victim) == before


@links
@pytest.mark.parametrize("fresh", [True, False])
def test_outputs_that_are_links(tmp_path: Path, model: Hashed, out: Path, victim: Path, fresh: bool) -> None:
    """A link is no output: it is written anew, in its place."""
    expected = seen(out)
    for ending in ("jsonl", "txt", "html"):
        (out / f"x.{ending}").unlink()
        (out / f"x.{ending}").symlink_to(victim / f"a.{ending}")
    (out / "all" / "part-00001.jsonl").unlink()
    (out / "all" / "part-00001.jsonl").symlink_to(victim / "part-00001.jsonl")
    (out / ".x.jsonl.abcdefgh.part").symlink_to(victim / "a.txt")
    (out / ".lock").touch()
    before = seen(victim)
    again(tmp_path, model, fresh=fresh)
    (out / ".x.jsonl.abcdefgh.part").unlink()
    assert seen(victim) == before and seen(out) == expected


@links
def test_outputs_that_are_hard_links(tmp_path: Path, model: Hashed, out: Path, victim: Path) -> None:
    for ending in ("jsonl", "txt", "html"):
        (out / f"x.{ending}").unlink()
        os.link(victim / f"a.{ending}", out / f"x.{ending}")
    before = seen(victim)
    write(tmp_path / "in" / "x.txt", "只有一句新的话。")
    again(tmp_path, model, fresh=False)
    assert seen(victim) == before and "新的话" in (out / "x.txt").read_text(encoding="utf-8")


BOOKS = (".journal.jsonl", ".begun.txt", ".lock", "manifest.json")


@links
@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("dangling", [True, False])
@pytest.mark.parametrize("book", BOOKS)
def test_books_that_are_links(
    tmp_path: Path, model: Hashed, out: Path, victim: Path, book: str, dangling: bool, fresh: bool
) -> None:
    if book == "manifest.json" and not dangling:
        (out / book).rename(victim / "manifest")
    elif book == "manifest.json":
        (out / book).unlink()
    target = victim / ("none" if dangling else "manifest" if book == "manifest.json" else "a.txt")
    (out / book).symlink_to(target)
    before = seen(tmp_path)
    write(tmp_path / "in" / "y.txt")
    with pytest.raises(ConfigError, match="is not a file but a link, a folder or a device; remove it, or choose"):
        again(tmp_path, model, fresh=fresh)
    (tmp_path / "in" / "y.txt").unlink()
    assert seen(tmp_path) == before


@links
@pytest.mark.parametrize("book", BOOKS)
def test_books_that_are_pipes(tmp_path: Path, model: Hashed, out: Path, book: str) -> None:
    (out / book).unlink(missing_ok=True)
    os.mkfifo(out / book)
    with pytest.raises(ConfigError, match="is no file"):  # and nobody waits for what comes out of it
        again(tmp_path, model, fresh=False)


@links
def test_books_that_are_hard_links(tmp_path: Path, model: Hashed, out: Path, victim: Path) -> None:
    row = {"input": "../in/x.txt", "state": "done", "name": "x", "sha256": "0" * 64, "sentences": 1}
    write(victim / "journal", json.dumps(row) + "\n")
    write(victim / "manifest", (out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").unlink()
    for book, name in (
        (".journal.jsonl", "journal"),
        (".begun.txt", "a.txt"),
        (".lock", "a.html"),
        ("manifest.json", "manifest"),
    ):
        os.link(victim / name, out / book)
    before = seen(victim)
    write(tmp_path / "in" / "y.txt")
    result = again(tmp_path, model, fresh=False)
    assert (result.reports, result.failed) == (2, [])
    assert seen(victim) == before


def test_a_name_that_was_begun_and_meets_a_report_that_is_done(tmp_path: Path, model: Hashed, out: Path) -> None:
    """Where case counts for nothing, X.jsonl is x.jsonl."""
    write(out / "X.jsonl", "mine")
    write(out / "x.metrics.txt", "mine")
    (out / ".begun.txt").write_text("X\nx.metrics\n", encoding="utf-8")
    again(tmp_path, model, fresh=False)
    assert (out / "X.jsonl").is_file() and (out / "x.metrics.txt").is_file()


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with more folders in each other than a stack holds calls, and a file at their end."""
    top, path = tmp_path / "deep", tmp_path / "deep" / "/".join("d" * 1100)
    for folder in reversed([path, *path.parents][:1101]):
        folder.mkdir()
    (path / ".a.abcdefgh.part").touch()
    yield top
    (path / ".a.abcdefgh.part").unlink(missing_ok=True)
    for folder in (path, *path.parents[:1100]):
        folder.rmdir()


def test_what_is_found_anywhere_below_a_folder(deep: Path) -> None:
    assert [path.name for path in leftovers(deep)] == [".a.abcdefgh.part"]


def test_every_name_that_is_given_is_known_as_such() -> None:
    from pizhu.annotate.inputs.base import Input

    names = Names("folders")
    for stem in ("总结", "con", ".x", "a:b", "长" * 300, "x" * 300, "a\u200db", " a ", "....", "ﬁ", "e\u0301", "-rf"):
        for under in ("", "市/县", "all", "../..", "/".join(["深" * 50] * 9), ".git", "C:\\x"):
            for place in ("one", "two"):
                given = names.give(Input(Path(place), f"{under}/{stem}", stem, stem, under), f"{place}{under}/{stem}")
                assert is_given(given) and claims(given) and given == "/".join(map(str, given.split("/")))
    assert all(is_given(safe(name)) for name in NAMES if isinstance(name, str))
