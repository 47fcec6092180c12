"""What the search for duplicates answers."""

from dataclasses import dataclass

from interlayer.memory.entities.answer import NamedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A field that speaks for two entities being one, with what each has there; `said` is that in words."""

    field: str
    said: str
    one: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePair:
    """Two entities that may be one, how probable that is (0..1), why, and since when it is known."""

    one: NamedEntity
    other: NamedEntity
    probability: float
    reasons: tuple[Reason, ...]
    found_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateScan:
    """What a search did: entities read, those new or changed since the last one, pairs compared and pairs found."""

    entities: int
    changed: int
    compared: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinction:
    """Two entities that somebody said are two."""

    one: NamedEntity
    other: NamedEntity
