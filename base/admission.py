"""Middleware that checks a request before its body is read and before a route is looked up."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .refusal import Refusal, said


class AdmissionMiddleware:
    """Wraps an application: refuses requests that are not allowed and limits the size of bodies."""

    def __init__(
        self, app: ASGIApp, admit: Callable[[Request], None], body_mb: int | None = None, all_mb: int | None = None
    ) -> None:
        """Bodies are limited while they arrive, for applications that do not limit them themselves.

        Args:
            app: the application.
            admit: raises a :class:`Refusal` for a request that is not allowed.
            body_mb: the limit on one body, in MiB; None for no limit.
            all_mb: the limit on the bodies of all unanswered requests together, in MiB; None for no limit.
        """
        self._app, self._admit = app, admit
        self._body_mb, self._all_mb = body_mb, all_mb
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            self._admit(request)
            self._check(int(request.headers.get("content-length", "0")))
        except Refusal as refused:
            await said(refused.status, refused.sentence, refused.headers)(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            more = len(message.get("body", b""))
            size, self._held = size + more, self._held + more
            self._check(size)
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= size

    def _check(self, size: int) -> None:
        if self._body_mb is not None and size > self._body_mb * 2**20:
            raise Refusal(413, f"the body is larger than the limit of {self._body_mb} MB; send less at once")
        if self._all_mb is not None and self._held > self._all_mb * 2**20:
            raise Refusal(503, "too much is being sent at once; try again in 10 seconds", {"retry-after": "10"})
