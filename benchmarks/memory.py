"""Measure latencies and peak memory at 100,000 facts, inside the server.

`python benchmarks memory [--json] [--quick]`: facts come from a seeded grammar. Beside each recall stands the floor
of the same run: the cosine of a query with as many vectors in numpy, and SQLite's own full-text search.
"""

import argparse
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np

from interlayer.app.composition import Parts, build, opened
from interlayer.app.settings import Settings, load
from interlayer.memory.requests import (
    Condition,
    FactCandidate,
    MemorizeRequest,
    PropertyCandidate,
    RecallRequest,
    RelationCandidate,
    SearchRequest,
)
from measuring import machine, percentile, show

WHO: Final = "buyer,plant manager,finance lead,lawyer,support engineer,director,analyst,partner,auditor,planner".split(
    ","
)
DID: Final = "asked about,postponed,signed,reviewed,complained about,praised,cancelled,ordered,tested,approved".split(
    ","
)
WHAT: Final = (
    "the pump order,the security review,a valve delivery,the spring training,the renewal contract,warehouse access,the"
    " invoice terms,the pilot line,spare parts,the yearly audit"
).split(",")
WHERE: Final = "Rotterdam,Lyon,Bergen,Porto,Graz,Turku,Leeds,Gdansk,Malmo,Basel".split(",")
SYLLABLES: Final = "ba co du fe gi ho ka le mi no pa re so tu va wi xe yo za".split()
BARS: Final = {"recall_p99_ms": 25, "note_p50_ms": 100, "follow_p50_ms": 12}

Call = Callable[[], Awaitable[Any]]


