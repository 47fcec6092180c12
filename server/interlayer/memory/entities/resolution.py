"""Who a call is about: from an entity string, identifiers and a name to one entity, old or new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.ids import new_id
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import EntityRead
from interlayer.memory.log.identifiers import (
    IDENTIFIERS_MAX,
    NAME,
    NAME_MAX,
    EntityString,
    check_text,
    fold_name,
    normal_identifier,
    parse_entity,
    possible_identifiers,
)
from interlayer.memory.log.naming.called import Called
from interlayer.memory.log.records import EntityId
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore, Key

_LEARNED_FROM_KEY: Final = 1  # a key of several possible kinds is learned as the likeliest


Claim = tuple[str, str, str]
"""Entity type, kind and value of an identifier, or of a name that alone names somebody."""


@dataclass(frozen=True, slots=True)
class EntityReference:
    """Whom a call names: the entity string, its identifiers in normal form, and the display name if one was given."""

    entity: EntityString
    identifiers: Mapping[str, str]
    name: str | None
    key_identifiers: Mapping[str, str]

    @property
    def display_name(self) -> str | None:
        """The name that is given, or the key where it can only be a name."""
        return next(iter(self.display_names), None)

    @property
    def display_names(self) -> tuple[str, ...]:
        """Every name that the entity bears by this call: the given one, and the key where it can only be a name."""
        nameless = self.key_identifiers or self.entity.is_id
        return tuple(
            dict.fromkeys(name for name in (self.name, self.entity.name, None if nameless else self.entity.key) if name)
        )

    @property
    def identity(self) -> tuple[str, ...]:
        """What two spellings of one key have in common."""
        return _identity(self.entity, self.key_identifiers)


def identity_of(entity: EntityString, schema: Schema) -> tuple[str, ...]:
    """Return the identity that two spellings of an entity string, and a reference, have in common."""
    return _identity(entity, {} if entity.is_id else _learned(entity, schema))


def _learned(entity: EntityString, schema: Schema) -> dict[str, str]:
    return dict(list(possible_identifiers(entity, schema).items())[:_LEARNED_FROM_KEY])


def _identity(entity: EntityString, identifiers: Mapping[str, str]) -> tuple[str, ...]:
    known = [f"{kind}={value}" for kind, value in identifiers.items()]
    return (entity.type, *(known or [fold_name(entity.key)]))


@dataclass(frozen=True, slots=True)
class IdentifierConflict:
    """An identifier that belongs to another entity of the type, and so was not learned."""

    kind: str
    value: str
    owner: EntityId


@dataclass(frozen=True, slots=True)
class ResolvedEntity:
    """Whom a reference names, None for nobody yet; identifiers that others hold; `read` what lies with it, if read.

    `reference` is set where somebody is named by what belongs to another one: it names him by his name.
    """

    entity: EntityId | None
    conflicts: tuple[IdentifierConflict, ...]
    read: EntityRead | None = None
    reference: EntityReference | None = None


class Resolution:
    """Finds whom a reference names. Raises `InvalidInput` for what is no name and `Ambiguous` for what is several."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    def parse(
        self, entity: str, given: Mapping[str, str] | None = None, name: str | None = None, field: str = "entity"
    ) -> EntityReference:
        """Read whom a call names. Raises `InvalidInput` naming the field."""
        parsed = parse_entity(entity, self._schema, field)
        if given and len(given) > IDENTIFIERS_MAX:
            raise InvalidInput("identifiers", f"{len(given)} were given.", f"At most {IDENTIFIERS_MAX} are taken.")
        found = {kind: normal_identifier(kind, value, self._schema) for kind, value in (given or {}).items()}
        if name is not None:
            check_text(name, "name")
            name = " ".join(name.split())
            if not 0 < len(name) <= NAME_MAX:
                raise InvalidInput("name", f"has {len(name)} characters.", f"Send 1 to {NAME_MAX}.")
        of_key = {} if parsed.is_id else _learned(parsed, self._schema)
        return EntityReference(parsed, found, name, of_key)

    async def resolve(self, organization: str, reference: EntityReference, sight: Sight) -> ResolvedEntity:
        """Find whom a reference names and which of its identifiers others hold.

        Who is who is one thing for all of an organization; `sight` decides only between several who bear one name.
        What several may have, such as a phone number, leads to its holder only if nothing tells two names apart.
        """
        named = reference.entity
        entity = await self._entities.resolve(organization, named, sight)
        if entity is None and named.is_id:
            raise InvalidInput("entity", f"no {named.type} has the id {named.key}.", "Name it anew.")
        by_name = None
        if (
            entity
            and reference.name
            and not await self._suits(organization, reference, reference.key_identifiers, entity)
        ):
            by_name = _by_name(reference, reference.name)
            reference = by_name
            entity = await self._entities.resolve(organization, reference.entity, sight)
        holders = await self._holders(organization, reference) if reference.identifiers else {}
        for kind, holder in holders.items() if entity is None else ():
            if await self._suits(organization, reference, {kind: reference.identifiers[kind]}, holder):
                entity = holder
                break
        conflicts = [
            IdentifierConflict(kind, reference.identifiers[kind], owner)
            for kind, owner in holders.items()
            if owner != entity
        ]
        return ResolvedEntity(entity, tuple(conflicts), reference=by_name)

    async def resolve_all(
        self, organization: str, references: Sequence[EntityReference], sight: Sight
    ) -> list[ResolvedEntity]:
        """Resolve several at once: one request for all that are named by an identifier that somebody has."""
        places = [self._claims(organization, one) for one in references]
        named = [keys.borne(organization, fold_name(one.entity.key)) for one in references]
        asked = list(dict.fromkeys([*(place for some in places for place in some), *named]))
        together = len(references) > 1
        held = await self._store.get_many(asked) if together else {}
        found: list[ResolvedEntity] = []
        for one, some, name in zip(references, places, named, strict=True):
            ids = {held[place].body["id"] for place in some if place in held}
            if len(ids) == 1:
                found.append(ResolvedEntity(EntityId(one.entity.type, ids.pop()), ()))
            elif together and some and not ids and name not in held:  # nobody has the identifier or is called so
                found.append(ResolvedEntity(None, ()))
            else:
                found.append(await self.resolve(organization, one, sight))
        return found

    def _claims(self, organization: str, reference: EntityReference) -> list[Key]:
        """List where the identifiers lie that a key may be; none where that alone does not tell who it is."""
        possible = {} if reference.entity.is_id else possible_identifiers(reference.entity, self._schema)
        if reference.identifiers or any(self._schema.is_shared(*one) for one in possible.items()):
            return []
        return [keys.identifier(organization, reference.entity.type, value, kind) for kind, value in possible.items()]

    def claims(self, reference: EntityReference, *, shared: bool = False) -> set[Claim]:
        """Return the claims of a reference that nobody else can have; with `shared`, those that others may have too."""
        entity = reference.entity
        given = {*reference.key_identifiers.items(), *reference.identifiers.items()}
        found = {(entity.type, kind, value) for kind, value in given if self._schema.is_shared(kind, value) == shared}
        if not (shared or entity.is_id or reference.key_identifiers):
            found.add((entity.type, NAME, fold_name(entity.key)))
        return found

    async def target(
        self, organization: str, reference: EntityReference, now: datetime, sight: Sight
    ) -> tuple[EntityId, bool]:
        """Return the entity that a relation points at and whether it has to be created."""
        entity = (await self.resolve(organization, reference, sight)).entity
        return (entity, False) if entity else (EntityId(reference.entity.type, new_id("e", now)), True)

    async def known_to(
        self, organization: str, conflicts: Sequence[IdentifierConflict], sight: Sight
    ) -> tuple[IdentifierConflict, ...]:
        """Return the conflicts of which a caller may know whom the identifier belongs to."""
        found: list[IdentifierConflict] = []
        for one in conflicts:
            stored = await self._entities.head(organization, one.owner)
            head = await self._entities.shown(organization, stored.head, sight) if stored else None
            if head and one.value in head.identifiers.get(one.kind, ()):
                found.append(one)
        return tuple(found)

    async def _suits(
        self, organization: str, reference: EntityReference, given: Mapping[str, str], holder: EntityId
    ) -> bool:
        """Tell whether identifiers lead to their holder: unless several may have them, and it is called otherwise."""
        if not given or not all(self._schema.is_shared(kind, value) for kind, value in given.items()):
            return True
        stored = await self._entities.survivor(organization, holder)
        if stored is None:
            return True
        head = stored.head
        named = {**reference.key_identifiers, **reference.identifiers}
        told = {kind: (value,) for kind, value in named.items() if kind not in given}
        known = {kind: values for kind, values in head.identifiers.items() if kind not in given}
        return Called.of(reference.display_names, told).may_be(Called.of((head.name, *head.names), known))

    async def _holders(self, organization: str, reference: EntityReference) -> dict[str, EntityId]:
        """Return the entity that holds each given identifier, by kind, in the order in which they are given."""
        entity_type = reference.entity.type
        places = {
            keys.identifier(organization, entity_type, value, kind): kind
            for kind, value in reference.identifiers.items()
        }
        found = await self._store.get_many(list(places))
        return {
            kind: EntityId(entity_type, found[place].body["id"]) for place, kind in places.items() if place in found
        }


def _by_name(reference: EntityReference, name: str) -> EntityReference:
    """Return a reference that names an entity by its name, with what it was named by as an identifier."""
    named = EntityString(reference.entity.type, name)
    return EntityReference(named, {**reference.key_identifiers, **reference.identifiers}, name, {})
