"""Loads a tokenizer from its file; the file is checked before anything in it runs.

A hostile ``tokenizer.json`` may use all memory or never end: replacements that double the text thirty times over, a
regular expression with exponentially many ways to match, a table that turns characters into books. So it may only hold
steps that pizhu knows, few of them, that make no text much longer, and expressions that match without backtracking.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ModelError
from ..base.toml import brief

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MOST_BYTES = 2**26
_LONGEST_PIECE = 256
_LONGEST_WORD = 200
"""Characters of a word that WordPiece reads: its time grows with their square."""
_MOST_STEPS = 8
_MOST_ADDED = 10_000


def read_tokenizer(path: Path, vocabulary: int) -> Tokenizer:
    """The tokenizer in ``path``; see :func:`make_tokenizer`."""
    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"{path.name} is larger than {_MOST_BYTES // 2**20} MB")
    try:
        return make_tokenizer(json.loads(path.read_bytes().decode("utf-8")), vocabulary)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise ModelError(f"{path.name} cannot be understood: {brief(error)}") from None


def make_tokenizer(body: Any, vocabulary: int) -> Tokenizer:
    """The tokenizer that ``body`` (as in a ``tokenizer.json``) describes; it never truncates or pads a text.

    Added tokens for which the encoder has no vector are left out, and their text is read like any other.

    Args:
        vocabulary: how many token vectors the encoder has.

    Raises:
        ModelError: it numbers pieces that have no vector, or might take too much time or memory. A ``body`` that is not
            shaped like a tokenizer raises various errors.
    """
    _check(body, vocabulary)
    tokenizer = _build(body)
    added = body.get("added_tokens") or []
    known = [token for token in added if (tokenizer.token_to_id(token["content"]) or 0) < vocabulary]
    return tokenizer if len(known) == len(added) else _build({**body, "added_tokens": known})


def _check(body: Any, vocabulary: int) -> None:
    for part, known in _STEPS.items():
        steps = list(_flat(body.get(part), part))
        if len(steps) > _MOST_STEPS:
            raise ModelError(f"its tokenizer has {len(steps)} steps of the {part}, expected at most {_MOST_STEPS}")
        for kind, count in Counter(step["type"] for step in steps).items():
            if kind not in known:
                raise ModelError(f"its tokenizer has the {part} {brief(kind)}, which pizhu does not run")
            if kind in _RARE and count > _RARE[kind]:
                raise ModelError(f"its tokenizer has the {part} {kind} {count} times, and each makes texts longer")
        for step in steps:
            if (check := known[step["type"]]) is not None:
                check(step)
    added = body.get("added_tokens") or []
    if len(added) > _MOST_ADDED:
        raise ModelError(f"its tokenizer adds {len(added)} tokens, expected at most {_MOST_ADDED}")
    pieces, numbers = _pieces(body["model"])
    pieces += [token["content"] for token in added]
    if max(map(str.__len__, pieces)) > _LONGEST_PIECE or not all(token["content"] for token in added):
        raise ModelError(f"its tokenizer has a piece of more than {_LONGEST_PIECE} characters, or adds an empty one")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ModelError("its tokenizer has a piece with an invalid number")
    if max(numbers) >= vocabulary:
        raise ModelError(
            f"it has {vocabulary} token vectors, but its tokenizer has a piece with the number {max(numbers)}"
        )


def _build(body: Mapping[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = _with_pieces(body) if body["model"].keys() == _UNIGRAM else Tokenizer.from_str(json.dumps(body))
        tokenizer.no_truncation()
        tokenizer.no_padding()
    except BaseException as error:  # a panic in Rust is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ModelError(f"its tokenizer cannot be made: {' '.join(str(error).split())[:200]}") from None
    return tokenizer


_UNIGRAM = {"type", "unk_id", "vocab", "byte_fallback"}


def _with_pieces(body: Mapping[str, Any]) -> Tokenizer:
    """A tokenizer that gets the pieces of its Unigram model already parsed, which saves parsing them twice."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import Unigram

    model = body["model"]
    first = {**model, "vocab": model["vocab"][:1], "unk_id": 0}
    tokenizer = Tokenizer.from_str(json.dumps({**body, "model": first, "added_tokens": []}))
    tokenizer.model = Unigram(list(map(tuple, model["vocab"])), model["unk_id"], model["byte_fallback"])
    tokenizer.add_tokens(
        [AddedToken(**{k: v for k, v in token.items() if k != "id"}) for token in body["added_tokens"]]
    )
    return tokenizer


