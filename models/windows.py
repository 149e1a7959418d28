"""Windows: stretches of a report that the encoder reads at once, so that every sentence sees its neighbours.

A window is ``[CLS] title and heading path [SEP] some units before, then units up to the budget, one after [SEP]``. A
unit is a sentence or a heading; furniture is left out. Every unit is *answered* in exactly one window, by the mean of
its own tokens; where it only gives context, the result for its tokens is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..base.errors import ConfigError, ModelError
from ..base.toml import brief
from ..data.report import Report, Sentence, normalise

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class ContextFormat:
    """How windows are made; stored in the model folder, since a model works well only in the format it was trained on.

    Attributes:
        tokens: the longest window, special tokens included; at least ``prefix + unit + 3``.
        before: units of context before the first answered one.
        after: units of context after the last answered one.
        prefix: the most tokens of title and heading path.
        unit: the most tokens of one unit; a longer one keeps its head and tail.
        units: the most answered units of a window; 0 for as many as fit.
    """

    tokens: int = 256
    before: int = 2
    after: int = 1
    prefix: int = 48
    unit: int = 160
    units: int = 0

    def check(self) -> None:
        """Raise a ConfigError that names the field if no window can be made with these values."""
        for name, (least, most) in _RANGES.items():
            if not least <= (value := getattr(self, name)) <= most:
                raise ConfigError(f"context.{name} is {brief(value)}, expected {least} to {most}")
        if self.prefix + self.unit > self.tokens - 3:  # the special tokens
            raise ConfigError(
                f"context.prefix + context.unit is {self.prefix + self.unit}, "
                f"expected at most context.tokens minus 3, {self.tokens - 3}"
            )


_RANGES = {
    "tokens": (32, 8192),
    "before": (0, 50),
    "after": (0, 50),
    "prefix": (0, 512),
    "unit": (8, 4096),
    "units": (0, 1000),
}


@dataclass(frozen=True)
class Unit:
    """A sentence or heading as the model sees it.

    Attributes:
        index: its index in ``Report.sentences``.
        role: 0 a sentence, 1 a sentence that opens a paragraph, 2 to 5 a heading of level 1 to 4 or deeper.
        tokens: its token ids, at most ``ContextFormat.unit``.
        above: the indices, among the units, of the headings above it, outermost first, without the title.
    """

    index: int
    role: int
    tokens: tuple[int, ...]
    above: tuple[int, ...] = ()


ROLES = 6


@dataclass(frozen=True)
class Window:
    """Token ids and the answered units in them: ``spans[i] = (unit, start, end)``, positions half open."""

    tokens: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class SpecialTokens:
    """Ids of the tokens that frame and pad a window."""

    cls: int
    sep: int
    pad: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialTokens:
        """The ids from the vocabulary: RoBERTa's names, else BERT's; a ModelError if it has neither."""

        def find(*names: str) -> int:
            found = next((i for name in names if (i := tokenizer.token_to_id(name)) is not None), None)
            if found is None:
                raise ModelError(f"the encoder's tokenizer has no {' or '.join(names)}; name another encoder")
            return found

        return cls(find("<s>", "[CLS]"), find("</s>", "[SEP]"), find("<pad>", "[PAD]"))


@dataclass(frozen=True)
class Windower:
    """Cuts reports into windows: holds the encoder's tokenizer and the format of the windows."""

    tokenizer: Tokenizer
    context: ContextFormat

    @cached_property
    def special(self) -> SpecialTokens:
        """The ids that frame and pad a window."""
        return SpecialTokens.of(self.tokenizer)

    def units(self, report: Report) -> list[Unit]:
        """The report's sentences and headings, tokenised."""
        return units(report, self.tokenizer, self.context)

    def windows(self, report: Report, parts: Sequence[Unit]) -> list[Window]:
        """Cover all ``parts`` of ``report``, the result of :meth:`units`, with windows; each part is answered once."""
        return windows(report, parts, self.tokenizer, self.special, self.context)

    def without_headings(self) -> Windower:
        """The same, but with windows without title and heading path."""
        return replace(self, context=replace(self.context, prefix=0))


def units(report: Report, tokenizer: Tokenizer, context: ContextFormat) -> list[Unit]:
    """The report's sentences and headings, tokenised."""
    kept = [(i, s) for i, s in enumerate(report.sentences) if s.kind != "furniture"]
    encoded = tokenizer.encode_batch_fast([normalise(s.text) for _, s in kept], add_special_tokens=False)
    result: list[Unit] = []
    latest: dict[str, int] = {}  # any unit may be a heading: a topic sentence is one for the sentences after it
    end = 0
    for (index, sentence), encoding in zip(kept, encoded, strict=True):
        opens = "\n" in report.text[end : sentence.start] or not end
        role = min(2 + len(sentence.headings), ROLES - 1) if sentence.kind == "heading" else int(opens)
        above = tuple(latest[h] for h in sentence.headings if h in latest)
        latest[sentence.title] = len(result)
        result.append(Unit(index, role, _shorten(encoding.ids, context.unit), above))
        end = sentence.end
    return result


def windows(
    report: Report, parts: Sequence[Unit], tokenizer: Tokenizer, special: SpecialTokens, context: ContextFormat
) -> list[Window]:
    """Cover all ``parts`` of ``report`` with windows; each part is answered once."""
    title = report.title
    result: list[Window] = []
    first = 0
    while first < len(parts):
        path = _path(report.sentences[parts[first].index], title)
        prefix = tokenizer.encode(normalise(path), add_special_tokens=False).ids if context.prefix and path else []
        tokens = [special.cls, *_shorten(prefix, context.prefix), special.sep]
        room = context.tokens - 1 - len(tokens) - len(parts[first].tokens)
        tokens += _context(parts[max(0, first - context.before) : first], min(context.tokens // 4, max(0, room)))
        spans: list[tuple[int, int, int]] = []
        last = first
        end = min(len(parts), first + context.units) if context.units else len(parts)
        while last < end and (last == first or len(tokens) + len(parts[last].tokens) < context.tokens):
            ids = parts[last].tokens
            spans.append((last, len(tokens), len(tokens) + len(ids)))
            tokens += ids
            last += 1
        room = context.tokens - 1 - len(tokens)
        for part in parts[last : last + context.after]:
            tokens += part.tokens[: max(0, room)]
            room -= len(part.tokens)
        tokens.append(special.sep)
        result.append(Window(tuple(tokens), tuple(spans)))
        first = last
    return result


def _path(sentence: Sentence, title: str) -> str:
    headings = [title, *(h for h in sentence.headings if h != title)]
    return " ".join(h for h in headings if h)


def _shorten(ids: Sequence[int], most: int) -> tuple[int, ...]:
    if len(ids) <= most:
        return tuple(ids)
    tail = most // 4
    return (*ids[: most - tail], *ids[len(ids) - tail :])


def _context(parts: Sequence[Unit], most: int) -> list[int]:
    ids = [i for part in parts for i in part.tokens]
    return ids[max(0, len(ids) - most) :]
