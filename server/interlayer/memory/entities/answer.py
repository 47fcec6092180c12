"""What is answered of an entity's identity: plain values that cost nothing to import."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedEntity:
    """An entity, shortly: how to refer to it, and its name."""

    ref: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """An entity that bears a name or an identifier, with what tells it from others that do."""

    ref: str
    type: str
    name: str
    identifiers: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, Any]

    @property
    def handle(self) -> str:
        """The entity string that says most to a person and names no other entity."""
        values = [value for known in self.identifiers.values() for value in known]
        return f"{self.type}:{values[0]}" if values else self.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedEntity:
    """An entity that was made a part of another: when, by whom and why, and whether it was split off again."""

    ref: str
    name: str
    at: str
    agent: str
    reason: str
    split: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNames:
    """All names and identifiers of an entity, and what was merged into it."""

    ref: str
    name: str
    names: tuple[str, ...]
    identifiers: Mapping[str, tuple[str, ...]]
    merged: tuple[MergedEntity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledConflict:
    """An identifier that was learned of one entity and belongs to another: perhaps the two are one."""

    kind: str
    value: str
    claimed_by: NamedEntity
    belongs_to: NamedEntity
    memory_id: str
    at: str
