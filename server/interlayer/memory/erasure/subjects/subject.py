"""Who a data subject is: the entities that are the person, and everything that it is called by."""

from collections.abc import Sequence
from dataclasses import dataclass

from interlayer.errors import Ambiguous, InvalidInput, NotFound, Refused
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.subjects.names import SubjectNames
from interlayer.memory.log.identifiers import (
    EntityString,
    fold_name,
    normal_identifier,
    parse_entity,
    possible_identifiers,
)
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal


@dataclass(frozen=True, slots=True)
class Request:
    """Who is meant: as type:key, an identifier or a name; further entities that are the same person, further names.

    `only_certain` leaves alone what names the person by name only, `excluded` are entities that are left alone.
    """

    person: str
    also: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    only_certain: bool = False
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A person: the entities that are the person, with those merged into them; the heads of those that are there."""

    request: Request
    heads: tuple[Head, ...]
    names: SubjectNames
    entities: frozenset[EntityId]

    @property
    def standing(self) -> list[Head]:
        """Those that are not a part of another one."""
        return [head for head in self.heads if head.merged_into is None]


def demand_privacy(principal: Principal) -> None:
    """Raise `Refused` for a caller who may not work with the data of persons."""
    if not principal.roles & {"privacy", "operator"}:
        raise Refused("work with the data of a person needs the role privacy or operator; ask someone who has it")


class Subjects:
    """Finds who is meant. Raises `NotFound` and `Ambiguous`."""

    def __init__(self, entities: Entities, schema: Schema) -> None:
        self._entities = entities
        self._schema = schema

    async def resolve(self, organization: str, request: Request) -> Subject:
        """Return the person; without any entity it is what the request calls it."""
        found = [*await self._bearers(organization, request.person)]
        for text in request.also:
            more = await self._bearers(organization, text)
            if not more:
                raise NotFound(f"{text[:80]!r} is no entity. Write type:key.")
            found += more
        heads: list[Head] = []
        for entity in dict.fromkeys(found):
            heads += await self._with_parts(organization, entity)
        bare = self._bare(request.person) if not found else ()
        names = [*request.names, *(value for kind, value in bare if not kind)]
        called = SubjectNames.of(heads, names, [one for one in bare if one[0]])
        return Subject(request, tuple(heads), called, frozenset(head.entity for head in heads))

    async def entity(self, organization: str, person: str) -> EntityId:
        """Return the one entity that is meant. Raises `NotFound` if there is none."""
        found = await self._bearers(organization, person)
        if not found:
            raise NotFound(f"{person[:80]!r} is no entity. Write type:key.")
        return found[0]

    async def _bearers(self, organization: str, text: str) -> list[EntityId]:
        parsed = self._parsed(text)
        if parsed:
            entity = await self._entities.resolve(organization, parsed)
            return [entity] if entity else []
        if not text.strip():
            raise InvalidInput("person", "is blank.", "Write type:key, an identifier or a name.")
        found: list[EntityId] = []
        for kind in self._schema.entities:
            one = EntityString(kind, " ".join(text.split()))
            entity = await self._entities.resolve(organization, one)
            found += [entity] if entity else []
        if len(found) > 1:
            raise Ambiguous(
                f"person: {text[:80]!r} is borne by {', '.join(one.ref for one in found)}. Name one as type:id, and "
                "with --also those that are the same person."
            )
        return found

    def _parsed(self, text: str) -> EntityString | None:
        """Return an entity string, None for what is only an identifier or a name."""
        kind = text.partition(":")[0].strip()
        return parse_entity(text, self._schema, "person") if kind in self._schema.entities else None

    def _bare(self, text: str) -> Sequence[tuple[str, str]]:
        """Return what somebody who is no entity is called by: (kind of identifier, value), no kind for a name."""
        parsed = self._parsed(text)
        key = parsed.key if parsed else " ".join(text.split())
        types = [parsed.type] if parsed else list(self._schema.entities)
        for kind in types:
            known = possible_identifiers(EntityString(kind, key), self._schema)
            shaped = [(name, value) for name, value in known.items() if name in self._schema.identifiers]
            if shaped:
                return shaped
        if "@" in key:
            return [("email", normal_identifier("email", key, self._schema))]
        return [("", fold_name(key))]

    async def _with_parts(self, organization: str, entity: EntityId) -> list[Head]:
        stored = await self._entities.head(organization, entity)
        if stored is None:
            return []
        found = [stored.head]
        for part in stored.head.absorbed:
            found += await self._with_parts(organization, part)
        return found
