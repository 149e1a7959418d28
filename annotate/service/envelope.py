"""What goes around every answer: the headers that all of them have, and what is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .meters import Meters

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_DRAIN_BYTES, _DRAIN_SECONDS = 64 * 2**20, 10.0


class Envelope:
    """Wraps the application.

    An answer that comes before the upload has ended (too large, no place) is held back until it has, within reason:
    else the connection would break, and the sender see that instead of the reason.
    """

    def __init__(self, app: ASGIApp, meters: Meters, routes: Iterable[str]) -> None:
        self._app, self._meters, self._routes = app, meters, frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        names = {name for name, _ in scope["headers"]}
        coming = bool(names & {b"content-length", b"transfer-encoding"})
        asked = False

        async def received() -> Message:
            nonlocal coming, asked
            asked = True
            message = await receive()
            coming = coming and message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def drain() -> None:
            size = 0
            while coming and size < _DRAIN_BYTES:
                size += len((await received()).get("body", b""))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                if coming and (asked or b"expect" not in names):  # who asks first whether to send has not begun
                    with suppress(TimeoutError):
                        await asyncio.wait_for(drain(), _DRAIN_SECONDS)
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                route = scope["path"] if scope["path"] in self._routes else "other"
                self._meters.answered(route, message["status"], time.monotonic() - began)
            await send(message)

        await self._app(scope, received, answer)
