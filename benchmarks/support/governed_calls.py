"""How long `get_governance_context` takes on 1,000 and 10,000 policies, beside floors. Part of governance.py.

Inside the server with its receipt, over stdio from the official client, and from a publish to obedience elsewhere.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np
from mcp import Client

from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer.storage.items import Key, Put
from interlayer.storage.sqlite.items import SqliteItems
from interlayer_policies.governance import Facets, PolicyFile
from measuring import percentile
from policy_sets import CHANNELS, REGIONS, policy_files, tasks, team_count
from stdio_servers import floor, serving

BARS: Final = {"server": (2.6, 3.4), "stdio": (None, 40)}
SIZES: Final = (1_000, 10_000)
CALLS: Final = 400
WARMING: Final = 20
SETTLED_S: Final = 5  # a server goes on loading what later calls need after its first answer
DIMS: Final = 256
SECTIONS_A_POLICY: Final = 3.5
TEXTS_A_TASK: Final = 4
NEW_RULE: Final = (
    "---\nid: stop\ndescription: Stops everything.\nrules: [Never send anything before the audit ends.]\n---\n"
)


async def latencies() -> list[list[Any]]:
    """Return rows: what, p50 ms, p99 ms, the bar, and the ratio of p50 to the floor's."""
    rows: list[list[Any]] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            settings = load({"HOME": str(home)}, {"INTERLAYER_CONFIG": os.devnull})
            files = policy_files(size)
            async with opened(settings) as parts:
                begun = time.perf_counter()
                await parts.domains.governance.publish(settings.principal, files, reason="benchmark")
                publishing = time.perf_counter() - begun
                begun = time.perf_counter()
                await parts.domains.governance.context(settings.principal, "Load the set", Facets())
                loading = time.perf_counter() - begun
                (inside, worked), bare = await in_server(parts, size), await bare_work(Path(folder), size)
                rows.append(row(f"inside the server, {size:,} policies", inside, bare, "server"))
                what = f"processor's time of it, {size:,} policies"
                rows.append([what, *(f"{percentile(worked, part):.1f}" for part in (0.5, 0.99)), "", ""])
                rows += await over_stdio(parts, home, files)
                rows.append([f"publish of {size:,} policies, s, once", round(publishing, 1), "", "", ""])
                rows.append(
                    [f"first call after it, s, once: the set is loaded in {size:,}", round(loading, 2), "", "", ""]
                )
    return rows


def asked(size: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the arguments of calls: a new task each time, from a team, on a channel, in a region."""
    for number, task in enumerate(tasks(seed)):
        team = f"team-{number % team_count(size)}"
        yield {"task": task, "team": team, "channel": CHANNELS[number % 4], "region": REGIONS[number % 5]}


async def in_server(parts: Parts, size: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of calls, receipts written, and those of the processor's time that they took."""
    taken: list[float] = []
    worked: list[float] = []
    for number, given in zip(range(WARMING + CALLS), asked(size, 3), strict=False):
        facets = Facets(team=given["team"], channel=given["channel"], region=given["region"])
        begun, at_work = time.perf_counter(), time.process_time()
        answer = await parts.domains.governance.context(parts.settings.principal, given["task"], facets)
        if number >= WARMING:
            taken.append((time.perf_counter() - begun) * 1_000)
            worked.append((time.process_time() - at_work) * 1_000)
        if answer.degraded or not answer.rules:
            raise RuntimeError(f"not what is to be measured: {answer.degraded or 'no rule'}")
    return taken, worked


async def bare_work(folder: Path, size: int) -> list[float]:
    """Return the milliseconds of what no implementation can do without: all cosines, and one durable write."""
    store = SqliteItems(folder / "floor.db")
    chance = np.random.default_rng(1)
    matrix = chance.random((int(size * SECTIONS_A_POLICY), DIMS), dtype=np.float32)
    taken: list[float] = []
    for number in range(CALLS):
        vectors = chance.random((TEXTS_A_TASK, DIMS), dtype=np.float32)
        begun = time.perf_counter()
        (matrix @ vectors.T).max(axis=1).argmax()
        await store.transact([Put(Key("audit", "floor", f"{number:06}"), {"text": "x" * 1_000})])
        taken.append((time.perf_counter() - begun) * 1_000)
    await store.close()
    return taken


async def over_stdio(parts: Parts, home: Path, files: list[PolicyFile]) -> list[list[Any]]:
    """Return the rows of calls through a server process, and of a publish that it was not told of."""
    size, calls = len(files), CALLS // 2
    async with Client(serving(home)) as client:
        await client.call_tool("get_governance_context", {"task": "Load the set"})
        await anyio.sleep(SETTLED_S)
        answers: dict[str, Any] = {}
        taken: list[float] = []
        for number, given in zip(range(WARMING + calls), asked(size, 4), strict=False):
            begun = time.perf_counter()
            result = await client.call_tool("get_governance_context", dict(given))
            if number >= WARMING:
                taken.append((time.perf_counter() - begun) * 1_000)
                answers[str(number)] = result.model_dump(
                    by_alias=True, exclude_none=True, mode="json", include={"content", "structured_content"}
                )
        file = home.parent / "answers.json"
        file.write_text(json.dumps(answers), encoding="utf-8")
        bare: list[float] = []
        async with Client(floor(file)) as nothing:
            for query in answers:
                begun = time.perf_counter()
                await nothing.call_tool("recall_entity", {"entity": "floor", "query": query})
                bare.append((time.perf_counter() - begun) * 1_000)
        changed = [*files, PolicyFile("stop.md", NEW_RULE)]
        await parts.domains.governance.publish(parts.settings.principal, changed, reason="benchmark")
        begun = time.perf_counter()
        obeying = await client.call_tool("get_governance_context", {"task": "Say hello", "team": "team-1"})
        first = round((time.perf_counter() - begun) * 1_000, 1)
    obeyed = "stop" in {rule["policy_id"] for rule in (obeying.structured_content or {})["rules"]}
    told = f"after a publish elsewhere, {size:,} policies: the next call {'obeys' if obeyed else 'DOES NOT OBEY'}"
    return [row(f"over stdio, {size:,} policies", taken, bare, "stdio"), [told, first, "", "", ""]]


def row(what: str, taken: list[float], bare: list[float], bar: str) -> list[Any]:
    """Return a row of figures beside the bar and the floor of the same run."""
    middle, floor_ms = percentile(taken, 0.5), percentile(bare, 0.5)
    limits = " / ".join("-" if one is None else str(one) for one in BARS[bar]) if "1,000 " in what else ""
    tail = f"{percentile(taken, 0.99):.1f}"
    return [
        what,
        f"{middle:.1f}",
        tail,
        limits,
        f"{middle / floor_ms:.1f} (floor {floor_ms:.1f} / {percentile(bare, 0.99):.1f})",
    ]
