"""CONTRIBUTING.md's floors: a room imports only from the rooms below it, and data knows no torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pizhu
import pytest

ROOT = Path(pizhu.__file__).parent
FLOORS = {"data": 0, "models": 1, "labeling": 2, "training": 2, "eval": 2, "annotate": 3, "cli": 4}
FILES = sorted(path for room in FLOORS for path in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name from the package's root, or as it is for other packages) of every import, nested ones too."""
    place = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = (".", *place[: len(place) - node.level], *(node.module or "").split("."))
            for name in [""] if node.module else [alias.name for alias in node.names]:
                yield node.lineno, ".".join(part for part in (*base[1:], name) if part).join(("./", ""))


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
        elif room == "data":
            assert name.split(".")[0] not in {"torch", "transformers", "sklearn"}, f"{path}:{line}: imports {name}"


def test_the_test_sees_imports(tmp_path: Path) -> None:
    lines = {name.removeprefix("./") for _, name in imported(ROOT / "models" / "annotator.py") if name.startswith("./")}
    assert {"data.read", "models.folder", "models.runtime", "data.report"} <= lines
