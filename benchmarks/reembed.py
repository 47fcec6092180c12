"""Move an organization to another embedding model under load, killed again and again; needs the extra `models`.

`python benchmarks reembed [--quick] [--facts N] [--kills N] [--rate N] [--json]`. The facts are memorized in this
process first, a hundred a call. Two servers over stdio answer recalls and memorize all the while; `interlayer reembed`
is a process of its own that is killed with SIGKILL, started again, and in the end let through. The other model is an
OpenAI-compatible endpoint on this machine, reached through litellm (the extra `models`). Bars of the project: no failed
call, p99 of recall during the move at most twice its normal, no fact missing or mixed afterwards, 20 kills survived.
"""

import argparse
import json
import math
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np
from mcp import Client, StdioServerParameters

from hashed_vectors import hashed
from interlayer.app.composition import Parts, build
from interlayer.app.settings import load
from interlayer.memory.requests import FactCandidate, MemorizeRequest
from interlayer.models.embedder import Vectors
from measuring import ROOT, environment, machine, percentile, show

MODEL: Final = "hosted_vllm/benchmark"
ORGANIZATION: Final = "default"
PER_ENTITY: Final = 100
HOT: Final = 50  # entities that are asked for
READ_EVERY_S: Final = 0.05
WRITE_EVERY_S: Final = 0.2
NORMAL_S: Final = 30.0
AFTER_S: Final = 10.0
WHO: Final = ("The buyer", "Finance", "The plant manager", "Legal", "Anna Keller", "The new CTO", "Support", "Sales")
DID: Final = ("asked about", "postponed", "signed off", "complained about", "wants a quote for", "cancelled", "praised")
WHAT: Final = (
    "the pump order", "the security review", "valve deliveries", "spring training", "the renewal", "warehouse access",
    "invoice terms", "the pilot in Lyon", "the spare parts", "the audit", "the new portal",
)  # fmt: skip


@dataclass
class Calls:
    """Seconds that calls took, by phase, and what failed."""

    phase: str = "normal"
    phase_at: float = 0.0
    recalls: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    writes: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    failed: list[str] = field(default_factory=list[str])
    recalled_at: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def enter(self, phase: str) -> None:
        """Begin a phase."""
        self.phase, self.phase_at = phase, time.perf_counter()


def statement(number: int) -> str:
    """Return a statement that differs from every other one in its number at least."""
    return f"{WHO[number % 8]} {DID[number // 8 % 7]} {WHAT[number // 56 % 11]} under reference {10_000 + number}."


def company(number: int) -> str:
    """Return an entity."""
    return f"company:c{number}.example"


