"""Backup archives: a zip file with a manifest of the files' SHA-256 sums, which prove that each is intact.

Members are named by number. Only the manifest says where a part belongs, and that is checked before use.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from ...base.errors import LabelingError
from ...base.files import beside
from ...base.progress import Progress, silent
from ...data.readers.zipped import BOUNDED

MANIFEST = "manifest.json"
FORMAT = "pizhu-label-backup"
_CHUNK = 1 << 20
_MANIFEST_LIMIT = 64 << 20  # bytes; uploads of hundreds of thousands of files stay below
_FOREIGN = re.compile(r'[\x00-\x1f\\\\:*?"<>|]|[. ]$')  # characters that Windows does not accept or treats specially
# What zipfile, json and the system raise for an archive that is damaged or malicious.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,  # includes RecursionError
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    FileExistsError,
    NotADirectoryError,
)
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # Windows devices, in any folder


def write(path: Path, parts: Iterable[tuple[str, Path]], facts: Mapping[str, Any], progress: Progress = silent) -> None:
    """Write the archive to ``path``, readable by its owner only.

    Args:
        path: the file, which is whole or absent.
        parts: the name that each file is restored to, ``/`` between folders, and the file. A file that no longer exists
            is left out.
        facts: further fields of the manifest.
        progress: reports the MB written.
    """
    listed: list[dict[str, Any]] = []
    with beside(path, private=True) as part, zipfile.ZipFile(part, "w") as archive:
        size = 0
        for name, source in parts:
            try:
                file = source.open("rb")
            except FileNotFoundError:
                continue
            member = f"parts/{len(listed)}"
            with file, archive.open(_private(member), "w", force_zip64=True) as target:
                digest, count = _copy(file, target)
            listed.append({"name": name, "member": member, "size": count, "sha256": digest})
            size += count
            progress("Writing the backup (MB)", round(size / 1e6, 1))
        manifest = {"format": FORMAT, "version": 1, **facts, "parts": listed}
        archive.writestr(_private(MANIFEST), json.dumps(manifest, indent=1))


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the archive at ``path``, with its structure and every part's name checked.

    Raises:
        LabelingError: there is no such file, or it is not an intact pizhu backup.
    """
    try:
        with zipfile.ZipFile(path) as archive, _opened(archive, MANIFEST) as file:
            content = file.read(_MANIFEST_LIMIT + 1)  # the size in the zip directory may be false
        if len(content) > _MANIFEST_LIMIT:
            raise ValueError
        manifest: dict[str, Any] = json.loads(content)
        if manifest["format"] != FORMAT:
            raise ValueError
        if manifest["version"] != 1:
            raise LabelingError(f"{path} was made by a later pizhu; install that one to restore it")
        for part in manifest["parts"]:
            _check_name(part["name"])
            if type(part["size"]) is not int or not 0 <= part["size"] < 1 << 60:
                raise ValueError
    except FileNotFoundError:
        raise LabelingError(f"{path} does not exist") from None
    except OSError as error:
        raise LabelingError(f"{path} cannot be read: {error.strerror or error}") from None
    except _DAMAGED:
        raise LabelingError(f"{path} is not a pizhu backup, or is damaged") from None
    return manifest


def extract(path: Path, folder: Path, progress: Progress = silent) -> None:
    """Write the archive's parts into ``folder`` as private files, each checked against its sum.

    Raises:
        LabelingError: as in :func:`read_manifest`, or a part does not match the manifest, or there is no room.
    """
    manifest = read_manifest(path)
    wanted, free = sum(part["size"] for part in manifest["parts"]), shutil.disk_usage(folder).free
    if wanted > free:
        raise LabelingError(f"{path} needs {wanted / 1e6:,.0f} MB unpacked, but only {free / 1e6:,.0f} MB are free")
    try:
        with zipfile.ZipFile(path) as archive:
            size = 0
            for part in manifest["parts"]:
                target = folder / part["name"]
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with _opened(archive, part["member"]) as source, target.open("xb") as file:
                    target.chmod(0o600)
                    digest, count = _copy(source, file, part["size"])
                if (digest, count) != (part["sha256"], part["size"]):
                    raise ValueError
                size += count
                progress("Reading the backup (MB)", round(size / 1e6, 1))
    except _DAMAGED:
        raise LabelingError(f"{path} is damaged; use another backup") from None


def _opened(archive: zipfile.ZipFile, member: str) -> IO[bytes]:
    """The open member; one compressed by a method that cannot be read in chunks raises NotImplementedError."""
    if archive.getinfo(member).compress_type not in BOUNDED:
        raise NotImplementedError
    return archive.open(member)


def _copy(source: IO[bytes], target: IO[bytes], limit: float = math.inf) -> tuple[str, int]:
    """The SHA-256 sum and the number of bytes copied; copying stops soon after ``limit`` bytes."""
    digest, count = hashlib.sha256(), 0
    while count <= limit and (chunk := source.read(_CHUNK)):
        target.write(chunk)
        digest.update(chunk)
        count += len(chunk)
    return digest.hexdigest(), count


def _private(member: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _check_name(name: str) -> None:
    """Raise a ValueError unless ``name``, joined to a folder on this system, is a file below that folder."""
    steps = name.split("/")
    if any(step in ("", ".", "..") or "\0" in step for step in steps):
        raise ValueError
    if os.name == "nt" and any(_FOREIGN.search(step) or _RESERVED.fullmatch(step) for step in steps):
        raise ValueError
