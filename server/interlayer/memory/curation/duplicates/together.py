"""What interactions say of two entities that may be one: told of together they are two, or two names of one."""

from dataclasses import dataclass
from typing import Final, Literal

from interlayer.memory.log.entity_read import read_entity
from interlayer.memory.log.records import EntityId, interaction_of, read_entry
from interlayer.storage.items import ItemStore

Verdict = Literal["", "two", "together"]

TOGETHER: Final = "interaction"
"""The field that speaks for a pair of which one interaction tells."""

TOGETHER_BITS: Final = 4.0
"""How much an interaction that tells of both speaks for a pair of which one has no address: "Priya", "Priya Nair"."""


@dataclass(frozen=True, slots=True)
class _Part:
    """In which interactions all of the organization is told of an entity, and to whom it is told to be related."""

    interactions: frozenset[str]
    related: frozenset[EntityId]


class Interactions:
    """Reads the logs of entities that are compared, each once."""

    def __init__(self, store: ItemStore, organization: str) -> None:
        self._store = store
        self._organization = organization
        self._known: dict[EntityId, _Part] = {}

    async def verdict(self, one: EntityId, other: EntityId, *, named_apart: bool) -> Verdict:
        """Tell what speaks of two: nothing, that they are `two`, or that an interaction tells of both `together`.

        Whoever is related to somebody is another one, and so are two of one interaction that are `named_apart`: by an
        address each.
        """
        first, second = await self._told(one), await self._told(other)
        if other in first.related or one in second.related:
            return "two"
        if first.interactions.isdisjoint(second.interactions):
            return ""
        return "two" if named_apart else "together"

    async def _told(self, entity: EntityId) -> _Part:
        if entity not in self._known:
            read = await read_entity(self._store, self._organization, entity, 0)
            log = [read_entry(item.body) for item in read.log if item.key.sort.count("#") == 1] if read else []
            public = [entry for entry in log if not entry.visibility]
            interactions = frozenset(interaction_of(entry.id) for entry in public)
            related = frozenset(relation.target for entry in public for relation in entry.relations)
            self._known[entity] = _Part(interactions, related)
        return self._known[entity]