async def filled(home: Path, facts: int) -> None:
    """Memorize so many facts, a hundred an entity, with the bundled model."""
    parts = opened(home)
    await parts.prepare()
    for entity in range(facts // PER_ENTITY):
        told = [FactCandidate(statement(entity * PER_ENTITY + number), 0.9) for number in range(PER_ENTITY)]
        await parts.memory.memorizer.memorize(
            parts.settings.principal, MemorizeRequest(entity=company(entity), facts=told)
        )
        if entity % 20 == 0:
            await parts.memory.projector.drain(ORGANIZATION)
        if entity % 100 == 0:
            sys.stderr.write(f"{entity * PER_ENTITY:,} facts memorized\n")
    await parts.memory.projector.drain(ORGANIZATION)
    await parts.close()


def opened(home: Path) -> Parts:
    """Compose a process on a home."""
    return build(load({"HOME": str(home)}, {"INTERLAYER_CONFIG": "/nowhere"}))


async def reading(client: Client, calls: Calls, chance: random.Random, entities: int) -> None:
    """Recall until cancelled, every question another one."""
    for number in count():
        query = f"who {DID[number % 7]} {WHAT[number % 11]} {number}"
        entity = company(chance.randrange(min(HOT, entities)))
        await timed(client, "recall_entity", {"entity": entity, "query": query}, calls, calls.recalls)
        await anyio.sleep(READ_EVERY_S)


async def writing(client: Client, calls: Calls, chance: random.Random, entities: int, first: int) -> None:
    """Memorize until cancelled."""
    for number in count(first):
        told = {"entity": company(chance.randrange(entities)), "facts": [{"text": statement(number)}]}
        await timed(client, "memorize", told, calls, calls.writes)
        await anyio.sleep(WRITE_EVERY_S)


async def timed(
    client: Client, tool: str, arguments: dict[str, Any], calls: Calls, into: dict[str, list[float]]
) -> None:
    """Call a tool and note how long it took, or that it failed."""
    phase, begun = calls.phase, time.perf_counter()
    result = await client.call_tool(tool, arguments)
    took = time.perf_counter() - begun
    into.setdefault(phase, []).append(took)
    if phase == "during" and into is calls.recalls:
        calls.recalled_at.append((round(1_000 * took, 1), round(begun - calls.phase_at, 1)))
    if result.is_error:
        calls.failed.append(f"{tool}: {result.content}")


@asynccontextmanager
async def endpoint() -> AsyncGenerator[str]:
    """Serve the other model."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "embeddings_server.py")]
    process = await anyio.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        stdout: Any = process.stdout
        yield (await stdout.receive()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def moved(home: Path, address: str, rate: float, kills: int, facts: int, chance: random.Random) -> dict[str, Any]:
    """Run `interlayer reembed`, kill it so many times while it works, and let it through in the end."""
    command = [sys.executable, "-m", "interlayer", "reembed", "--to", MODEL, "--api-base", address, "--rate", str(rate)]
    killed = reached = 0
    begun = time.perf_counter()
    while True:
        process = await anyio.open_process(command, env=environment(home), stdout=subprocess.PIPE)
        if killed < kills:
            began = time.perf_counter()
            reached = await watched(process.stderr, reached, chance.uniform(0.1, 1.6 * facts / rate / kills))
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            killed += await process.wait() == -signal.SIGKILL
            sys.stderr.write(f"kill {killed} after {time.perf_counter() - began:.1f} s, {reached:,} facts done\n")
            if process.returncode not in (0, -signal.SIGKILL):
                raise RuntimeError("reembed failed before it was killed")
            if process.returncode == 0:
                return {"killed": killed, "seconds": round(time.perf_counter() - begun, 1), "said": "done early"}
            continue
        told = ""
        async for chunk in stream_of(process.stderr):
            sys.stderr.write(chunk)
            told = f"{told}{chunk}"[-500:]
        said = await all_bytes(process.stdout)
        if await process.wait() != 0:
            raise RuntimeError(f"reembed failed: {told}")
        return {"killed": killed, "seconds": round(time.perf_counter() - begun, 1), "said": said.strip().splitlines()}


async def watched(progress: Any, reached: int, seconds: float) -> int:
    """Return how far a run has come so many seconds after it came further than those before it, or at its end."""
    with anyio.CancelScope() as scope:
        async for chunk in stream_of(progress):
            for count in re.findall(r"([\d,]+) of ", chunk):
                done = int(count.replace(",", ""))
                if done > reached and scope.deadline == math.inf:
                    scope.deadline = anyio.current_time() + seconds
                reached = max(reached, done)
    return reached


async def stream_of(stream: Any) -> AsyncGenerator[str]:
    """Yield what is written to a stream as it comes."""
    async for chunk in stream:
        yield chunk.decode()


async def all_bytes(stream: Any) -> str:
    """Return everything that is written to a stream."""
    return "".join([chunk async for chunk in stream_of(stream)])


async def whole(home: Path) -> dict[str, int]:
    """Return how many facts there are, how many the new space lacks, how many rows are of no fact or mixed in."""
    parts = opened(home)
    await parts.memory.projector.drain(ORGANIZATION)
    record = await parts.memory.spaces.claim(ORGANIZATION)
    space = parts.memory.spaces.active(record.current)
    rows = {row.id: row async for stretch in parts.memory.backfill.stretches(ORGANIZATION) for row in stretch.rows}
    present = await space.index.ids(ORGANIZATION)
    mixed = 0
    for owner in dict.fromkeys(row.owner for row in rows.values()):
        stored = await space.index.vectors_of(ORGANIZATION, owner)
        known = [one for one in stored if one in rows]
        fresh: Vectors = hashed([rows[one].text for one in known])
        mixed += (
            int((np.abs(np.stack([stored[one] for one in known]) - fresh).max(axis=1) > 1e-4).sum()) if known else 0
        )
    await parts.close()
    if not space.id.startswith("hosted"):
        raise RuntimeError(f"the current space is {space.id}")
    missing, left_over = rows.keys() - present, present - rows.keys()
    return {"facts": len(rows), "missing": len(missing), "left_over": len(left_over), "mixed": mixed}


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    chance = random.Random(7)  # noqa: S311 - when to kill
    calls = Calls()
    entities = arguments.facts // PER_ENTITY
    found: dict[str, Any] = {"machine": machine(), "rate": arguments.rate}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        begun = time.perf_counter()
        await filled(home, arguments.facts)
        found["loading_seconds"] = round(time.perf_counter() - begun, 1)
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "interlayer", "serve"], env=environment(home), cwd=Path(folder)
        )
        async with endpoint() as address:
            async with Client(server) as one, Client(server) as other, anyio.create_task_group() as tasks:
                for number in range(min(HOT, entities)):  # what is asked for is known to the servers
                    await one.call_tool("recall_entity", {"entity": company(number)})
                tasks.start_soon(reading, one, calls, chance, entities)
                tasks.start_soon(writing, other, calls, chance, entities, arguments.facts)
                tasks.start_soon(writing, one, calls, chance, entities, 10 * arguments.facts)
                await anyio.sleep(arguments.normal)
                calls.enter("during")
                found["move"] = await moved(home, address, arguments.rate, arguments.kills, arguments.facts, chance)
                calls.enter("after")
                await anyio.sleep(AFTER_S)
                tasks.cancel_scope.cancel()
            found["whole"] = await whole(home)
    found["largest_process_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    found["slowest_recalls_ms_at_s"] = sorted(calls.recalled_at)[-10:]
    found["failed"] = calls.failed
    found["calls"] = sum(len(times) for kind in (calls.recalls, calls.writes) for times in kind.values())
    for name, kinds in (("recall", calls.recalls), ("memorize", calls.writes)):
        found[name] = {phase: dict(summary(times)) for phase, times in kinds.items()}
    found["recall_p99_ratio"] = round(found["recall"]["during"]["p99"] / found["recall"]["normal"]["p99"], 2)
    return found


def summary(times: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield the number of calls and their milliseconds."""
    yield "calls", len(times)
    for name, part in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)):
        yield name, round(1_000 * percentile(times, part), 1)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 facts and 3 kills")
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=float, default=500, help="facts a second; the command's own default")
    parser.add_argument("--normal", type=float, default=NORMAL_S, help="seconds of the same calls before")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.facts, arguments.kills = 5_000, 3
    found = anyio.run(run, arguments)
    if arguments.json:
        print(json.dumps(found))
        return
    rows = [
        [f"{name}, {phase}", *figures.values()]
        for name in ("recall", "memorize")
        for phase, figures in found[name].items()
    ]
    show(f"Calls over stdio, ms ({found['machine']})", ["call, phase", "calls", "p50", "p99", "worst"], rows)
    print(f"\nmove: {found['move']}\nafterwards: {found['whole']}")
    print(f"failed calls: {len(found['failed'])} of {found['calls']:,} {found['failed'][:3]}")
    print(f"loaded in {found['loading_seconds']} s; largest process {found['largest_process_mb']} MB")
    print(f"slowest recalls during the move, ms and seconds into it: {found['slowest_recalls_ms_at_s']}")
    print(f"p99 of recall during the move: {found['recall_p99_ratio']} times its normal")


if __name__ == "__main__":
    main()
