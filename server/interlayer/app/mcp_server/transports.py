"""Serving over stdio and HTTP: start, signals, end.

Under stdio, end of input, SIGTERM and SIGINT all end the process within seconds with the stores closed. The SDK
alone skips the teardown on SIGTERM and hangs on SIGINT while idle, because a thread waits for input for ever.
"""

import logging
import os
import signal
import sys
from contextlib import ExitStack
from typing import Final

import anyio

from interlayer.app.identity_provider import Jwt
from interlayer.app.mcp_server.authentication import JwtVerifier, KeyVerifier, auth_settings, caller
from interlayer.app.mcp_server.door.names import is_loopback
from interlayer.app.mcp_server.process import Interlayer, running
from interlayer.app.mcp_server.server import Authentication, InterlayerServer
from interlayer.errors import InvalidInput, Refused

_SIGNAL_CLOSE_S: Final = 3.0

logger = logging.getLogger(__name__)


def build_server(interlayer: Interlayer, authentication: Authentication | None = None) -> InterlayerServer:
    """Return the MCP server of a process; `authentication`: each call says who makes it."""
    return InterlayerServer(
        lambda: interlayer.domains,
        caller if authentication else lambda: interlayer.principal,
        interlayer.ready,
        interlayer.greeted.set,
        interlayer.notices,
        interlayer.facet_values,
        authentication,
        interlayer.settings.answers,
    )


def _authentication(interlayer: Interlayer) -> Authentication | None:
    auth, organization = interlayer.settings.auth, interlayer.principal.organization
    if auth == "none":
        return None
    if isinstance(auth, Jwt):
        return JwtVerifier(auth, organization), auth_settings(auth, interlayer.settings.http.hosts)
    return KeyVerifier(interlayer.access, organization), auth_settings(None)


async def serve_stdio(interlayer: Interlayer) -> None:
    """Serve one client over standard input and output until it goes away."""
    server = build_server(interlayer)
    async with running(interlayer), anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, interlayer)
        await server.run_stdio_async()
        tasks.cancel_scope.cancel()


async def serve_http(interlayer: Interlayer, host: str, port: int) -> None:
    """Serve over HTTP until a signal."""
    import uvicorn

    from interlayer.app.mcp_server.door.application import http_app
    from interlayer.app.mcp_server.door.connections import AcceptNoise, Places, backlog_for, connections_max
    from interlayer.app.mcp_server.door.refusals import Refusals

    authentication, refusals, room = _authentication(interlayer), Refusals(), connections_max()
    logging.getLogger("asyncio").addFilter(AcceptNoise())
    config = uvicorn.Config(
        http_app(build_server(interlayer, authentication), interlayer, host, authentication, refusals),
        host=host,
        port=port,
        http=Places(room, refusals).protocol,
        ws="none",
        backlog=backlog_for(room),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    with ExitStack() as stack:
        if sys.platform != "win32":
            # uvicorn raises a signal again when it is done, which would end the process before the stores are closed.
            stack.enter_context(anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT))
        async with running(interlayer), anyio.create_task_group() as tasks:
            if authentication and isinstance(authentication[0], JwtVerifier):
                tasks.start_soon(authentication[0].keys.run)
            await uvicorn.Server(config).serve()
            tasks.cancel_scope.cancel()


def parse_address(address: str, *, authenticated: bool = False) -> tuple[str, int]:
    """Return host and port of HOST:PORT. Raises `InvalidInput`, and `Refused` for what others reach unauthenticated."""
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise InvalidInput("--http", f"{address!r} is no HOST:PORT.", "Write 127.0.0.1:8000.")
    if not authenticated and not is_loopback(host):
        raise Refused(
            f"--http: {host} can be reached from other machines and no authentication is configured, so any caller "
            "could read and write everything. Bind to 127.0.0.1, or set INTERLAYER_AUTH to keys or jwt."
        )
    return host, int(port)


async def _end_on_signal(interlayer: Interlayer) -> None:
    if sys.platform == "win32":  # no signal receiver there; closing the input ends the process
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            with anyio.move_on_after(_SIGNAL_CLOSE_S):
                await interlayer.close()
            os._exit(0)  # the thread that waits for input cannot be ended otherwise
