"""No regular expression of the package takes more than linear time, whatever text it gets."""

from __future__ import annotations

import ast
import builtins
import importlib
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pizhu
import pytest
from pizhu.tests.support.pumping import growth, hostile

ROOT = Path(pizhu.__file__).parent
ROOMS = ("base", "data", "models", "labeling", "training", "eval", "annotate", "analysis", "cli")
_ONCE = ("match", "fullmatch", "search")
_ALL = ("finditer", "findall", "sub", "subn", "split")
ANYHOW = {"match", "fullmatch", "finditer"}
"""Asked of expressions whose own methods are not told; a search takes no longer than finding all."""
_SUPERLINEAR = 1.6
"""The power of the length from which on growth is no noise; squares have 2."""
_LENGTH = 1500
_PATIENCE = 0.4
"""Characters of the longest strings, and seconds for one expression: the whole package is to take no half minute."""
_LEAD = "asked of the 80 characters before a figure"
BOUNDED = {
    "pizhu.data.quantities.indicators._CLOSING": _LEAD,
    "pizhu.data.quantities.wording._EACH": _LEAD,
    "pizhu.data.quantities.wording._ADVERBS": _LEAD,
    "pizhu.data.readers.markup._ATTRIBUTES": "asked of what its own repeat has matched, which nothing can follow",
}
"""Expressions that take the square of a length that others bound."""


class Found(NamedTuple):
    """An expression, where it stands, and the methods that are called on it there."""

    pattern: re.Pattern[Any]
    place: str
    methods: frozenset[str]


