"""Runs commands as if only some extras were installed: python -m pizhu.tests.support.extras EXTRA,… < COMMANDS

Reads a JSON list of command lines (words after ``pizhu``), runs each in this one process, and prints a JSON list of
``[status, output, errors]``. Packages that only other extras bring cannot be imported here. Which these are follows
from pyproject's extras and the installed packages' own requirements.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("train", "label", "pdf", "tables", "serve", "ray")


def brought(extras: list[str]) -> set[str]:
    """Canonical names of all distributions that pizhu with ``extras`` needs, directly or not."""
    found: set[str] = set()
    waiting = [("pizhu", frozenset(extras))]
    while waiting:
        name, asked = waiting.pop()
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in needs:
            need = Requirement(line)
            key = canonicalize_name(need.name)
            if key == "pizhu" or (need.marker and not any(need.marker.evaluate({"extra": e}) for e in {"", *asked})):
                continue
            if key not in found:
                found.add(key)
                waiting.append((key, frozenset(need.extras)))
    return found


def hidden(extras: list[str]) -> set[str]:
    """Installed top-level modules that ``extras`` alone would not install."""
    allowed = brought(extras)
    others = brought([*EXTRAS, "dev"]) - allowed
    owners = metadata.packages_distributions()
    return {module for module, names in owners.items() if {canonicalize_name(n) for n in names} <= others}


def hide(modules: set[str]) -> None:
    """Make ``modules`` impossible to import."""

    class Hiding(PathFinder):
        @classmethod
        def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
            return None if fullname.partition(".")[0] in modules else super().find_spec(fullname, path, target)

    sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]


def run(words: list[str]) -> tuple[int, str, str]:
    """One command's status, output and errors; the errors include any traceback."""
    import traceback

    from pizhu.cli import main

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["pizhu", *words]
    status: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        except BaseException:
            traceback.print_exc()
            status = 99
    return int(status), out.getvalue(), err.getvalue()


if __name__ == "__main__":
    hide(hidden([name for name in sys.argv[1].split(",") if name]))
    commands = json.load(sys.stdin)
    print(json.dumps([run(words) for words in commands]))
