"""Connections that say nothing, or half of it, take nobody's place."""

import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
import uvicorn
from anyio.abc import SocketStream

from interlayer.app.mcp_server.door.connections import AcceptNoise, Places, backlog_for
from interlayer.app.mcp_server.door.refusals import Refusals

pytestmark = pytest.mark.anyio

ASKED = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
LONG_S = 60.0


class Application:
    """Answers at once, or for `/slow` when it is let."""

    def __init__(self) -> None:
        self.release = anyio.Event()

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class Running:
    """A server with few places."""

    def __init__(self, port: int, refusals: Refusals, application: Application, streams: AsyncExitStack) -> None:
        self.port = port
        self._streams = streams
        self.refusals = refusals
        self.application = application

    async def connect(self, sent: bytes = b"") -> SocketStream:
        stream = await self._streams.enter_async_context(await anyio.connect_tcp("127.0.0.1", self.port))
        await stream.send(sent or b"G")
        return stream


@asynccontextmanager
async def served(room: int, headers_s: float) -> AsyncGenerator[Running]:
    refusals, application = Refusals(), Application()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application, http=Places(room, refusals, headers_s).protocol, lifespan="off", log_level="warning", ws="none"
        )
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks, AsyncExitStack() as streams:
            tasks.start_soon(server.serve, [listener])
            while not server.started:
                await anyio.lowlevel.checkpoint()
            yield Running(listener.getsockname()[1], refusals, application, streams)
            application.release.set()
            server.should_exit = True


async def answer_of(stream: SocketStream) -> bytes:
    with anyio.fail_after(20):
        return await stream.receive()


async def end_of(stream: SocketStream) -> None:
    with anyio.fail_after(20), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive()


@pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX: y"])
async def test_half_a_request_is_not_waited_for(half: bytes) -> None:
    async with served(8, 0.1) as server:
        await end_of(await server.connect(half))
        assert server.refusals.counts == {"headers": 1}


async def test_nor_is_half_of_the_second_request_of_a_connection() -> None:
    async with served(8, 0.2) as server:
        stream = await server.connect(ASKED % b"")
        assert b"200 OK" in await answer_of(stream)
        await stream.send(b"GET / HT")
        await end_of(stream)
        assert server.refusals.counts == {"headers": 1}


async def test_the_longest_silent_makes_room_for_whoever_comes() -> None:
    async with served(4, LONG_S) as server:
        silent = [await server.connect() for _ in range(4)]
        for _ in range(3):
            assert b"200 OK" in await answer_of(await server.connect(ASKED % b""))
        for stream in silent[:3]:
            await end_of(stream)
        await silent[3].send(b"ET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in await answer_of(silent[3])


async def test_whoever_is_answered_just_now_keeps_the_place_and_a_newcomer_is_told_to_come_again() -> None:
    async with served(3, LONG_S) as server:
        busy = [await server.connect(ASKED % b"slow") for _ in range(3)]
        told = await answer_of(await server.connect(ASKED % b""))
        assert told.startswith(b"HTTP/1.1 503")
        assert b"Retry-After" in told
        server.application.release.set()
        for stream in busy:
            assert b"200 OK" in await answer_of(stream)


def test_what_cannot_be_accepted_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    noise = logging.getLogger("noise")
    noise.addFilter(AcceptNoise())
    for _ in range(1_000):
        noise.error("socket.accept() out of system resource\nsocket: %s", 7)
    noise.error("something else")
    assert len(caplog.records) == 2


@pytest.mark.parametrize("room", [4, 32, 341, 1_000])
def test_what_waits_to_be_taken_fits_beside_those_that_are(room: int) -> None:
    assert backlog_for(room) <= max(4, room // 2)
