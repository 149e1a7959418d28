"""CONTRIBUTING.md's floors: a room imports only from the rooms below it, no modules import each other in a circle,
and data knows no torch.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pizhu
import pytest

ROOT = Path(pizhu.__file__).parent
FLOORS = {
    "base": 0,
    "data": 1,
    "models": 2,
    "labeling": 3,
    "training": 3,
    "eval": 3,
    "annotate": 3,
    "analysis": 4,
    "cli": 5,
}
FILES = sorted(path for room in FLOORS for path in (ROOT / room).rglob("*.py"))
NAMES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name from the package's root, or as it is for other packages) of every import, nested ones too.

    ``from . import a, b`` gives ``./…a`` and ``./…b``; ``from .a import b`` gives ``./…a.b`` where that is a module.
    """
    place = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = (*place[: len(place) - node.level], *(node.module or "").split("."))
            module = ".".join(part for part in base if part)
            for alias in node.names:
                inner = f"{module}.{alias.name}".removeprefix(".")
                yield node.lineno, f"./{inner if inner in NAMES else module}"


def inner(path: Path) -> set[str]:
    """The package's own modules that a module imports."""
    return {name.removeprefix("./") for _, name in imported(path) if name.startswith("./")}


def test_every_room_is_known() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_come_from_below(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for line, name in imported(path):
        assert name.split(".")[0] != "pizhu", f"{path}:{line}: write it relative"
        if name.startswith("./"):
            other = name.removeprefix("./").split(".")[0]
            assert other in FLOORS, f"{path}:{line}: imports {name}"
            assert other == room or FLOORS[other] < FLOORS[room], f"{path}:{line}: {room} imports {other}"
        elif room in {"base", "data"}:
            assert name.split(".")[0] not in {"torch", "transformers", "sklearn"}, f"{path}:{line}: imports {name}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: inner(path) & NAMES.keys() for name, path in NAMES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))


def test_the_test_sees_imports() -> None:
    assert {"data.read", "models.folder", "models.runtime", "data.report"} <= inner(ROOT / "models" / "annotator.py")
    assert "annotate.run.runfolder" in inner(ROOT / "annotate" / "run" / "run.py")


PRINTERS = {
    "base/terminal.py": {"sys.stderr.write"},
    "cli/display.py": {"typer.secho", "rich"},
    "cli/progress.py": {"rich"},
}
"""Who may print, and by what; all others print by :mod:`pizhu.cli.display`, where nothing is obeyed by a terminal."""


def prints(path: Path) -> Iterator[tuple[int, str]]:
    """(line, by what) of everything in a module that could write to a terminal."""
    asks = r"print|input|(typer|click)\.\w*(echo\w*|prompt|confirm|style|pause)"
    writes = re.compile(rf"{asks}|(sys\.)?std(out|err)\..*write.*")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and writes.fullmatch(found := ast.unparse(node.func)):
            yield node.lineno, found
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module = "" if isinstance(node, ast.ImportFrom) and node.level else getattr(node, "module", "") or ""
            for name in [module, *([] if module else (alias.name for alias in node.names))]:
                if name.split(".")[0] in {"rich", "click", "curses"}:
                    yield node.lineno, name.split(".")[0]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_one_module_prints(path: Path) -> None:
    allowed = PRINTERS.get(path.relative_to(ROOT).as_posix(), set())
    for line, what in prints(path):
        assert what in allowed, f"{path}:{line}: {what}; print with cli/display.py, which lets no terminal obey"


def test_who_may_print_does() -> None:
    """Else a name in the list above is stale, or the test blind."""
    for name, means in PRINTERS.items():
        assert {what for _, what in prints(ROOT / name)} >= means, name
