"""Connections to a service: how many there may be, how slow each may be, and what those are told that are refused.

uvicorn waits for headers as long as it takes, for the rest of a body and for who takes no answer too, and lets in as
many as come: a few hundred sockets that send nothing would keep everybody out.
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
"""Seconds between looks at all connections."""
_BRIEF = 0.3
"""Seconds in which nobody is told to be slow."""
_PIECE = 16 * 1024
"""Bytes that are parsed at a time; h11 bounds headers at as many, but only where they do not come whole."""
_CRUMBS, _CRUMB = 10_000, 32
"""Pieces that a body may have at least, and bytes for each more of them: each costs as much as a line of headers."""


class Phase(Enum):
    """What a connection does, and who is to blame if it takes long."""

    WAITING = auto()  # for headers, or for the end of a body that nobody reads: the client
    RECEIVING = auto()  # a body: the client
    WORKING = auto()  # on the answer: the service
    SENDING = auto()  # it: the client


class Crowd:
    """All connections of a service."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        # A request needs a file besides its socket, and some connections are accepted before one is looked at.
        self._most = max(1, min(terms.connections, _open_files() // 3))
        self._all: set[Connection] = set()
        self._of: defaultdict[str, set[Connection]] = defaultdict(set)

    def enter(self, newcomer: Connection) -> bool:
        """Whether there is room, if need be made by closing the connection that has kept waiting longest."""
        neighbours = self._of[newcomer.home]
        room = self._room(neighbours, self.terms.per_address) and self._room(self._all, self._most)
        self._all.add(newcomer)
        self._of[newcomer.home].add(newcomer)
        return room

    def leave(self, connection: Connection) -> None:
        """It is closed; told twice is told once."""
        self._all.discard(connection)
        neighbours = self._of[connection.home]
        neighbours.discard(connection)
        if not neighbours:
            del self._of[connection.home]

    async def watch(self) -> None:
        """Look after all of them, without end."""
        while True:
            await asyncio.sleep(_TICK)
            for connection in list(self._all):
                try:
                    connection.look()
                except Exception:  # a fault with one must not end the watch over the others
                    logging.getLogger(__name__).exception("a connection is ended")
                    connection.transport.abort()

    def _room(self, crowd: Iterable[Connection], most: int) -> bool:
        present = list(crowd)
        surplus = len(present) + 1 - most
        if surplus <= 0:
            return True
        idle = [(rank, -connection.since, connection) for connection in present if (rank := connection.idleness())]
        for *_, connection in nlargest(surplus, idle, key=itemgetter(0, 1)):
            connection.give_way()
        return len(idle) >= surplus


class Connection(H11Protocol):
    """One connection.

    Attributes:
        crowd: which all belong to.
        home: the address that it comes from, as it is counted.
        since: when (on the event loop's clock) it began what it does.
    """

    crowd: Crowd

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _Parser(h11.SERVER)
        self.home, self.since = "", 0.0
        self._wire: asyncio.Transport
        self._doing: tuple[Phase, object] = Phase.WAITING, None
        self._moved = self._unsent = 0  # bytes, in this phase; and those that wait to be taken
        self._leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open."""
        self._wire = transport
        super().connection_made(_Lingering(transport, self._part))  # type: ignore[arg-type]
        self.home, self.since = _home(self.client[0] if self.client else ""), self.loop.time()
        if not self.crowd.enter(self):
            self.refuse(503, "all connections are taken; try again in a while", {"retry-after": self._patience})

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self.crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._moved += len(data)
        for start in range(0, len(data), _PIECE):
            if self._leaving or self._wire.is_closing():
                return
            super().data_received(data[start : start + _PIECE])

    def eof_received(self) -> None:
        """No more will come; the transport then closes by itself."""
        if self._phase is Phase.RECEIVING or self._has_begun:
            self.refuse(400, "the request broke off; send it again")

    def shutdown(self) -> None:
        """The service ends; what is under way is answered."""
        if self._leaving or self.cycle is None or self.cycle.response_complete:
            self._wire.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when what came is no HTTP."""
        error = sys.exception()  # it is told no more than that
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if isinstance(error, _Crumbs):
            self.refuse(status, str(error))
        elif status == 431:
            self.refuse(status, "the headers of the request are too long; send fewer and shorter ones")
        elif status == 400:
            self.refuse(status, "what came is no request of HTTP/1.1; see the address and the program that asks")
        else:
            self.refuse(status, f"the request cannot be served: {HTTPStatus(status).phrase.lower()}")

    def look(self) -> None:
        """See what it does now, and end it if that takes too long."""
        phase, elapsed = self._observe()
        terms = self.crowd.terms
        if phase is Phase.WAITING and elapsed > terms.patience:
            if self._has_begun:
                self.refuse(408, f"the headers of the request did not come in {terms.patience:g} seconds")
            else:
                self._wire.close()
        elif phase in (Phase.RECEIVING, Phase.SENDING) and self._moved < (elapsed - terms.patience) * terms.pace:
            if phase is Phase.RECEIVING:
                self.refuse(408, f"the request came more slowly than {terms.pace:,} bytes a second; send it again")
            else:
                self._wire.abort()

    def idleness(self) -> int:
        """How readily it is given up for a newcomer; 0 is not at all."""
        phase, elapsed = self._observe()
        if phase is Phase.WAITING:
            return 3 if self._leaving else 2
        slow = elapsed > _BRIEF and self._moved < elapsed * self.crowd.terms.pace
        return int(slow and phase is not Phase.WORKING)

    def give_way(self) -> None:
        """End now, for a newcomer."""
        self.crowd.leave(self)
        if self._phase is Phase.RECEIVING or self.cycle is None or self._has_begun:
            self.refuse(503, "others wait for this connection; send faster", {"retry-after": self._patience})
        if self._unsent:
            self._wire.abort()
        else:
            self._wire.close()

    def refuse(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        """Answer with a sentence and take leave; where another answer is under way, just close."""
        if self._leaving:
            return
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._wire.close()
            return
        if self.cycle is not None and not self.cycle.response_complete:  # the application need not answer any more
            self.cycle.disconnected, self.cycle.waiting_for_100_continue = True, False
            self.cycle.message_event.set()
        body = json.dumps({"error": sentence}).encode()
        given = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
        given |= {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in given.items())]
        self._wire.write("\r\n".join([*lines, "", ""]).encode() + body)
        self._leave()

    def _part(self) -> None:
        """uvicorn would close; were that done on what is still coming, the sender would see a reset, not the answer."""
        if self.conn.their_state is h11.SEND_BODY:
            self._leave()
        else:
            self._wire.close()

    def _leave(self) -> None:
        """Say no more, and throw away what comes until the other side closes too, within ``patience``."""
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
        """Whether a part of a request's headers came."""
        idle = self._phase is Phase.WAITING and self.conn.our_state is h11.IDLE
        return idle and not self._leaving and bool(self.conn.trailing_data[0])

    @property
    def _patience(self) -> str:
        return str(max(1, round(self.crowd.terms.patience)))

    def _observe(self) -> tuple[Phase, float]:
        """The phase, and the seconds since it began."""
        now, phase, unsent = self.loop.time(), self._phase, self._wire.get_write_buffer_size()
        self._moved += max(0, self._unsent - unsent)
        self._unsent = unsent
        if self._doing != (phase, self.cycle):
            self._doing, self._moved, self.since = (phase, self.cycle), 0, now
        return phase, now - self.since


class _Lingering:
    """A transport that closes in another way."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport, self.close = transport, close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Crumbs(h11.RemoteProtocolError):
    pass


class _Parser(h11.Connection):
    """h11, which takes a body in crumbs as long as its sender likes to send them."""

    def __init__(self, role: Any) -> None:
        super().__init__(role)
        self._pieces = self._size = 0

    def next_event(self) -> Any:
        """What came next.

        Raises:
            h11.RemoteProtocolError: it is no HTTP, or a body in crumbs.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._size = 0
        elif isinstance(event, h11.Data):
            self._pieces, self._size = self._pieces + 1, self._size + len(event.data)
            if self._pieces > _CRUMBS + self._size / _CRUMB:
                raise _Crumbs("the body comes in too many small pieces; send larger ones")
        return event


def _home(address: str) -> str:
    """What counts as one address: whoever has one of IPv6 has a network of them."""
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
    except ImportError:  # Windows, which has no such limit
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
