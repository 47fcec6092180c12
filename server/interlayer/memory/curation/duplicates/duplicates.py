"""The search for entities that may be one, and the list of them that people decide on.

A search reads every head and compares the pairs in which something is new or changed since the last one. What is found
is kept with the fields that speak for it, never their values: these are read when the list is. A pair that somebody
said to be two is remembered and not offered again.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final

import anyio.to_thread

from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput
from interlayer.ids import Clock, timestamp
from interlayer.memory.curation.duplicates.answer import Distinction, DuplicatePair, DuplicateScan, Reason
from interlayer.memory.curation.duplicates.candidates import pairs
from interlayer.memory.curation.duplicates.likeness import Likeness, Population
from interlayer.memory.curation.duplicates.profile import Profile
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import ORGANIZATION, audience_of
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import listed
from interlayer.memory.log.identifiers import check_reason
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, Item, ItemStore, Put
from interlayer.storage.streaming import stream

_LEAST: Final = 0.9
_PAGE: Final = 100
_REASONS_MAX: Final = 4
_DISTINCT: Final = "distinct"

Found = tuple[EntityId, EntityId, Likeness]


class Duplicates:
    """Finds entities that may be one, and remembers which are two."""

    def __init__(self, store: ItemStore, entities: Entities, trail: Trail, schema: Schema, clock: Clock) -> None:
        self._store = store
        self._entities = entities
        self._trail = trail
        self._schema = schema
        self._clock = clock

    async def search(
        self, principal: Principal, *, anew: bool = False, progress: Callable[[int], None] = lambda _: None
    ) -> DuplicateScan:
        """Look for duplicates of what is new or changed since the last search, `anew` of everything.

        `progress` is told how many entities have been read. Raises `VersionConflict` when another search ends first.
        """
        organization = principal.organization
        place = keys.duplicates_sought(organization)
        noted = await self._store.get(place)
        since: dict[str, str] = {} if noted is None or anew else noted.body["since"]
        began = timestamp(self._clock())
        read = changed = compared = found = 0
        for entity_type in self._schema.entities:
            profiles: list[Profile] = []
            async with aclosing(self._profiles(organization, entity_type)) as listed_profiles:
                async for profile in listed_profiles:
                    profiles.append(profile)
                    read += 1
                    progress(read)
            last = since.get(entity_type, "")
            fresh = frozenset(number for number, one in enumerate(profiles) if one.updated_at >= last)
            changed += len(fresh)
            count, alike = await anyio.to_thread.run_sync(_compared, profiles, fresh)
            compared += count
            found += await self._note(organization, entity_type, alike, began)
        # What changed while this ran is looked at again by the next search.
        expect = noted.version if noted else ABSENT
        await self._store.transact([Put(place, {"since": dict.fromkeys(self._schema.entities, began)}, expect)])
        return DuplicateScan(entities=read, changed=changed, compared=compared, found=found)

    async def open(self, principal: Principal) -> list[DuplicatePair]:
        """Return the pairs that nobody has decided on, the most probable first."""
        found: list[DuplicatePair] = []
        for entity_type in self._schema.entities:
            partition = keys.duplicate(principal.organization, entity_type, "", "").partition
            async with aclosing(stream(self._store, "memory", partition)) as noted:
                async for item in noted:
                    pair = await self._pair(principal.organization, item)
                    found += [pair] if pair and item.body["status"] != _DISTINCT else []
        return sorted(found, key=lambda pair: (-pair.probability, pair.one.ref, pair.other.ref))

    async def distinguish(self, principal: Principal, one: str, other: str, reason: str) -> Distinction:
        """Remember that two entities are two. Raises `NotFound`, and `InvalidInput` for one entity or two types."""
        check_reason(reason)
        first, second = [
            (await find_entity(self._entities, self._schema, principal, name)).head for name in (one, other)
        ]
        if first.entity == second.entity or first.entity.type != second.entity.type:
            told = "are one entity already" if first.entity == second.entity else "are of two types"
            raise InvalidInput("entity", f"{one!r} and {other!r} {told}.", "Name two entities of one type.")
        place = keys.duplicate(principal.organization, first.entity.type, first.entity.id, second.entity.id)
        known = await self._store.get(place)
        body = {"status": _DISTINCT, "probability": 0.0, "fields": [], "at": timestamp(self._clock())}
        event = Event("entity.distinguished", first.entity.ref, {"other": second.entity.ref, "reason": reason})
        await self._trail.commit(principal, event, [Put(place, body, known.version if known else ABSENT)])
        return Distinction(one=_named(first), other=_named(second))

    async def _profiles(self, organization: str, entity_type: str) -> AsyncGenerator[Profile]:
        """Yield the profiles of all entities of a type, without what was kept long enough."""
        schema = self._schema.stored(entity_type)
        page: list[EntityId] = []
        async with aclosing(listed(self._store, organization, entity_type, _PAGE)) as entities:
            async for entity in entities:
                page.append(entity)
                if len(page) == _PAGE:
                    for head in await self._heads(organization, page):
                        yield Profile.of(head, schema)
                    page.clear()
        for head in await self._heads(organization, page):
            yield Profile.of(head, schema)

    async def _heads(self, organization: str, entities: Sequence[EntityId]) -> list[Head]:
        heads = await self._entities.heads(organization, entities)
        sight = audience_of(ORGANIZATION)  # a pair is told to all operators
        shown = [await self._entities.shown(organization, head, sight) for head in heads if head.merged_into is None]
        return [head for head in shown if head]

    async def _note(self, organization: str, entity_type: str, alike: Sequence[Found], now: str) -> int:
        """Keep the pairs that are not known yet; return how many there are."""
        places = {keys.duplicate(organization, entity_type, one.id, other.id): like for one, other, like in alike}
        known = await self._store.get_many(list(places))
        new = [(place, like) for place, like in places.items() if place not in known]
        for start in range(0, len(new), _PAGE // 2):
            puts = [
                Put(
                    place,
                    {
                        "status": "open",
                        "probability": round(like.probability, 4),
                        "fields": list(like.fields[:_REASONS_MAX]),
                        "at": now,
                    },
                )
                for place, like in new[start : start + _PAGE // 2]
            ]
            await self._store.transact(puts)
        return len(new)

    async def _pair(self, organization: str, item: Item) -> DuplicatePair | None:
        """Return a pair as it is now; None if one is gone or they have become one."""
        entity_type = item.key.partition.rpartition("#")[2]
        ends = [EntityId(entity_type, one) for one in item.key.sort.split("#")]
        heads = await self._heads(organization, ends)
        if len(heads) < len(ends):
            return None
        one, other = (Profile.of(head, self._schema.stored(entity_type)) for head in heads)
        reasons = tuple(
            Reason(field=field, one=one.shown(field), other=other.shown(field)) for field in item.body["fields"]
        )
        return DuplicatePair(
            one=_named(heads[0]),
            other=_named(heads[1]),
            probability=item.body["probability"],
            reasons=reasons,
            found_at=item.body["at"],
        )


def _compared(profiles: Sequence[Profile], fresh: frozenset[int]) -> tuple[int, list[Found]]:
    """Compare the pairs worth it; return how many there were, and those that may be one."""
    population = Population(profiles)
    count, alike = 0, list[Found]()
    for first, second in pairs(profiles, fresh):
        count += 1
        one, other = profiles[first], profiles[second]
        like = population.likeness(one, other)
        if like.probability >= _LEAST:
            alike.append((one.entity, other.entity, like))
    return count, alike


def _named(head: Head) -> NamedEntity:
    return NamedEntity(ref=head.entity.ref, name=head.name)
