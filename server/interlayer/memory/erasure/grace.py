"""Grace: where it is set, what is forgotten can be taken back for a time, and is erased for good when that is over.

Everything happens as without it, so that no read and no search finds it; only the items that the erasure takes away or
changes are kept aside as they were. Nothing reads them but the restoration here, and the export leaves them out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import NotFound, Refused
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory.erasure.plan import Erasure
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.records import EntityId
from interlayer.principal import Principal
from interlayer.storage.items import (
    ABSENT,
    TRANSACT_BYTES_MAX,
    Check,
    Delete,
    Item,
    ItemStore,
    Key,
    Operation,
    Put,
    Span,
    VersionConflict,
)

_BYTES: Final = TRANSACT_BYTES_MAX // 2  # of a transaction: its size is told by the characters of JSON
_OPERATIONS: Final = 60  # of a transaction, beside the event
_DELETED: Final = 90
_ABANDONED: Final = timedelta(hours=1)  # by a process that died before it made the erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An erasure that can be taken back: of what, by whom, and when it is erased for good."""

    id: str
    entity: str
    what: str
    by: str
    at: str
    due: str

    @property
    def entity_id(self) -> EntityId:
        """The entity that it is, or was, a part of."""
        return EntityId(*self.entity.split(":", 1))


@dataclass(frozen=True, slots=True)
class _Kept:
    """An item as it was, None if it was not there, with the version that the erasure left; decisive ones lead to it."""

    key: Key
    body: Mapping[str, Any] | None
    after: int
    is_decisive: bool


