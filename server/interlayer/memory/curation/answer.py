"""What operators are answered who merge, split and review."""

from dataclasses import dataclass
from typing import Any

from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.recall.answer import FoundFact


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeAnswer:
    """Which entity is now a part of which; how many facts that makes, and how many of them both had."""

    kept: str
    merged: str
    facts: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAnswer:
    """Which entity is apart from which again; how many facts memorized since the merge stay with the latter."""

    kept: str
    split: str
    stays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCandidate:
    """A candidate that a gate turned down: a fact has a `text`, a property a `name` and a `value`.

    `quote` are the words of the content it was read from, `cut` says that only the beginning of the text is kept.
    """

    id: str
    at: str
    entity: str
    named: str
    memory_id: str
    agent: str
    source: str
    reason: str
    origin: str
    confidence: float
    quote: str | None = None
    name: str | None = None
    value: Any = None
    text: str | None = None
    cut: bool | None = None
    observed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedValue:
    """A property before and after a correction; None where it had no value, or has none."""

    name: str
    previous: Any
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRelation:
    """A relation that holds since a correction, or is over by it, and the entity at its other end."""

    type: str
    other: NamedEntity
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionAnswer:
    """What a correction changes of an entity: what holds no longer, what holds now, and why something was turned down.

    `memory_id` is that of the correction, empty where nothing was written.
    """

    entity: NamedEntity
    memory_id: str
    no_longer: tuple[FoundFact, ...]
    now: tuple[FoundFact, ...]
    values: tuple[ChangedValue, ...]
    relations: tuple[ChangedRelation, ...]
    rejected: tuple[str, ...]
