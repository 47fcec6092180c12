"""The answer of memorize: plain values that cost nothing to import, so that the tools can be listed at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FactResult = Literal["added", "merged", "superseded_older", "rejected"]
PropertyResult = Literal["set", "updated", "confirmed", "kept", "removed", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorizedEntity:
    """Whom the call was about, and whether it was unknown before; `id` is empty while it is."""

    ref: str
    type: str
    id: str
    name: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyOutcome:
    """What became of a property: `value` is the current one, None without one, or the one that was turned down."""

    name: str
    outcome: PropertyResult
    value: Any
    confidence: float
    previous: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactOutcome:
    """What became of a fact; `fact_id` is empty for one that was turned down."""

    fact_id: str
    text: str
    outcome: FactResult
    confidence: float
    similarity: float | None = None
    duplicate_of: str | None = None
    supersedes: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationOutcome:
    """What became of a relation, stored by the name that the schema has for it.

    `outcome` is `added`, `confirmed`, `ended`, or `kept` where what was observed later says otherwise. `supersedes` is
    the target that is over because of it, `reason` says what is to be known of its type or its outcome.
    """

    type: str
    target: str
    outcome: str | None = None  # answers that an earlier version kept for replay have none
    supersedes: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCounts:
    """How many candidates the gates looked at and let through; how many they turned down, by reason code."""

    checked: int
    passed: int
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OmittedFacts:
    """How many facts the answer leaves out, and why."""

    facts: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierOutcome:
    """An identifier that was not learned, because another entity has it."""

    kind: str
    value: str
    belongs_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedFact:
    """A current fact near to an added one, the fact `to`: its caller may replace it if it no longer holds."""

    fact_id: str
    text: str
    similarity: float
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlsoReached:
    """What a call says of another entity than the one it is mainly about, and what became of it."""

    entity: MemorizedEntity
    properties: tuple[PropertyOutcome, ...]
    facts: tuple[FactOutcome, ...]
    relations: tuple[RelationOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbiguousMention:
    """Words of the content that may name several entities; what they say was kept with the main one."""

    mention: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LooksLike:
    """A known entity that a new one, `to`, looks like, and why: they may be one, which a person decides."""

    entity: str
    name: str
    reasons: tuple[str, ...]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorizeAnswer:
    """The answer of memorize; `memory_id` is empty when everything was turned down."""

    memory_id: str
    entity: MemorizedEntity
    properties: tuple[PropertyOutcome, ...]
    facts: tuple[FactOutcome, ...]
    related: tuple[RelatedFact, ...] | None = None
    relations: tuple[RelationOutcome, ...]
    also: tuple[AlsoReached, ...] | None = None
    ambiguous: tuple[AmbiguousMention, ...] | None = None
    gates: GateCounts
    extractor: str
    replayed: bool
    omitted: OmittedFacts | None = None
    degraded: tuple[str, ...] | None = None
    conflicts: tuple[IdentifierOutcome, ...] | None = None
    looks_like: tuple[LooksLike, ...] | None = None
