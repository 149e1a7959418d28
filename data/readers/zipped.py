"""Opens zipped formats safely: nothing is unpacked to disk, and no part may exceed the limit."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from lxml import etree

from ...base.errors import ReadError
from ...base.limits import over
from .base import Source

_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_LONG_NAME = re.compile(rb"xmlns(?::[^\s=:\"'<>]*+)?\s*+=\s*+(?:\"[^\"<]{500}|'[^'<]{500})")
"""A namespace of 500 characters or more: the parser copies it for the name of each element in it."""
_ENTRY = b"PK\x01\x02"
_MOST_PARTS = 20_000


BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compression methods that zipfile unpacks piece by piece; with others 4 KB may become 4 GB at once."""


class Archive:
    """Reads the parts of a zipped document one by one and counts their bytes."""

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._left = source.limits.expanded_mb * 2**20
        self._limits = source.limits
        if (parts := source.data.count(_ENTRY)) > _MOST_PARTS:  # check before reading the directory, which takes memory
            raise ReadError(f"{self._name} has {parts:,} parts, which no word processor writes; it is refused")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source.data))
            self.names = frozenset(self._zip.namelist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise ReadError(f"{self._name} is damaged or cut off: its zip directory cannot be read") from None

    def read(self, part: str) -> bytes:
        """The bytes of ``part``; raises a ReadError if it is damaged, encrypted or over the limit."""
        try:
            if self._zip.getinfo(part).compress_type not in BOUNDED:
                raise NotImplementedError
            with self._zip.open(part) as file:
                data = file.read(self._left + 1)  # the size in the directory may be false
        except KeyError:
            raise ReadError(f"{self._name} is damaged: it has no part {part}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
            raise ReadError(f"{self._name} is damaged: its part {part} cannot be unpacked") from None
        except RuntimeError:  # zipfile raises it for passwords; NotImplementedError is a subclass
            raise ReadError(f"{self._name} is protected by a password; save it without one") from None
        self.take(len(data))
        return data

    def take(self, size: int) -> None:
        """Count ``size`` unpacked bytes; raises a ReadError if they exceed the limit in total."""
        if size > self._left:
            raise ReadError(f"{self._name} unpacks to more than {self._limits.expanded_mb} MB, perhaps a zip bomb")
        self._left -= size

    def xml(self, part: str) -> etree._Element:
        """The root of an XML part; entity declarations are refused, and nothing is fetched."""
        data = self.read(part)
        plain = data.replace(b"\0", b"") if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4] else data
        if _DOCTYPE.search(plain):
            raise ReadError(
                f"{self._name} declares XML entities in {part}, which no word processor does; it is refused"
            )
        if (tags := data.count(b"<")) > 2 * self._limits.elements:
            raise ReadError(over(self._name, f"{tags // 2:,} elements", "elements", self._limits))
        if (attributes := data.count(b"=")) > 2 * self._limits.elements:
            raise ReadError(over(self._name, f"attributes for {attributes // 2:,} elements", "elements", self._limits))
        if _LONG_NAME.search(plain):
            raise ReadError(f"{self._name} is damaged: its part {part} has a namespace that is too long")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
        try:
            return etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise ReadError(f"{self._name} is damaged: its part {part} is not XML") from None
