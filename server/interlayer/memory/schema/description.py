"""The answer of describe_schema: plain values that cost nothing to import; what stands at its default is left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # listing the tools must not cost what reading a schema costs to import
    from interlayer.memory.schema.property import PropertySchema
    from interlayer.memory.schema.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDescription:
    """A property that may be memorized; `indexed`: list_entities and search_memory compare it."""

    name: str
    type: str
    description: str
    enum: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    relation: str | None = None
    unit: str | None = None
    pattern: str | None = None
    update: str
    sensitivity: str
    indexed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDescription:
    """A type of entity: the kinds of identifier it is recognised by, and its properties."""

    type: str
    description: str
    identifiers: tuple[str, ...]
    properties: tuple[PropertyDescription, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationDescription:
    """A type of relation: the types of its ends, None for any, its name seen from its end, how many hold at once."""

    type: str
    description: str
    sources: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    inverse: str | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDescription:
    """The answer of describe_schema."""

    entity_types: tuple[TypeDescription, ...]
    identifier_kinds: tuple[str, ...]
    relation_types: tuple[RelationDescription, ...]


def described(schema: "Schema") -> SchemaDescription:
    """Return a schema as agents see it."""
    types = (
        TypeDescription(
            type=name,
            description=entity.description,
            identifiers=tuple(entity.identifiers),
            properties=tuple(_property(key, declared) for key, declared in entity.current.items()),
        )
        for name, entity in schema.entities.items()
    )
    relations = (
        RelationDescription(
            type=name,
            description=one.description,
            sources=one.sources or None,
            targets=one.targets or None,
            inverse=one.inverse,
            at_most=one.at_most,
        )
        for name, one in schema.relations.items()
    )
    return SchemaDescription(
        entity_types=tuple(types), identifier_kinds=tuple(schema.identifiers), relation_types=tuple(relations)
    )


def _property(name: str, declared: "PropertySchema") -> PropertyDescription:
    return PropertyDescription(
        name=name,
        type=declared.type,
        description=declared.description,
        enum=tuple(declared.values) or None,
        target=tuple(declared.target) or None,
        relation=declared.relation or None,
        unit=declared.unit or None,
        pattern=declared.pattern or None,
        update=declared.update,
        sensitivity=declared.sensitivity,
        indexed=declared.indexed or None,
    )
