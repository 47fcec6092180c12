"""What callers ask of memory, and how much of it at once: plain values that cost nothing to import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

CALLER_CONFIDENCE: Final = 0.9  # an agent that read the source and gave no figure of its own
CONTENT_MAX: Final = 200_000
FACTS_MAX: Final = 500
PROPERTIES_MAX: Final = 50
RELATIONS_MAX: Final = 10
LABEL_MAX: Final = 300
QUERY_MAX: Final = 4_000
ALSO_MAX: Final = 10
PHRASE_MAX: Final = 100
RECALL_MAX: Final = 200
RESULTS_MAX: Final = 100
CONDITIONS_MAX: Final = 10
TOKENS_MAX: Final = 8_000
TOKENS_MIN: Final = 100
PARTS: Final = ("properties", "facts", "relations", "sources", "history")
DEFAULT_PARTS: Final = ("properties", "facts", "relations")

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "contains"]


Origin = Literal["caller", "plain", "extractor"]
"""Who proposes a candidate: the calling agent, the plain reading of content, or a model that read it."""


@dataclass(frozen=True, slots=True)
class FactCandidate:
    """A statement that may be remembered. A model gives the words it rests on and whom it is about.

    `replaces` names the fact that no longer holds, by its id or its words. `ended` says that what the text says is
    over. `repeats` is the id of the fact that a model takes it to say again. `about` is whom it is about, None for the
    entity of the call.
    """

    text: str
    confidence: float
    observed_at: str | None = None
    span: tuple[int, int] | None = None
    origin: Origin = "caller"
    quote: str | None = None
    subject: str | None = None
    replaces: str | None = None
    ended: bool = False
    repeats: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyCandidate:
    """A property value that may be remembered, not yet in normal form.

    `remove` takes the value out of a list, or empties the property. `about` is as with a fact.
    """

    name: str
    value: Any
    confidence: float
    span: tuple[int, int] | None = None
    origin: Origin = "caller"
    quote: str | None = None
    remove: bool = False
    about: str | None = None


@dataclass(frozen=True, slots=True)
class RelationCandidate:
    """A link between two entities that may be remembered, both named as a caller names an entity.

    `source` is where it starts, None for the entity of the call. `ended` says that it is over. `span` is where its
    words stand in the content, None for what the caller states.
    """

    type: str
    target: str
    source: str | None = None
    ended: bool = False
    observed_at: str | None = None
    confidence: float = CALLER_CONFIDENCE
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorizeRequest:
    """What a caller wants remembered, as it came; the contract has the meaning of each field."""

    entity: str | None = None
    content: str | None = None
    facts: Sequence[FactCandidate] = ()
    properties: Sequence[PropertyCandidate] = ()
    relations: Sequence[RelationCandidate] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict[str, str])
    name: str | None = None
    source: str | None = None
    observed_at: datetime | None = None
    idempotency_key: str | None = None
    visibility: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRequest:
    """What a caller wants to know; the contract has the meaning of each field."""

    entity: str
    query: str | None = None
    also: Sequence[str] = ()
    limit: int = 20
    include: Sequence[str] = DEFAULT_PARTS
    min_confidence: float = 0.0
    as_of: datetime | None = None
    known_at: datetime | None = None
    max_tokens: int = 2_000
    cursor: str | None = None
    follow: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; for `in` the value is a list."""

    property: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class RelatedTo:
    """That an entity has a current relation to another one or from it, of a type if one is given."""

    entity: str
    relation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What a caller looks for, in any entity."""

    query: str
    also: Sequence[str] = ()
    entity_type: str | None = None
    where: Sequence[Condition] = ()
    limit: int = 20
    max_tokens: int = 2_000
    cursor: str | None = None
