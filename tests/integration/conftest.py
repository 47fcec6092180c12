"""A server in another process, reached by the official client over stdio or HTTP, in both protocol eras."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from processes import environment, forked
from serving import Caller, serving_http

Connect = Callable[..., AbstractAsyncContextManager[Caller]]


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
        program, *arguments = forked("serve")
        parameters = StdioServerParameters(command=program, args=arguments, env=environment(home, **settings))
        async with Client(parameters, mode=mode) as client:
            yield Caller(client)

    return connected


@pytest.fixture(scope="module")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Return the address of a server over HTTP that the tests of a module share."""
    with serving_http(tmp_path_factory.mktemp("http") / "home", start=forked) as address:
        yield address


@pytest.fixture
async def call(http_server: str, mode: Any) -> AsyncGenerator[Caller]:
    """Call the server that the tests of a module share, in both eras: what is over stdio differs in nothing else."""
    async with Client(f"{http_server}/mcp", mode=mode) as client:
        yield Caller(client)


@pytest.fixture
def own_http_server(home: Path) -> Generator[str]:
    """Return the address of a server over HTTP on the home of one test."""
    with serving_http(home, start=forked) as address:
        yield address


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[str]]:
    """Start servers over HTTP with settings of their own."""
    return partial(serving_http, start=forked)
