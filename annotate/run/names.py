"""Names for the outputs of an input: safe on every system, and never changed once given."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

from ..inputs.base import Input

Layout = Literal["flat", "folders", "hash"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
WHOLE = "all"
"""The folder in a run folder for files made from all reports."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\ud800-\udfff]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])\s*(\.|$)", re.IGNORECASE)
_TABLE = ".metrics"  # as in NAME.metrics.csv, which must differ from the CSV output of a report called NAME.metrics
_BYTES = 160  # of the 255 that file systems allow, with room for extensions
# Windows allows 260 in a whole path. With a hash (17) and the longest extension, about 45 remain for the run folder.
_CHARACTERS, _FOLDERS = 80, 100


_LONGEST = 300
"""An upper bound on the characters of any given name, folders included."""


def safe(text: str) -> str:
    """``text`` as a file name without extension: valid on Windows, no control characters, not hidden, not too long."""
    name = _allowed(text)
    if len(name.encode("utf-8")) > _BYTES or _length(name) > _CHARACTERS:
        name = name.encode("utf-16-le")[: 2 * (_CHARACTERS - 9)].decode("utf-16-le", "ignore")
        name = name.encode("utf-8")[: _BYTES - 9].decode("utf-8", "ignore") + "-" + _digest(text)
    return name


def _allowed(text: str) -> str:
    """As :func:`safe`, but of any length."""
    name = "".join("_" if unicodedata.category(c) in ("Cc", "Cf") else c for c in _FORBIDDEN.sub("_", text))
    name = name.strip().rstrip(". ")
    return f"_{name}" if not name or name.startswith(".") or _DEVICES.match(name) else name


def is_given(name: str) -> bool:
    """Whether :class:`Names` may have given ``name``: a path below the run folder on every system, and not hidden."""
    parts = name.split("/")
    if len(name) > _LONGEST or (len(parts) > 1 and parts[0].casefold() == WHOLE):
        return False
    return all(part == _allowed(part) and len(part.encode("utf-8")) <= _BYTES + 40 for part in parts)


def claims(name: str) -> set[str]:
    """The names that an input called ``name`` occupies, folded as Windows and macOS compare them."""
    return {_folded(name), _folded(name + _TABLE)}


def _length(name: str) -> int:
    """The length in UTF-16 units, as Windows counts."""
    return len(name.encode("utf-16-le")) // 2


class Names:
    """Gives out distinct names; compares names as Windows and macOS do, ignoring case.

    An input gets its stem; if that is taken, the stem and its folder's name; if that is taken too, the stem and a hash
    of its key. So a name depends only on earlier inputs, and inputs can be added to a run.
    """

    def __init__(self, layout: str, taken: Iterable[str] = ()) -> None:
        self._layout = layout
        self._taken: set[str] = set()
        for name in taken:
            self._take(name)

    def give(self, item: Input, key: str) -> str:
        """The name for ``item``, whose key is ``key``; contains ``/`` if the layout has folders."""
        folder = self._folder(item, key)
        stem = safe(item.stem)
        parent = (item.under or item.place.parent.name if not item.inside else item.under or item.place.stem) or "."
        for name in (stem, safe(f"{item.stem}-{parent.rpartition('/')[2]}"), f"{stem}-{_digest(key)}"):
            if self._free(folder + name):
                break
        else:
            name = f"{stem}-{_digest(key, 16)}"
        self._take(folder + name)
        return folder + name

    def _take(self, name: str) -> None:
        self._taken |= claims(name)

    def _free(self, name: str) -> bool:
        return self._taken.isdisjoint(claims(name))

    def _folder(self, item: Input, key: str) -> str:
        if self._layout == "hash":
            return f"{_digest(key, 1)}/"
        if self._layout == "flat" or not item.under:
            return ""
        parts = [safe(part) for part in item.under.split("/") if part not in ("", ".", "..")]
        if parts and parts[0].casefold() == WHOLE:
            parts[0] = f"_{parts[0]}"
        if sum(_length(part) + 1 for part in parts) <= _FOLDERS:
            return "".join(f"{part}/" for part in parts)
        kept, left = "", _FOLDERS - 9
        for part in parts:
            if (left := left - _length(part) - 1) < 0:
                break
            kept += f"{part}/"
        return f"{kept}{_digest(item.under)}/"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _digest(text: str, size: int = 4) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
