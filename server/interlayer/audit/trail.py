"""The audit trail: an append-only, hash-chained list of events, one chain an organization.

An event joins the transaction of the change that it records, so that there is no change without its event and no
event without its change, and holds what became of each item that the trail answers for (`interlayer.audit.state`).
Events are put "if absent" under their number and never updated: the service's role needs no right to change or delete
one. What an event means is the domain's affair.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlayer.audit.receipts import ReceiptBook, canonical_json
from interlayer.audit.state import KEY, STATE, fingerprint, settings_keys, state_of, stock_of
from interlayer.errors import Corrupt
from interlayer.ids import Clock, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key, Operation, Put, VersionConflict
from interlayer.storage.optimistic import optimistically

GENESIS: Final = "0" * 64
"""The `previous` hash of an organization's first event."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a type such as `policy.published`, the thing it happened to, and details with no content."""

    type: str
    subject: str
    detail: Mapping[str, Any]


def event_hash(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an event in canonical JSON, its own `hash` left out."""
    return hashlib.sha256(canonical_json({name: body[name] for name in body if name != "hash"})).hexdigest()


def chain_partition(organization: str) -> str:
    """Return the partition of table `audit` that holds an organization's events by number."""
    return f"{organization}#chain"


def event_place(number: int) -> str:
    """Return the sort key of the event of that number."""
    return f"{number:012d}"


class Trail:
    """Appends events to the chains of organizations."""

    def __init__(self, store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._book = ReceiptBook(store, clock)

    async def commit(self, principal: Principal, event: Event, operations: Sequence[Operation]) -> None:
        """Apply the operations together with their event.

        Two events that want the same number are no conflict of the caller: the later one takes the next number.
        Raises `VersionConflict` when one of the caller's own expectations fails.
        """
        chain = chain_partition(principal.organization)
        state = await self._state(principal.organization, operations)

        async def attempt() -> None:
            await self._store.transact([*operations, await self._next(principal, event, state)])

        def is_of_the_chain(conflict: VersionConflict) -> bool:
            return all((key.table, key.partition) == ("audit", chain) for key in conflict.keys)

        busy = "the audit trail is written to by too many at once; try again"
        await optimistically(attempt, busy, retries=is_of_the_chain)

    async def tail(self, organization: str, limit: int) -> Sequence[Item]:
        """Return the newest events, newest first."""
        page = await self._store.query("audit", chain_partition(organization), reverse=True, limit=limit)
        return page.items

    async def _state(self, organization: str, operations: Sequence[Operation]) -> Mapping[str, str]:
        """Return what the operations make of the items that the trail answers for, under the key's fingerprint."""
        if not state_of(b"", operations):
            return {}
        try:
            key = await self._book.key(organization)
        except Corrupt:
            return {}  # `audit verify` names the key; what is to be done must not wait for it
        return {KEY: fingerprint(key), **state_of(key, operations)}

    async def _stock(self, organization: str) -> Mapping[str, str]:
        """Return the state of what was set before there was a trail."""
        items = await self._store.get_many(settings_keys(organization))
        key = await self._book.key(organization)
        return {KEY: fingerprint(key), **stock_of(key, list(items.values()))}

    async def _next(self, principal: Principal, event: Event, state: Mapping[str, str]) -> Put:
        newest = await self.tail(principal.organization, 1)
        number = newest[0].body["number"] + 1 if newest else 1
        body: dict[str, Any] = {
            "number": number,
            "previous": newest[0].body["hash"] if newest else GENESIS,
            "at": timestamp(self._clock()),
            "organization": principal.organization,
            "actor": principal.agent,
            **principal.record,
            "type": event.type,
            "subject": event.subject,
            "detail": dict(event.detail),
        }
        if not newest:
            state = {**await self._stock(principal.organization), **state}
        if state:
            body[STATE] = dict(state)
        body["hash"] = event_hash(body)
        return Put(Key("audit", chain_partition(principal.organization), event_place(number)), body)
