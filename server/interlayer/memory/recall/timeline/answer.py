"""The answer of a timeline: plain values that cost nothing to import."""

from dataclasses import dataclass
from typing import Any, Literal

from interlayer.memory.entities.answer import NamedEntity

EventKind = Literal[
    "fact_added",
    "fact_ended",
    "property_set",
    "property_changed",
    "property_removed",
    "relation_begun",
    "relation_ended",
    "merged",
    "split",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFact:
    """A fact that another one takes the place of, or that takes its place."""

    fact_id: str
    text: str
    observed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """Something that became known: when it was so, when it was recorded, who said it, and from where.

    A fact has `text` and `fact_id`, what it `replaces` and what it was `replaced_by`; a property its `value` and the
    `previous` one; a relation and a merge the `other` entity. `user` is on whose behalf the agent called, for auditors.
    """

    at: str
    event: EventKind
    fact_id: str | None = None
    text: str | None = None
    replaces: tuple[OtherFact, ...] | None = None
    replaced_by: OtherFact | None = None
    property: str | None = None
    value: Any = None
    previous: Any = None
    relation: str | None = None
    direction: Literal["in"] | None = None
    other: NamedEntity | None = None
    agent: str
    user: str | None = None
    source: str
    recorded_at: str
    memory_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineAnswer:
    """What became known of an entity, oldest first."""

    entity: NamedEntity
    revision: int
    events: tuple[TimelineEvent, ...]
    degraded: tuple[str, ...] | None = None
