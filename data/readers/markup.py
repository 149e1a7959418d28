"""Estimates what a page's mark-up costs, before it is parsed: endless attributes, tags that never close."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ...base.errors import ReadError
from ...base.limits import over
from .base import Source

RAW = frozenset(["script", "style", "textarea", "title", "iframe"])
"""Elements that hold only characters: up to their end tag, nothing in them is a tag."""
ASIDE = frozenset(
    re.findall(r"\w+", "noscript template object svg canvas audio video map button select option datalist")
)
"""Elements whose text is not the page's own; if their end tag is missing, they swallow the text behind them."""

_ATTRIBUTE = r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+))?+"""
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_TAG = re.compile(rf"<(?:(!--)|[!?][^>]*+>?+|([A-Za-z][^\s/>]*+)((?:{_ATTRIBUTE})*+)[\s/]*+>?+)")
_MOST = 1000
"""Attributes of one tag: the parser compares each with all before it."""
_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW}
_ENDS["!--"] = re.compile(r"(?<=<!--)-?>|--!?>")
_LINE = re.compile(r"</?(?:p|br|td|div|li)\b", re.IGNORECASE)


def examine(markup: str, source: Source) -> set[str]:
    """The names of elements in ``ASIDE`` that the page opens more often than it closes them.

    Raises:
        ReadError: there are more elements or attributes than the limit, or text behind something that never ends, which
            parsers and browsers do not read.
    """
    limits = source.limits
    if (tags := markup.count("<")) > 2 * limits.elements:
        raise ReadError(over(source.name, f"{tags // 2:,} elements", "elements", limits))
    total = 0
    exact = len(markup) > 4 * limits.elements  # a shorter page cannot have too many
    opened: Counter[str] = Counter()
    for name, tag, ends in _tags(markup):
        if exact or tag.end() - tag.start() > 2 * _MOST:
            here = len(_ATTRIBUTES.findall(tag[3] or ""))
            if here > _MOST:
                raise ReadError(f"{source.name} has a tag with {here:,} attributes, which no page has; it is refused")
            total += here
        if name in ASIDE and not markup.endswith("/>", 0, tag.end()):
            opened[name] += 1
        if not ends and _LINE.search(markup, tag.start() + 1) and "。" in markup[tag.end() :]:
            raise ReadError(
                f"{source.name} is damaged or cut off: its <{name} never ends, which hides the text behind it; save its"
                " text as .txt"
            )
    if total > 2 * limits.elements:
        raise ReadError(over(source.name, f"attributes for {total // 2:,} elements", "elements", limits))
    unclosed = {name for name, count in opened.items() if count > _closed(name, markup)}
    return unclosed if "select" in unclosed else unclosed - {"option"}  # the end tag of "option" is optional


def _tags(markup: str) -> Iterator[tuple[str, re.Match[str], bool]]:
    """Each start tag and comment: its name in lower case, its match, and whether it ends.

    Comments and the contents of raw elements are skipped.
    """
    at = 0
    while tag := _TAG.search(markup, at):
        at = tag.end()
        name = (tag[1] or tag[2] or "").lower()
        ends = name == "!--" or markup.endswith(">", 0, at)
        if name in _ENDS and ends and not markup.endswith("/>", 0, at):
            end = _ENDS[name].search(markup, at)
            ends, at = end is not None, end.end() if end else len(markup)
        yield name, tag, ends


def _closed(name: str, markup: str) -> int:
    return len(re.findall(rf"</{name}(?=[\s/>])", markup, re.IGNORECASE))
