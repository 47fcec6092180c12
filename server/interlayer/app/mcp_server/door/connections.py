"""Connections: how many there may be, and how long one may take to say what it wants.

The server below has no deadline for headers and no other limit than the files that a process may open, at which it logs
without end and nothing can be imported any more. Here a connection that has not asked for anything within ten seconds
is closed, and when all places are taken, the one that has been silent longest makes room for the next.
"""

import asyncio  # noqa: TID251 - uvicorn's connections are protocols of asyncio
import logging
import sys
import time
from functools import partial
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from interlayer.app.mcp_server.door.refusals import Refusals

HEADERS_S: Final = 10.0
"""How long a request line and its headers may take."""

_MOST: Final = 1_000
_SHARE: Final = 3  # of the files that the process may open; stores and models need the rest
_ACCEPTED_AT_ONCE: Final = 8  # of the connections that there may be, as one of so many
_TOLD_S: Final = 60.0
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def connections_max() -> int:
    """Return how many connections this process has room for."""
    if sys.platform == "win32":
        return _MOST
    import resource

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if files == resource.RLIM_INFINITY else max(4, min(_MOST, files // _SHARE))


def backlog_for(room: int) -> int:
    """Return how many connections may wait to be taken, which is how many are taken at once."""
    return max(4, room // _ACCEPTED_AT_ONCE)


class Places:
    """The room that there is for connections, and which of them are silent."""

    def __init__(self, room: int, refusals: Refusals, headers_s: float = HEADERS_S) -> None:
        self.room = room
        self.refusals = refusals
        self.headers_s = headers_s
        self.silent: dict[BoundedProtocol, None] = {}
        """Connections without a request to answer, the longest silent first."""

    @property
    def protocol(self) -> type[asyncio.Protocol]:
        """What uvicorn makes a connection of."""
        return cast("type[asyncio.Protocol]", partial(BoundedProtocol, self))

    def make_room(self, newcomer: object) -> bool:
        """Close the connection that has been silent longest; False when all are busy."""
        longest = next(iter(self.silent), None)
        if longest is None:
            self.refusals.note("connections", f"a connection from {newcomer}, as {self.room} are busy")
            return False
        self.refusals.note("connections", f"a silent connection, to make room for {newcomer}")
        longest.leave()
        return True


class BoundedProtocol(H11Protocol):
    """A connection that says what it wants in time, or goes."""

    def __init__(self, places: Places, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._places = places
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > self._places.room and not self._places.make_room(self.client):
            transport.write(_FULL)
            transport.close()
            return
        self._look()

    def data_received(self, data: bytes) -> None:
        """Read, and look whether that is a request by now."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._look(waits=False)  # until it begins another request, the time for that is the server's own

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._stop()
        self._places.silent.pop(self, None)
        super().connection_lost(exc)

    def leave(self) -> None:
        """Close the connection at once."""
        self._places.silent.pop(self, None)
        self.transport.abort()

    def _look(self, *, waits: bool = True) -> None:
        """Count the connection as silent, or as busy, by whether there is a request to answer."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            self._stop()
            self._places.silent.pop(self, None)
        elif not self.transport.is_closing():
            self._places.silent.setdefault(self)
            if waits and self._deadline is None:
                self._deadline = self.loop.call_later(self._places.headers_s, self._end)

    def _end(self) -> None:
        told = f"a connection from {self.client} that asked for nothing in {self._places.headers_s:.0f} s"
        self._places.refusals.note("headers", told)
        self.leave()

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class AcceptNoise(logging.Filter):
    """Lets one line a minute through of those that say that no connection can be accepted; there are thousands."""

    def __init__(self) -> None:
        super().__init__()
        self._told_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged."""
        message: Any = record.msg
        if not (isinstance(message, str) and message.startswith("socket.accept() out of system resource")):
            return True
        if time.monotonic() - self._told_at < _TOLD_S:
            return False
        self._told_at = time.monotonic()
        return True
