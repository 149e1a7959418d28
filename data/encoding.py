"""Bytes to text: finds out which Chinese encoding a file is in."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from ..base.errors import ReadError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)
_CANDIDATES = ("gb18030", "utf-16-le", "utf-16-be", "big5hkscs")
_NAMES = {"gb18030": "GB18030", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "big5hkscs": "Big5", "utf-8": "UTF-8"}
_SAMPLE = 1 << 16
# The characters that fill about a quarter of any Chinese text, simplified or traditional, and its punctuation.
_FREQUENT = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "進這個國來們時對發學過動種經業設務會產為開，。、：；《》“”（）！"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decode(data: bytes, where: str, declared: str | None = None) -> str:
    """The text of ``data`` without its byte-order mark, line ends untouched.

    Args:
        where: the file's name, for the error.
        declared: the encoding that the file itself names (an HTML page's ``charset``); used if the bytes fit it.

    Raises:
        ReadError: the bytes are not text in any of the encodings tried, or are cut off in the middle of a character.
    """
    for mark, encoding, name in _BOMS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding, name, where)
    utf8 = _strict(data, "utf-8")
    if utf8 is not None and utf8.count("\0") <= len(utf8) // 20:  # more: UTF-16 without a mark, nearly all ASCII
        return utf8
    if declared and (codec := _codec(declared)) and (text := _strict(data, codec)) is not None:
        return text
    _refuse_damaged_utf8(data, where)
    return _by_evidence(data, where)


def _decode_marked(data: bytes, codec: str, name: str, where: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        if error.end >= len(data):
            raise ReadError(f"{where} is cut off: it ends in the middle of a {name} character") from None
        raise ReadError(
            f"{where} says it is {name}, but the bytes at {error.start:,} are not; save it again as UTF-8"
        ) from None


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _codec(declared: str) -> str | None:
    """The Python codec for a declared name; pages that claim GBK or GB2312 are read as the superset that they use."""
    try:
        name = codecs.lookup(declared.strip()).name
    except (LookupError, ValueError):
        return None
    if name in ("gb2312", "gbk", "hz"):
        return "gb18030"
    return name if name in (*_CANDIDATES, "utf-8", "big5", "utf-16") else None


def _refuse_damaged_utf8(data: bytes, where: str) -> None:
    """Raise if only a few bytes of UTF-8 are damaged: another encoding would turn them into wrong characters."""
    lenient = data.decode("utf-8", errors="replace")
    damaged = lenient.count("\ufffd")
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in lenient[:_SAMPLE])
    if chinese < 4 or damaged > max(3, len(lenient) // 100):
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(data) and "end of data" in error.reason:
            raise ReadError(f"{where} is cut off: it ends in the middle of a UTF-8 character") from None
        raise ReadError(
            f"{where} is UTF-8 with damaged bytes, the first at {error.start:,}; restore it from its source"
        ) from None


def _by_evidence(data: bytes, where: str) -> str:
    best, text = 0.0, ""
    guesses = [g for g in _CANDIDATES if not g.startswith("utf-16") or len(data) % 2 == 0]
    for codec in guesses:
        decoded = _strict(data, codec)
        if decoded is not None and (score := _chinese(decoded)) > best:
            best, text = score, decoded
    if best >= 0.02:
        return text
    # Nothing Chinese: perhaps a text in another script, which the detector knows better.
    sample = data[:_SAMPLE]
    match = from_bytes(sample).best() if not sample.count(0) else None
    if match is not None and (found := _strict(data, match.encoding)) is not None and not _CONTROL.search(found):
        return found
    odd = (
        len(data) % 2 and max(_chinese(data[:-1].decode(c, errors="replace")) for c in ("utf-16-le", "utf-16-be")) > 0.1
    )
    if odd:
        raise ReadError(f"{where} is cut off: it ends in the middle of a UTF-16 character")
    if _CONTROL.search(sample.decode("latin-1")):
        raise ReadError(f"{where} is not text: it holds binary data; expected .txt, .html or another report format")
    tried = ", ".join(dict.fromkeys(["UTF-8", *(_NAMES[c] for c in _CANDIDATES)]))
    raise ReadError(f"{where} is in an unknown encoding (tried {tried}); save it again as UTF-8")


def _chinese(text: str) -> float:
    """How Chinese the beginning of ``text`` looks: the share of the most frequent characters, less that of nonsense."""
    sample = text[:_SAMPLE]
    if not sample:
        return 0.0
    frequent = sum(c in _FREQUENT for c in sample)
    nonsense = sum("\ue000" <= c <= "\uf8ff" or "\u3400" <= c <= "\u4dbf" or c == "\ufffd" or c < "\t" for c in sample)
    return (frequent - 5 * nonsense) / len(sample)
