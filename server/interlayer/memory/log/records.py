"""What is stored of an entity: its head and the log of memories that everything else is folded from.

A memory is what one `memorize` added and is never rewritten, except to erase. So a fact's confirmations, its
successors and every property's history are readings of the log: the past can be replayed, and forgetting a memory
takes back exactly what rested on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter


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
    """A statement as it was memorized. `span` is where its words stand in the source, in characters.

    `given` says that the caller stated it beside content: reading that content again does not touch it.

    `contradicts` names the facts that cannot be so at the same time; which of them is current follows from when each
    was last observed, so that the order of arrival does not matter.
    """

    id: str
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    contradicts: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Another voice for a known fact, in its own words: it becomes the fact if the first voice is forgotten."""

    fact_id: str
    similarity: float
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    given: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """A property value as it was observed; which one is current is decided by the fold."""

    name: str
    value: Any
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    given: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed link from the entity to another one."""

    type: str
    target: EntityId


@dataclass(frozen=True, slots=True)
class Memory:
    """What one `memorize` added to an entity, or that another entity was merged into it or split off again.

    `same` are pairs of a fact of the absorbed entity and the fact of this one that it repeats, `opposed` pairs that
    contradict each other. The record of a split has as `facts` what the entity had only confirmed of the other one.
    `extracts` names the memory whose content this one was read from later: it is of the same source and time, is kept
    as long, and is forgotten with it.
    `home` is set in views only: the log that holds the memory, and its revision there.
    """

    id: str
    revision: int
    agent: str
    recorded_at: str
    observed_at: str
    extractor: str
    source: str | None = None
    has_content: bool = False
    facts: tuple[FactRecord, ...] = ()
    confirms: tuple[Confirmation, ...] = ()
    properties: tuple[Observation, ...] = ()
    relations: tuple[Relation, ...] = ()
    idempotency: str | None = None
    absorbs: EntityId | None = None
    releases: EntityId | None = None
    same: tuple[tuple[str, str], ...] = ()
    opposed: tuple[tuple[str, str], ...] = ()
    extracts: str | None = None
    home: tuple[EntityId, int] | None = None

    @property
    def content_of(self) -> str | None:
        """The id of the memory with whose content its words are kept; None if there is no content."""
        return self.extracts or (self.id if self.has_content else None)

    @property
    def is_unread(self) -> bool:
        """Whether a model has still to read its content."""
        return self.has_content and self.extractor.removeprefix("caller+").startswith("pending (")

    @property
    def voice(self) -> str:
        """Two memories with the same of it are no independent witnesses of a statement."""
        return self.source or self.extracts or self.id


@dataclass(frozen=True, slots=True)
class Head:
    """The one mutable item of an entity.

    `revision` counts its changes and decides every race; `epoch` counts its erasures, after which the log has to be
    read anew from its beginning. An entity that was merged into another one keeps its head as it was, with
    `merged_into` and the names that it lent; nothing is written to it until it is split off again.
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
    absorbed: tuple[EntityId, ...] = ()
    merged_into: EntityId | None = None
    lent: tuple[str, ...] = ()
    oldest: str = ""

    @property
    def since(self) -> str:
        """An instant before which nothing in the log was recorded."""
        return self.oldest or ("" if self.absorbed else self.created_at)


def fact_id(memory_id: str, number: int) -> str:
    """Return the id of the n-th fact of a memory: it names its memory, and no two are alike."""
    return f"f_{memory_id.removeprefix('m_')}_{number}"


def voiced(memory_id: str, fact: str) -> str:
    """Return the id of a known fact as another memory said it, for when the first voice is not there any more."""
    return f"f_{memory_id.removeprefix('m_')}_{origin_of(fact).removeprefix('f_')}"


def origin_of(fact: str) -> str:
    """Return the id under which a statement was first made, whoever voices it."""
    return "f_" + "_".join(fact.split("_")[-2:])


def voice_of(fact: str) -> str:
    """Return the id of the memory that a fact stands on."""
    return "m_" + fact.removeprefix("f_").partition("_")[0]


_MEMORY: Final = TypeAdapter(Memory)
_HEAD: Final = TypeAdapter(Head)
_FACTS: Final = TypeAdapter(tuple[FactRecord, ...])
_CONFIRMATIONS: Final = TypeAdapter(tuple[Confirmation, ...])


def memory_body(memory: Memory) -> dict[str, Any]:
    """Return a memory as JSON; what stands at its default is left out."""
    body: dict[str, Any] = _MEMORY.dump_python(memory, mode="json", exclude_defaults=True)
    return body


def read_memory(body: Mapping[str, Any]) -> Memory:
    """Return the memory of a stored body."""
    return _MEMORY.validate_python(body)


def part_body(facts: tuple[FactRecord, ...], confirms: tuple[Confirmation, ...]) -> dict[str, Any]:
    """Return a further part of a memory as JSON."""
    return {
        "facts": _FACTS.dump_python(facts, mode="json", exclude_defaults=True),
        "confirms": _CONFIRMATIONS.dump_python(confirms, mode="json", exclude_defaults=True),
    }


def with_part(memory: Memory, body: Mapping[str, Any]) -> Memory:
    """Return a memory together with a further part of it."""
    facts = _FACTS.validate_python(body["facts"])
    confirms = _CONFIRMATIONS.validate_python(body["confirms"])
    return replace(memory, facts=(*memory.facts, *facts), confirms=(*memory.confirms, *confirms))


def head_body(head: Head) -> dict[str, Any]:
    """Return a head as JSON."""
    body: dict[str, Any] = _HEAD.dump_python(head, mode="json")
    return body


def read_head(body: Mapping[str, Any]) -> Head:
    """Return the head of a stored body."""
    return _HEAD.validate_python(body)
