"""Where everything of memory lies in the item store: every access pattern, in one place.

| partition (table `memory`)       | sort                    | holds                                             |
| -------------------------------- | ----------------------- | ------------------------------------------------- |
| `ORG#e#TYPE#ID`                  | `m#REVISION`            | one memory: the log that the entity is folded from |
| `ORG#e#TYPE#ID`                  | `m#REVISION#PART`       | more facts of a large memory                      |
| `ORG#e#TYPE#ID`                  | `now`                   | its head: names, identifiers, revision, properties |
| `ORG#e#TYPE#ID`                  | `r#RELATION#TYPE#ID`    | relations that point at it                        |
| `ORG#s#MEMORY_ID`                | `PART`                  | the content that was memorized, in parts          |
| `ORG#m#MEMORY_ID`                | `at`                    | which entity and revision a memory belongs to     |
| `ORG#m#MEMORY_ID`                | `at#PART`               | those of another entity that the memory tells of  |
| `ORG#i#TYPE#VALUE`               | `KIND`                  | the entity that bears an identifier               |
| `ORG#i#TYPE#NAME`                | `~ID`                   | entities that bear it as a display name           |
| `ORG#l#TYPE#SOUND`               | `ID`                    | entities whose names sound alike                  |
| `ORG#n#NAME`                     | `TYPE#ID`               | entities of any type that a content may mean by it |
| `ORG#n#NAME`                     | `~`                     | that there is such an entity                      |
| `ORG#t#TYPE`                     | `ID`                    | all entities of a type, oldest first              |
| `ORG#x#TYPE#PROPERTY`            | `VALUE#ID`              | entities by the value of an indexed property      |
| `ORG#k#DIGEST`                   | `answer`                | the first answer to an idempotency key            |
| `ORG#c`                          | `MEMORY_ID#KIND`        | an identifier that was claimed and belongs to another |
| `ORG#d#TYPE`                     | `ID#ID`                 | two entities that may be one, and what was decided |
| `ORG#q`                          | `MEMORY_ID`             | candidates of a call that the gates turned down   |
| `ORG#q#TYPE#WHO`                 | `MEMORY_ID`             | such calls by entity: its id, or what it was called |
| `ORG#p`                          | `MEMORY_ID`             | content that a model has still to read            |
| `ORG#w`                          | `MEMORY_ID#PART`        | calls whose content a model is reading            |
| `ORG#u`                          | `DAY`                   | tokens and cost of the models on a day            |
| `ORG#f#DAY`                      | `CALLER`                | how many erasures a caller made on a day          |
| `ORG#g`                          | `CASE`                  | an erasure that can be taken back until it is due |
| `ORG#g#CASE`                     | `NUMBER`                | an item as it was before such an erasure          |
| `ORG#h`                          | `TYPE#ID`               | a legal hold on an entity                         |
| `ORG#d`                          | `CASE`                  | the erasure of a data subject that is under way   |
| `ORG#outbox`                     | `ID`                    | changes that the vector index has not seen yet    |
| `ORG#settings`                   | `space`                 | the embedding space of the organization           |
| `ORG#settings`                   | `importing`             | the digest of an import that is not complete      |
| `ORG#settings`                   | `model`                 | the extraction model, if it was chosen by command |
| `ORG#settings`                   | `schema`                | the schema that its data was last written under   |
| `ORG#settings`                   | `duplicates`            | up to when duplicates were sought                 |
| `ORG#settings`                   | `retention`             | up to when retention has counted                  |

Parts are joined with `#`, which `_part` escapes, so that no value can reach into another's place. What is read together
lies together, in the order of use: one query reads what is new in a log, the head, and the relations that come in; one
finds all bearers of a key.
"""

import hashlib
from typing import Any

from interlayer.memory.log.records import EntityId, interaction_of
from interlayer.storage.items import Key, Span

INDEX_VALUE_MAX = 200
BEARER = "~"
"""Begins the sort key of a bearer of a display name: after every kind of identifier, and after every entity."""


def _part(text: str) -> str:
    return text.replace("%", "%25").replace("#", "%23")


def text_of(part: str) -> str:
    """Return a part of a partition as it was before it was joined with others."""
    return part.replace("%23", "#").replace("%25", "%")


def _key(organization: str, *parts: str, sort: str) -> Key:
    return Key("memory", "#".join([_part(organization), *(_part(part) for part in parts)]), sort)


def organization(name: str) -> str:
    """Write an organization's name as its partitions begin with it, before the first `#`."""
    return _part(name)


def head(organization: str, entity: EntityId) -> Key:
    """Return the key of an entity's head."""
    return _key(organization, "e", entity.type, entity.id, sort="now")


