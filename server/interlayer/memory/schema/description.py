"""The answer of describe_schema: plain values that cost nothing to import; what stands at its default is left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # listing the tools must not cost what reading a schema costs to import
    from interlayer.memory.schema.property import PropertySchema
    from interlayer.memory.schema.relation import RelationSchema
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
class SchemaDescription:
    """The answer of describe_schema; each type of relation is told in a line."""

    entity_types: tuple[TypeDescription, ...]
    identifier_kinds: tuple[str, ...]
    relations: tuple[str, ...]


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
    relations = (_relation(name, one) for name, one in schema.relations.items())
    return SchemaDescription(
        entity_types=tuple(types), identifier_kinds=tuple(schema.identifiers), relations=tuple(relations)
    )


def _relation(name: str, one: "RelationSchema") -> str:
    """Say of a type of relation what it leads from and to, what it is called from its end, how many hold at once."""
    told = f"{name}: {' or '.join(one.sources) or 'any'} -> {' or '.join(one.targets) or 'any'}"
    told += f"; inverse {one.inverse}" if one.inverse else ""
    told += f"; at most {one.at_most} at once" if one.at_most else ""
    return f"{told}. {one.description}".strip()


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
