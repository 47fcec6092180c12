"""Reading the audit trail: its events, its head, who was told what, and everything for a third party."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

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
    stream,
)
from interlayer.audit.receipts import RECEIPT, hour_of, receipts_partition
from interlayer.audit.sealing import Sealed, Sealer
from interlayer.audit.segments import sealed_by
from interlayer.audit.trail import GENESIS, chain_partition, event_place
from interlayer.audit.verification import Progress, Report, Verifier
from interlayer.errors import InvalidInput, Refused
from interlayer.ids import Clock, first_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key, Span

FORMAT: Final = "interlayer-audit"
VERSION: Final = 1

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
        self,
        principal: Principal,
        *,
        agent: str | None = None,
        policy: str | None = None,
        kind: str | None = None,
        at: datetime | None = None,
        limit: int = 20,
    ) -> list[StoredReceipt]:
        """Return the newest receipts, newest first: of an agent, of a kind, of those that name a policy.

        With `at` only those made until then, and only deliveries unless a kind is named: what an agent had been told.
        With `policy` their rules and sections are those of the policy.
        """
        _demand_auditor(principal)
        kind = kind or ("context" if at else None)
        found: list[StoredReceipt] = []
        async for receipt in self._receipts(principal.organization, at):
            body = receipt.body
            if kind is not None and body.get("kind") != kind:
                continue
            if at is not None and str(body.get("at")) > timestamp(at):
                continue
            if agent is not None and body.get("agent") != agent:
                continue
            told = {name: _of_policy(body[name], policy) for name in ("rules", "sections") if name in body}
            if policy is not None and not any(told.values()):
                continue
            found.append(StoredReceipt(receipt.id, {**body, **told}))
            if len(found) == limit:
                break
        return found

    async def records(self, principal: Principal) -> AsyncGenerator[TrailRecord]:
        """Yield the trail for a third party: a header, each event, after the sealing ones the segment, the receipts.

        Whatever is sealed meanwhile is left out with its event, so that the records fit together.
        """
        _demand_auditor(principal)
        organization = principal.organization
        yield TrailHeader(
            format=FORMAT, version=VERSION, organization=organization, created_at=timestamp(self._clock())
        )
        async for item in stream(self._store, chain_partition(organization)):
            yield EventRecord(event=item.body)
            name = sealed_by(body_of(item))
            segment = await self._store.get(Key("audit", segments_partition(organization), name)) if name else None
            if segment:
                yield SegmentRecord(segment=segment.body)
        begin = await first_hour(self._store, organization, self._clock)
        for hour in hours(begin, hour_of(self._clock())) if begin else ():
            async for item in stream(self._store, receipts_partition(organization, hour)):
                yield ReceiptRecord(receipt=_receipt(item).body)

    async def _receipts(self, organization: str, at: datetime | None) -> AsyncGenerator[StoredReceipt]:
        begin = await first_hour(self._store, organization, self._clock)
        newest = min(at or self._clock(), self._clock())
        span = Span(end=first_id(RECEIPT, newest + timedelta(milliseconds=1)))
        for hour in reversed(list(hours(begin, hour_of(newest)))) if begin else ():
            partition = receipts_partition(organization, hour)
            async for item in stream(self._store, partition, span, reverse=True, page=100):
                yield _receipt(item)


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


def _of_policy(refs: Any, policy: str | None) -> list[str]:
    """Return those of `policy#rule@version` that are of the policy."""
    found = [str(ref) for ref in refs] if isinstance(refs, list) else []
    return [ref for ref in found if policy is None or ref.partition("#")[0] == policy]


def _demand_auditor(principal: Principal) -> None:
    if not principal.roles & {"auditor", "operator"}:
        raise Refused("reading the audit trail needs the role auditor or operator; ask someone who has it")
