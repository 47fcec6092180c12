"""What an item of the store may name a person in, by the kind of item. Pure functions."""

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from interlayer.memory.erasure.subjects.answer import Place
from interlayer.memory.erasure.subjects.names import texts_in
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.storage.items import Item


@dataclass(frozen=True, slots=True)
class PlacedTexts:
    """Texts that stand in one place; None where the person is named by its id."""

    place: Place
    texts: list[str] | None
    entity: EntityId | None = None
    memory: str | None = None


def kind_of(item: Item) -> tuple[str, list[str]]:
    """Return the kind of an item of table `memory`, and what else its partition says."""
    _, kind, *parts = item.key.partition.split("#")
    return kind, [keys.text_of(one) for one in parts]


def memory_of_content(item: Item) -> str | None:
    """Return whose content an item is a part of, None for what is no content."""
    kind, parts = kind_of(item)
    return parts[0] if kind == "s" else None


def is_head(item: Item) -> bool:
    """Tell whether an item is the head of an entity."""
    return kind_of(item)[0] == "e" and item.key.sort == "now"


def places_in(item: Item, own: Set[EntityId]) -> Iterator[PlacedTexts]:
    """Yield what may name the person, content left out; `own` are the entities that are the person."""
    kind, parts = kind_of(item)
    if kind != "e":
        yield from (one for one in _beside(item, kind, parts) if one.entity not in own)
        return
    entity = EntityId(*parts)
    if entity in own:
        return
    if item.key.sort == "now":
        body = item.body
        yield PlacedTexts("name", [body["name"], *body["names"], *body.get("lent", ())], entity)
        yield PlacedTexts("identifier", [one for values in body["identifiers"].values() for one in values], entity)
    elif item.key.sort.startswith("m#"):
        yield from _of_entry(item.body, entity, own)


def _of_entry(body: Mapping[str, Any], entity: EntityId, own: Set[EntityId]) -> Iterator[PlacedTexts]:
    memory = body.get("id")  # a further part of an entry has none
    for one in (*body.get("facts", ()), *body.get("confirms", ())):
        yield PlacedTexts("fact", [one["text"]], entity, memory)
    yield PlacedTexts("fact", [words for _, words in body.get("context", ())], entity, memory)
    for one in body.get("properties", ()):
        yield PlacedTexts("property", list(texts_in(one.get("value"))), entity, memory)
    yield PlacedTexts("source", [body.get("source") or "", body.get("idempotency") or ""], entity, memory)
    for one in body.get("relations", ()):
        if EntityId(**one["target"]) in own:
            yield PlacedTexts("relation", None, entity, memory)


def _beside(item: Item, kind: str, parts: list[str]) -> Iterator[PlacedTexts]:
    body = item.body
    match kind:
        case "k":
            answer = body.get("answer", {})
            entity = answer.get("entity", {})
            owner = EntityId(entity["type"], entity["id"]) if entity.get("id") and entity.get("type") else None
            yield PlacedTexts("answer", list(texts_in(answer)), owner, answer.get("memory_id"))
        case "q":
            owner = EntityId(**body["entity"]) if body.get("entity") else None
            yield PlacedTexts("rejected", [*parts[1:], *texts_in(body)], owner, item.key.sort)
        case "c":
            yield PlacedTexts("conflict", [str(body["value"])], EntityId(**body["entity"]), body.get("memory_id"))
        case "w":
            yield PlacedTexts("unread", list(texts_in(body)), None, item.key.sort.partition("#")[0])
        case "g" if parts:
            yield PlacedTexts("forgotten", [json.dumps(body, ensure_ascii=False)], None, parts[0])
        case _:
            pass
