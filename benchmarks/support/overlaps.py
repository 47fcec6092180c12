"""Interactions that overlap: whom each tells of, what it says of them, and a process that watches them appear.

An interaction has a number, and its entities follow from it: whoever meets it in one entity knows where else it has to
be. It says a sentence of its own of each, and that the first of them met the others.
"""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from interlayer.app.composition import Parts, build
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.requests import RecallRequest
from killed import settings_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ENTITIES: Final = [
    *(f"contact:person-{number}@plant.example" for number in range(20)),
    *(f"company:plant-{number}.example" for number in range(12)),
    *(f"deal:D-{number}" for number in range(8)),
]
RELATION: Final = "met_at_the_gate"  # no type of the schema: there may be any number of it at once
_NUMBER: Final = re.compile(r"Order (\d+) ")
_SEEN_AT_ONCE: Final = 3  # interactions that are followed from one look at an entity
_PATIENCE_S: Final = 60.0


def entities_of(number: int) -> Sequence[str]:
    """Return whom an interaction tells of, three to five of them, whom it is mainly about first."""
    draw = random.Random(number)  # noqa: S311 - which entities come together
    return draw.sample(ENTITIES, draw.randint(3, 5))


def text_of(number: int) -> str:
    """Name the statements of an interaction about each entity: a number tells it from all others."""
    return f"Order {number} left the plant complete."


def number_in(text: str) -> int | None:
    """Return the number of the interaction that says a text."""
    match = _NUMBER.match(text)
    return int(match[1]) if match else None


def arguments_of(number: int) -> dict[str, Any]:
    """Return the arguments of memorize that tell an interaction."""
    main, *others = entities_of(number)
    text = text_of(number)
    return {
        "entity": main,
        "facts": [{"text": text}, *({"text": text, "about": other} for other in others)],
        "relations": [
            {"type": RELATION, "target": others[0]},
            {"type": RELATION, "source": others[0], "target": others[1]},
        ],
        "idempotency_key": f"order-{number}",
    }


def relations_of(number: int) -> list[tuple[str, str]]:
    """Return the ends of the relations that an interaction tells."""
    main, first, second, *_ = entities_of(number)
    return [(main, first), (first, second)]


def watch(home: str, organization: str, layers: Mapping[str, str], seconds: float, output: "Connection") -> None:
    """Run in a process of its own: send how many interactions were followed, and those met in part."""
    output.send(anyio.run(_watch, Path(home), organization, layers, seconds))


async def _watch(home: Path, organization: str, layers: Mapping[str, str], seconds: float) -> dict[str, Any]:
    parts = build(settings_of(home, organization, layers))
    draw = random.Random(seconds)  # noqa: S311 - which entity is looked at next
    followed = set[int]()
    half: list[str] = []
    try:
        await parts.prepare()
        until = anyio.current_time() + seconds
        while anyio.current_time() < until:
            entity = draw.choice(ENTITIES)
            newest = [number for number in await _newest(parts, entity) if number not in followed]
            for number in newest[:_SEEN_AT_ONCE]:
                followed.add(number)
                half += await _lacking(parts, number)
            await anyio.sleep(0.01)
    finally:
        await parts.close()
    return {"followed": len(followed), "half": half}


async def _newest(parts: Parts, entity: str) -> list[int]:
    request = RecallRequest(entity=entity, limit=20)
    answer = await parts.memory.recaller.recall(parts.settings.principal, request)
    return [number for fact in answer.facts if (number := number_in(fact.text)) is not None]


async def _lacking(parts: Parts, number: int) -> list[str]:
    """Return the hidden rest of an interaction of which a part was seen."""
    lacking: list[str] = []
    principal, recaller, text = parts.settings.principal, parts.memory.recaller, text_of(number)
    refs: dict[str, str] = {}
    linked: dict[str, set[str]] = {}
    for entity in entities_of(number):
        if not await _holds(parts, entity, text):
            lacking.append(f"{number}: nothing in {entity}")
        answer = await recaller.recall(principal, RecallRequest(entity=entity, include=["relations"], max_tokens=8_000))
        refs[entity] = answer.entity.ref if answer.entity else ""
        linked[entity] = {one.entity for one in answer.relations if one.type == RELATION}
    for source, target in relations_of(number):
        if refs[target] not in linked[source]:
            lacking.append(f"{number}: {source} has not met {target}")
    return lacking


async def _holds(parts: Parts, entity: str, text: str) -> bool:
    """Tell whether an entity is known to say a text, as a recall reads it, whatever else it would rank before it."""
    memory, organization = parts.memory, parts.settings.principal.organization
    known = await memory.entities.resolve(organization, parse_entity(entity, memory.schema))
    read = await memory.entities.read(organization, known) if known else None
    view = await memory.entities.view(organization, read.stored.head, read=read) if read else None
    return view is not None and view.same_words(text) is not None
