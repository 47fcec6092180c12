"""A server in another process, reached by the official client over stdio or HTTP, in both protocol eras."""

import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from processes import command, environment, status

Connect = Callable[..., AbstractAsyncContextManager["Caller"]]


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


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> Any:
    """Return the protocol era that the client speaks: the newest, or the handshake of the older revisions."""
    return request.param


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def connect(home: Path) -> Connect:
    """Start a server process of its own for a client."""

    @asynccontextmanager
    async def connected(mode: Any = "auto", **settings: str) -> AsyncGenerator[Caller]:
        program, *arguments = command("serve")
        parameters = StdioServerParameters(command=program, args=arguments, env=environment(home, **settings))
        async with Client(parameters, mode=mode) as client:
            yield Caller(client)

    return connected


@pytest.fixture(scope="module")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Return the address of a server over HTTP that the tests of a module share."""
    with serving_http(tmp_path_factory.mktemp("http") / "home") as address:
        yield address


@pytest.fixture
def own_http_server(home: Path) -> Generator[str]:
    """Return the address of a server over HTTP on the home of one test."""
    with serving_http(home) as address:
        yield address


@contextmanager
def serving_http(home: Path, ready: int = 200, **settings: str) -> Generator[str]:
    """Run a server over HTTP on a home; yields its address when `/readyz` answers so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command("serve", "--http", f"127.0.0.1:{port}"), env=environment(home, **settings))
    try:
        deadline = time.monotonic() + 45
        while status(f"{address}/readyz") != ready:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[str]]:
    """Start servers over HTTP with settings of their own."""
    return serving_http
