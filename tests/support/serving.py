"""A server over HTTP in another process, and a client of it that answers with what a tool said."""

import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp import Client

from processes import command, environment, status


class Caller:
    """A connected client that answers with structured content, or with the text of a tool error."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def error(self, tool: str, /, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        return str(getattr(result.content[0], "text", ""))


@contextmanager
def serving_http(
    home: Path, ready: int = 200, start: Callable[..., list[str]] = command, bound: str = "127.0.0.1", **settings: str
) -> Generator[str]:
    """Run a server over HTTP on a home; yields its address when `/readyz` answers so."""
    with server_process(home, ready, start, bound, **settings) as (address, _):
        yield address


@contextmanager
def server_process(
    home: Path, ready: int = 200, start: Callable[..., list[str]] = command, bound: str = "127.0.0.1", **settings: str
) -> "Generator[tuple[str, subprocess.Popen[bytes]]]":
    """Run a server over HTTP on a home; yields its address and process, which may be killed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(start("serve", "--http", f"{bound}:{port}"), env=environment(home, **settings))
    try:
        deadline = time.monotonic() + 45
        while status(f"{address}/readyz") != ready:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.05)
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=10)
