"""The current relations of an entity with whom they lead to, as far as a caller may see both."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import RELATIONS_MAX
from interlayer.memory.log.reader import parts
from interlayer.memory.log.records import EntityId, Head, Relation, interaction_of
from interlayer.storage.items import Item, ItemStore

_PAGE: Final = 100  # heads of those who point at an entity are read so many at a time

Pointer = tuple[EntityId, Item]
"""An entity, and the item of its partition that says who points at it."""


@dataclass(frozen=True, slots=True)
class OutgoingLink:
    """A relation that an entity names itself."""

    relation: Relation
    memory_id: str
    observed_at: str


@dataclass(frozen=True, slots=True)
class Link:
    """A relation of an entity, and the head of the other end: as it is stored, and as the caller may be shown it."""

    type: str
    incoming: bool
    stored: Head
    other: Head
    memory_id: str
    at: str


class Links:
    """Reads the current relations of entities."""

    def __init__(self, store: ItemStore, entities: Entities) -> None:
        self._store = store
        self._entities = entities

    async def of(
        self, organization: str, view: EntityView, incoming: Sequence[Item], sight: Sight, until: str | None = None
    ) -> list[Link]:
        """Return those that lead from the entity, then those that lead to it by when they were told.

        `incoming` are the items of its own partition that say who points at it.
        """
        outgoing = [
            OutgoingLink(relation, memory.interaction, memory.observed_at)
            for relation, memory in list(view.relations.items())[:RELATIONS_MAX]
        ]
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
        back = await self._pointing(organization, pointing, heads, sight)
        # By when they were told: the order of ids would say which entities somebody else knew before.
        told = sorted(back, key=lambda link: (link.at, link.type))
        return [*found, *(link for link in told if until is None or link.at <= until)]

    async def outgoing(self, organization: str, head: Head, sight: Sight) -> list[OutgoingLink]:
        """Return those that an entity names itself, without the rest of what is known of it."""
        view = await self._entities.view(organization, head, sight=sight)
        return [
            OutgoingLink(relation, memory.interaction, memory.observed_at)
            for relation, memory in view.relations.items()
        ]

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

    async def _pages(self, organization: str, targets: Sequence[EntityId]) -> AsyncGenerator[Sequence[Pointer]]:
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
                found.append(Link(one.relation.type, False, head, shown, one.memory_id, one.observed_at))
        return found

    async def _pointing(
        self, organization: str, pointing: Sequence[Pointer], heads: dict[EntityId, Head], sight: Sight
    ) -> list[Link]:
        found: list[Link] = []
        for target, item in pointing:
            kind, origin = keys.origin_of(item.key)
            head = heads.get(origin)
            if head is None:
                continue
            basis = await self._entities.basis(organization, head, Relation(kind, target), item.body, sight)
            shown = await self._entities.shown(organization, head, sight) if basis else None
            if basis and shown:
                found.append(Link(kind, True, head, shown, interaction_of(basis[0]), basis[1]))
        return found

    async def _heads(self, organization: str, entities: Sequence[EntityId]) -> dict[EntityId, Head]:
        """Return heads by the ids asked for; of what was merged, that of what it is a part of now."""
        found: dict[EntityId, Head] = {}
        for head in await self._entities.heads(organization, entities):
            if head.merged_into is None:
                found[head.entity] = head
            elif stored := await self._entities.survivor(organization, head.merged_into):
                found[head.entity] = stored.head
        return found
