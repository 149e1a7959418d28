"""Old Word, WPS, rich-text and OpenDocument files: LibreOffice, if installed, converts them to .docx."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

from ...base.errors import ReadError
from ...base.silence import NOWHERE
from ..isolation.confinement import external_program, is_begun, scratch
from . import word
from .base import Extract, Source

_HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)


def matches(data: bytes) -> bool:
    """Whether this is a file in Microsoft's old compound format, rich text or OpenDocument."""
    return data.startswith((_OLE, b"{\\rtf")) or _is_open_document(data)


def read(source: Source) -> Extract:
    """Convert to .docx and read that; raises ReadError if LibreOffice is missing, fails or takes too long."""
    _refuse(source)
    program = find_office()
    if program is None:
        raise ReadError(
            f"{source.name} is {_kind(source.data)}; to read it, install LibreOffice "
            "(on Debian and Ubuntu the package libreoffice-writer), or save the report as .docx"
        )
    return word.read(replace(source, data=_convert(source, program)))


def find_office() -> str | None:
    """The path of LibreOffice, or None."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _PLACES if Path(place).exists()), None)


def _is_open_document(data: bytes) -> bool:
    return data[:2] == b"PK" and data[30:38] == b"mimetype" and b"opendocument." in data[38:100]


def _kind(data: bytes) -> str:
    if data.startswith(b"{\\rtf"):
        return "a rich-text file"
    return "an OpenDocument file" if data[:2] == b"PK" else "an old Word or WPS file"


def _refuse(source: Source) -> None:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in source.data

    if source.data.startswith(_OLE):
        if has("EncryptedPackage") or has("EncryptionInfo"):
            raise ReadError(f"{source.name} is protected by a password; save it without one")
        for stream, what in (("Workbook", "a spreadsheet"), ("PowerPoint Document", "a slide show")):
            if has(stream) and not has("WordDocument"):
                raise ReadError(f"{source.name} is {what}, not a report; save its text as .docx or .txt")
    elif source.data[:2] == b"PK" and b"opendocument.text" not in source.data[38:100]:
        raise ReadError(f"{source.name} is an OpenDocument file, but no text document; save its text as .docx or .txt")


@contextmanager
def _profile() -> Iterator[Path]:
    """A profile that no other LibreOffice, of the user or of another thread, has open: it would refuse a second one."""
    try:
        own = _FREE.get_nowait()
    except Empty:
        own = tempfile.TemporaryDirectory(prefix="pizhu-office-", dir=scratch(), ignore_cleanup_errors=True)
    try:
        yield Path(own.name)
    finally:
        _FREE.put(own)


_FREE: SimpleQueue[tempfile.TemporaryDirectory[str]] = SimpleQueue()  # the first use of one takes seconds


def _convert(source: Source, program: str) -> bytes:
    ending = ".rtf" if source.data.startswith(b"{\\rtf") else ".odt" if source.data[:2] == b"PK" else ".doc"
    kept = tempfile.TemporaryDirectory(prefix="pizhu-", dir=scratch(), ignore_cleanup_errors=True)
    with kept as folder, _profile() as profile, external_program():
        given = Path(folder, f"report{ending}")
        given.write_bytes(source.data)
        command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
        command += [f"-env:UNO_SHARED_PACKAGES_CACHE={profile.as_uri()}/shared"]  # else it writes beside itself
        command += ["--convert-to", "docx", "--outdir", str(Path(folder, "out")), str(given)]
        # Linked pictures must not be fetched, and the desktop's libraries keep caches and settings of their own.
        _run(command, os.environ | NOWHERE | dict.fromkeys(_HOMES, str(profile)), source)
        made = Path(folder, "out", "report.docx")
        if not made.is_file():
            raise ReadError(f"{source.name} is {_kind(source.data)} that LibreOffice cannot convert; it may be damaged")
        if made.stat().st_size > source.limits.file_mb * 2**20:
            raise ReadError(f"{source.name} is larger than the limit of {source.limits.file_mb} MB once converted")
        return made.read_bytes()


def _run(command: list[str], environment: dict[str, str], source: Source) -> None:
    quiet = subprocess.DEVNULL
    own_group = _has_group()  # so that the processes it starts can be ended with it
    process = subprocess.Popen(
        command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=own_group
    )
    try:
        process.wait(source.limits.seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise ReadError(
            f"{source.name} takes LibreOffice longer than the limit of {source.limits.seconds} seconds;"
            " save it as .docx"
        ) from None
    except BaseException:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End LibreOffice and its processes; in a reading process, they end with that process, very soon."""
    if not _has_group():
        process.kill()
    else:
        import signal

        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _has_group() -> bool:
    return sys.platform != "win32" and not is_begun()
