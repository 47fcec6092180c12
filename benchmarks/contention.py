"""Let 16 agents of 4 servers write about the same 10 entities, and look for what is lost, doubled or refused.

`python benchmarks contention [--seconds 60] [--backend embedded|aws] [--json]`, by default both.
Sixteen agents call four servers over HTTP as fast as they can. Each call brings one fact that nobody else states, one
that everybody states, and a value of one property, observed at the time of the call. Afterwards a process of its own
looks for every acknowledged fact, for facts that stand twice, for the newest value, and whether both layers and the
audit trail are whole.
"""

import argparse
import json
import logging
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client

from backends import BACKENDS, backend
from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.memory.requests import PARTS, RecallRequest
from measuring import environment, machine, percentile, show

SERVERS: Final = 4
AGENTS: Final = 16
ENTITIES: Final = [f"company:plant-{number}.example" for number in range(10)]
COMMON: Final = [
    f"The {part} is checked before every shift." for part in ("boiler", "crane", "furnace", "kiln", "lathe", "press")
]
START_S: Final = 90.0


@dataclass
class Account:
    """What was acknowledged, and what went wrong."""

    facts: dict[str, set[str]] = field(default_factory=lambda: {entity: set() for entity in ENTITIES})
    newest: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    took: list[float] = field(default_factory=list[float])
    refused: Counter[str] = field(default_factory=Counter[str])


@contextmanager
def servers(settings: Mapping[str, str]) -> Generator[list[str]]:
    """Run the servers; yields their addresses when all are ready."""
    with ExitStack() as stack:
        addresses: list[str] = []
        for number in range(SERVERS):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [sys.executable, "-m", "interlayer", "serve", "--http", f"127.0.0.1:{port}"]
            process = subprocess.Popen(command, env={**settings, "INTERLAYER_AGENT": f"server-{number}"})
            stack.callback(process.wait, 15)
            stack.callback(process.terminate)
            addresses.append(f"http://127.0.0.1:{port}")
        for address in addresses:
            _await_ready(address)
        yield addresses


def _await_ready(address: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=10):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"{address} did not become ready")


async def hammer(addresses: Sequence[str], seconds: float) -> tuple[Account, float]:
    """Have all agents write until the time is over; return the account and how long it took."""
    account = Account()
    until = time.monotonic() + seconds

    async def agent(number: int) -> None:
        draw, count = random.Random(number), 0  # noqa: S311 - which entity comes next
        async with Client(f"{addresses[number % SERVERS]}/mcp") as client:
            while time.monotonic() < until:
                count += 1
                await _write(client, account, draw.choice(ENTITIES), draw.choice(COMMON), number * 100_000 + count)

    start = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for number in range(AGENTS):
            tasks.start_soon(agent, number)
    return account, time.monotonic() - start


async def _write(client: Client, account: Account, entity: str, common: str, number: int) -> None:
    own = f"Order {number} left the plant complete."
    at = datetime.now(UTC).isoformat()
    start = time.perf_counter()
    result = await client.call_tool(
        "memorize",
        {
            "entity": entity,
            "facts": [{"text": own}, {"text": common}],
            "properties": [{"name": "employees", "value": number}],
            "observed_at": at,
        },
    )
    account.took.append((time.perf_counter() - start) * 1000)
    if result.is_error:
        account.refused[str(getattr(result.content[0], "text", ""))[:120]] += 1
        return
    account.facts[entity].add(own)
    account.newest[entity] = max(account.newest.get(entity, ("", 0)), (at, number))


async def judged(parts: Parts, account: Account) -> dict[str, int]:
    """Look for what is missing or too much, as a process of its own sees it."""
    found: Counter[str] = Counter()
    for entity in ENTITIES:
        texts: Counter[str] = Counter()
        value, cursor = None, None
        while True:
            request = RecallRequest(entity=entity, include=PARTS, limit=200, max_tokens=8_000, cursor=cursor)
            answer = await parts.memory.recaller.recall(parts.settings.principal, request)
            texts.update(fact.text for fact in answer.facts)
            value = next((one.value for one in answer.properties if one.name == "employees"), value)
            cursor = answer.next_cursor
            if not cursor:
                break
        found["lost facts"] += len(account.facts[entity] - texts.keys())
        found["doubled facts"] += sum(count - 1 for count in texts.values())
        found["stale values"] += value != account.newest.get(entity, ("", None))[1]
    checked = await parts.audit.verify(parts.settings.principal)
    found["audit faults"] += len(checked.faults)
    return dict(found)


async def measured(name: str, layers: Mapping[str, str], seconds: float) -> dict[str, Any]:
    """Return the figures of one backend."""
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(Path(folder)) | {f"INTERLAYER_{key}": value for key, value in layers.items()}
        with servers(variables) as addresses:
            account, took = await hammer(addresses, seconds)
        async with opened(load({}, {**variables, "INTERLAYER_CONFIG": "/nowhere"})) as parts:
            found = await judged(parts, account)
    calls = len(account.took)
    return {
        "backend": name,
        "calls": calls,
        "calls a second": round(calls / took, 1),
        "p50 ms": round(percentile(account.took, 0.5), 1),
        "p99 ms": round(percentile(account.took, 0.99), 1),
        "refused": sum(account.refused.values()),
        **found,
        "refusals": dict(account.refused.most_common(5)),
    }


def main() -> None:
    """Measure the backends and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--backend", choices=BACKENDS, action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.INFO)  # clients tell of every request
    rows: list[dict[str, Any]] = []
    for name in options.backend or BACKENDS:
        with backend(name) as layers:
            rows.append(anyio.run(measured, name, layers, options.seconds))
    if options.json:
        sys.stdout.write(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
        return
    sys.stdout.write(f"{machine()}\n")
    shown = [name for name in rows[0] if name != "refusals"]
    show(
        f"{AGENTS} agents on {SERVERS} servers, {len(ENTITIES)} entities", shown, [[r[n] for n in shown] for r in rows]
    )
    for row in rows:
        for text, count in row["refusals"].items():
            sys.stdout.write(f"{row['backend']}: {count} x {text}\n")


if __name__ == "__main__":
    main()
