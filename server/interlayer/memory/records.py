"""What is stored of an entity: its head and the log of memories that everything else is folded from.

A memory is what one `memorize` added and is never rewritten, except to erase. So a fact's confirmations, its
successors and every property's history are readings of the log: the past can be replayed, and forgetting a memory
takes back exactly what rested on it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class EntityId:
    """The internal name of an entity; the same in every store."""

    type: str
    id: str

    @property
    def ref(self) -> str:
        """The entity string that every tool takes."""
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class FactRecord:
    """A statement as it was memorized. `span` is where its words stand in the source, in characters."""

    id: str
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Another voice for a known fact, in its own words: it becomes the fact if the first voice is forgotten."""

    fact_id: str
    similarity: float
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """A property value as it was observed; which one is current is decided by the fold."""

    name: str
    value: Any
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed link from the entity to another one."""

    type: str
    target: EntityId


@dataclass(frozen=True, slots=True)
class Memory:
    """What one `memorize` added to an entity."""

    id: str
    revision: int
    agent: str
    recorded_at: str
    observed_at: str
    source: str | None
    has_content: bool
    extractor: str
    facts: tuple[FactRecord, ...] = ()
    confirms: tuple[Confirmation, ...] = ()
    properties: tuple[Observation, ...] = ()
    relations: tuple[Relation, ...] = ()
    idempotency: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The one mutable item of an entity.

    `revision` counts its changes and decides every race; `epoch` counts its erasures, after which the log has to be
    read anew from its beginning.
    """

    entity: EntityId
    name: str
    names: tuple[str, ...]
    identifiers: Mapping[str, tuple[str, ...]]
    revision: int
    created_at: str
    updated_at: str
    properties: Mapping[str, Any]
    facts: int = 0
    epoch: int = 0


def memory_body(memory: Memory) -> dict[str, Any]:
    """Return a memory as JSON, empty parts left out."""
    return {
        name: value
        for name, value in asdict(memory).items()
        if value not in (None, (), {}, False) or name == "revision"
    }


def read_memory(body: Mapping[str, Any]) -> Memory:
    """Return the memory of a stored body."""
    return Memory(
        id=body["id"],
        revision=body["revision"],
        agent=body["agent"],
        recorded_at=body["recorded_at"],
        observed_at=body["observed_at"],
        source=body.get("source"),
        has_content=body.get("has_content", False),
        extractor=body["extractor"],
        facts=read_facts(body),
        confirms=tuple(Confirmation(**{**one, "span": _span(one)}) for one in body.get("confirms", ())),
        properties=tuple(Observation(**{**one, "span": _span(one)}) for one in body.get("properties", ())),
        relations=tuple(Relation(one["type"], EntityId(**one["target"])) for one in body.get("relations", ())),
        idempotency=body.get("idempotency"),
    )


def read_facts(body: Mapping[str, Any]) -> tuple[FactRecord, ...]:
    """Return the facts of a stored memory or of a further part of one."""
    return tuple(FactRecord(**{**one, "span": _span(one)}) for one in body.get("facts", ()))


def head_body(head: Head) -> dict[str, Any]:
    """Return a head as JSON."""
    return asdict(head)


def read_head(body: Mapping[str, Any]) -> Head:
    """Return the head of a stored body."""
    return Head(
        **{
            **body,
            "entity": EntityId(**body["entity"]),
            "names": tuple(body["names"]),
            "identifiers": {kind: tuple(values) for kind, values in body["identifiers"].items()},
        }
    )


def _span(body: Mapping[str, Any]) -> tuple[int, int] | None:
    span = body.get("span")
    return (span[0], span[1]) if span else None
