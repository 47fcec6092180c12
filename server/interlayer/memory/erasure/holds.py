"""Legal holds: what has to be kept for a proceeding is neither forgotten nor does retention erase it."""

from collections.abc import Sequence
from dataclasses import dataclass

from interlayer.audit.trail import Event, Trail
from interlayer.errors import NotFound, Refused
from interlayer.ids import Clock, timestamp
from interlayer.memory.erasure.reasons import Reason
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, Check, Delete, Item, ItemStore, Operation, Put
from interlayer.storage.optimistic import optimistically


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """An entity that must not be erased, since when, by whom and on what ground."""

    entity: str
    at: str
    by: str
    reason: str
    reference: str = ""


class LegalHolds:
    """Places and releases holds, and tells what is under one."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock

    async def place(self, principal: Principal, entity: EntityId, reason: Reason) -> LegalHold:
        """Put an entity under a hold; one that there is already stays as it is. Raises `NotFound` if it is gone."""
        organization, place = principal.organization, keys.hold(principal.organization, entity)

        async def attempt() -> LegalHold:
            known = await self._store.get(place)
            if known:
                return _hold(known)
            head = await self._store.get(keys.head(organization, entity))
            if head is None:
                raise NotFound(f"{entity.ref}: nothing of that name is remembered.")
            body = {"by": principal.person, "at": timestamp(self._clock()), **reason.record}
            operations = [Put(place, body), Check(head.key, head.version)]
            await self._trail.commit(principal, Event("hold.placed", entity.ref, reason.record), operations)
            return LegalHold(entity=entity.ref, **body)

        return await optimistically(attempt, f"{entity.ref}: too many agents write to it at once. Try again.")

    async def release(self, principal: Principal, entity: EntityId, reason: Reason) -> None:
        """End a hold. Raises `NotFound` if there is none."""
        place = keys.hold(principal.organization, entity)
        known = await self._store.get(place)
        if known is None:
            raise NotFound(f"{entity.ref} is under no legal hold.")
        event = Event("hold.released", entity.ref, reason.record)
        await self._trail.commit(principal, event, [Delete(place, known.version)])

    async def listed(self, organization: str) -> list[LegalHold]:
        """Return all holds."""
        page = await self._store.query("memory", keys.hold(organization, EntityId("", "")).partition)
        return [_hold(item) for item in page.items]

    async def on(self, organization: str, entities: Sequence[EntityId]) -> LegalHold | None:
        """Return the hold that one of the entities is under, None if none is."""
        found = await self._store.get_many([keys.hold(organization, one) for one in entities])
        return next((_hold(item) for item in found.values()), None)

    async def guard(self, organization: str, head: Head) -> list[Operation]:
        """Build what keeps an erasure from being made while a hold is placed. Raises `Refused` when there is one."""
        entities = [head.entity, *head.absorbed]
        if held := await self.on(organization, entities):
            raise Refused(f"{head.entity.ref}: {told(held)}")
        return [Check(keys.hold(organization, one), ABSENT) for one in entities]


def told(hold: LegalHold) -> str:
    """Say that something is under a hold, and how it ends."""
    why = f"{hold.reason} {hold.reference}".strip()
    return (
        f"under legal hold since {hold.at[:10]} ({why}), nothing of it is erased. "
        f"`interlayer subject release {hold.entity}` ends it."
    )


def _hold(item: Item) -> LegalHold:
    entity_type, _, entity_id = item.key.sort.partition("#")
    return LegalHold(entity=EntityId(entity_type, entity_id).ref, **item.body)
