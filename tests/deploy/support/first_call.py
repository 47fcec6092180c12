"""The first agent of an installation: `first_call.py`, run by the server's own Python with a task's environment.

Makes a key, starts a server as a task starts it, waits until it is ready, memorizes and recalls over MCP, and stops it.
Prints a line of JSON: seconds by what they were spent on.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from processes import command
from serving import Caller, serving_http

SAID = "Acme opened an office in Berlin."


async def memorize_and_recall(address: str, token: str) -> None:
    """Be the agent."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        call = Caller(client)
        await call("memorize", entity="company:acme.com", facts=[{"text": SAID}])
        known = await call("recall_entity", entity="company:acme.com")
        assert [fact["text"] for fact in known["facts"]] == [SAID], known


def main() -> None:
    """Say how long each took."""
    spent: dict[str, float] = {}
    begun = time.monotonic()

    def stage(name: str) -> None:
        nonlocal begun
        spent[name] = time.monotonic() - begun
        begun = time.monotonic()

    made = subprocess.run(command("access", "create", "first"), capture_output=True, text=True, check=True)
    stage("a key for an agent")
    settings = {n.removeprefix("INTERLAYER_"): v for n, v in os.environ.items() if n.startswith("INTERLAYER_")}
    with serving_http(Path(settings.pop("HOME")), **settings) as address:
        stage("server started, /readyz is 200")
        anyio.run(memorize_and_recall, address, made.stdout.strip())
        stage("memorized and recalled over MCP")
    stage("server stopped")
    sys.stdout.write(json.dumps(spent))


if __name__ == "__main__":
    main()
