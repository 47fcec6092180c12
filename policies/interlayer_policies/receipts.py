"""Receipts: that a context was delivered or a text checked, to whom and with what; never the task or the text.

A receipt holds an HMAC of the task under a key of the organization, so that whoever has the task can show that it
is the one, and nobody can read it from the receipt. Each is one conditional put in the `audit` table; `sealing`
brings it into the audit trail afterwards.
"""

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

import anyio

from interlayer.errors import Conflict, Corrupt, Unavailable
from interlayer.ids import Clock, new_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key, Put, VersionConflict
from interlayer_policies.answers import REFUSAL
from interlayer_policies.ledger import RECEIPT, hour_of, receipts_partition

T = TypeVar("T")
Kind = Literal["context", "check"]

DEADLINE_S: Final = 5.0

_WAITING_MAX: Final = 10_000
_KEY_BYTES: Final = 32
_ATTEMPTS: Final = 3
_DAY_S: Final = 86_400


class Receipts:
    """Writes receipts, to be kept for so many days (None: for ever).

    While the store is known to be away, they wait in memory, up to `_WAITING_MAX`.
    """

    def __init__(self, store: ItemStore, clock: Clock, days: int | None = None) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._keys: dict[str, bytes] = {}
        self._waiting: deque[Put] = deque()

    async def write(
        self, principal: Principal, kind: Kind, text: str, detail: Mapping[str, Any], *, store_away: bool = False
    ) -> str:
        """Record a delivery and return the receipt's id; nothing may be delivered when this raises.

        `store_away`: the set is served from memory because the store cannot be read, so a receipt that cannot be
        written now waits for the store instead of failing the call.
        """
        try:
            return await self._write(principal, kind, text, detail, store_away=store_away)
        except (Unavailable, Conflict, Corrupt) as error:
            raise type(error)(f"No receipt can be kept, so nothing is delivered: {error} {REFUSAL}") from error

    async def _write(
        self, principal: Principal, kind: Kind, text: str, detail: Mapping[str, Any], *, store_away: bool
    ) -> str:
        now = self._clock()
        try:
            key = await _in_time(self._key(principal.organization))
        except Unavailable:
            if not store_away:
                raise
            key = b""
        seal = hmac.new(key, text.encode(), hashlib.sha256).hexdigest() if key else None
        body = {
            "at": timestamp(now),
            "agent": principal.agent,
            "kind": kind,
            "task_hmac": seal,
            **_sealed_entity(detail, key),
        }
        if self._days is not None:
            body["expires_at"] = int(now.timestamp()) + self._days * _DAY_S  # in the body too: sealed with the rest
        return await self._put(principal.organization, body, now, store_away)

    async def _put(self, organization: str, body: Mapping[str, Any], now: datetime, store_away: bool) -> str:
        for _ in range(_ATTEMPTS):
            receipt_id = new_id(RECEIPT, now)
            place = Key("audit", receipts_partition(organization, hour_of(now)), receipt_id)
            put = Put(place, body, expires_at=body.get("expires_at"))
            try:
                await _in_time(self.settle())
                await _in_time(self._store.transact([put]))
            except VersionConflict:
                continue
            except Unavailable:
                if not store_away or len(self._waiting) >= _WAITING_MAX:
                    raise
                self._waiting.append(put)
            return receipt_id
        raise Conflict("no free receipt id was found; try again")

    async def settle(self) -> None:
        """Write the receipts that wait for the store. Raises `Unavailable` while it is still away."""
        while self._waiting:
            put = self._waiting[0]
            with suppress(VersionConflict):  # written by an attempt whose answer was lost
                await self._store.transact([put])
            if self._waiting and self._waiting[0] is put:
                self._waiting.popleft()

    async def _key(self, organization: str) -> bytes:
        """Return the organization's key, made at first use by whichever process comes first."""
        if organization not in self._keys:
            key = Key("governance", f"{organization}#policies", "receipt-key")
            item = await self._store.get(key)
            made = ""
            if item is None:
                made = secrets.token_hex(_KEY_BYTES)
                try:
                    await self._store.transact([Put(key, {"key": made})])
                except VersionConflict:
                    item = await self._store.get(key)
            self._keys[organization] = _key_of(item) if item else bytes.fromhex(made)
        return self._keys[organization]


async def _in_time(work: Awaitable[T]) -> T:
    """Return what the store answers. Raises `Unavailable` when it does not answer at all."""
    try:
        with anyio.fail_after(DEADLINE_S):
            return await work
    except TimeoutError:
        raise Unavailable(f"the store does not answer within {DEADLINE_S:.0f} s.") from None


def _key_of(item: Item) -> bytes:
    try:
        key = bytes.fromhex(item.body["key"])
    except (KeyError, TypeError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Corrupt("the key of the receipts is damaged; restore a backup.")
    return key


def _sealed_entity(detail: Mapping[str, Any], key: bytes) -> Mapping[str, Any]:
    """Replace the entity's name by its HMAC: it may be an address, and erasing an entity must reach everything."""
    facets = dict(detail.get("facets", {}))
    if "entity" in facets:
        seal = hmac.new(key, str(facets.pop("entity")).encode(), hashlib.sha256).hexdigest() if key else None
        facets["entity_hmac"] = seal
    return {**detail, "facets": facets}
