"""The answers of recall_entity, search_memory and list_entities: plain values that cost nothing to import."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from interlayer.memory.entities.answer import NamedEntity

FactStatus = Literal["current", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntity:
    """How an entity is named; `identifiers` by kind."""

    ref: str
    type: str
    id: str
    name: str
    identifiers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProperty:
    """A current value and where it comes from."""

    name: str
    value: Any
    confidence: float
    observed_at: str
    memory_id: str
    source: str


@dataclass(kw_only=True)  # neither frozen nor with slots: a page holds up to 200, made and read four times as fast
class KnownFact:
    """A statement and where it comes from; `score` only where a query ranks it.

    `newer` is the id of a newer fact that probably takes its place, `like` how many others say nearly the same.
    """

    fact_id: str
    text: str
    confidence: float
    score: float | None = None
    observed_at: str
    status: FactStatus
    newer: str | None = None
    like: int | None = None
    memory_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelation:
    """A link to another entity, or from one: that is `entity`, with its name, type and some of its properties.

    `type` is what the link is called from this end. `target` is the same entity; it is left out where the type has no
    name from this end, so that the link leads from `entity` to this one. `direction` is `out`, or `in` where the link
    is told of by the other end; `status` is `current`, `superseded` or `ended`. `source` is where the word of it came
    from.
    """

    type: str
    direction: str
    target: str | None = None
    entity: str
    name: str
    entity_type: str
    properties: Mapping[str, Any] | None = None
    observed_at: str
    status: str
    confidence: float
    memory_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourFact:
    """A statement about a neighbour."""

    fact_id: str
    text: str
    observed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """An entity that the recalled one is related to now, with what there was room for: values, and its best facts.

    `direction` is "in" where the relation leads from it.
    """

    ref: str
    name: str
    relation: str
    direction: str | None = None
    properties: Mapping[str, Any] | None = None
    facts: tuple[NeighbourFact, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Omitted:
    """How many facts were left out, and why; for any other part that was cut, why."""

    facts: int
    why: str
    neighbours: str | None = None
    history: str | None = None
    relations: str | None = None
    properties: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A property whose value the caller may not see, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSources:
    """How many contents a model has still to read."""

    sources: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedValue:
    """A value that a property was observed to have, current or not; or with `removed` to have no more, None of any."""

    name: str
    value: Any
    observed_at: str
    recorded_at: str
    memory_id: str
    agent: str
    removed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceExcerpt:
    """A memory that facts come from, with the words of its content that they rest on."""

    memory_id: str
    source: str
    agent: str
    recorded_at: str
    observed_at: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallAnswer:
    """The answer of recall_entity. `near` stands in for the entity where none of that name is known."""

    found: bool
    near: tuple[str, ...] | None = None
    entity: KnownEntity | None = None
    revision: int | None = None
    properties: tuple[KnownProperty, ...]
    facts: tuple[KnownFact, ...]
    relations: tuple[KnownRelation, ...]
    neighbours: tuple[Neighbour, ...] | None = None
    omitted: Omitted
    withheld: tuple[Withheld, ...] | None = None
    pending: PendingSources | None = None
    history: tuple[ObservedValue, ...] | None = None
    degraded: tuple[str, ...] | None = None
    next_cursor: str | None = None
    sources: tuple[SourceExcerpt, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedProperties:
    """The type of an entity and its current property values, by name; `voices` as a head has them."""

    type: str
    values: Mapping[str, Any]
    voices: Mapping[str, tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFact:
    """A fact that was found, and where it comes from."""

    fact_id: str
    text: str
    confidence: float
    observed_at: str
    memory_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """How an entity is related to one that the query names."""

    type: str
    to: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A fact, whom it is about, and its score, 0 to 1 among the results."""

    entity: NamedEntity
    fact: FoundFact
    score: float
    related: Tie | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """The answer of search_memory, best first."""

    results: tuple[SearchResult, ...]
    next_cursor: str | None = None
    withheld: tuple[Withheld, ...] | None = None
    degraded: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEntity:
    """An entity and its current properties, by name."""

    ref: str
    name: str
    updated_at: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswer:
    """The answer of list_entities, oldest first."""

    entities: tuple[ListedEntity, ...]
    withheld: tuple[Withheld, ...] | None = None
    next_cursor: str | None = None
    degraded: tuple[str, ...] | None = None
