"""The search for entities that may be one, and the list of them that people decide on.

A search reads every head and compares the pairs in which something is new or changed since the last one. What is found
is kept with the fields that speak for it, never their values: these are read when the list is. What memorize told its
caller waits here to be weighed. A pair that somebody said to be two is remembered and not offered again, whatever
becomes a part of either.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import product
from typing import Final

import anyio.to_thread

from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput
from interlayer.ids import Clock, timestamp
from interlayer.memory.curation.duplicates.answer import Distinction, DuplicatePair, DuplicateScan, Reason
from interlayer.memory.curation.duplicates.comparison import LEAST, Alike, compare
from interlayer.memory.curation.duplicates.likeness import Population
from interlayer.memory.curation.duplicates.profile import Profile
from interlayer.memory.curation.duplicates.together import TOGETHER, TOGETHER_BITS, Interactions
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import ORGANIZATION, audience_of
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import listed
from interlayer.memory.log.identifiers import check_reason
from interlayer.memory.log.naming.called import LOOK_ALIKE
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.memorize.look_alikes import DISTINCT, TOLD
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, Delete, Item, ItemStore, Key, Operation, Put
from interlayer.storage.streaming import stream

_PAGE: Final = 100
_OPEN: Final = "open"
_SAID: Final = {TOGETHER: "told of in one interaction", LOOK_ALIKE: LOOK_ALIKE}


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
            told = await self._told(organization, entity_type)
            count, alike = await anyio.to_thread.run_sync(compare, profiles, fresh, [item.key.sort for item in told])
            compared += count
            found += await self._note(organization, entity_type, await self._weighed(organization, alike), began, told)
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
                    found += [pair] if pair and item.body["status"] != DISTINCT else []
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
        body = {"status": DISTINCT, "probability": 0.0, "fields": [], "at": timestamp(self._clock())}
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

    async def _told(self, organization: str, entity_type: str) -> list[Item]:
        """Return the pairs that memorize has told and no search has weighed."""
        partition = keys.duplicate(organization, entity_type, "", "").partition
        async with aclosing(stream(self._store, "memory", partition)) as noted:
            return [item async for item in noted if item.body["status"] == TOLD]

    async def _weighed(self, organization: str, alike: Sequence[Alike]) -> list[Alike]:
        """Return the pairs to offer, when it is known in which interactions they are told of."""
        told = Interactions(self._store, organization)
        found: list[Alike] = []
        for pair in alike:
            named_apart = pair.one.is_named and pair.other.is_named
            verdict = await told.verdict(pair.one.entity, pair.other.entity, named_apart=named_apart)
            likeness = pair.likeness.with_more(TOGETHER_BITS, TOGETHER) if verdict == "together" else pair.likeness
            if verdict != "two" and (likeness.probability >= LEAST or pair.imitates):
                found.append(replace(pair, likeness=likeness))
        return found

    async def _note(
        self, organization: str, entity_type: str, alike: Sequence[Alike], now: str, told: Sequence[Item]
    ) -> int:
        """Keep the pairs that are not known yet; return how many there are. What was told and is not found goes."""
        places = {
            keys.duplicate(organization, entity_type, pair.one.entity.id, pair.other.entity.id): pair for pair in alike
        }
        known = await self._store.get_many(list(places))
        apart = await self._apart(organization, entity_type, alike)
        operations: list[Operation] = [Delete(item.key, item.version) for item in told if item.key not in places]
        new = 0
        for place, pair in places.items():
            noted = known.get(place)
            if pair in apart or (noted and noted.body["status"] != TOLD):
                continue
            new += 1
            body = {
                "status": _OPEN,
                "probability": round(pair.likeness.probability, 4),
                "fields": pair.fields,
                "at": noted.body["at"] if noted else now,
            }
            operations.append(Put(place, body, noted.version if noted else ABSENT))
        for start in range(0, len(operations), _PAGE // 2):
            await self._store.transact(operations[start : start + _PAGE // 2])
        return new

    async def _apart(self, organization: str, entity_type: str, alike: Sequence[Alike]) -> list[Alike]:
        """Return the pairs of which parts were said to be two before they became parts."""
        places: dict[Key, Alike] = {}
        for pair in alike:
            if pair.one.absorbed or pair.other.absorbed:
                ends = [[one.entity, *one.absorbed] for one in (pair.one, pair.other)]
                for one, other in product(*ends):
                    places[keys.duplicate(organization, entity_type, one.id, other.id)] = pair
        decided = await self._store.get_many(list(places)) if places else {}
        return [places[place] for place, item in decided.items() if item.body["status"] == DISTINCT]

    async def _pair(self, organization: str, item: Item) -> DuplicatePair | None:
        """Return a pair as it is now; None if one is gone or they have become one."""
        entity_type = item.key.partition.rpartition("#")[2]
        ends = [EntityId(entity_type, one) for one in item.key.sort.split("#")]
        heads = await self._heads(organization, ends)
        if len(heads) < len(ends):
            return None
        one, other = (Profile.of(head, self._schema.stored(entity_type)) for head in heads)
        fields, probability = item.body.get("fields"), item.body.get("probability")
        if fields is None or probability is None:  # told by memorize, and not weighed among all of the type yet
            alike = Alike(one, other, Population((one, other)).likeness(one, other))
            fields, probability = alike.fields, round(alike.likeness.probability, 4)
        return DuplicatePair(
            one=_named(heads[0]),
            other=_named(heads[1]),
            probability=probability,
            reasons=tuple(_reason(field, one.shown(field), other.shown(field)) for field in fields),
            found_at=item.body["at"],
        )


def _reason(field: str, one: str, other: str) -> Reason:
    said = _SAID.get(field) or f"{'same' if one == other else 'similar'} {field.replace('_', ' ')}"
    return Reason(field=field, said=said, one=one, other=other)


def _named(head: Head) -> NamedEntity:
    return NamedEntity(ref=head.entity.ref, name=head.name)
