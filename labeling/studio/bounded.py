"""Limits the size of HTTP responses, whatever server sends them. Imports httpx."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx

from ...base.errors import LabelingError

ANSWER, EXPORT = 256 << 20, 1 << 30
"""The largest response in bytes; an export holds all answers of a project, about 2.5 kB a sentence."""

UNPACKED = {"Accept-Encoding": "identity"}
"""Asks for an uncompressed response: a compressed one a thousandth of the limit in size could expand to the limit."""


def bounds(url: str) -> Callable[[httpx.Response], None]:
    """An httpx response hook that refuses compressed or too large responses of the server at ``url``.

    It raises :class:`LabelingError`, for a too large response once that much has been read.
    """

    def bound(response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise LabelingError(f"{url} sent a compressed response, which was not asked for; is the address right?")
        limit = EXPORT if response.request.url.path.endswith("/export") else ANSWER
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Bounded(response.stream, limit, url)

    return bound


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, limit: int, url: str) -> None:
        self._stream, self._limit, self._url = stream, limit, url

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > self._limit:
                raise LabelingError(f"{self._url} sent more than {self._limit >> 20} MB; is the address right?")
            yield part

    def close(self) -> None:
        self._stream.close()
