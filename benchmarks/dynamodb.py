"""Count the requests and units of DynamoDB that a tool call takes, and price a million calls.

`python benchmarks dynamodb [--json]`. Units are computed from the items that passed, by the
rules of on-demand tables; what a delete or a check costs by the size of what it meets is counted as one kilobyte.
"""

import argparse
import json
import math
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import anyio

from emulators import REGION, emulating
from faulty_proxy import Exchange, FaultyProxy, faulty_proxy
from interlayer.app.composition import Parts, build
from interlayer.app.settings import load
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest, RelationCandidate, SearchRequest
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables
from interlayer_policies.governance import Facets

# US dollars a million units, on demand, standard table class, us-east-1; as published since November 2024.
READ_UNITS: Final = 0.125
WRITE_UNITS: Final = 0.625
CALLS: Final = 20
ACME: Final = "company:acme.example"
WORDS: Final = "pumps valves pipes seals motors gears filters hoses tanks meters".split()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call comes to, on average."""

    requests: float
    read_units: float
    write_units: float
    operations: str

    @property
    def dollars(self) -> float:
        """US dollars for a million calls."""
        return self.read_units * READ_UNITS + self.write_units * WRITE_UNITS


def size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: names and values; a number is about half its digits and one."""
    total = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        total += len(name)
        match kind:
            case "N":
                total += len(value) // 2 + 1
            case "B":
                total += len(value) * 3 // 4
            case _:
                total += len(str(value).encode())
    return total


def units(exchange: Exchange) -> tuple[int, int]:
    """Return read and write units of a request. Reads are strongly consistent, writes are transactions."""
    answer = json.loads(exchange.answer or b"{}")
    match exchange.name:
        case "GetItem":
            return max(1, math.ceil(size(answer.get("Item", {})) / 4096)), 0
        case "BatchGetItem":
            items = [item for found in answer["Responses"].values() for item in found]
            asked = sum(len(one["Keys"]) for one in json.loads(exchange.body)["RequestItems"].values())
            return sum(math.ceil(size(item) / 4096) for item in items) + asked - len(items), 0
        case "Query":
            return max(1, math.ceil(sum(map(size, answer["Items"])) / 4096)), 0
        case "TransactWriteItems":
            puts = [one.get("Put", {}).get("Item", {}) for one in json.loads(exchange.body)["TransactItems"]]
            return 0, sum(2 * max(1, math.ceil(size(item) / 1024)) for item in puts)
        case other:
            raise SystemExit(f"{other}: not a request of a tool call")


async def measured(proxy: FaultyProxy, calls: Sequence[Callable[[], Awaitable[Any]]]) -> Cost:
    """Measure what the calls cost, one after another."""
    proxy.forget()
    for call in calls:
        await call()
    exchanges = list(proxy.exchanges)
    reads, writes = (sum(part) for part in zip(*map(units, exchanges), strict=True))
    made = Counter(exchange.name for exchange in exchanges)
    told = ", ".join(f"{count / len(calls):g} {name}" for name, count in made.most_common())
    return Cost(len(exchanges) / len(calls), reads / len(calls), writes / len(calls), told)


def facts(number: int) -> list[FactCandidate]:
    """Return ten statements that no other call makes."""
    said = [f"Acme sold {number * 10 + n} {word} to the port in May." for n, word in enumerate(WORDS)]
    return [FactCandidate(one, 0.9) for one in said]


