"""Measure how fast the server answers over stdio, and what its tools cost in tokens: the figures of the README.

`python benchmarks stdio [--json] [--calls N]`, with the dependencies of the project and nothing else running.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import anyio
import wordllama
from mcp import Client, StdioServerParameters

from measuring import environment, machine, percentile, show
from stdio_servers import floor, serving

ERAS: Final = {"auto": "2026-07-28", "legacy": "2025-11-25"}
FIRST_REPLY_BAR_S: Final = 1.5
FLOOR_BAR: Final = 3.0
STARTS: Final = 5
FACTS: Final = 200
ROUNDS: Final = 10
WRITES: Final = 300
IN_FLIGHT: Final = 16
ENTITY: Final = "company:meridian.example"
QUERIES: Final = (
    "who signs contracts", "which warehouse is affected", "open complaints about pumps", "renewal date",
    "what does the finance team want", "delivery to Rotterdam", "security review", "price of the valves",
    "who replaced the buyer", "training in spring",
)  # fmt: skip
WHO: Final = ("The buyer", "Their finance team", "The plant manager", "Legal", "Anna Keller", "The new CTO", "Support")
DID: Final = ("asked about", "postponed", "signed off", "complained about", "wants a quote for", "cancelled", "praised")
WHAT: Final = (
    "the pump order", "the security review", "valve deliveries to Rotterdam", "the spring training",
    "the renewal contract", "warehouse access", "invoice terms", "the pilot in Lyon", "the spare parts list",
)  # fmt: skip


def facts() -> Iterator[str]:
    """Yield statements that differ in meaning or in number, so that none is taken for a repeat of another."""
    for number in count():
        who, did, what = WHO[number % 7], DID[number // 7 % 7], WHAT[(number * 5 + number // 49) % 9]
        yield f"{who} {did} {what} under reference {4000 + number}."


@asynccontextmanager
async def served(home: Path, mode: Any = "auto") -> AsyncGenerator[Client]:
    """Start our server and connect."""
    async with Client(serving(home), mode=mode) as client:
        yield client


# (a) the first reply


async def first_reply(server: StdioServerParameters, mode: Any = "auto") -> float:
    """Return seconds from spawning a server until the client has its list of tools."""
    begun = time.perf_counter()
    async with Client(server, mode=mode) as client:
        await client.list_tools()
        return time.perf_counter() - begun


def first_line(folder: Path) -> float:
    """Return seconds from spawning until the answer to a bare `initialize` line, without any client's work."""
    request = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}
        },
    }  # fmt: skip
    command = [sys.executable, "-m", "interlayer", "serve"]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(folder / "home"), cwd=folder
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        taken = time.perf_counter() - begun
        process.stdin.close()
        process.wait(timeout=30)
    if "result" not in json.loads(answer):
        raise RuntimeError(answer)
    return taken


async def starts() -> dict[str, Any]:
    """Measure every way of starting in turn, so that what else the machine does falls on all of them."""
    taken: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        taken["tools/list, nothing compiled yet (once)"].append(await first_reply(serving(Path(folder) / "home")))
        (Path(folder) / "answers.json").write_text("{}", encoding="utf-8")
        await first_reply(floor(Path(folder) / "answers.json"))
    for _ in range(STARTS):
        for mode, era in ERAS.items():
            with tempfile.TemporaryDirectory() as folder:
                taken[f"tools/list, client {era}"].append(await first_reply(serving(Path(folder) / "home"), mode))
        with tempfile.TemporaryDirectory() as folder:
            taken["bare initialize line"].append(await anyio.to_thread.run_sync(first_line, Path(folder)))
            (Path(folder) / "answers.json").write_text("{}", encoding="utf-8")
            taken["floor server: tools/list"].append(await first_reply(floor(Path(folder) / "answers.json")))
    return {
        name: {"median_s": statistics.median(times), "worst_s": max(times), "bar_s": FIRST_REPLY_BAR_S}
        for name, times in taken.items()
    }


# (b) recall against the protocol floor


