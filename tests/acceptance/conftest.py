"""The whole product in this process: real stores in a temporary home, reached through its own tools in memory."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from interlayer.app.mcp_server.process import Interlayer, running
from interlayer.app.mcp_server.transports import build_server
from interlayer.app.settings import load


@pytest.fixture
async def interlayer(tmp_path: Path) -> AsyncGenerator[Interlayer]:
    async with running(Interlayer(load({"HOME": str(tmp_path / "home")}, {}))) as interlayer:
        yield interlayer


@pytest.fixture
async def call(interlayer: Interlayer) -> AsyncGenerator[Any]:
    """Return a function that calls a tool and gives back its structured answer."""
    async with Client(build_server(interlayer)) as client:

        async def tool(name: str, /, **arguments: Any) -> dict[str, Any]:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result.content
            assert isinstance(result.structured_content, dict)
            return result.structured_content

        yield tool
