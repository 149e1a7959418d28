"""Connections to a service: how many may be open, how slow each may be, and how a refused client is answered.

uvicorn waits without limit for headers, for the rest of a body and for clients that do not read their answer, and it
accepts any number of connections: a few hundred sockets that send nothing would lock everybody out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from heapq import nlargest
from http import HTTPStatus
from operator import itemgetter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .terms import Terms

_TICK = 0.2
"""Seconds between checks of all connections."""
_BRIEF = 0.3
"""Seconds before a connection can count as slow."""
_CHUNK = 16 * 1024
"""Bytes that are parsed at a time; h11 limits headers to the same size, but only if they arrive in parts."""
_FREE_PIECES, _PIECE_BYTES = 10_000, 32
"""Any body may come in so many pieces, and in one more for every so many bytes: a piece costs as much as a header."""


class Phase(Enum):
    """What a connection is doing, and which side is to blame if it takes long."""

    WAITING = auto()  # waiting for headers, or for the end of a body that nobody reads; blame the client
    RECEIVING = auto()  # receiving a body; blame the client
    WORKING = auto()  # computing the answer; blame the service
    SENDING = auto()  # sending the answer; blame the client


class ConnectionTable:
    """All open connections of a service."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        # A request needs a file besides its socket, and some connections are accepted before any is checked.
        self._most = max(1, min(terms.connections, _open_files() // 3))
        self._all: set[Connection] = set()
        self._of: defaultdict[str, set[Connection]] = defaultdict(set)

    def add(self, newcomer: Connection) -> bool:
        """Add ``newcomer``; whether there is room, if need be after closing the one that has waited longest."""
        neighbours = self._of[newcomer.address_key]
        room = self._room(neighbours, self.terms.per_address) and self._room(self._all, self._most)
        self._all.add(newcomer)
        self._of[newcomer.address_key].add(newcomer)
        return room

    def remove(self, connection: Connection) -> None:
        """Remove a closed connection; a second call does nothing."""
        self._all.discard(connection)
        neighbours = self._of[connection.address_key]
        neighbours.discard(connection)
        if not neighbours:
            del self._of[connection.address_key]

    async def watch(self) -> None:
        """Check all connections, forever."""
        while True:
            await asyncio.sleep(_TICK)
            for connection in list(self._all):
                try:
                    connection.check()
                except Exception:  # an error in one must not end the checks of the others
                    logging.getLogger(__name__).exception("a connection is closed because of a fault")
                    connection.transport.abort()

    def _room(self, others: Iterable[Connection], most: int) -> bool:
        present = list(others)
        surplus = len(present) + 1 - most
        if surplus <= 0:
            return True
        idle = [(rank, -connection.since, connection) for connection in present if (rank := connection.idleness())]
        for *_, connection in nlargest(surplus, idle, key=itemgetter(0, 1)):
            connection.give_way()
        return len(idle) >= surplus


class Connection(H11Protocol):
    """One client's connection.

    Attributes:
        table: all connections of the service.
        address_key: the client's address as it is counted (see :func:`_address_key`).
        since: when its present phase began, on the event loop's clock.
    """

    table: ConnectionTable

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _Parser(h11.SERVER)
        self.address_key, self.since = "", 0.0
        self._wire: asyncio.Transport
        self._doing: tuple[Phase, object] = Phase.WAITING, None
        self._moved = self._unsent = 0  # bytes in this phase, and bytes that the client has yet to read
        self._leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The connection opened."""
        self._wire = transport
        super().connection_made(_CustomClose(transport, self._close_after_answer))  # type: ignore[arg-type]
        self.address_key, self.since = _address_key(self.client[0] if self.client else ""), self.loop.time()
        if not self.table.add(self):
            self.refuse(503, "all connections are in use; try again later", {"retry-after": self._patience})

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection closed."""
        self.table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        self._moved += len(data)
        for start in range(0, len(data), _CHUNK):
            if self._leaving or self._wire.is_closing():
                return
            super().data_received(data[start : start + _CHUNK])

    def eof_received(self) -> None:
        """The client sends nothing more; the transport then closes by itself."""
        if self._phase is Phase.RECEIVING or self._has_begun:
            self.refuse(400, "the request is incomplete; send it again")

    def shutdown(self) -> None:
        """The service is stopping; a request in progress is still answered."""
        if self._leaving or self.cycle is None or self.cycle.response_complete:
            self._wire.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this when the input is not valid HTTP."""
        error = sys.exception()  # uvicorn passes only the message
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if isinstance(error, _TooManyPieces):
            self.refuse(status, str(error))
        elif status == 431:
            self.refuse(status, "the headers of the request are too long; send fewer and shorter ones")
        elif status == 400:
            self.refuse(status, "this is not an HTTP/1.1 request; check the address and the client program")
        else:
            self.refuse(status, f"the request cannot be served: {HTTPStatus(status).phrase.lower()}")

    def check(self) -> None:
        """Check what it is doing, and close it if that takes too long."""
        phase, elapsed = self._observe()
        terms = self.table.terms
        if phase is Phase.WAITING and elapsed > terms.patience:
            self._wire.close()  # without an answer: headers that did not arrive by then are an attack or a dead client
        elif phase in (Phase.RECEIVING, Phase.SENDING) and self._moved < (elapsed - terms.patience) * terms.pace:
            if phase is Phase.RECEIVING:
                self.refuse(408, f"the request arrived more slowly than {terms.pace:,} bytes per second; send it again")
            else:
                self._wire.abort()

    def idleness(self) -> int:
        """How readily it can be dropped for a new connection; 0 means not at all."""
        phase, elapsed = self._observe()
        if phase is Phase.WAITING:
            return 3 if self._leaving else 2
        slow = elapsed > _BRIEF and self._moved < elapsed * self.table.terms.pace
        return int(slow and phase is not Phase.WORKING)

    def give_way(self) -> None:
        """Close now, to make room for a new connection."""
        self.table.remove(self)
        if self._phase is Phase.RECEIVING:
            self.refuse(503, "other clients wait for this connection; send faster", {"retry-after": self._patience})
        if self._unsent:
            self._wire.abort()
        else:
            self._wire.close()

    def refuse(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        """Answer with a sentence and close; if another answer is in progress, just close."""
        if self._leaving:
            return
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._wire.close()
            return
        if self.cycle is not None and not self.cycle.response_complete:  # the application no longer needs to answer
            self.cycle.disconnected, self.cycle.waiting_for_100_continue = True, False
            self.cycle.message_event.set()
        body = json.dumps({"error": sentence}).encode()
        given = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
        given |= {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in given.items())]
        self._wire.write("\r\n".join([*lines, "", ""]).encode() + body)
        self._leave()

    def _close_after_answer(self) -> None:
        """Replaces uvicorn's close, which would send a client that is still sending a reset instead of the answer."""
        if self.conn.their_state is h11.SEND_BODY:
            self._leave()
        else:
            self._wire.close()

    def _leave(self) -> None:
        """Send nothing more, and discard input until the other side closes too, within ``patience``."""
        if not self._leaving:
            self._leaving, self.since = True, self.loop.time()
            self._unset_keepalive_if_required()
            self.flow.resume_reading()
            with suppress(OSError):
                self._wire.write_eof()

    @property
    def _phase(self) -> Phase:
        if self._wire.get_write_buffer_size():
            return Phase.SENDING
        if self._leaving or self.cycle is None or self.cycle.response_complete:
            return Phase.WAITING
        asked = not self.cycle.waiting_for_100_continue and not self.flow.read_paused
        return Phase.RECEIVING if self.cycle.more_body and asked else Phase.WORKING

    @property
    def _has_begun(self) -> bool:
        """Whether part of a request's headers has arrived."""
        idle = self._phase is Phase.WAITING and self.conn.our_state is h11.IDLE
        return idle and not self._leaving and bool(self.conn.trailing_data[0])

    @property
    def _patience(self) -> str:
        return str(max(1, round(self.table.terms.patience)))

    def _observe(self) -> tuple[Phase, float]:
        """The phase, and the seconds since it began."""
        now, phase, unsent = self.loop.time(), self._phase, self._wire.get_write_buffer_size()
        self._moved += max(0, self._unsent - unsent)
        self._unsent = unsent
        if self._doing != (phase, self.cycle):
            self._doing, self._moved, self.since = (phase, self.cycle), 0, now
        return phase, now - self.since


class _CustomClose:
    """A transport whose ``close`` is replaced."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport, self.close = transport, close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _TooManyPieces(h11.RemoteProtocolError):
    pass


class _Parser(h11.Connection):
    """h11 with a limit on the pieces of a body: h11 alone accepts as many as the client sends."""

    def __init__(self, role: Any) -> None:
        super().__init__(role)
        self._pieces = self._size = 0

    def next_event(self) -> Any:
        """The next event.

        Raises:
            h11.RemoteProtocolError: the input is not HTTP, or a body comes in too many pieces.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._size = 0
        elif isinstance(event, h11.Data):
            self._pieces, self._size = self._pieces + 1, self._size + len(event.data)
            if self._pieces > _FREE_PIECES + self._size / _PIECE_BYTES:
                raise _TooManyPieces("the body comes in too many small pieces; send larger ones")
        return event


def _address_key(address: str) -> str:
    """The key under which an address is counted: its network of 64 bits for IPv6, since one user has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address
    return str(found)


def _open_files() -> int:
    """How many files and sockets this process may have open."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