async def recalls(home: Path, calls: int, mode: Any) -> dict[str, Any]:
    """Measure recall_entity and, in turns, a server that does nothing but send the same answers."""
    async with served(home, mode) as client:
        await stored(client, ENTITY, FACTS)
        questions: dict[str, Sequence[str]] = {"no query": [""], "query": QUERIES}
        answers = {query: await answer(client, query) for query in ("", *QUERIES)}
        file = home.parent / "answers.json"
        file.write_text(json.dumps(answers), encoding="utf-8")
        async with Client(floor(file), mode=mode) as bare:
            return {kind: await against(client, bare, asked, calls) for kind, asked in questions.items()} | {
                "payload_bytes": statistics.median(len(json.dumps(one)) for one in answers.values())
            }


async def stored(client: Client, entity: str, wanted: int) -> None:
    """Memorize facts, until the entity has so many, and wait until what follows a write is done."""
    texts = facts()
    for _ in range(0, wanted, 20):
        given = [{"text": next(texts)} for _ in range(20)]
        result = await client.call_tool("memorize", {"entity": entity, "facts": given})
        outcomes = [fact["outcome"] for fact in (result.structured_content or {})["facts"]]
        if not set(outcomes) <= {"added", "superseded_older"}:  # another figure of the same thing is an update
            raise RuntimeError(f"not added: {outcomes}")
    await anyio.sleep(2)


async def answer(client: Client, query: str) -> dict[str, Any]:
    """Return the result of a recall as it went over the wire."""
    result = await client.call_tool("recall_entity", asking(query))
    if result.is_error or not (result.structured_content or {})["facts"]:
        raise RuntimeError(result)
    return result.model_dump(by_alias=True, exclude_none=True, mode="json", include={"content", "structured_content"})


def asking(query: str) -> dict[str, str]:
    """Return the arguments of a recall."""
    return {"entity": ENTITY, "query": query} if query else {"entity": ENTITY}


async def against(ours: Client, bare: Client, queries: Sequence[str], calls: int) -> dict[str, Any]:
    """Call both servers in interleaved rounds; the first round warms up and does not count."""
    taken: dict[str, list[float]] = {"ours": [], "floor": []}
    for number in range(ROUNDS + 1):
        for name, client in (("ours", ours), ("floor", bare)):
            times = await timed(client, queries, calls // ROUNDS)
            if number:
                taken[name] += times
    figures = {
        name: {"calls": len(times), "p50_ms": percentile(times, 0.5) * 1e3, "p95_ms": percentile(times, 0.95) * 1e3}
        for name, times in taken.items()
    }
    return {**figures, "ratio_p50": figures["ours"]["p50_ms"] / figures["floor"]["p50_ms"], "bar": FLOOR_BAR}


async def timed(client: Client, queries: Sequence[str], calls: int) -> list[float]:
    """Return seconds a call."""
    times: list[float] = []
    for _, query in zip(range(calls), cycle(queries), strict=False):
        begun = time.perf_counter()
        await client.call_tool("recall_entity", asking(query))
        times.append(time.perf_counter() - begun)
    return times


# (c) durable writes


async def writes(folder: Path) -> dict[str, Any]:
    """Measure memorize of one fact, each durable before it is answered: one after another, and many at once."""
    figures: dict[str, Any] = {}
    for name, at_once in {"one after another": 1, f"{IN_FLIGHT} in flight": IN_FLIGHT}.items():
        async with served(folder / f"writes-{at_once}") as client:
            await stored(client, "company:warm.example", 20)
            entities = (f"company:w{number % 20}.example" for number in range(WRITES))
            texts = iter(list(zip(entities, facts(), strict=False)))
            times: list[float] = []
            outcomes: list[str] = []
            begun = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for _ in range(at_once):
                    tasks.start_soon(partial(write_all, client, texts, times, outcomes))
            seconds = time.perf_counter() - begun
        figures[name] = {
            "writes": len(times), "added": outcomes.count("added"), "per_s": len(times) / seconds,
            "p50_ms": percentile(times, 0.5) * 1e3, "p95_ms": percentile(times, 0.95) * 1e3,
        }  # fmt: skip
    return figures


async def write_all(client: Client, texts: Iterator[tuple[str, str]], times: list[float], outcomes: list[str]) -> None:
    """Memorize what is left, one fact a call."""
    for entity, text in texts:
        begun = time.perf_counter()
        result = await client.call_tool("memorize", {"entity": entity, "facts": [{"text": text}]})
        times.append(time.perf_counter() - begun)
        outcomes.extend(fact["outcome"] for fact in (result.structured_content or {}).get("facts", ()))


# (d) what the tools cost a model before it has called one


async def surface(folder: Path) -> dict[str, Any]:
    """Count the tools/list result: by WordLlama's tokenizer (32,000 pieces, small for JSON) and as bytes/4."""
    model = await anyio.to_thread.run_sync(bundled_model)
    async with served(folder / "surface") as client:
        tools = (await client.list_tools()).tools
    listed = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]
    parts = {"whole": {"tools": listed}, **{tool["name"]: tool for tool in listed}}
    return {name: counted(model, part) for name, part in parts.items()}


