"""Reading the audit trail: its events, its head, who was told and shown what, and everything for a third party."""

import json
from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from interlayer.audit.answer import (
    EventRecord,
    ReceiptRecord,
    SegmentRecord,
    StoredEvent,
    StoredReceipt,
    TrailHeader,
    TrailRecord,
)
from interlayer.audit.chain import Checkpoint, Fault
from interlayer.audit.ledger import (
    body_of,
    first_hour,
    hours,
    segments_partition,
)
from interlayer.audit.queries import Knower, Proof, ReceiptFilter, SoughtEntity, matching_field, told_body
from interlayer.audit.reads import READS
from interlayer.audit.receipts import RECEIPT, hour_of, read_key, receipts_partition
from interlayer.audit.sealing import Sealed, Sealer
from interlayer.audit.segments import sealed_by
from interlayer.audit.trail import GENESIS, chain_partition, event_place
from interlayer.audit.verification import Progress, Report, Verifier
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.ids import Clock, first_id, instant_of, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key, Span
from interlayer.storage.streaming import stream

FORMAT: Final = "interlayer-audit"
VERSION: Final = 1
_ANY: Final = ReceiptFilter()
_LATE: Final = timedelta(seconds=30)  # within which a receipt lands that was made by then

__all__ = ["FORMAT", "VERSION", "Audit", "Checkpoint", "Fault", "Report", "Sealed", "Sealer", "read_checkpoints"]


