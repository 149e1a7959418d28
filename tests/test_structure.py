"""CONTRIBUTING.md's floors: a package imports only from lower floors, modules never import each other in a cycle,
and data does not depend on torch. One module prints, and only templates write the markup of pages.
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


MARKUP = {
    "annotate/writers/word/fresh.py": "Word's own XML, of the program's own words alone",
    "labeling/adjudication/config.py": "Label Studio's configuration",
    "labeling/server/inside/pizhu_urls.py": "an address's pattern, for Django",
    "labeling/studio/config.py": "Label Studio's configuration, whose bytes tell whether people have changed it",
    "labeling/studio/place.py": "a piece of HTML in Label Studio's tasks, whose bytes tell whether they have changed",
    "models/windows.py": "a tokenizer's special tokens",
    "models/bundled.py": "a tokenizer's special tokens",
}
"""Who holds markup, or what looks like it, in strings of Python, and why; all other markup is in templates."""
ESCAPERS = {"labeling/studio/config.py", "labeling/studio/place.py", "labeling/adjudication/config.py"}
"""Who escapes text by itself: what Label Studio is given."""
MAKERS = {"base/page/svg.py", "base/page/templates.py"}
"""Who says of a string that it is markup."""
_TAG = re.compile(r"(?<![?P])</?([a-zA-Z][\w:-]*)(?=\s+[\w:-]+\s*=|\s*/?>|\s*$)")
_ELEMENTS = re.compile(
    "a|article|aside|b|bdi|body|br|button|circle|code|d[dlt]|details|dialog|div|em|fig(ure|caption)|footer|form|g|h[1-6]|"
    "head(er)?|html|i(frame|mg|nput)?|kbd|li|line|link|main|mark|meta|nav|ol|output|p|path|poly(gon|line)|pre|rect|s|"
    "script|section|select|small|span|strong|style|su[bp]|summary|svg|table|t(body|d|ext|foot|h|head|itle|r)|u|ul"
)


def markup(source: str) -> Iterator[tuple[int, str]]:
    """(line, string) of every string of a module, but for documentation, that holds a tag of HTML, SVG or XML."""
    tree = ast.parse(source)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    documents = {id(part.value) for body in bodies for part in body if isinstance(part, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            names = {found[1] for found in _TAG.finditer(node.value)}
            if any(_ELEMENTS.fullmatch(name) or ":" in name or re.match("[A-Z][a-z]", name) for name in names):
                yield node.lineno, node.value


def makers(source: str) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in a module that escapes text, calls a string markup, or makes a template of one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (
                (node.lineno, name)
                for name in names & {"html.escape", "xml.sax.saxutils.escape", "xml.sax.saxutils.quoteattr"}
            )
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "jinja2")
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).split(".")[-1]
            if called in {"Markup", "Template", "from_string", "Environment", "compile_expression"} or (
                called == "escape" and ast.unparse(node.func) != "re.escape"
            ):
                yield node.lineno, called


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_templates_write_the_markup(path: Path) -> None:
    name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    if name not in MARKUP:
        for line, text in markup(source):
            pytest.fail(f"{path}:{line}: {text[:60]!r}; write markup in a template, drawings with base/page/svg.py")
    if name not in MAKERS | ESCAPERS:
        for line, what in makers(source):
            pytest.fail(f"{path}:{line}: {what}; templates escape what they are given (base/page/templates.py)")


def test_who_may_write_markup_does() -> None:
    """Else a name in the lists above is stale, or the test blind."""
    for name in MARKUP:
        assert list(markup((ROOT / name).read_text(encoding="utf-8"))), name
    for name in MAKERS | ESCAPERS:
        assert list(makers((ROOT / name).read_text(encoding="utf-8"))), name


@pytest.mark.parametrize(
    "code",
    ["x = f'<p>{y}</p>'", "x = '<span class=\"' + y", "x = '</td>'", "x = '<svg viewBox=\"0 0 1 1\">'", "x = '<View>'"],
)
def test_the_test_sees_markup(code: str) -> None:
    assert list(markup(code))


@pytest.mark.parametrize("code", ['"""<p> is said."""', "x = re.compile('(?P<a>.)(?<b>)')", "x = '<Q'", "x = 'a < b'"])
def test_the_test_sees_no_more(code: str) -> None:
    assert not list(markup(code))


def test_templates_are_files_that_escape() -> None:
    """Nothing is let through unescaped but style, script and policy, which are the program's own."""
    frame = "base/page/frame.html.j2"
    templates = {p.relative_to(ROOT).as_posix(): p for room in FLOORS for p in (ROOT / room).rglob("*.j2")}
    assert len(templates) > 25
    for name, path in templates.items():
        text = re.sub("{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        let_through = re.findall(r"(\w+)\s*\|\s*safe\b", text)
        assert let_through == (["policy", "style", "script"] if name == frame else []), name
        assert not re.search(r"autoescape|\|\s*(forceescape|tojson|xmlattr|urlize|striptags)", text), name
        assert not re.search(r"=\s*{{", text), f"{name}: an attribute without quotes"
        page = name.endswith(("page.html.j2", "index.html.j2", "home.html.j2", "compare.html.j2", "figures.html.j2"))
        assert ("<html" in text) == (name == frame) and (f'extends "{frame}"' in text) == page, name
