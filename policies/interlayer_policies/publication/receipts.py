"""Receipts of governance: that a context was delivered or a text checked, to whom and with what; no task, no text.

While the store is known to be away they wait in memory; `interlayer.audit.receipts` tells where they lie.
"""

from collections import deque
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Literal, TypeVar

import anyio

from interlayer.audit.receipts import ReceiptBook, sealed
from interlayer.errors import Conflict, Corrupt, Unavailable
from interlayer.ids import Clock
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged, optimistically
from interlayer_policies.delivery.answers import REFUSAL

T = TypeVar("T")
Kind = Literal["context", "check"]

DEADLINE_S: Final = 5.0

_ATTEMPTS: Final = 3  # a caller waits for them
_WAITING_MAX: Final = 10_000


class Receipts:
    """Writes receipts, to be kept for so many days (None: for ever).

    While the store is known to be away, they wait in memory, up to `_WAITING_MAX`.
    """

    def __init__(self, store: ItemStore, clock: Clock, days: int | None = None) -> None:
        self._store = store
        self._book = ReceiptBook(store, clock, days)
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
        try:
            key = await _in_time(self._book.key(principal.organization))
        except Unavailable:
            if not store_away:
                raise
            key = b""
        body = {"task_hmac": sealed(key, text) if key else None, **_seal_entity(detail, key)}

        async def attempt() -> str:
            put = self._book.made(principal, kind, body)
            try:
                await _in_time(self.settle())
                await _in_time(self._store.transact([put]))
            except Unavailable:
                if not store_away or len(self._waiting) >= _WAITING_MAX:
                    raise
                self._waiting.append(put)
            return put.key.sort

        return await optimistically(attempt, "no free receipt id was found; try again", attempts=_ATTEMPTS)

    async def settle(self) -> None:
        """Write the receipts that wait for the store. Raises `Unavailable` while it is still away."""
        while self._waiting:
            put = self._waiting[0]
            await apply_if_unchanged(self._store, [put])  # else it was written by an attempt whose answer was lost
            if self._waiting and self._waiting[0] is put:
                self._waiting.popleft()


async def _in_time(work: Awaitable[T]) -> T:
    """Wait for the store. Raises `Unavailable` when it does not answer at all."""
    try:
        with anyio.fail_after(DEADLINE_S):
            return await work
    except TimeoutError:
        raise Unavailable(f"the store does not answer within {DEADLINE_S:.0f} s.") from None


def _seal_entity(detail: Mapping[str, Any], key: bytes) -> Mapping[str, Any]:
    """Replace the entity's name by its HMAC: it may be an address, and erasing an entity must reach everything."""
    facets = dict(detail.get("facets", {}))
    if "entity" in facets:
        named = str(facets.pop("entity"))
        facets["entity_hmac"] = sealed(key, named) if key else None
    return {**detail, "facets": facets}