async def scenarios(parts: Parts, proxy: FaultyProxy) -> dict[str, Cost]:
    """Return the cost of each tool's usual call."""
    who, domains = parts.settings.principal, parts.domains

    def memorize(number: int, entity: str = ACME, **more: Any) -> Callable[[], Awaitable[Any]]:
        given: dict[str, Any] = {"facts": facts(number), **more}
        request = MemorizeRequest(entity=entity, **given)

        async def call() -> None:
            await domains.memory.memorizer.memorize(who, request)
            await parts.memory.projector.drain(who.organization)

        return call

    def recall(entity: str = ACME, **more: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: domains.memory.recall(who, RecallRequest(entity=entity, **more))

    task, facets = "Write an e-mail that offers a discount.", Facets(channel="email")
    await memorize(0, name="Acme Ltd")()
    await domains.governance.context(who, task, facets)
    costs: dict[str, Cost] = {}
    ways: dict[str, list[Callable[[], Awaitable[Any]]]] = {
        "`memorize`, 10 facts, known entity": [memorize(n + 1) for n in range(CALLS)],
        "`memorize`, 10 facts, new entity": [memorize(n, f"company:c{n}.example") for n in range(CALLS)],
        "`memorize`, 10 facts and an idempotency key": [
            memorize(n + 99, idempotency_key=f"k{n}") for n in range(CALLS)
        ],
        "`memorize`, a note of 500 words": [
            memorize(0, facts=[], content=f"Note {n}. " + " ".join(one.text for one in facts(n + 300) * 5))
            for n in range(CALLS)
        ],
        "`recall_entity`": [recall(query="how many pumps?") for _ in range(CALLS)],
        "`recall_entity` by display name": [recall("company:Acme Ltd") for _ in range(CALLS)],
        "`get_governance_context`, unchanged set": [
            lambda: domains.governance.context(who, task, facets) for _ in range(CALLS)
        ],
        "`get_governance_context` with an entity": [
            lambda: domains.governance.context(who, task, Facets(entity=ACME)) for _ in range(CALLS)
        ],
        "`check_compliance`": [
            lambda: domains.governance.check(who, "I can offer you a 30% discount.", facets) for _ in range(CALLS)
        ],
        "`search_memory`": [
            lambda: domains.memory.search(who, SearchRequest(query="who sells pumps?")) for _ in range(CALLS)
        ],
    }
    for name, calls in ways.items():
        costs[name] = await measured(proxy, calls)
    await memorize(
        0, facts=[], relations=[RelationCandidate("partner_of", f"company:c{n}.example") for n in range(5)]
    )()
    costs["`recall_entity` with five relations"] = await measured(proxy, [recall() for _ in range(CALLS)])
    for first in (5, 15):
        partners = [
            RelationCandidate("partner_of", f"company:c{n}.example") for n in range(first, min(first + 10, CALLS))
        ]
        await memorize(0, facts=[], relations=partners)()
    followed = [recall(follow=["*"], query="how many pumps?") for _ in range(CALLS)]
    costs["`recall_entity` with `follow` of 20 neighbours"] = await measured(proxy, followed)
    return costs


async def main() -> dict[str, Cost]:
    """Measure on an emulator with a new home."""
    with emulating() as emulator, faulty_proxy(emulator.url) as proxy, tempfile.TemporaryDirectory() as home:
        os.environ.update({name: value for name, value in emulator.environment.items() if name != "AWS_ENDPOINT_URL"})
        await create_tables(Place("bench", REGION, emulator.url), Wish(), lambda _: None)
        url = f"dynamodb://bench?region={REGION}&endpoint_url={proxy.url}"
        parts = build(load({"HOME": home, "STORE": url}, {"INTERLAYER_CONFIG": "/nowhere"}))
        try:
            await parts.prepare()
            return await scenarios(parts, proxy)
        finally:
            await parts.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    found = anyio.run(main)
    if options.parse_args().json:
        print(json.dumps({name: asdict(one) | {"dollars": one.dollars} for name, one in found.items()}))
    else:
        print("| call | requests | read units | write units | US dollars a million |\n| --- | --- | --- | --- | --- |")
        for name, one in found.items():
            print(f"| {name} | {one.requests:.3g} | {one.read_units:.3g} | {one.write_units:.3g} | {one.dollars:.2f} |")
        for name, one in found.items():
            print(f"{name}: {one.operations}")