def bundled_model() -> Any:
    """Load WordLlama from its wheel."""
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def counted(model: Any, part: Mapping[str, Any]) -> dict[str, float]:
    """Return the size of a value as compact JSON."""
    text = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    return {"bytes": size, "bytes_by_4": size / 4, "wordllama": len(model.tokenizer.encode(text).ids)}


# output


def report(figures: Mapping[str, Any]) -> None:
    """Print the figures as tables."""
    print("machine: " + ", ".join(f"{name} {value}" for name, value in figures["machine"].items()))
    show(
        f"First reply over stdio, new home, seconds from spawn, median of {STARTS}",
        ["request", "median", "worst", "bar"],
        [
            [name, f"{one['median_s']:.2f}", f"{one['worst_s']:.2f}", one["bar_s"]]
            for name, one in figures["first"].items()
        ],
    )
    for era, recalled in figures["recall"].items():
        show(
            f"recall_entity of {FACTS} facts over stdio, revision {era}, ms "
            f"(the same {recalled['payload_bytes']:.0f} bytes of payload on the floor)",
            ["call", "ours p50", "ours p95", "floor p50", "floor p95", "ratio p50", "bar"],
            [
                [kind, *(f"{one[who][f'p{part}_ms']:.2f}" for who in ("ours", "floor") for part in (50, 95)),
                 f"{one['ratio_p50']:.2f}", f"under {one['bar']:.0f}"]
                for kind, one in recalled.items() if kind != "payload_bytes"
            ],
        )  # fmt: skip
    show(
        "memorize of one fact over stdio, durable",
        ["calls", "writes", "added", "writes/s", "p50 ms", "p95 ms"],
        [
            [name, one["writes"], one["added"], f"{one['per_s']:.0f}", f"{one['p50_ms']:.2f}", f"{one['p95_ms']:.2f}"]
            for name, one in figures["writes"].items()
        ],
    )
    show(
        "tools/list in tokens",
        ["part", "bytes", "bytes/4", "WordLlama"],
        [
            [name, one["bytes"], f"{one['bytes_by_4']:.0f}", one["wordllama"]]
            for name, one in figures["surface"].items()
        ],
    )


async def measure(calls: int) -> dict[str, Any]:
    """Take all figures, one group after another."""
    figures: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")  # of every server started below
        figures |= {"first": await starts(), "recall": {}}
        for mode, era in ERAS.items():
            figures["recall"][era] = await recalls(Path(folder) / f"recall-{mode}", calls, mode)
        figures["writes"] = await writes(Path(folder))
        figures["surface"] = await surface(Path(folder))
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--calls", type=int, default=300, help="recall calls of each kind")
    given = parser.parse_args()
    figures = anyio.run(measure, given.calls)
    if given.json:
        print(json.dumps(figures, indent=2))
    else:
        report(figures)


if __name__ == "__main__":
    main()