def memory(organization: str, entity: EntityId, revision: int, part: int = 0) -> Key:
    """Return the key of one memory of an entity, or of a further part of it."""
    return _key(organization, "e", entity.type, entity.id, sort=f"m#{revision:010d}" + (f"#{part:04d}" if part else ""))


def memories_after(revision: int) -> Span:
    """Return the span of all memories of an entity after a revision."""
    return Span(f"m#{revision + 1:010d}", "m#:")


def entity_after(revision: int) -> Span:
    """Return the span of the log after a revision, the head, and the relations that point at the entity."""
    return Span(memories_after(revision).start, incoming().end)


def incoming() -> Span:
    """Return the span of the relations that point at an entity."""
    return Span("r#", "r$")


def incoming_of(relation_type: str, origin_type: str | None = None) -> Span:
    """Return the span of those of one type, or of those that come from entities of one type."""
    return Span.prefix(f"r#{_part(relation_type)}#" + (f"{origin_type}#" if origin_type else ""))


def origin_of(key: Key) -> tuple[str, EntityId]:
    """Return the type and the origin of a relation from the key that its target has it by."""
    _, kind, origin_type, origin_id = key.sort.split("#")
    return text_of(kind), EntityId(origin_type, origin_id)


def one_memory(revision: int) -> Span:
    """Return the span of one memory and its further parts."""
    return Span(f"m#{revision:010d}", f"m#{revision + 1:010d}")


def memory_items(first: str, last: str) -> Span:
    """Return the span from one item of the log to another, both included, by their sort keys."""
    return Span(first, f"{last}!")  # sorts before the # that begins a further part


def place_in_log(key: Key) -> tuple[EntityId, int] | None:
    """Return whose log an item belongs to and at which revision, None for what is no item of a log."""
    if key.table != "memory" or not key.sort.startswith("m#"):
        return None
    _, kind, *names = key.partition.split("#")
    if kind != "e":
        return None
    return EntityId(*(text_of(one) for one in names)), int(key.sort.split("#")[1])


def source(organization: str, memory_id: str, part: int) -> Key:
    """Return the key of a part of the content of a memory."""
    return _key(organization, "s", memory_id, sort=f"{part:04d}")


def memory_place(organization: str, memory_id: str) -> Key:
    """Return the key under which the entity of a memory, or of a part of one, is found."""
    interaction = interaction_of(memory_id)
    part = memory_id[len(interaction) + 1 :]
    return _key(organization, "m", interaction, sort=f"at#{part}" if part else "at")


def memory_at(key: Key) -> str:
    """Return the memory, or the part of one, whose place an item of this key is."""
    part = key.sort.partition("#")[2]
    memory_id = text_of(key.partition.rpartition("#")[2])
    return f"{memory_id}-{part}" if part else memory_id


def entity_body(entity: EntityId) -> dict[str, str]:
    """Return an entity as items name it."""
    return {"type": entity.type, "id": entity.id}


def address_body(entity: EntityId, revision: int) -> dict[str, Any]:
    """Return a place in a log as items name it."""
    return {"entity": entity_body(entity), "revision": revision}


def identifier(organization: str, entity_type: str, value: str, kind: str) -> Key:
    """Return the key of an identifier's claim."""
    return _key(organization, "i", entity_type, value, sort=_part(kind))


def name(organization: str, entity_type: str, folded: str, entity_id: str) -> Key:
    """Return the key of one bearer of a display name."""
    return _key(organization, "i", entity_type, folded, sort=f"{BEARER}{entity_id}")


def sound(organization: str, entity_type: str, sound: str, entity_id: str) -> Key:
    """Return the key of one entity among those whose names sound alike."""
    return _key(organization, "l", entity_type, sound, sort=entity_id)


def borne(organization: str, folded: str, entity: EntityId | None = None) -> Key:
    """Return the key of a bearer of a name among those of all types, or of the hint that there are any."""
    return _key(organization, "n", folded, sort=f"{entity.type}#{entity.id}" if entity else BEARER)


def is_borne(key: Key) -> bool:
    """Tell whether a key is one of those."""
    return key.table == "memory" and key.partition.split("#", 2)[1:2] == ["n"]


def listing(organization: str, entity_type: str, entity_id: str) -> Key:
    """Return the key of an entity among all of its type."""
    return _key(organization, "t", entity_type, sort=entity_id)


def index(organization: str, entity_type: str, property_name: str, value: Any, entity_id: str) -> Key:
    """Return the key of an entity in the index of a property."""
    return _key(organization, "x", entity_type, property_name, sort=f"{index_value(value)}#{entity_id}")


