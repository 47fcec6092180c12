"""The acceptance path against an installation: memorize, recall, search, govern, check, forget, over MCP with a key.

Run by the server's own Python: `acceptance.py ENDPOINT SETTINGS`, settings as JSON as terraform puts them out.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any, Final

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from installed import environment

# What an operator does on the same stores with the same rights.
OPERATORS: Final = (
    ("access", "list"),
    ("policy", "history"),
    ("policy", "proposals", "--all"),
    ("audit", "tail"),
    ("audit", "receipts"),
    ("audit", "verify"),
    ("reconcile",),
)


def interlayer(*arguments: str, env: dict[str, str]) -> str:
    """Run a command of the program and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "interlayer", *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def path(address: str, token: str) -> None:
    """Go the whole way once."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):

        async def call(tool: str, /, **arguments: Any) -> dict[str, Any]:
            answer = await client.call_tool(tool, arguments)
            assert not answer.is_error, answer.content
            assert isinstance(answer.structured_content, dict)
            return answer.structured_content

        for city in ("Berlin", "Paris"):
            await call("memorize", entity="company:acme.com", facts=[{"text": f"Acme opened an office in {city}."}])
        known = await call("recall_entity", entity="company:acme.com", include=["facts"])
        assert any("Berlin" in fact["text"] for fact in known["facts"]), known
        found = await call("search_memory", query="Where is an office in Paris?")
        assert "Paris" in json.dumps(found), found
        governed = await call("get_governance_context", task="Write an email to a customer")
        assert governed, governed
        await call("check_compliance", text="Hello, this is a friendly note.")
        forgotten = await call("forget", entity="company:acme.com", reason="asked to")
        assert forgotten, forgotten


def main(endpoint: str, settings: dict[str, str]) -> None:
    """Start a server as a task starts it, go the whole way, and stop it."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        env = environment(endpoint, settings, home, "TASK")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        token = interlayer("access", "create", "agent-1", env=env)
        address = f"http://127.0.0.1:{port}"
        server = subprocess.Popen([sys.executable, "-m", "interlayer", "serve", "--http", f"127.0.0.1:{port}"], env=env)
        try:
            deadline = time.monotonic() + 60
            while not _ready(address):
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not become ready"
                time.sleep(0.1)
            anyio.run(path, address, token)
            for command in OPERATORS:
                interlayer(*command, env=env)
        finally:
            server.terminate()
            server.wait(timeout=20)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