class Audit:
    """What an auditor asks of an organization's trail. It writes nothing."""

    def __init__(self, store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def newest(self, principal: Principal, limit: int) -> list[StoredEvent]:
        """Return the newest events, oldest of them first."""
        _demand_auditor(principal)
        found = await self._store.query("audit", chain_partition(principal.organization), reverse=True, limit=limit)
        return [StoredEvent(body_of(item)) for item in reversed(found.items)]

    async def since(self, principal: Principal, number: int) -> list[StoredEvent]:
        """Return the events after a number, in order; not all of them if there are many."""
        _demand_auditor(principal)
        span = Span(event_place(number + 1))
        found = await self._store.query("audit", chain_partition(principal.organization), span, limit=500)
        return [StoredEvent(body_of(item)) for item in found.items]

    async def checkpoint(self, principal: Principal, earlier: Sequence[Checkpoint] = ()) -> Checkpoint:
        """Return the head of the chain as it is now. Raises `Refused` when the last earlier one does not lie on it."""
        head = await self.newest(principal, 1)
        for last in [one for one in earlier if one.organization == principal.organization][-1:]:
            place = Key("audit", chain_partition(principal.organization), event_place(last.number))
            item = await self._store.get(place)
            if last.number and (item is None or item.body.get("hash") != last.hash):
                raise Refused(
                    f"the chain of {principal.organization} does not go on from event {last.number} of the anchor. "
                    "Find out with `interlayer audit verify --anchor FILE`."
                )
        number, digest = (head[0].body["number"], head[0].body["hash"]) if head else (0, GENESIS)
        return Checkpoint(principal.organization, number, digest, timestamp(self._clock()))

    async def verify(
        self,
        principal: Principal,
        checkpoints: Sequence[Checkpoint] = (),
        progress: Progress = lambda _: None,
    ) -> Report:
        """Compute the trail again and return every fault; checkpoints of other organizations are left out."""
        _demand_auditor(principal)
        own = [one for one in checkpoints if one.organization == principal.organization]
        return await Verifier(self._store, self._clock).verify(principal.organization, own, progress)

    async def receipts(
        self, principal: Principal, sought: ReceiptFilter = _ANY, limit: int = 20
    ) -> list[StoredReceipt]:
        """Return the newest receipts of those sought, newest first.

        With a policy their rules and sections are those of the policy.
        """
        _demand_auditor(principal)
        is_sought = sought.test(await read_key(self._store, principal.organization))
        found: list[StoredReceipt] = []
        async for receipt in self._receipts(principal.organization, sought.since, sought.until):
            if is_sought(receipt.body):
                found.append(StoredReceipt(receipt.id, told_body(sought, receipt.body)))
            if len(found) == limit:
                break
        return found

    async def knowers(self, principal: Principal, entity: SoughtEntity, at: datetime | None) -> list[Knower]:
        """Return who had been shown something of an entity by then, or had memorized it; who was first comes first."""
        _demand_auditor(principal)
        kinds = {*READS, "memorize"}
        is_sought = ReceiptFilter(kinds=kinds, entity=SoughtEntity(refs=entity.refs), until=at).test(None)
        known: dict[tuple[str, str], Knower] = {}
        async for receipt in self._receipts(principal.organization, _first_made(entity.refs), at):
            if is_sought(receipt.body):
                agent, user = (str(receipt.body.get(name, "")) for name in ("agent", "user"))
                one = known.setdefault((agent, user), Knower(agent=agent, user=user))
                one.add(receipt.body, entity.refs)
        return sorted(known.values(), key=lambda one: one.first_at)

    async def prove(self, principal: Principal, receipt_id: str, text: str) -> Proof:
        """Tell whether a text is the task, query, draft or content of a receipt. Raises `NotFound`."""
        _demand_auditor(principal)
        receipt = await self._receipt(principal.organization, receipt_id)
        key = await read_key(self._store, principal.organization)
        if key is None:
            raise NotFound(f"the key of the receipts of {principal.organization} is not stored here.")
        texts = {name: str(receipt.body.get(name, "")) for name in ("kind", "at", "agent", "user")}
        segment = await self._segment_of(principal.organization, receipt_id)
        field = matching_field(receipt.body, key, text)
        return Proof(receipt=receipt_id, **texts, field=field, sealed_in=segment)

    async def follow(self, principal: Principal, since: datetime, seen: set[str]) -> list[StoredReceipt]:
        """Return the receipts of the last seconds that are not among those seen, and add them to these."""
        _demand_auditor(principal)
        now = self._clock()
        start = max(since, now - _LATE)
        span, found = Span(first_id(RECEIPT, start)), list[StoredReceipt]()
        for hour in hours(hour_of(start), hour_of(now)):
            async for item in stream(self._store, "audit", receipts_partition(principal.organization, hour), span):
                if item.key.sort not in seen:
                    found.append(_receipt(item))
        seen.update(one.id for one in found)
        seen.difference_update([one for one in seen if one < first_id(RECEIPT, start - _LATE)])
        return found

    async def after(self, principal: Principal, number: int) -> AsyncGenerator[StoredEvent | StoredReceipt]:
        """Yield the events after a number, and before each that seals receipts those: each receipt once, for ever.

        What is not sealed yet comes after a later number, and what has expired not at all.
        """
        _demand_auditor(principal)
        organization = principal.organization
        async for item in stream(self._store, "audit", chain_partition(organization), Span(event_place(number + 1))):
            name = sealed_by(body_of(item))
            segment = await self._store.get(Key("audit", segments_partition(organization), name)) if name else None
            for receipt in await self._listed(organization, segment) if segment else ():
                yield receipt
            yield StoredEvent(body_of(item))

    async def records(self, principal: Principal) -> AsyncGenerator[TrailRecord]:
        """Yield the trail for a third party: a header, each event, after the sealing ones the segment, the receipts.

        Whatever is sealed meanwhile is left out with its event, so that the records fit together.
        """
        _demand_auditor(principal)
        organization = principal.organization
        yield TrailHeader(
            format=FORMAT, version=VERSION, organization=organization, created_at=timestamp(self._clock())
        )
        async for item in stream(self._store, "audit", chain_partition(organization)):
            yield EventRecord(event=item.body)
            name = sealed_by(body_of(item))
            segment = await self._store.get(Key("audit", segments_partition(organization), name)) if name else None
            if segment:
                yield SegmentRecord(segment=segment.body)
        begin = await first_hour(self._store, organization, self._clock)
        for hour in hours(begin, hour_of(self._clock())) if begin else ():
            async for item in stream(self._store, "audit", receipts_partition(organization, hour)):
                yield ReceiptRecord(receipt=_receipt(item).body)

    async def _receipts(
        self, organization: str, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[StoredReceipt]:
        begin = await first_hour(self._store, organization, self._clock)
        newest = min(until or self._clock(), self._clock())
        span = Span(first_id(RECEIPT, since) if since else "", first_id(RECEIPT, newest + timedelta(milliseconds=1)))
        if begin and since:
            begin = max(begin, hour_of(since))
        for hour in reversed(list(hours(begin, hour_of(newest)))) if begin else ():
            partition = receipts_partition(organization, hour)
            async for item in stream(self._store, "audit", partition, span, reverse=True, page=100):
                yield _receipt(item)

    async def _receipt(self, organization: str, receipt_id: str) -> StoredReceipt:
        """Return a receipt by its id, which tells the hour. Raises `NotFound`."""
        try:
            place = Key("audit", receipts_partition(organization, hour_of(instant_of(receipt_id))), receipt_id)
            item = await self._store.get(place)
        except ValueError:
            item = None
        if item is None:
            raise NotFound(f"no receipt {receipt_id[:40]!r}; `interlayer audit receipts` lists them")
        return _receipt(item)

    async def _segment_of(self, organization: str, receipt_id: str) -> str:
        """Return the name of the segment that a receipt is sealed in, empty where it is not yet."""
        span = Span.prefix(f"{hour_of(instant_of(receipt_id))}-")
        async for item in stream(self._store, "audit", segments_partition(organization), span, page=10):
            if receipt_id in _listed_ids(item):
                return item.key.sort
        return ""

    async def _listed(self, organization: str, segment: Item) -> list[StoredReceipt]:
        """Return the receipts that a segment lists and that are there."""
        ids = set(_listed_ids(segment))
        if not ids:
            return []
        partition = receipts_partition(organization, segment.key.sort.partition("-")[0])
        found = stream(self._store, "audit", partition, Span(min(ids), f"{max(ids)}!"))
        return [_receipt(item) async for item in found if item.key.sort in ids]


def read_checkpoints(file: Path, demanded: str | None = None) -> list[Checkpoint]:
    """Return the checkpoints of an anchor file. Raises `InvalidInput` for a bad line, or none of whom is demanded."""
    found: list[Checkpoint] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            one = Checkpoint(record["organization"], record["number"], record["hash"], record["at"])
            sound = [type(value) for value in (one.organization, one.number, one.hash, one.at)] == [str, int, str, str]
        except (ValueError, TypeError, KeyError):
            sound, one = False, None
        if one is None or not sound:
            raise InvalidInput("anchor", f"{file}:{number} is no checkpoint.", "Restore the file.")
        found.append(one)
    if demanded and not any(one.organization == demanded for one in found):
        raise InvalidInput("anchor", f"{file} has no checkpoint of {demanded}.", "Name the right file.")
    return found


def _receipt(item: Item) -> StoredReceipt:
    return StoredReceipt(item.key.sort, {**body_of(item), "id": item.key.sort})


def _listed_ids(segment: Item) -> list[str]:
    """Return the receipts that a segment lists; of a forged one, those that can be read."""
    leaves = body_of(segment).get("leaves")
    return [str(leaf[0]) for leaf in leaves if isinstance(leaf, list) and leaf] if isinstance(leaves, list) else []


def _first_made(refs: Collection[str]) -> datetime | None:
    """Return when the first of some entities was made: none was shown before. None where that cannot be told."""
    try:
        return min(instant_of(ref) for ref in refs)
    except ValueError:
        return None


def _demand_auditor(principal: Principal) -> None:
    if not principal.roles & {"auditor", "operator"}:
        raise Refused("reading the audit trail needs the role auditor or operator; ask someone who has it")
