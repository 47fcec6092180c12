"""Sealing: receipts that were written one by one are brought into the audit trail, a segment at a time.

A segment lists up to 1,000 receipts of one hour with their leaf hashes. It is written together with an event that holds
the root of their Merkle tree, under the next number of its hour "if absent": of two sealers one wins, and the other
looks again at what is left. So a receipt is sealed exactly once.

While an hour is open, a pass goes on from the last receipt that was sealed. A receipt can land behind that place (a
slow put, another clock), so each hour is compared as a whole some minutes, an hour and a day after it is past.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
import anyio.lowlevel

from interlayer.audit.ledger import (
    body_of,
    first_hour,
    hours,
    segments_partition,
)
from interlayer.audit.merkle import merkle_root, receipt_leaf
from interlayer.audit.receipts import RECEIPT, end_of, hour_of, receipts_partition
from interlayer.audit.segments import SEALED, segment_digest, segment_name
from interlayer.audit.trail import Event, Trail
from interlayer.errors import Corrupt, InterlayerError
from interlayer.ids import Clock, first_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import EVERYTHING, Item, ItemStore, Key, Put, Span
from interlayer.storage.optimistic import apply_if_unchanged, optimistically
from interlayer.storage.streaming import stream

SEGMENT_RECEIPTS_MAX: Final = 1_000
EVERY_S: Final = 60.0
_SEGMENTS_MAX: Final = 100_000
"""Of an hour: each conflict is a segment that another sealer wrote, so that attempts end with the hour."""
GRACE: Final = timedelta(seconds=10)
COMPARED_AFTER: Final = (timedelta(minutes=5), timedelta(minutes=65), timedelta(hours=26))
"""How long after its end an hour is compared as a whole; the later ones find what landed very late."""

_SEALER: Final = "interlayer"

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]


@dataclass(slots=True)
class Sealed:
    """What a pass has sealed."""

    segments: int = 0
    receipts: int = 0


@dataclass(slots=True)
class _Hour:
    """What is sealed of an hour: how many segments, how far, and, if the whole hour is compared, which receipts."""

    name: str
    whole: bool
    segments: int = 0
    through: str = ""
    ids: set[str] = field(default_factory=set[str])


class Sealer:
    """Seals the receipts of organizations. Any number of them may run at once."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock

    async def run(self, principal: Principal, settle: Callable[[], Any]) -> None:
        """Seal every minute until cancelled, after `settle` has written what waited for the store."""
        background = replace(principal, agent=_SEALER, user="", actors=())
        while True:
            try:
                await settle()
                await self.seal(background)
            except InterlayerError as error:
                logger.warning("receipts are not sealed: %s Trying again in %.0f s.", error, EVERY_S)
            await anyio.sleep(EVERY_S)

    async def seal(
        self, principal: Principal, *, everything: bool = False, progress: Progress = lambda _: None
    ) -> Sealed:
        """Seal what is older than a few seconds and not sealed yet; with `everything` compare every hour there is."""
        organization, now = principal.organization, self._clock()
        begin = await first_hour(self._store, organization, self._clock)
        sealed = Sealed()
        if begin is None:
            return sealed
        newest = hour_of(now - GRACE)
        key = Key("governance", f"{organization}#sealing", "compared")
        item = await self._store.get(key)
        marks = _marks(item)
        compared = {_mark(after): _last_due(now, after) for after in COMPARED_AFTER}
        due = {
            hour
            for after, last in compared.items()
            for hour in hours(hour_of(end_of(marks[after])) if after in marks else begin, last)
        }
        open_hours = hours(max(begin, hour_of(end_of(compared[_mark(COMPARED_AFTER[0])]))), newest)
        todo = sorted(due | set(hours(begin, newest) if everything else open_hours))
        for hour in todo:
            await anyio.lowlevel.checkpoint()  # calls go first
            await self._seal_hour(principal, hour, everything or hour in due, now, sealed, progress)
        if compared != marks:
            # Where that fails, another sealer has compared the same hours.
            await apply_if_unchanged(self._store, [Put(key, {"until": compared}, item.version if item else 0)])
        return sealed

    async def _seal_hour(
        self, principal: Principal, name: str, whole: bool, now: datetime, sealed: Sealed, progress: Progress
    ) -> None:
        organization = principal.organization
        end = first_id(RECEIPT, now - GRACE)

        async def attempt() -> None:  # where another sealer is faster, what it left is looked at again
            hour = await self._read_sealed(organization, name, whole=whole)
            batch: list[Item] = []
            span = EVERYTHING if whole else Span(hour.through, end)
            async for item in stream(
                self._store, "audit", receipts_partition(organization, name), replace(span, end=end)
            ):
                if item.key.sort not in hour.ids and (whole or item.key.sort > hour.through):
                    batch.append(item)
                if len(batch) == SEGMENT_RECEIPTS_MAX:
                    await self._write(principal, hour, batch, sealed)
                    progress(sealed.receipts)
                    batch = []
            if batch:
                await self._write(principal, hour, batch, sealed)

        busy = f"receipts of the hour {name}: other sealers were always first. Try again."
        await optimistically(attempt, busy, attempts=_SEGMENTS_MAX)

    async def _read_sealed(self, organization: str, name: str, *, whole: bool) -> _Hour:
        hour = _Hour(name, whole)
        span, partition = Span.prefix(f"{name}-"), segments_partition(organization)
        try:
            if not whole:
                newest = await self._store.query("audit", partition, span, reverse=True, limit=1)
                for item in newest.items:
                    hour.segments, hour.through = item.body["sequence"], item.body["through"]
                return hour
            async for item in stream(self._store, "audit", partition, span, page=10):
                hour.segments, hour.through = item.body["sequence"], item.body["through"]
                hour.ids.update(receipt_id for receipt_id, *_ in item.body["leaves"])
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"a segment of hour {name} cannot be read. `interlayer audit verify` names it.") from error
        return hour

    async def _write(self, principal: Principal, hour: _Hour, batch: Sequence[Item], sealed: Sealed) -> None:
        await anyio.lowlevel.checkpoint()  # hashing a thousand takes some milliseconds; calls go first
        leaves = [
            [item.key.sort, receipt_leaf(item.key.sort, body_of(item)), _expires_at(body_of(item))] for item in batch
        ]
        sequence, last = hour.segments + 1, batch[-1].key.sort
        name = segment_name(hour.name, sequence)
        root = merkle_root([str(leaf) for _, leaf, _ in leaves])
        body: dict[str, Any] = {
            "segment": name,
            "sequence": sequence,
            "at": timestamp(self._clock()),
            "count": len(leaves),
            "root": root,
            "first": batch[0].key.sort,
            "last": last,
            "through": max(last, hour.through),
            "leaves": leaves,
        }
        detail = {"segment": name, "count": len(leaves), "root": root, "sha256": segment_digest(body)}
        put = Put(Key("audit", segments_partition(principal.organization), name), body)
        await self._trail.commit(principal, Event(SEALED, name, detail), [put])
        hour.segments, hour.through = sequence, body["through"]
        sealed.segments += 1
        sealed.receipts += len(leaves)


def _expires_at(receipt: Mapping[str, Any]) -> int | None:
    given = receipt.get("expires_at")
    return given if isinstance(given, int) else None


def _marks(item: Item | None) -> Mapping[str, str]:
    """Return up to which hour all were compared, by how long after. Lost marks cost time and nothing else."""
    try:
        found: Mapping[str, str] = (
            {after: hour_of(_start(hour)) for after, hour in item.body["until"].items()} if item else {}
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
    return found


def _start(hour: str) -> datetime:
    return end_of(hour) - timedelta(hours=1)


def _mark(after: timedelta) -> str:
    return f"{after // timedelta(minutes=1)}"


def _last_due(now: datetime, after: timedelta) -> str:
    """Return the last hour that ended at least so long ago."""
    return hour_of(now - after - timedelta(hours=1))
