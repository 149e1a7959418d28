"""Receives uploaded files: limited in size and stored without a name. The sender's name for a file is only shown."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import IO, Any, TypeVar

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ...base.limits import Limits
from ...base.refusal import Refusal
from ...data.isolation.messages import Question

T = TypeVar("T")

_LONGEST = 120
_OVERHEAD = 64 * 1024  # of a form, around the file in it


@asynccontextmanager
async def received(request: Request, name: str | None, limits: Limits) -> AsyncIterator[Question]:
    """The file of a request, until the block ends: the whole body, or the only file of a form.

    The file has no name on the disk, so nothing of it remains even if the service is killed.

    Raises:
        Refusal: the file is too large, or there is no file, or more than one.
    """
    most = limits.file_mb * 2**20
    too_large = Refusal(413, f"the file is larger than the limit of {limits.file_mb} MB; split it")
    if int(request.headers.get("content-length", "0")) > most + _OVERHEAD:
        raise too_large
    with tempfile.TemporaryFile(prefix="pizhu-serve-") as file:
        try:
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                name = await _from_form(request, file, most + _OVERHEAD) or name
            else:
                await _from_body(request, file, most)
        except _TooLarge:
            raise too_large from None
        except ClientDisconnect:
            raise Refusal(400, "the upload broke off; send the file again") from None
        if (size := file.tell()) > most:
            raise too_large
        file.seek(0)
        yield Question(shown_name(name), limits, file, size)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` for a request whose file has arrived; cancels the work if the client disconnects.

    Raises:
        Refusal: the client disconnected.
    """
    tasks = doing, _ = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Refusal(400, "the connection broke off; send the file again")
        return doing.result()
    finally:
        for task in tasks:
            task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def shown_name(name: str | None) -> str:
    """The last part of a file's name, without control characters and shortened; ``报告`` if nothing is left."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    # Among the format characters (Cf), those that reverse the writing direction make "gnp.exe" look like "exe.png".
    clean = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if len(clean) > _LONGEST:
        stem, dot, ending = clean.rpartition(".")
        clean = f"{stem[: _LONGEST - len(ending) - 2]}…{dot}{ending}" if dot and len(ending) < 8 else clean[:_LONGEST]
    return clean if clean.strip(". ") else "报告"


class _TooLarge(Exception):
    pass


async def _from_body(request: Request, file: IO[bytes], most: int) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _TooLarge
        file.write(chunk)
    if not size:
        raise Refusal(400, "there is no file: send it as the body, or as a form with the field 'file'")


async def _from_form(request: Request, out: IO[bytes], most: int) -> str | None:
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
        raise Refusal(400, f"the form cannot be parsed ({error.detail.rstrip('.')}); send one file in it") from None
    try:
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        if file is None:
            raise Refusal(400, "there is no file in the form; send one in the field 'file'")
        shutil.copyfileobj(file.file, out)
        return file.filename
    finally:
        await form.close()
