"""Makes hostile strings from a regular expression's structure, and measures how its time grows with their length."""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, TypeVar

_Input = TypeVar("_Input", str, bytes)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_LONG = 8
"""Repeats that allow at least this many are pumped; shorter ones cannot grow."""
_PROBES = (
    "".join(map(chr, range(32, 127)))
    + "\t\n\0\u00a0\u200b\u3000一十百万亿点零年月中，。；：、！？（）《》“”【】〔〕—…０Ａ％①●"
)
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S", sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def hostile(pattern: re.Pattern[str]) -> Iterator[Callable[[int], str]]:
    """Functions that make strings of about a given length, full of what the expression repeats."""
    tree = _parser.parse(
        pattern.pattern,
        pattern.flags & ~re.UNICODE & ~re.DEBUG if isinstance(pattern.pattern, bytes) else pattern.flags,
    )
    pumps: dict[str, None] = {}
    fronts: dict[str, None] = {"": None}
    sets: list[tuple[Any, Any]] = []
    for before, body in _repeats(tree, ""):
        fronts[before] = None
        pumps.update(dict.fromkeys(filter(None, itertools.islice(_samples(body), 4))))
        sets += _sets(body)
    # Text between two repeats separates them, unless both match it too.
    singles = list(dict.fromkeys((*_classes(sets), *_classes(list(_sets(tree)))[:4])))
    pumps.update(dict.fromkeys(singles))
    tails = ("", "\0", "甲")
    for pump in pumps:
        for front in itertools.islice(fronts, 6):
            for tail in tails:
                yield lambda n, f=front, p=pump, t=tail: f + p * (n // len(p)) + t  # type: ignore[misc]
    for one, other in itertools.permutations(singles[:6], 2):
        for front in itertools.islice(fronts, 3):
            yield lambda n, f=front, a=one, b=other: f + a * (n // 2) + b * (n // 2) + "\0"  # type: ignore[misc]
            yield lambda n, f=front, a=one, b=other: f + (a + b) * (n // 2) + "\0"  # type: ignore[misc]


def _repeats(tree: Iterable[tuple[Any, Any]], before: str) -> Iterator[tuple[str, Any]]:
    """Each long repeat, with a text that leads up to it."""
    for op, argument in tree:
        if op in _REPEATS:
            _least, most, body = argument
            if most >= _LONG:
                yield before, body
            yield from _repeats(body, before)
        for inner in _inside(op, argument):
            yield from _repeats(inner, before)
        before += next(_samples([(op, argument)]), "")


def _inside(op: Any, argument: Any) -> Iterable[Any]:
    if op is sre.SUBPATTERN:
        return (argument[3],)
    if op is sre.BRANCH:
        return argument[1]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return (argument[1],)
    if op is sre.ATOMIC_GROUP:
        return (argument,)
    if op is sre.GROUPREF_EXISTS:
        return tuple(filter(None, argument[1:]))
    return ()


def _samples(tree: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Some texts that the expression matches, ignoring look-around."""
    parts = [list(itertools.islice(_sample(op, argument), 3)) or [""] for op, argument in tree]
    for i in range(max(map(len, parts), default=0)):
        yield "".join(part[min(i, len(part) - 1)] for part in parts)


def _sample(op: Any, argument: Any) -> Iterator[str]:
    if op is sre.LITERAL:
        yield chr(argument)
    elif op in (sre.NOT_LITERAL, sre.IN, sre.ANY):
        yield from itertools.islice((c for c in _PROBES if _holds(op, argument, c)), 1)
        yield from itertools.islice((c for c in reversed(_PROBES) if _holds(op, argument, c)), 1)
    elif op in _REPEATS:
        least, _, body = argument
        yield from (text * max(least, 1) for text in _samples(body))
    elif op is sre.BRANCH:
        yield from (text for branch in argument[1] for text in itertools.islice(_samples(branch), 1))
    elif op not in (sre.ASSERT, sre.ASSERT_NOT):
        for inner in _inside(op, argument):
            yield from _samples(inner)


def _sets(tree: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    for op, argument in tree:
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            yield op, argument
        if op in _REPEATS:
            yield from _sets(argument[2])
        for inner in _inside(op, argument):
            yield from _sets(inner)


def _classes(sets: list[tuple[Any, Any]]) -> list[str]:
    """A character for each overlap of the character sets, those in most sets first."""
    found: dict[tuple[bool, ...], str] = {}
    own = [chr(argument) for op, argument in sets if op is sre.LITERAL]
    for c in (*own, *_PROBES):
        found.setdefault(tuple(_holds(op, argument, c) for op, argument in sets), c)
    ranked = sorted(found.items(), key=lambda item: -sum(item[0]))
    return [c for held, c in ranked if any(held)][:16]


def _holds(op: Any, argument: Any, c: str) -> bool:
    if op is sre.LITERAL:
        return ord(c) == argument
    if op is sre.NOT_LITERAL:
        return ord(c) != argument
    if op is sre.ANY:
        return c != "\n"
    held = any(_in(kind, value, c) for kind, value in argument if kind is not sre.NEGATE)
    return held != (argument[0][0] is sre.NEGATE)


def _in(kind: Any, value: Any, c: str) -> bool:
    if kind is sre.LITERAL:
        return ord(c) == value
    if kind is sre.RANGE:
        return bool(value[0] <= ord(c) <= value[1])
    return re.match(_CATEGORIES[value], c) is not None


def growth(run: Callable[[_Input], object], make: Callable[[int], _Input], longest: int = 4000) -> float:
    """The approximate exponent with which the time grows: 1 if linear, or if too short to measure.

    Lengths rise slowly at first, so that what grows without bounds shows before it never ends.
    """
    size, last = 4.0, 0.0
    while size <= longest:
        text = make(int(size))
        now = _seconds(run, text)
        if now > _TELLING:  # or something else took that time
            now = min(now, _seconds(run, text))
        if now > _TELLING and size < _SLOWLY and now > 3 * last:
            return 9.0  # a quarter more of what is linear does not take three times as long
        if now > 10 * _TELLING:
            break
        size, last = size * (1.25 if size < _SLOWLY else 2), now
    size = min(size, longest)
    if _seconds(run, make(int(size))) < _TELLING:
        return 1.0
    times = [min(_seconds(run, make(int(n))) for _ in range(2)) for n in (size, size / 4)]
    return math.log(times[0] / max(times[1], 1e-6)) / math.log(4)


_SLOWLY = 300
"""Below this length, each string is only a quarter longer than the last, to stop exponential growth in time."""
_TELLING = 0.002
"""Times above this many seconds are more than noise."""


def times_as_long(run: Callable[[_Input], object], make: Callable[[int], _Input], size: int) -> float:
    """The ratio of the time on four times the ``size``; 1 if even that is too short to measure.

    Of each the shortest of several runs counts, and they take turns, so that other work on the machine tells little.
    """
    short, long = make(size), make(4 * size)
    least = [math.inf, math.inf]
    for _ in range(4):
        for at, data in enumerate((short, long)):
            least[at] = min(least[at], _seconds(run, data))
        if least[1] < 10 * _TELLING:
            return 1.0
        if least[1] < 6 * least[0]:
            break
    return least[1] / max(least[0], _TELLING)


def _seconds(run: Callable[[_Input], object], text: _Input) -> float:
    began = time.process_time()
    run(text)
    return time.process_time() - began