class ErasureGrace:
    """Keeps erasures for a time so that they can be taken back."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock, grace: timedelta = timedelta()) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock
        self._grace = grace

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return bool(self._grace)

    def open(self, principal: Principal, entity: EntityId, what: str) -> SetAside:
        """Begin to keep an erasure; nothing is written yet."""
        now = self._clock()
        by = principal.person
        return SetAside(
            id=new_id("g", now),
            entity=entity.ref,
            what=what,
            by=by,
            at=timestamp(now),
            due=timestamp(now + self._grace),
        )

    async def keep(self, organization: str, case: SetAside, erasure: Erasure, kept: int) -> tuple[list[Operation], int]:
        """Keep what an erasure is about to take away; return what joins its transaction, and how many items there are.

        `kept` is how many items portions before this one have kept.
        """
        place = keys.set_aside(organization, case.id)
        header = await self._store.get(place)
        if header is None:  # first: what a process leaves behind that dies before the erasure is found by it
            await self._store.transact([Put(place, _header(case, is_made=False))])
        decisive = {one.key: one for one in erasure.decisive if not isinstance(one, Check)}
        changed = [one for one in dict.fromkeys([*(one.key for one in erasure.hidden), *decisive]) if _is_kept(one)]
        found = await self._store.get_many(changed)
        puts: list[Put] = []
        for key in changed:
            item, operation = found.get(key), decisive.get(key)
            if item is None and not isinstance(operation, Put):
                continue  # it was not there, and is not there after it
            version = item.version if item else ABSENT
            body: dict[str, Any] = {
                "key": list(key),
                "body": item.body if item else None,
                "after": version + 1 if isinstance(operation, Put) else ABSENT,
                "decisive": operation is not None,
            }
            puts.append(Put(keys.set_aside_item(organization, case.id, kept + len(puts)), body))
        await self._discard(organization, case.id, kept)  # of an attempt to which another writer came first
        for batch in _batches(puts):
            await self._store.transact(batch)
        version = header.version if header else 1
        return [Put(place, _header(case, is_made=True), version)], kept + len(puts)

    async def listed(self, organization: str) -> list[SetAside]:
        """Return what can be taken back, oldest first."""
        page = await self._store.query("memory", keys.set_aside(organization, "").partition)
        return [_case(item) for item in page.items if item.body["made"]]

    async def restore(self, principal: Principal, case_id: str) -> SetAside:
        """Take an erasure back. Raises `NotFound`, and `Refused` where something has taken its place since."""
        organization = principal.organization
        header = await self._store.get(keys.set_aside(organization, case_id))
        kept = await self._kept(organization, case_id)
        if header is None or not header.body["made"] or not kept:
            raise NotFound(f"{case_id[:40]!r} cannot be taken back. `interlayer memory forgotten` lists what can.")
        case = _case(header)
        waiting = await self._store.query("memory", outbox.queue(organization))
        if any(one.body.get(outbox.PURGE) for one in waiting.items):
            raise Refused(f"{case.what}: its erasure is not complete yet. Try again in a moment.")
        now = await self._store.get_many([one.key for one in kept])
        missing = [one for one in kept if (now[one.key].body if one.key in now else None) != one.body]
        taken = [one for one in missing if (now[one.key].version if one.key in now else ABSENT) != one.after]
        if taken:
            raise Refused(
                f"{case.what}: written to, or its name or an identifier given to another entity, since it was "
                "forgotten, so that it cannot come back as it was. Memorize what is needed."
            )
        head = keys.head(organization, case.entity_id)
        missing.sort(key=lambda one: (one.is_decisive, one.key == head))  # nothing leads to it before it is whole
        new_key = outbox.new_keys(organization, self._clock)
        operations = [_restoring(one) for one in missing]
        places = dict.fromkeys(place for one in kept if one.body and (place := keys.place_in_log(one.key)))
        operations += [outbox.addition(new_key(), entity, revision) for entity, revision in places]
        stale = [row for one in kept if one.key in now for row in _rows_only_of(now[one.key], one.body or {})]
        operations += [outbox.removal(new_key(), stale)] if stale else []
        closed = Put(header.key, _header(case, is_made=False), header.version)
        *former, last = [*_batches(operations)] or [[]]
        try:
            for batch in former:
                await self._trail.commit(principal, _restored(case, batch), batch)
            await self._trail.commit(principal, _restored(case, last), [*last, closed])
        except VersionConflict as conflict:
            raise Refused(f"{case.what}: somebody wrote to it at the same time. Run it again.") from conflict
        await self._discard(organization, case_id)
        await self._store.transact([Delete(header.key)])
        return case

    async def end(self, principal: Principal, until: datetime | None) -> int:
        """Erase for good what is due by an instant, now without one; return how many erasures that completes."""
        organization, limit = principal.organization, until or self._clock()
        ended = 0
        page = await self._store.query("memory", keys.set_aside(organization, "").partition)
        for item in page.items:
            case = _case(item)
            if not item.body["made"] and case.at <= timestamp(limit - _ABANDONED):
                await self._discard(organization, case.id)
                await self._store.transact([Delete(item.key)])
            elif item.body["made"] and case.due <= timestamp(limit):
                await self.complete(principal, case)
                ended += 1
        return ended

    async def complete(self, principal: Principal, case: SetAside) -> None:
        """Erase for good what one erasure has kept."""
        header = keys.set_aside(principal.organization, case.id)
        purge = outbox.purge(outbox.new_keys(principal.organization, self._clock)(), [])  # has the files cleared
        event = Event("memory.erasure_completed", case.what, {"entity": case.entity, "case": case.id})
        await self._discard(principal.organization, case.id)
        await self._trail.commit(principal, event, [Delete(header), purge])

    async def _kept(self, organization: str, case_id: str) -> list[_Kept]:
        """Return the items of a case: each as it was before the first portion, and the version after the last one."""
        page = await self._store.query("memory", keys.set_aside_item(organization, case_id, 0).partition)
        found: dict[Key, _Kept] = {}
        for item in page.items:
            body = item.body
            table, partition, sort = body["key"]
            key = Key(table, partition, sort)
            first = found.get(key)
            before = first.body if first else body["body"]
            found[key] = _Kept(key, before, body["after"], body["decisive"])
        return list(found.values())

    async def _discard(self, organization: str, case_id: str, kept: int = 0) -> None:
        """Delete the items of a case, all but the first `kept`."""
        first_place = keys.set_aside_item(organization, case_id, kept)
        items = (await self._store.query("memory", first_place.partition, Span(first_place.sort))).items
        for first in range(0, len(items), _DELETED):
            await self._store.transact([Delete(item.key) for item in items[first : first + _DELETED]])


def _is_kept(key: Key) -> bool:
    return outbox.owner_of(key) is None  # what waits for the index is made anew


def _header(case: SetAside, *, is_made: bool) -> dict[str, Any]:
    told = {"entity": case.entity, "what": case.what, "by": case.by, "at": case.at, "due": case.due}
    return {**told, "made": is_made}


def _case(item: Item) -> SetAside:
    told = {name: item.body[name] for name in ("entity", "what", "by", "at", "due")}
    return SetAside(id=item.key.sort, **told)


def _restoring(one: _Kept) -> Operation:
    """Build what puts an item back, or takes away what the erasure had put in its place."""
    if one.body is None:
        return Delete(one.key, one.after)
    expires_at = one.body.get("expires_at")  # what expires says so in its body too
    return Put(one.key, one.body, one.after, expires_at if isinstance(expires_at, int) else None)


def _restored(case: SetAside, batch: Sequence[Operation]) -> Event:
    """Return the event of a part of a restoration, with the ids of what is back by it."""
    entries = [one.body for one in batch if isinstance(one, Put) and keys.place_in_log(one.key)]
    ids = {
        "memories": [entry["id"] for entry in entries if "id" in entry],
        "facts": [fact["id"] for entry in entries for fact in entry.get("facts", ())],
    }
    return Event("memory.restored", case.what, {"entity": case.entity, "case": case.id, "ids": ids})


def _batches(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Yield the operations in portions that a transaction holds."""
    batch: list[Operation] = []
    size = 0
    for one in operations:
        needed = len(json.dumps(one.body, ensure_ascii=False).encode()) if isinstance(one, Put) else 0
        if batch and (len(batch) == _OPERATIONS or size + needed > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += needed
    if batch:
        yield batch


def _rows_only_of(item: Item, other: Mapping[str, Any]) -> list[str]:
    """Return the facts that an item of a log holds and the other one does not; none of what is no item of a log."""
    if keys.place_in_log(item.key) is None:
        return []
    kept = {fact["id"] for fact in other.get("facts", ())}
    return [fact["id"] for fact in item.body.get("facts", ()) if fact["id"] not in kept]
