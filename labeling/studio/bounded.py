"""Answers over HTTP kept within bounds, whoever gives them. Loads httpx."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx

from ...base.errors import LabelingError

ANSWER, EXPORT = 256 << 20, 1 << 30
"""The most bytes of an answer; an export's hold all answers of a project, 2.5 kB a sentence or so."""

UNPACKED = {"Accept-Encoding": "identity"}
"""The header of requests whose answers are not to be packed: unpacking, a thousandth of the bound would fill it."""


def bounds(url: str) -> Callable[[httpx.Response], None]:
    """What refuses answers of the server at ``url`` that are packed or too large, as an httpx hook for responses.

    The reading of a larger one ends with a :class:`LabelingError`.
    """

    def bound(response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise LabelingError(f"{url} packs what it was asked to answer unpacked; is the address right?")
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
                raise LabelingError(f"{self._url} answers with more than {self._limit >> 20} MB; is the address right?")
            yield part

    def close(self) -> None:
        self._stream.close()
