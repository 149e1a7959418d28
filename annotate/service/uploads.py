"""Files that come in: bounded, put under a name of ours, read, removed. What the sender calls them is only shown."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ...base.limits import Limits
from ...base.refusal import Refusal
from ...base.scratch import scratch
from ...data.read import load_source, read_source
from ...data.report import Report

_LONGEST = 120
_OVERHEAD = 64 * 1024  # of a form, around the file in it


@dataclass(frozen=True)
class Upload:
    """A file that was received.

    Attributes:
        path: where its bytes lie while it is used.
        name: what the sender calls it, fit to be shown and to name a download.
    """

    path: Path
    name: str

    def read(self, limits: Limits) -> Report:
        """The report in it; raises what ``read_report`` raises."""
        return read_source(replace(load_source(self.path, limits), path=Path(self.name)))


@asynccontextmanager
async def received(request: Request, name: str | None, limits: Limits) -> AsyncIterator[Upload]:
    """The file of a request, until the block ends: the whole body, or the one file of a form.

    Raises:
        Refusal: it is too large, or there is no file, or more than one.
    """
    most = limits.file_mb * 2**20
    too_large = Refusal(413, f"the file is larger than the limit of {limits.file_mb} MB; split it")
    if int(request.headers.get("content-length", "0")) > most + _OVERHEAD:
        raise too_large
    with scratch() as folder:
        path = folder / "report"
        try:
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                name = await _from_form(request, path, most + _OVERHEAD) or name
            else:
                await _from_body(request, path, most)
        except _TooLarge:
            raise too_large from None
        except ClientDisconnect:
            raise Refusal(400, "the upload broke off; send the file again") from None
        if path.stat().st_size > most:
            raise too_large
        yield Upload(path, shown_name(name))


def shown_name(name: str | None) -> str:
    """The last part of a file's name, without controls, not too long; ``报告`` where nothing is left."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    # Of the invisible ones (Cf), those that turn the direction of writing make "gnp.exe" look like "exe.png".
    clean = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if len(clean) > _LONGEST:
        stem, dot, ending = clean.rpartition(".")
        clean = f"{stem[: _LONGEST - len(ending) - 2]}…{dot}{ending}" if dot and len(ending) < 8 else clean[:_LONGEST]
    return clean if clean.strip(". ") else "报告"


class _TooLarge(Exception):
    pass


async def _from_body(request: Request, path: Path, most: int) -> None:
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _TooLarge
            file.write(chunk)
    if not size:
        raise Refusal(400, "there is no file: send it as the body, or as a form with the field 'file'")


async def _from_form(request: Request, path: Path, most: int) -> str | None:
    size = 0
    receive = request.receive

    async def counted() -> dict[str, object]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _TooLarge
        return dict(message)

    try:
        form = await Request(request.scope, counted).form(max_files=1, max_fields=8)
    except Refusal:
        raise
    except HTTPException as error:
        raise Refusal(400, f"the form cannot be understood ({error.detail.rstrip('.')}); send one file in it") from None
    try:
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        if file is None:
            raise Refusal(400, "there is no file in the form; send one in the field 'file'")
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out)
        return file.filename
    finally:
        await form.close()