class Grammar:
    """Distinct sentences with a vocabulary of some thousand words, the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(7)  # noqa: S311 - repeatable, not secret
        self._names = ["".join(self._random.choices(SYLLABLES, k=3)).title() for _ in range(4_000)]

    def fact(self) -> str:
        """Return a sentence that has not been said before."""
        pick = self._random.choice
        return (
            f"The {pick(WHO)} {pick(DID)} {pick(WHAT)} for {pick(self._names)} {pick(self._names)} in {pick(WHERE)} "
            f"on day {self._random.randint(1, 9_999)}."
        )

    def question(self) -> str:
        """Return a question about such sentences."""
        pick = self._random.choice
        return pick(
            [
                f"Who {pick(DID)} {pick(WHAT)}?",
                f"What did the {pick(WHO)} say of {pick(WHAT)} in {pick(WHERE)}?",
                f"Which deliveries is {pick(self._names)} waiting for?",
                f"Where are the {pick(WHO)} and {pick(self._names)}?",
            ]
        )

    def note(self, words: int) -> str:
        """Return a note of so many words, a sentence or bullet a line."""
        lines: list[str] = []
        while sum(len(line.split()) for line in lines) < words:
            lines.append(("- " if len(lines) % 3 else "") + self.fact())
        return "\n".join(lines)


async def timed(call: Call, times: int) -> list[float]:
    """Return milliseconds of each call."""
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - start) * 1_000)
    return taken


def row(what: str, taken: Sequence[float], floor: float | None = None) -> dict[str, Any]:
    """Return a line of the report; `floor` is the p50 of what it is compared with."""
    p50 = percentile(taken, 0.5)
    found = {"what": what, "p50_ms": round(p50, 2), "p99_ms": round(percentile(taken, 0.99), 2), "calls": len(taken)}
    return found | ({"ratio_to_floor": round(p50 / floor, 1)} if floor else {})


async def fill(parts: Parts, entity: str, facts: int, grammar: Grammar) -> None:
    """Memorize so many facts of an entity."""
    for first in range(0, facts, 500):
        given = [FactCandidate(grammar.fact(), 0.9) for _ in range(min(500, facts - first))]
        properties = [PropertyCandidate("employees", 10 + len(entity) * first % 900, 0.9)]
        request = MemorizeRequest(entity=entity, facts=given, properties=properties, source=f"load {first}")
        await parts.memory.memorizer.memorize(parts.settings.principal, request)


def floors(vectors: Any, texts: Sequence[str], questions: Sequence[str]) -> Iterator[tuple[str, list[float]]]:
    """Yield what is the least that a search over as many facts takes."""
    query = vectors[0]
    taken: list[float] = []
    for _ in questions:
        start = time.perf_counter()
        np.argsort(-(vectors @ query))[:20].tolist()
        taken.append((time.perf_counter() - start) * 1_000)
    yield "floor: numpy cosine and sort", taken
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE facts USING fts5(text)")
    connection.executemany("INSERT INTO facts VALUES (?)", [(text,) for text in texts])
    taken = []
    for question in questions:
        words = " OR ".join(word for word in question.replace("?", "").split())
        start = time.perf_counter()
        connection.execute("SELECT text FROM facts WHERE facts MATCH ? ORDER BY rank LIMIT 20", (words,)).fetchall()
        taken.append((time.perf_counter() - start) * 1_000)
    connection.close()
    yield "floor: SQLite FTS5", taken


async def recalls(
    parts: Parts, settings: Settings, size: int, grammar: Grammar, calls: int
) -> Iterator[dict[str, Any]]:
    """Measure one entity of a size."""
    entity, who = f"company:size{size}.example", settings.principal
    await fill(parts, entity, size, grammar)
    questions = [grammar.question() for _ in range(calls)]
    rest = iter(questions)

    async def ask() -> Any:
        return await parts.memory.recaller.recall(who, RecallRequest(entity=entity, query=next(rest)))

    async def plain() -> Any:
        return await parts.memory.recaller.recall(who, RecallRequest(entity=entity))

    fresh = build(settings)
    start = time.perf_counter()
    await fresh.memory.recaller.recall(who, RecallRequest(entity=entity, query="Who signed the renewal contract?"))
    cold = (time.perf_counter() - start) * 1_000
    await fresh.close()
    head = await parts.memory.recaller.recall(who, RecallRequest(entity=entity, limit=1))
    vectors = np.random.default_rng(1).random((size, 256), dtype=np.float32)
    texts = [grammar.fact() for _ in range(size)]
    found = list(floors(vectors, texts, questions))
    best = min(percentile(taken, 0.5) for _, taken in found)
    asked = await timed(ask, calls)
    return iter(
        [
            row(f"recall_entity with a query, {size:,} facts", asked, best),
            *(row(f"{name}, {size:,} facts", taken) for name, taken in found),
            row(f"recall_entity without a query, {size:,} facts", await timed(plain, calls)),
            {"what": f"first use of an entity of {size:,} facts", "p50_ms": round(cold, 1), "calls": 1},
            {"what": f"peak memory after {head.revision} calls, MiB", "p50_ms": peak_mib(), "calls": 1},
        ]
    )


def peak_mib() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Return the lines of the report."""
    grammar, rows = Grammar(), list[dict[str, Any]]()
    calls = 60 if quick else 300
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"HOME": str(Path(folder) / "home"), "ORG": "bench"}, {})
        async with opened(settings) as parts:
            for size in (100, 1_000, 10_000):
                sys.stderr.write(f"\r{size:,} facts an entity   ")
                rows += await recalls(parts, settings, size, grammar, calls)
            for facts in (2, 50):
                rows += await neighbours(parts, grammar, facts, calls)
            await notes(parts, grammar, rows, calls // 5)
            await organization(parts, grammar, rows, calls, 20_000 if quick else 100_000)
    sys.stderr.write("\n")
    return rows


async def neighbours(parts: Parts, grammar: Grammar, facts: int, calls: int) -> list[dict[str, Any]]:
    """Measure an entity with 20 neighbours of so many facts each."""
    who, company = parts.settings.principal, f"company:around{facts}.example"
    await fill(parts, company, facts, grammar)
    for number in range(20):
        contact = f"contact:c{number}@around{facts}.example"
        await fill(parts, contact, facts, grammar)
        related = [RelationCandidate("works_at", company)]
        await parts.memory.memorizer.memorize(who, MemorizeRequest(entity=contact, relations=related))
    questions = iter([grammar.question() for _ in range(2 * calls)])

    async def ask(**more: Any) -> Any:
        request = RecallRequest(entity=company, query=next(questions), **more)
        return await parts.memory.recaller.recall(who, request)

    await ask(follow=["*"])
    alone = percentile(await timed(ask, calls // 2), 0.5)
    followed = await timed(lambda: ask(follow=["*"]), calls)
    return [row(f"recall_entity with a query, follow of 20 neighbours of {facts} facts", followed, alone)]


async def notes(parts: Parts, grammar: Grammar, rows: list[dict[str, Any]], calls: int) -> None:
    """Measure the memorizing of notes of 500 words."""
    who, number = parts.settings.principal, iter(range(10**6))

    async def note(entity: str) -> None:
        await parts.memory.memorizer.memorize(who, MemorizeRequest(entity=entity, content=grammar.note(500)))

    rows.append(
        row(
            "memorize a 500-word note, new entity", await timed(lambda: note(f"company:n{next(number)}.example"), calls)
        )
    )
    rows.append(
        row("memorize a 500-word note, 1,000 facts", await timed(lambda: note("company:size1000.example"), calls))
    )


async def organization(parts: Parts, grammar: Grammar, rows: list[dict[str, Any]], calls: int, facts: int) -> None:
    """Measure inside an organization of so many facts."""
    who = parts.settings.principal
    entities = (facts - 11_100) // 500
    for number in range(entities):
        sys.stderr.write(f"\r{number * 500:,} facts of the organization   ")
        await fill(parts, f"company:org{number}.example", 500, grammar)
    await parts.memory.projector.drain(who.organization)
    pick = random.Random(3)  # noqa: S311

    async def ask() -> Any:
        entity = f"company:org{pick.randrange(entities)}.example"
        return await parts.memory.recaller.recall(who, RecallRequest(entity=entity, query=grammar.question()))

    async def search() -> Any:
        return await parts.memory.searcher.search(who, SearchRequest(query=grammar.question()))

    async def listed() -> Any:
        where = [Condition("employees", "gte", 100)]
        return await parts.memory.searcher.list_entities(who, "company", where, 20, None)

    total = f"{facts:,} facts in the organization"
    await timed(ask, entities * 2)
    rows.append(row(f"recall_entity with a query, any of {entities} entities, {total}", await timed(ask, calls)))
    rows.append(row(f"search_memory, {total}", await timed(search, calls // 3)))
    rows.append(row(f"list_entities with where, {entities} entities", await timed(listed, calls // 3)))
    rows.append({"what": f"peak memory, {total}, MiB", "p50_ms": peak_mib(), "calls": 1})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer calls, 20,000 facts")
    given = parser.parse_args()
    before = machine()
    rows = anyio.run(lambda: measure(quick=given.quick))
    if given.json:
        sys.stdout.write(json.dumps({"machine": before, "bars": BARS, "rows": rows}, indent=2) + "\n")
        return
    cells = [
        [one["what"], one["p50_ms"], one.get("p99_ms", ""), one.get("ratio_to_floor", ""), one["calls"]] for one in rows
    ]
    show(f"Memory at scale ({before})", ["", "p50 ms", "p99 ms", "times the best floor", "calls"], cells)


if __name__ == "__main__":
    main()