def _flat(step: Any, part: str) -> Iterator[Mapping[str, Any]]:
    """The steps of a part of a tokenizer, with sequences flattened."""
    waiting = [step] if step is not None else []
    while waiting:
        step = waiting.pop()
        if step["type"] == "Sequence":
            inner = step[_INNER[part]]
            if len(inner) > _MOST_STEPS:
                raise ModelError(f"its tokenizer has {len(inner)} steps of the {part}, expected at most {_MOST_STEPS}")
            waiting += inner
        else:
            yield step


def _pieces(model: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    """The pieces of the vocabulary and their numbers."""
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        pieces, scores = zip(*vocabulary, strict=True)
        if not math.isfinite(sum(scores)):
            raise ModelError("its tokenizer has a piece whose score is not a number")
        if not all(pieces):
            raise ModelError("its tokenizer has an empty piece")
        if type(model["unk_id"]) is not int or not 0 <= model["unk_id"] < len(vocabulary):
            raise ModelError("its tokenizer has no piece for unknown text")
        return list(pieces), [len(vocabulary) - 1]
    if model.get("dropout") is not None:
        raise ModelError("its tokenizer chooses pieces at random")
    if model.get("max_input_chars_per_word", 0) > _LONGEST_WORD:
        raise ModelError(f"its tokenizer accepts words of more than {_LONGEST_WORD} characters")
    if "merges" not in model and model["unk_token"] not in vocabulary:
        raise ModelError("its tokenizer has no piece for unknown text")
    affixes = [model.get(name) or "x" for name in ("continuing_subword_prefix", "end_of_word_suffix")]
    return [*vocabulary, *affixes], list(vocabulary.values())


def _replacing(step: Mapping[str, Any]) -> None:
    if len(step["content"]) > _shortest(step["pattern"]):
        raise ModelError(f"its tokenizer replaces {brief(step['pattern'])} by something longer")


def _splitting(step: Mapping[str, Any]) -> None:
    _shortest(step["pattern"])


def _prepending(step: Mapping[str, Any]) -> None:
    if len(step["prepend"]) > _MOST_STEPS:
        raise ModelError("its tokenizer puts a long text before every text")


def _cutting(step: Mapping[str, Any]) -> None:
    if type(step["length"]) is not int or step["length"] < 1:
        raise ModelError("its tokenizer cuts texts into pieces of length 0")


def _framing(step: Mapping[str, Any]) -> None:
    if len(step["single"]) > _MOST_STEPS or sum("Sequence" in piece for piece in step["single"]) > 1:
        raise ModelError("its tokenizer repeats every text")


_END = 2**31
"""Flag in a table of characters: a unit with this bit holds the offset of a replacement; the others lead to it."""
_LONGEST_BECOMES = 64


def _mapping(step: Mapping[str, Any]) -> None:
    """Check that a table of characters (SentencePiece's: a double-array trie, then texts) stays within its bounds."""
    data = base64.b64decode(step["precompiled_charsmap"], validate=True)
    if not data:
        return
    size = int.from_bytes(data[:4], "little")
    units, texts = np.frombuffer(data[4 : 4 + size], "<u4").astype(np.int64), np.frombuffer(data[4 + size :], np.uint8)
    end = units >= _END
    below = np.arange(len(units)) ^ (units >> 10) << ((units & 1 << 9) >> 6)
    ended = below[~end & (units >> 8 & 1 == 1)]
    places = units[end] - _END
    whole = len(units) * 4 == size > 0 and len(texts) > 0 and texts[-1] == 0
    if not (
        whole
        and (below[~end] | 255).max(initial=0) < len(units)
        and end[ended].all()
        and places.max(initial=0) < len(texts)
        and (texts[places] & 0xC0 != 0x80).all()  # no offset is inside a character
    ):
        raise ModelError("its tokenizer has a table of characters that is damaged")
    if np.diff(np.flatnonzero(texts == 0), prepend=-1).max() > _LONGEST_BECOMES:
        raise ModelError("its tokenizer has a table that makes a long text of one character")


_ATOM = re.compile(
    r"""(?: \\[sSdDwWnrtN] | \\[pP]\{\^?\w{1,30}\} | \\[^\w\s] | [^\\\[\](){}*+?|^$]   # one character
          | \[\^? (?: \\[sSdDwWnrt] | \\[pP]\{\^?\w{1,30}\} | \\[^\w\s] | [^\\\[\]] )+ \] )
        (?: (?P<any>[*+]) | (?P<maybe>\?) | \{ (?P<least>\d{1,2}) (?P<most>,\d{0,2})? \} )?""",
    re.VERBOSE,
)
_MOST_ATOMS = 100
_MOST_TIMES = 16


def _shortest(pattern: Mapping[str, Any]) -> int:
    """Length of the shortest text that a pattern matches, 1 or more.

    Raises:
        ModelError: it may match an empty text, or is not an expression that matches without backtracking: a sequence of
            characters, of which one may be repeated up to a limit, and the last any number of times.
    """
    if "String" in pattern:
        shortest = len(pattern["String"])
    else:
        branches = [_branch(branch) for branch in _branches(pattern["Regex"])]
        shortest = 0 if None in branches else min(length for length in branches if length is not None)
    if not shortest:
        raise ModelError(f"its tokenizer has the expression {brief(pattern)}, which might take for ever to match")
    return shortest


def _branches(text: str) -> Iterator[list[re.Match[str]]]:
    """The atoms of each alternative; an empty branch if the text is not such an expression."""
    branch: list[re.Match[str]] = []
    at = 0
    while at < len(text) and len(text) <= _MOST_ATOMS:
        if text[at] == "|":
            yield branch
            branch = []
            at += 1
        elif atom := _ATOM.match(text, at):
            branch.append(atom)
            at = atom.end()
        else:
            break
    yield branch if at == len(text) else []


def _branch(atoms: list[re.Match[str]]) -> int | None:
    """Length of the shortest match, None if matching could take long."""
    shortest = varying = 0
    for atom in atoms:
        least, most = atom["least"], atom["most"]
        endless = atom["any"] is not None or most == ","
        if (endless and atom is not atoms[-1]) or int(least or 0) > _MOST_TIMES:
            return None
        varying += not endless and (atom["maybe"] is not None or most is not None)
        shortest += 0 if atom["maybe"] or atom["any"] == "*" else int(least or 1) if least else 1
        if most and most != "," and int(most[1:]) > _MOST_TIMES:
            return None
    return shortest if varying <= 1 else None


Check = Callable[[Mapping[str, Any]], None] | None
_INNER = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
_STEPS: dict[str, dict[str, Check]] = {
    "normalizer": {
        **dict.fromkeys(("BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt")),
        **dict.fromkeys(("Strip", "StripAccents")),
        "Precompiled": _mapping,
        "Prepend": _prepending,
        "Replace": _replacing,
    },
    "pre_tokenizer": {
        **dict.fromkeys(("BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "Metaspace")),
        **dict.fromkeys(("Punctuation", "UnicodeScripts", "Whitespace", "WhitespaceSplit")),
        "FixedLength": _cutting,
        "Split": _splitting,
    },
    "post_processor": {
        **dict.fromkeys(("BertProcessing", "ByteLevel", "RobertaProcessing")),
        "TemplateProcessing": _framing,
    },
    "decoder": {
        **dict.fromkeys(("BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Strip", "WordPiece")),
        "Replace": _replacing,
    },
}
"""The steps that each part may have, and how each step is checked."""
_RARE = {"ByteLevel": 1, "Metaspace": 2, "Precompiled": 1}
"""How often a part may have a step that doubles the length of a text."""
