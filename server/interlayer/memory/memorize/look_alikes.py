"""Known entities that a new one looks like: told to whoever made it, and kept for a person to decide on.

They are found by how their names sound, one query for each new entity. It finds those that all of the organization may
see and no others, so that no answer depends on what its caller may not see.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, IdentifierConflict
from interlayer.memory.entities.sight import ORGANIZATION, Sight
from interlayer.memory.log import keys
from interlayer.memory.log.naming.called import LOOK_ALIKE, Called, reasons_for
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.answer import LooksLike
from interlayer.storage.items import ItemStore, Key, Operation, Put

TOLD: Final = "told"
"""The status of a pair that memorize has told and that no search has weighed yet."""

DISTINCT: Final = "distinct"
"""The status of two that somebody said are two."""

_BEARERS_MAX: Final = 30
_EACH_MAX: Final = 3
_ALL_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class NewEntity:
    """An entity that a call makes, or makes known to its caller, and what the call names it by.

    `conflicts` are identifiers that it was named with and that belong to others. `is_known` says that it was there
    before, though not for the caller.
    """

    entity: EntityId
    reference: EntityReference
    conflicts: Sequence[IdentifierConflict] = ()
    is_known: bool = False

    @property
    def identifiers(self) -> Mapping[str, tuple[str, ...]]:
        """Its identifiers by kind, without those that belong to others."""
        taken = {one.kind for one in self.conflicts}
        named = {**self.reference.key_identifiers, **self.reference.identifiers}
        return {kind: (value,) for kind, value in named.items() if kind not in taken}

    @property
    def called(self) -> Called:
        """What the call names it by."""
        return Called.of(self.reference.display_names, self.identifiers)


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A known entity, as its caller may see it, that a new one looks like, and why."""

    new: NewEntity
    known: Head
    reasons: tuple[str, ...]

    @property
    def told(self) -> LooksLike:
        """What the answer says of it."""
        ref = self.known.entity.ref
        return LooksLike(entity=ref, name=self.known.name, reasons=self.reasons, to=self.new.entity.ref)

    def place(self, organization: str) -> Key:
        """Return where the pair is kept."""
        return keys.duplicate(organization, self.known.entity.type, self.known.entity.id, self.new.entity.id)


class LookAlikes:
    """Finds known entities that new ones look like."""

    def __init__(self, store: ItemStore, entities: Entities) -> None:
        self._store = store
        self._entities = entities

    async def find(
        self, organization: str, made: Sequence[NewEntity], reached: Collection[EntityId], sight: Sight
    ) -> list[LookAlike]:
        """Find whom the new entities of a call look like, beside those whom it `reached`: these it tells apart."""
        if not made or not sight.sees(ORGANIZATION):
            return []
        near = await self._near(organization, made, {*reached, *(one.entity for one in made)})
        heads = await self._entities.heads(organization, list(dict.fromkeys(one for ids in near for one in ids)))
        known = {head.entity: head for head in heads if head.merged_into is None}
        found: list[LookAlike] = []
        for new, ids in zip(made, near, strict=True):
            alike = [
                one
                for head in map(known.get, ids)
                if head and (one := await self._alike(organization, new, head, sight))
            ]
            alike.sort(key=lambda one: LOOK_ALIKE not in one.reasons)
            found += await self._undecided(organization, alike)
        return found[:_ALL_MAX]

    async def _near(
        self, organization: str, made: Sequence[NewEntity], but: Collection[EntityId]
    ) -> list[list[EntityId]]:
        """Return for each new entity those of its type whose names sound alike, and who has its identifiers."""
        found = [dict.fromkeys(one.owner for one in new.conflicts if one.owner not in but) for new in made]

        async def look(number: int, sound: str) -> None:
            entity_type = made[number].entity.type
            place = keys.sound(organization, entity_type, sound, "")
            page = await self._store.query("memory", place.partition, limit=_BEARERS_MAX)
            bearers = (EntityId(entity_type, item.key.sort) for item in page.items)
            found[number].update(dict.fromkeys(one for one in bearers if one not in but))

        async with anyio.create_task_group() as group:
            for number, new in enumerate(made):
                for sound in new.called.sounds:
                    group.start_soon(look, number, sound)
        return [list(ids) for ids in found]

    async def _alike(self, organization: str, new: NewEntity, head: Head, sight: Sight) -> LookAlike | None:
        """Compare a new entity with a known one, as far as all of the organization may see that."""
        shared = {f"same {one.kind}": None for one in new.conflicts if one.owner == head.entity}
        if not shared and not reasons_for(new.called, Called.publicly(head)):
            return None
        shown = await self._entities.shown(organization, head, sight.within((ORGANIZATION,)))
        if shown is None:
            return None
        known = Called.of((shown.name, *shown.names), shown.identifiers)
        reasons = reasons_for(new.called, known)
        return LookAlike(new, shown, tuple(dict.fromkeys((*reasons, *shared)))) if reasons or shared else None

    async def _undecided(self, organization: str, alike: Sequence[LookAlike]) -> list[LookAlike]:
        """Leave out whom somebody said to be another one: of what is quite new nobody can have said so."""
        places = [one.place(organization) for one in alike if one.new.is_known]
        decided = await self._store.get_many(places) if places else {}
        apart = {place for place, item in decided.items() if item.body["status"] == DISTINCT}
        return [one for one in alike if one.place(organization) not in apart][:_EACH_MAX]


def notes(organization: str, alike: Iterable[LookAlike], now: str) -> Iterator[Operation]:
    """Keep the pairs for a person to decide on; of what only shares an identifier the conflict is kept."""
    for one in alike:
        if not one.new.is_known and reasons_for(one.new.called, Called.publicly(one.known)):
            yield Put(one.place(organization), {"status": TOLD, "at": now})
