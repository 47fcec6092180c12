"""A server that starts while its store is away refuses to govern, says what not to do, and goes to work by itself."""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

pytestmark = pytest.mark.anyio


async def test_a_server_without_its_store_refuses_until_it_is_there(connect: Any, home: Path, mode: Any) -> None:
    await anyio.Path(home).write_text("in the way of the folder", encoding="utf-8")
    async with connect(mode) as call:
        for tool, arguments in (("get_governance_context", {"task": "Reply"}), ("check_compliance", {"text": "Hello"})):
            told = await call.error(tool, **arguments)
            assert "no externally visible or irreversible action" in told
            assert "Traceback" not in told
        await anyio.Path(home).unlink()
        with anyio.fail_after(30):
            while (await call.client.call_tool("get_governance_context", {"task": "Reply"})).is_error:
                await anyio.lowlevel.checkpoint()
        assert (await call("get_governance_context", task="Reply"))["rules"]
