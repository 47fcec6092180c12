"""Receipts of reads: who was shown what of which entities, by ids and versions, and never in words.

A receipt is written before its answer leaves, so that the end of the process loses none; an embedded store does not
wait for the disk with it, so a loss of power may take back those since the last write of memory. Where a receipt cannot
be written in time, the answer says so, or is refused where that is demanded, and the receipt waits in memory.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import anyio

from interlayer.audit.receipts import ReceiptBook, sealed
from interlayer.errors import Conflict, Corrupt, InterlayerError, Unavailable
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged

ReadKind = Literal["recall", "search", "list", "resource", "explain", "path", "export", "subject"]
READS: Final[tuple[ReadKind, ...]] = ("recall", "search", "list", "resource", "explain", "path", "export", "subject")

DEADLINE_S: Final = 0.25
"""How long an answer waits for its receipt: others may hold the store for longer, and a read has never waited so."""

_REQUIRED_S: Final = 5.0

_WAITING_MAX: Final = 10_000
_IDS_MAX: Final = 1_000
"""Facts that a receipt names by id, of all its entities; of more the revision tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an answer showed of an entity, `type:id`: ids of facts, and of the memories that its values are from."""

    entity: str
    revision: int | None = None
    updated_at: str = ""
    facts: Sequence[str] = ()
    properties: Mapping[str, str] | Sequence[str] = ()
    relations: int = 0
    observations: int = 0
    sources: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A read that is over: what was asked, and what was shown. `asked` is whom it was about where nobody is known.

    `everything`: all of the organization was shown. `detail` holds what narrowed it, without values.
    """

    kind: ReadKind
    shown: Sequence[Shown] = ()
    query: str = ""
    asked: str = ""
    everything: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


class ReadReceipts:
    """Writes the receipts of reads. With `required` nothing is shown that is not on record."""

    def __init__(self, store: ItemStore, book: ReceiptBook, *, required: bool = False) -> None:
        self._store = store
        self._book = book
        self._required = required
        self._waiting: deque[Put] = deque()

    async def keep(self, principal: Principal, read: Read) -> str | None:
        """Put a read on record; return why it is not yet, None if it is. Raises `Unavailable` where it has to be."""
        put: Put | None = None
        patience_s = _REQUIRED_S if self._required else DEADLINE_S
        try:
            with anyio.fail_after(patience_s):
                key = await self._book.key(principal.organization)
                put = self._book.made(principal, read.kind, _body(read, key))
                await self.settle()
                await self._store.note(put)
        except TimeoutError:
            why = f"the store did not take it within {patience_s:g} s."
        except (Unavailable, Conflict, Corrupt) as error:
            why = str(error)
        else:
            return None
        if self._required:
            raise Unavailable(f"No receipt of this read can be kept, so nothing is shown: {why} Try again.")
        if put is None or len(self._waiting) >= _WAITING_MAX:
            return f"receipt: none of this read could be kept: {why}"
        self._waiting.append(put)
        return f"receipt: that of this read is written later: {why}"

    async def settle(self) -> None:
        """Write the receipts that wait for the store. Raises `Unavailable` while it is still away."""
        while self._waiting:
            put = self._waiting[0]
            await apply_if_unchanged(self._store, [put])  # else it was written after all when its answer had left
            if self._waiting and self._waiting[0] is put:
                self._waiting.popleft()

    async def close(self) -> None:
        """Write what waits, if the store takes it now."""
        try:
            with anyio.move_on_after(_REQUIRED_S):
                await self.settle()
        except InterlayerError:
            return


def _shown_body(shown: Shown, ids_max: int) -> dict[str, Any]:
    """Build what a receipt holds of an entity; what says nothing is left out."""
    values = shown.properties
    told: dict[str, Any] = {
        "revision": shown.revision or None,
        "updated_at": shown.updated_at,
        "facts": list(shown.facts[:ids_max]),
        "more_facts": max(0, len(shown.facts) - ids_max),
        "properties": dict(values) if isinstance(values, Mapping) else list(values),
        "relations": shown.relations,
        "observations": shown.observations,
        "sources": list(shown.sources[:ids_max]),
    }
    return {"entity": shown.entity, **{name: value for name, value in told.items() if value}}


def _body(read: Read, key: bytes) -> dict[str, Any]:
    left = _IDS_MAX
    entities: list[dict[str, Any]] = []
    for one in read.shown:
        entities.append(_shown_body(one, left))
        left = max(0, left - len(one.facts))
    body: dict[str, Any] = {"entities": entities, **read.detail}
    if read.query:
        body["query_hmac"] = sealed(key, read.query)
    if read.asked:
        body["asked_hmac"] = sealed(key, read.asked)
    if read.everything:
        body["everything"] = True
    return body
