"""Let 16 writers tell overlapping interactions to 4 servers, and look for what is lost, doubled or half visible.

`python benchmarks overlapping [--seconds 60] [--kills 0] [--backend embedded|aws] [--json]`, embedded by default.
Each call tells of three to five of 40 entities that all writers share, and of what two pairs of them have to do with
each other. Meanwhile a process of its own follows what it meets in one entity into the others: all of it has to be
there. With `--kills` so many servers are killed with SIGKILL on the way and started again; writers send again what was
not answered. Afterwards every acknowledged interaction has to be in the log of each of its entities, once, and of those
that were not acknowledged all parts or none. Exit 1 when a promise is broken.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
from mcp import Client

from backends import BACKENDS, backend
from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.log.records import LogEntry
from measuring import environment, machine, percentile, show
from overlaps import ENTITIES, RELATION, arguments_of, entities_of, number_in, relations_of, watch

CONTEXT: Final = multiprocessing.get_context("spawn")
ORGANIZATION: Final = "overlaps"
SERVERS: Final = 4
WRITERS: Final = 16
START_S: Final = 90.0
REST_S: Final = 0.2
BROKEN: Final = ("lost", "doubled", "half stored", "half visible", "lost relations", "layers differ", "audit faults")


class Server:
    """A server over HTTP on a port of its own, which can be killed and started again."""

    def __init__(self, number: int, settings: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._settings = {**settings, "INTERLAYER_AGENT": f"server-{number}"}
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        command = [sys.executable, "-m", "interlayer", "serve", "--http", f"127.0.0.1:{self._port}"]
        self._process = subprocess.Popen(command, env=self._settings, stderr=subprocess.DEVNULL)

    def await_ready(self) -> None:
        """Wait until it answers. Ends the program when it does not in time."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=10):  # noqa: S310 - our own loopback
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(REST_S)
        sys.exit(f"{self.address} did not become ready")

    def kill_and_start_again(self) -> None:
        """Kill it at once, and wait until another process serves at its address."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.start()
        self.await_ready()

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        self._process.wait(30)


@dataclass
class Account:
    """Which interactions were acknowledged, which sent without an answer, and what was refused."""

    told: set[int] = field(default_factory=set[int])
    in_doubt: set[int] = field(default_factory=set[int])
    took: list[float] = field(default_factory=list[float])
    refused: Counter[str] = field(default_factory=Counter[str])
    broken_off: int = 0


async def write(servers: Sequence[Server], account: Account, number: int, until: float) -> None:
    """Tell interactions to one server until the time is over; what is not answered is sent again."""
    server, count = servers[number % len(servers)], 0
    while time.monotonic() < until:
        try:
            async with Client(f"{server.address}/mcp") as client:
                while time.monotonic() < until:
                    interaction = (number + 1) * 100_000 + count
                    account.in_doubt.add(interaction)
                    await _tell(client, account, interaction)
                    count += 1
        except Exception:  # noqa: BLE001 - killed or not up yet: whatever the client makes of that, it is tried again
            account.broken_off += 1
            await anyio.sleep(REST_S)


async def _tell(client: Client, account: Account, interaction: int) -> None:
    start = time.perf_counter()
    result = await client.call_tool("memorize", arguments_of(interaction))
    account.took.append((time.perf_counter() - start) * 1000)
    if result.is_error:
        account.refused[str(getattr(result.content[0], "text", ""))[:160]] += 1
        return
    account.in_doubt.discard(interaction)
    account.told.add(interaction)


async def hammer(servers: Sequence[Server], seconds: float, kills: int) -> Account:
    """Have all writers write until the time is over, while servers are killed at moments of chance."""
    account, until = Account(), time.monotonic() + seconds
    chance = random.Random(kills)  # noqa: S311 - which server dies when

    async def kill() -> None:
        for _ in range(kills):
            await anyio.sleep(seconds / (kills + 1) * chance.uniform(0.6, 1.0))
            if time.monotonic() < until:
                await anyio.to_thread.run_sync(chance.choice(servers).kill_and_start_again)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kill)
        for number in range(WRITERS):
            tasks.start_soon(write, servers, account, number, until)
    return account


@dataclass
class Stored:
    """What the logs hold: by interaction and entity the memories that tell it, and which entities have met."""

    told: dict[int, dict[str, set[str]]] = field(default_factory=dict[int, dict[str, set[str]]])
    met: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @classmethod
    async def of(cls, parts: Parts) -> "Stored":
        """Read the logs of all entities, as a process of its own sees them."""
        found, memory, organization = cls(), parts.memory, parts.settings.principal.organization
        ids = {one: await memory.entities.resolve(organization, parse_entity(one, memory.schema)) for one in ENTITIES}
        names = {entity: name for name, entity in ids.items() if entity}
        for name, entity in ids.items():
            head = await memory.entities.head(organization, entity) if entity else None
            for entry in await memory.entities.log(organization, head.head) if head else ():
                found._take(name, entry)
                found.met |= {(name, names[one.target]) for one in entry.relations if one.type == RELATION}
        return found

    def _take(self, entity: str, entry: LogEntry) -> None:
        for said in (*entry.facts, *entry.confirms):
            if (number := number_in(said.text)) is not None:
                self.told.setdefault(number, {}).setdefault(entity, set()).add(entry.interaction)


async def judged(parts: Parts, account: Account, half_visible: int) -> dict[str, int]:
    """Look for what is missing, too much, or there in part."""
    found = await Stored.of(parts)
    counts: Counter[str] = Counter(dict.fromkeys(BROKEN, 0))
    counts["half visible"] = half_visible
    for number in account.told:
        places = found.told.get(number, {})
        counts["lost"] += any(entity not in places for entity in entities_of(number))
        counts["lost relations"] += sum(pair not in found.met for pair in relations_of(number))
    for number, places in found.told.items():
        counts["doubled"] += len({one for memories in places.values() for one in memories}) > 1
        counts["half stored"] += places.keys() != set(entities_of(number))
    organization = parts.settings.principal.organization
    await parts.memory.projector.drain(organization)
    counts["layers differ"] = len(list(await parts.memory.consistency.differences(organization)))
    counts["audit faults"] = len((await parts.audit.verify(parts.settings.principal)).faults)
    return dict(counts)


async def measured(name: str, layers: Mapping[str, str], seconds: float, kills: int) -> dict[str, Any]:
    """Return the figures of one backend."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        chosen = {"ORG": ORGANIZATION, **layers}
        variables = environment(home) | {f"INTERLAYER_{key}": value for key, value in chosen.items()}
        servers: list[Server] = []
        for number in range(SERVERS):
            servers.append(Server(number, variables))
            stack.callback(servers[-1].stop)
            servers[-1].await_ready()
        receiving, sending = CONTEXT.Pipe(duplex=False)
        watcher = CONTEXT.Process(target=watch, args=(str(home), ORGANIZATION, dict(layers), seconds, sending))
        watcher.start()
        sending.close()
        start = time.monotonic()
        account = await hammer(servers, seconds, kills)
        took = time.monotonic() - start
        seen = await anyio.to_thread.run_sync(receiving.recv)
        watcher.join()
        stack.close()
        async with opened(load({}, {**variables, "INTERLAYER_CONFIG": os.devnull})) as parts:
            found = await judged(parts, account, len(seen["half"]))
    return {
        "backend": name,
        "calls": len(account.told),
        "calls a second": round(len(account.told) / took, 1),
        "p50 ms": round(percentile(account.took, 0.5), 1),
        "p99 ms": round(percentile(account.took, 0.99), 1),
        "kills": kills,
        "in doubt": len(account.in_doubt),
        "followed": seen["followed"],
        "refused": sum(account.refused.values()),
        **found,
        "notes": [*(f"{count} x {text}" for text, count in account.refused.most_common(5)), *seen["half"][:5]],
    }


def main() -> int:
    """Measure the backends, print the figures, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--backend", choices=BACKENDS, action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.INFO)  # clients tell of every request
    rows: list[dict[str, Any]] = []
    for name in options.backend or BACKENDS[:1]:
        with backend(name) as layers:
            rows.append(anyio.run(measured, name, layers, options.seconds, options.kills))
    if options.json:
        sys.stdout.write(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
    else:
        shown = [name for name in rows[0] if name != "notes"]
        title = f"{WRITERS} writers on {SERVERS} servers, {len(ENTITIES)} entities: {machine()}"
        show(title, ["what", *(row["backend"] for row in rows)], [[n, *(r[n] for r in rows)] for n in shown[1:]])
        for row in rows:
            sys.stdout.writelines(f"{row['backend']}: {note}\n" for note in row["notes"])
    return 1 if any(row[name] for row in rows for name in BROKEN) else 0


if __name__ == "__main__":
    sys.exit(main())
