"""The relations of an entity with whom they lead to, as far as a caller may see both.

What points at the entity is noted with it, and right as it stands there unless the caller may not see all that it
follows from; then, and for the past, it is read where it starts.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from interlayer.answers import display_time
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView, valid_then
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import RELATIONS_MAX
from interlayer.memory.log.reader import parts
from interlayer.memory.log.records import EntityId, Head, Relation
from interlayer.memory.log.relations import Pointer, RelationFold, RelationStatus, pointer_of
from interlayer.memory.recall.answer import KnownRelation
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import Item, ItemStore

_PAGE: Final = 100  # heads of those who point at an entity are read so many at a time
_PROPERTIES_MAX: Final = 3
_STATUSES: Final[Sequence[RelationStatus]] = ("current", "superseded", "ended")

Noted = tuple[EntityId, Item]
"""An entity, and the item of its partition that says who points at it."""


@dataclass(frozen=True, slots=True)
class Instants:
    """What is asked of the past: what held at an instant, what was known at one, or both; neither: of now."""

    as_of: str | None = None
    known_at: str | None = None

    @property
    def until(self) -> str | None:
        """The instant after which nothing counts that was recorded."""
        return self.known_at or self.as_of


NOW: Final = Instants()


@dataclass(frozen=True, slots=True)
class OutgoingLink:
    """A relation that an entity names itself."""

    relation: Relation
    known: Pointer

    @property
    def memory_id(self) -> str:
        """The memory that it rests on."""
        return self.known.memory_id

    @property
    def observed_at(self) -> str:
        """When it was last observed."""
        return self.known.observed_at


@dataclass(frozen=True, slots=True)
class Link:
    """A relation of an entity, and the head of the other end: as it is stored, and as the caller may be shown it.

    `type` is what it is called from this end, `relation` how it is stored.
    """

    type: str
    incoming: bool
    stored: Head
    other: Head
    relation: Relation
    known: Pointer


class Links:
    """Reads the relations of entities."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def of(
        self,
        organization: str,
        view: EntityView,
        incoming: Sequence[Item],
        sight: Sight,
        at: Instants = NOW,
        *,
        history: bool = False,
    ) -> list[Link]:
        """Return those that are current, the last observed first; with `history` those that are over come behind them.

        `view` is of the instants that are asked for. `incoming` are the items of its own partition that say who points
        at it.
        """
        outgoing = sorted(self._outgoing(view, history=history), key=lambda one: one.observed_at, reverse=True)
        outgoing = outgoing[:RELATIONS_MAX]
        pointing = [(view.entity, item) for item in incoming]
        for absorbed in parts(view.memories.values()):
            place = keys.head(organization, absorbed)
            page = await self._store.query("memory", place.partition, keys.incoming(), limit=RELATIONS_MAX)
            pointing += [(absorbed, item) for item in page.items]
        pointing = pointing[:RELATIONS_MAX]
        others = dict.fromkeys([one.relation.target for one in outgoing])
        others |= dict.fromkeys([keys.origin_of(item.key)[1] for _, item in pointing])
        heads = await self._heads(organization, list(others))
        found = await self._named(organization, outgoing, heads, sight)
        found += await self._pointing(organization, pointing, heads, sight, at, history=history)
        return _each_once(view.entity, found)

    def told(self, link: Link, at: Instants = NOW) -> KnownRelation:
        """Return a relation as an answer shows it; what is now known of the other end says nothing of the past."""
        entity, known = link.other.entity, link.known
        has_name_here = not link.incoming or link.type != link.relation.type
        return KnownRelation(
            type=link.type,
            direction="in" if link.incoming else "out",
            target=entity.ref if has_name_here else None,
            entity=entity.ref,
            name=link.other.name,
            entity_type=entity.type,
            properties=None if at.until else self._properties(link) or None,
            observed_at=display_time(known.observed_at),
            status=known.status,
            confidence=known.confidence,
            memory_id=known.memory_id,
            source=known.source,
        )

    def _properties(self, link: Link) -> dict[str, Any]:
        """Return the first properties of the other end, beside the one that says the same as the relation."""
        schema, values = self._schema.stored(link.other.entity.type), link.other.properties
        names = [name for name in schema.current if schema.mirrored.get(name) != link.relation.type]
        names = sorted(names, key=lambda name: not schema.current[name].indexed)
        return {name: values[name] for name in [one for one in names if one in values][:_PROPERTIES_MAX]}

    def _outgoing(self, view: EntityView, *, history: bool = False) -> Iterator[OutgoingLink]:
        rules = self._schema.relation_rules(view.entity.type)
        for relation, state in view.relations.items():
            if history or state.status == "current":
                yield OutgoingLink(relation, pointer_of(state, rules))

    async def outgoing(self, organization: str, head: Head, sight: Sight) -> list[OutgoingLink]:
        """Return those that an entity names itself and that are current, without the rest of what is known of it."""
        return list(self._outgoing(await self._entities.view(organization, head, sight=sight)))

    async def around(
        self, organization: str, head: Head, outgoing: Sequence[OutgoingLink], sight: Sight, most: int
    ) -> tuple[list[Link], bool]:
        """Return links to so many neighbours, one to each, and whether there are more of them.

        `outgoing` are the entity's own. Of those who point at it, the first by their relations and ids are taken.
        """
        found: dict[EntityId, Link] = {}
        heads = await self._heads(organization, list(dict.fromkeys(one.relation.target for one in outgoing)))
        for link in await self._named(organization, outgoing, heads, sight):
            found.setdefault(link.stored.entity, link)
        async with aclosing(
            self._pages(organization, sorted(await self._entities.within(organization, head)))
        ) as pages:
            async for page in pages:
                if len(found) > most:
                    break
                heads = await self._heads(organization, [keys.origin_of(item.key)[1] for _, item in page])
                for link in await self._pointing(organization, page, heads, sight):
                    found.setdefault(link.stored.entity, link)
        found.pop(head.entity, None)
        return list(found.values())[:most], len(found) > most

    async def _pages(self, organization: str, targets: Sequence[EntityId]) -> AsyncGenerator[Sequence[Noted]]:
        for target in targets:
            cursor: str | None = ""
            while cursor is not None:
                place = keys.head(organization, target).partition
                page = await self._store.query("memory", place, keys.incoming(), limit=_PAGE, cursor=cursor or None)
                yield [(target, item) for item in page.items]
                cursor = page.cursor

    async def _named(
        self, organization: str, outgoing: Sequence[OutgoingLink], heads: dict[EntityId, Head], sight: Sight
    ) -> list[Link]:
        found: list[Link] = []
        for one in outgoing:
            head = heads.get(one.relation.target)
            shown = await self._entities.shown(organization, head, sight) if head else None
            if head and shown:
                found.append(Link(one.relation.type, False, head, shown, one.relation, one.known))
        return found

    async def _pointing(
        self,
        organization: str,
        pointing: Sequence[Noted],
        heads: dict[EntityId, Head],
        sight: Sight,
        at: Instants = NOW,
        *,
        history: bool = False,
    ) -> list[Link]:
        found: list[Link] = []
        for target, item in pointing:
            kind, origin = keys.origin_of(item.key)
            head, relation = heads.get(origin), Relation(kind, target)
            known = await self._known(organization, head, relation, item.body, sight, at) if head else None
            if head is None or known is None or not (history or known.status == "current"):
                continue
            if shown := await self._entities.shown(organization, head, sight):
                name = self._schema.relation_types.seen_from_end(kind) or kind
                found.append(Link(name, True, head, shown, relation, known))
        return found

    async def _known(
        self,
        organization: str,
        origin: Head,
        relation: Relation,
        noted: Mapping[str, Any],
        sight: Sight,
        at: Instants,
    ) -> Pointer | None:
        """Return what is known of a relation that points at an entity, as of now or of an earlier instant."""
        if not at.until:
            return await self._entities.pointed(organization, origin, relation, noted, sight)
        view = await self._entities.view(organization, origin, sight=sight)
        memories = [one for one in view.memories.values() if one.recorded_at <= at.until]
        if not memories and not at.known_at:  # the past was filled in later
            memories = list(view.memories.values())
        valid = [valid_then(one, at.as_of) for one in memories] if at.as_of else memories
        rules = self._schema.relation_rules(origin.entity.type)
        state = RelationFold.of(valid, rules).states.get(relation)
        return pointer_of(state, rules) if state else None

    async def _heads(self, organization: str, entities: Sequence[EntityId]) -> dict[EntityId, Head]:
        """Return heads by the ids asked for; of what was merged, that of what it is a part of now."""
        found: dict[EntityId, Head] = {}
        for head in await self._entities.heads(organization, entities):
            if head.merged_into is None:
                found[head.entity] = head
            elif stored := await self._entities.survivor(organization, head.merged_into):
                found[head.entity] = stored.head
        return found


def _each_once(entity: EntityId, found: Sequence[Link]) -> list[Link]:
    """Return relations in order, none twice: entities that were merged have each other's, and some are told both ways.

    The order of ids would say which entities somebody else knew before.
    """
    ranked = sorted(found, key=lambda one: (one.type, one.other.name))
    ranked = sorted(ranked, key=lambda one: one.known.observed_at, reverse=True)
    ranked = sorted(ranked, key=lambda one: _STATUSES.index(one.known.status))
    first: dict[tuple[str, EntityId], Link] = {}
    for one in ranked:
        if one.other.entity != entity:
            first.setdefault((one.type, one.other.entity), one)
    return list(first.values())