def relation(organization: str, target: EntityId, relation_type: str, origin: EntityId) -> Key:
    """Return the key, in the target's partition, of a relation that points at it."""
    sort = f"r#{_part(relation_type)}#{origin.type}#{origin.id}"
    return _key(organization, "e", target.type, target.id, sort=sort)


def idempotency(organization: str, agent: str, key: str) -> Key:
    """Return the key of the first answer to an idempotency key of an agent."""
    digest = hashlib.sha256(f"{agent}\n{key}".encode()).hexdigest()
    return _key(organization, "k", digest, sort="answer")


def conflict(organization: str, memory_id: str, kind: str) -> Key:
    """Return the key of a claim to an identifier that belongs to another entity."""
    return _key(organization, "c", sort=f"{memory_id}#{_part(kind)}")


def duplicate(organization: str, entity_type: str, one: str, other: str) -> Key:
    """Return the key of two entities of a type that may be one, whichever is named first."""
    first, second = sorted((one, other))
    return _key(organization, "d", entity_type, sort=f"{first}#{second}" if first else "")


def duplicates_sought(organization: str) -> Key:
    """Return the key of the note up to when duplicates were sought."""
    return _key(organization, "settings", sort="duplicates")


def rejected(organization: str, memory_id: str) -> Key:
    """Return the key of the candidates of a call that the gates turned down."""
    return _key(organization, "q", sort=memory_id)


def rejected_of(organization: str, entity_type: str, who: str, memory_id: str) -> Key:
    """Return the key by which such a call is found from its entity: an id, or the key it was named by if it is new."""
    return _key(organization, "q", entity_type, who, sort=memory_id)


def pending(organization: str, memory_id: str) -> Key:
    """Return the key of the note that a model has still to read the content of a memory."""
    return _key(organization, "p", sort=memory_id)


def in_flight(organization: str, memory_id: str, part: int) -> Key:
    """Return the key of a part of a call whose content a model is reading."""
    return _key(organization, "w", sort=f"{memory_id}#{part:04d}")


def erasures(organization: str, day: str, caller: str) -> Key:
    """Return the key of how many erasures a caller made on a day, YYYY-MM-DD in UTC."""
    return _key(organization, "f", day, sort=caller)


def set_aside(organization: str, case: str) -> Key:
    """Return the key of an erasure that can be taken back."""
    return _key(organization, "g", sort=case)


def set_aside_item(organization: str, case: str, number: int) -> Key:
    """Return the key of an item as it was before such an erasure."""
    return _key(organization, "g", case, sort=f"{number:08d}")


def hold(organization: str, entity: EntityId) -> Key:
    """Return the key of the legal hold on an entity."""
    return _key(organization, "h", sort=f"{entity.type}#{entity.id}")


def subject_case(organization: str, case: str) -> Key:
    """Return the key of the erasure of a data subject that is under way."""
    return _key(organization, "d", sort=case)


def usage(organization: str, day: str) -> Key:
    """Return the key of what the models took on a day, YYYY-MM-DD in UTC."""
    return _key(organization, "u", sort=day)


def model(organization: str) -> Key:
    """Return the key of the extraction model that was chosen for the organization."""
    return _key(organization, "settings", sort="model")


def outbox(organization: str, entry_id: str = "") -> Key:
    """Return the key of an outbox entry."""
    return _key(organization, "outbox", sort=entry_id)


def outbox_owner(partition: str) -> str | None:
    """Return the organization whose outbox a partition is, None for any other."""
    name, _, kind = partition.partition("#")
    return text_of(name) if kind == "outbox" else None


def space(organization: str) -> Key:
    """Return the key of the organization's embedding space."""
    return _key(organization, "settings", sort="space")


def importing(organization: str) -> Key:
    """Return the key of the note that an import is not complete."""
    return _key(organization, "settings", sort="importing")


def retention(organization: str) -> Key:
    """Return the key of the note up to when retention has counted."""
    return _key(organization, "settings", sort="retention")


def schema(organization: str) -> Key:
    """Return the key of the schema that the organization's data was last written under."""
    return _key(organization, "settings", sort="schema")


def index_value(value: Any) -> str:
    """Return a string that sorts as the value does: numbers by size, text and dates by code point, case folded."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        value = value.get("amount", 0)
    if isinstance(value, int | float):
        return _sortable(float(value))
    return _part(str(value).casefold()[:INDEX_VALUE_MAX])


def _sortable(number: float) -> str:
    """Return the IEEE 754 bits as hexadecimal digits, negative numbers inverted so that they sort below."""
    import struct

    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))
    return f"{(~bits if bits >> 63 else bits | (1 << 63)) & (2**64 - 1):016x}"
