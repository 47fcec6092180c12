"""The acceptance path against an installation: memorize, recall, search, govern, check, forget, over MCP with a key.

Then the work at the command line, which ends with a move to another embedding model and back. Run by the server's own
Python: `acceptance.py ENDPOINT SETTINGS MODEL`, settings as JSON as terraform puts them out.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from subprocess import PIPE
from typing import Any, Final

import anyio
import httpx2
from click.testing import CliRunner
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from installed import environment
from interlayer.main import cli

ROLES: Final = ("--role", "reader", "--role", "writer", "--role", "eraser")

# What is done at the command line on the same stores with the same rights.
WORK: Final = (
    ("access", "list"),
    ("memory", "show", "company:beta.com"),
    ("memory", "rejected"),
    ("memory", "expire"),
    ("entity", "merge", "company:beta.com", "company:gamma.com", "--reason", "one company"),
    ("entity", "names", "company:beta.com"),
    ("entity", "conflicts"),
    ("model", "set", "none"),
    ("model", "unset"),
    ("policy", "waivers"),
    ("policy", "rollback", "1", "--reason", "tried"),
    ("policy", "history"),
    ("policy", "proposals", "--all"),
    ("audit", "tail"),
    ("audit", "receipts"),
    ("audit", "checkpoint"),
    ("reconcile", "--rebuild"),
)
_UNINDEXED: Final = "        description: Main website.\n"
_INDEX: Final = "        indexed: true\n"


def interlayer(*arguments: str, env: dict[str, str]) -> str:
    """Run a command of the program, in this process, and return what it prints."""
    done = CliRunner().invoke(cli, arguments, env=env)
    assert done.exit_code == 0, f"interlayer {' '.join(arguments)}: {done.output} {done.exception!r}"
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
        for name in ("beta", "gamma"):
            await call("memorize", entity=f"company:{name}.com", content=f"Website: https://{name}.com/")


def operate(env: dict[str, str], home: Path, model: str) -> None:
    """Look, merge, seal, compare, change the schema and take it back, move to another model and back."""
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    interlayer("policy", "waive", "escalation#R1", "--until", soon, "--reason", "tried", env=env)
    for command in WORK:
        interlayer(*command, env=env)
    deadline = time.monotonic() + 60
    while " 0 segments" in interlayer("audit", "verify", env=env):  # receipts are sealed when they are some seconds old
        assert time.monotonic() < deadline, "nothing was sealed"
        interlayer("audit", "seal", env=env)
    interlayer("audit", "export", str(home / "trail.jsonl"), env=env)
    bundled = resources.files("interlayer.memory.schema").joinpath("schema.yaml").read_text(encoding="utf-8")
    for text in (bundled.replace(_UNINDEXED, _UNINDEXED + _INDEX), bundled):
        (home / "schema.yaml").write_text(text, encoding="utf-8")
        interlayer("schema", "apply", "--allow-breaking", str(home / "schema.yaml"), env=env)
    with embeddings_server() as address:
        to = ("--to", model, "--api-base", address)
        for options in (to, ("--rollback",), ("--drop-old",), to, ("--rollback",)):
            interlayer("reembed", *options, env={**env, "OPENAI_API_KEY": "any"})


@contextmanager
def embeddings_server() -> Generator[str]:
    """Serve another embedding model; yields its address."""
    script = Path(__file__).parents[2] / "support" / "embeddings_server.py"
    with subprocess.Popen([sys.executable, script], stdin=PIPE, stdout=PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def main(endpoint: str, settings: dict[str, str], model: str) -> None:
    """Start a server as a task starts it, go the whole way, stop it, and work at the command line."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        env = environment(endpoint, settings, home, "TASK")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        token = interlayer("access", "create", "agent-1", *ROLES, env=env)
        address = f"http://127.0.0.1:{port}"
        server = subprocess.Popen([sys.executable, "-m", "interlayer", "serve", "--http", f"127.0.0.1:{port}"], env=env)
        try:
            deadline = time.monotonic() + 60
            while not _ready(address):
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not become ready"
                time.sleep(0.1)
            anyio.run(path, address, token)
        finally:
            server.terminate()
            server.wait(timeout=20)
        operate(env, Path(home), model)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3])
