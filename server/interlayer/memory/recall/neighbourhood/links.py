"""How entities are connected and nothing else of them: for what looks at many of them at once."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.restriction import RestrictedLog
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head, Relation
from interlayer.memory.log.relations import RelationFold, RelationState
from interlayer.memory.log.revision import expired, without_memories
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import Item, ItemStore

_PAGE: Final = 100  # heads of those who point at an entity are read so many at a time

_Pointing = tuple[EntityId, Item]
"""An entity, and the item of its partition that says who points at it."""


@dataclass(frozen=True, slots=True)
class OutgoingLink:
    """A current relation that an entity names itself."""

    relation: Relation
    memory_id: str
    observed_at: str


class Links:
    """Reads how entities are connected."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def outgoing(self, organization: str, head: Head, sight: Sight) -> list[OutgoingLink]:
        """Return the current relations that an entity names itself, as far as the caller may see them."""
        states = await self._states(organization, head, sight)
        return [
            OutgoingLink(relation, state.basis.interaction, state.observed_at)
            for relation, state in states.items()
            if state.status == "current"
        ]

    async def neighbours(
        self, organization: str, head: Head, outgoing: Sequence[OutgoingLink], sight: Sight, most: int
    ) -> tuple[list[Head], bool]:
        """Return the stored heads of so many neighbours, and whether there are more of them.

        `outgoing` are the entity's own relations. Of those who point at it, the first by their relations and ids are
        taken.
        """
        found: dict[EntityId, Head] = {}
        targets = list(dict.fromkeys(one.relation.target for one in outgoing))
        for target in (await self._entities.standing(organization, targets)).values():
            if await self._entities.shown(organization, target, sight):
                found[target.entity] = target
        inside = sorted(await self._entities.within(organization, head))
        async with aclosing(self._pages(organization, inside)) as pages:
            async for page in pages:
                found |= await self._pointing(organization, page, sight)
                if len(found.keys() - {head.entity}) > most:
                    break
        found.pop(head.entity, None)
        return list(found.values())[:most], len(found) > most

    async def _states(self, organization: str, head: Head, sight: Sight) -> Mapping[Relation, RelationState]:
        """Return relations by a view that is held, else by the log alone: no vector matters to them."""
        if self._entities.reached(organization, head.entity) >= head.revision:
            return (await self._entities.view(organization, head, sight=sight)).relations
        log = await self._entities.log(organization, head)
        log = without_memories(log, expired(log, self._entities.cutoff(head.entity.type)))
        if hidden := self._entities.restriction(head, sight):
            log = RestrictedLog(hidden, self._schema.stored(head.entity.type), log).log
        return RelationFold.of(log, self._schema.relation_rules(head.entity.type)).states

    async def _pages(self, organization: str, targets: Sequence[EntityId]) -> AsyncGenerator[Sequence[_Pointing]]:
        for target in targets:
            cursor: str | None = ""
            while cursor is not None:
                place = keys.head(organization, target).partition
                page = await self._store.query("memory", place, keys.incoming(), limit=_PAGE, cursor=cursor or None)
                yield [(target, item) for item in page.items]
                cursor = page.cursor

    async def _pointing(self, organization: str, page: Sequence[_Pointing], sight: Sight) -> dict[EntityId, Head]:
        """Return by id the stored heads of those who point at an entity now, as far as the caller may know."""
        heads = await self._entities.standing(organization, [keys.origin_of(item.key)[1] for _, item in page])
        found: dict[EntityId, Head] = {}
        for target, item in page:
            kind, origin = keys.origin_of(item.key)
            head = heads.get(origin)
            if head is None or head.entity in found:
                continue
            known = await self._entities.pointed(organization, head, Relation(kind, target), item.body, sight)
            if known and known.status == "current" and await self._entities.shown(organization, head, sight):
                found[head.entity] = head
        return found