def modules(room: str) -> Iterator[tuple[ModuleType, ast.Module]]:
    """The modules of a room with their syntax; those of other programs, which import these programs, left out."""
    for path in sorted((ROOT / room).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__main__" or "inside" in parts:
            continue
        module = importlib.import_module(".".join(("pizhu", *parts)).removesuffix(".__init__"))
        yield module, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    """What is called as ``name.method(…)``: the name, or the last part of it, the method and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            yield name, node.func.attr, node


def expressions(room: str) -> list[Found]:
    """The expressions of a room, each once: what its modules hold compiled, and what they give to ``re``."""
    found: dict[tuple[Any, int], Found] = {}

    def add(pattern: re.Pattern[Any], place: str, methods: set[str]) -> None:
        key = (pattern.pattern, pattern.flags)
        before = found[key].methods if key in found else frozenset()
        found[key] = Found(pattern, place, before | methods)

    known = list(modules(room))
    used: dict[str, dict[str, set[str]]] = {}  # by module, the methods of each name
    for module, tree in known:
        of_module = used.setdefault(module.__name__, {})
        for name, method, _ in calls(tree):
            if method in (*_ONCE, *_ALL):
                of_module.setdefault(name, set()).add(method)
    for module, _ in known:
        for variable, value in vars(module).items():
            for name, pattern in held(variable, value):
                add(pattern, f"{module.__name__}.{variable}", used[module.__name__].get(name, ANYHOW))
    for module, tree in known:
        for name, method, call in calls(tree):
            if name != "re" or method not in (*_ONCE, *_ALL, "compile") or not call.args:
                continue
            text = written(call.args[0], module)
            if text is None:  # a function's own argument; what it compiles stands in its module
                continue
            flags = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
            flags += call.args[1:2] if method == "compile" else []
            pattern = re.compile(text, valued(flags[0], module) if flags else 0)
            if method != "compile" or (pattern.pattern, pattern.flags) not in found:
                add(pattern, f"{module.__name__}:{call.lineno}", ANYHOW if method == "compile" else {method})
    return list(found.values())


def held(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The compiled expressions in a variable, also in collections and in the package's own records, and their names."""
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth < 4:
        inner: list[tuple[str, Any]] = []
        if isinstance(value, dict):
            inner = [(name, item) for item in (*value, *value.values())]
        elif isinstance(value, (list, tuple, set, frozenset)):
            inner = [(name, item) for item in value]
        elif is_dataclass(value) and type(value).__module__.startswith("pizhu"):
            inner = [(field.name, getattr(value, field.name, None)) for field in fields(value)]
        for owner, item in inner:
            yield from held(owner, item, depth + 1)


def written(node: ast.expr, module: ModuleType) -> str | bytes | None:
    """The text of an expression that stands in the code; a letter for what is known only where it runs."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(written(part, module) or "x") for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return written(node.value, module)
    if isinstance(node, ast.BinOp):
        return written(node.left, module) + written(node.right, module)  # type: ignore[operator]
    if isinstance(node, ast.Call):
        return "x"  # re.escape and the like
    value = valued(node, module)
    return value.pattern if isinstance(value, re.Pattern) else value if isinstance(value, (str, bytes)) else None


def valued(node: ast.expr, module: ModuleType) -> Any:
    try:
        return eval(compile(ast.Expression(node), module.__name__, "eval"), {**vars(builtins), **vars(module)})
    except (NameError, AttributeError):
        return None


def runs(found: Found) -> Iterator[Callable[[str], object]]:
    """The ways in which an expression is asked; what asks for every match is asked for all of them."""
    pattern = found.pattern

    def encoded(text: str) -> str | bytes:
        return text.encode("utf-8") if isinstance(pattern.pattern, bytes) else text

    for method in sorted({"finditer" if method in _ALL else method for method in found.methods}):
        ask = getattr(pattern, method)
        if method == "finditer":
            yield lambda text, ask=ask: sum(1 for _ in ask(encoded(text)))  # type: ignore[misc]
        else:
            yield lambda text, ask=ask: ask(encoded(text))  # type: ignore[misc]


def mixed(makers: Iterator[Callable[[int], str]]) -> list[Callable[[int], str]]:
    """The makers in an order that is always the same and where neighbours differ: time may end before they do."""
    found = list(makers)
    random.Random(1).shuffle(found)
    return found


def worst(found: Found) -> tuple[float, str]:
    """The steepest growth that was found, with an example of what causes it."""
    steepest, example = 1.0, ""
    began = time.process_time()
    for run in runs(found):
        for make in mixed(hostile(found.pattern)):
            if time.process_time() - began > _PATIENCE:
                break
            power = growth(run, make, _LENGTH)
            if power >= _SUPERLINEAR:
                power = min(power, growth(run, make, _LENGTH))  # once more: other work may have come between
            if power > steepest:
                steepest, example = power, make(16)
            if steepest >= _SUPERLINEAR:
                return steepest, example
    return steepest, example


@pytest.mark.parametrize("room", ROOMS)
def test_no_expression_of_the_package_takes_more_than_linear_time(room: str) -> None:
    faults = []
    for found in expressions(room):
        if found.place in BOUNDED:
            continue
        power, example = worst(found)
        if power >= _SUPERLINEAR:
            faults.append(f"{found.place} grows by the power {power:.1f} on {example!r}")
    assert not faults, "\n".join(faults)


def test_what_is_bounded_is_still_there() -> None:
    assert set(BOUNDED) <= {found.place for found in expressions("data")}


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        pytest.param(r"\s*(?:<!--.*?-->\s*)*<html", "match", id="comments, each with an end of its own"),
        pytest.param(r"(?:[a-z]+\s?)+!", "match", id="a repeat in a repeat"),
        pytest.param(
            r"[-\s]*第?\s*[0-9]{1,4}\s*页?\s*/?\s*共?\s*页?[-\s]*$", "match", id="neighbours over white space"
        ),
        pytest.param(r".{2,80}?[.…]{3,}[\s.…]*[0-9]+$", "match", id="neighbours over dots"),
        pytest.param(r"(?<![0-9])\s*(?:\r\n|[\r\n])[\s\u200b]*(?=[一-龥])", "finditer", id="line breaks begun anew"),
        pytest.param(r"\([^()]*[一-龥][^()]*\)", "finditer", id="brackets without an end"),
        pytest.param(r"[^。]*(?:首页|主页)", "search", id="anything before a word"),
        pytest.param(r"[\s、]+$", "sub", id="an end that does not come"),
        pytest.param(rb"charset\s*=\s*[\"']?\s*[a-z]+;", "search", id="bytes"),
    ],
)
def test_expressions_that_do_are_told(pattern: str | bytes, method: str) -> None:
    power, _ = worst(Found(re.compile(pattern, re.DOTALL), "", frozenset([method])))
    assert power >= _SUPERLINEAR


@pytest.mark.parametrize(
    "pattern", [r"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<html", r"[a-z]+[0-9]+$", r"[-\s]*+第?+[0-9]{1,4}"]
)
def test_expressions_that_do_not_are_not_told(pattern: str) -> None:
    assert worst(Found(re.compile(pattern, re.DOTALL), "", frozenset(["match"])))[0] < _SUPERLINEAR


def test_expressions_are_found_wherever_they_stand() -> None:
    places = {found.place for found in expressions("data")}
    assert "pizhu.data.readers.html._OPENING" in places
    assert "pizhu.data.segment.furniture._PAGE" in places
    assert any(place.startswith("pizhu.data.readers.html:") for place in places), "literals given to re's functions"
    assert len(places) > 100
