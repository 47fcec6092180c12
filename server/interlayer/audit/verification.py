"""Verifying: everything that the audit trail promises, computed again from what is stored.

Events are read once, in order, each segment beside the event that sealed it; then, hour by hour, the receipts beside
the segments; then what is in force, beside what all of them say of it (`interlayer.audit.in_force`). Of the
trail itself are in memory one page of items, the receipts' hashes of one hour, and eight bytes a segment.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from interlayer.audit.chain import ChainCheck, Checkpoint, Fault, Problem
from interlayer.audit.in_force.check import StateCheck
from interlayer.audit.ledger import (
    body_of,
    first_hour,
    hours,
    segments_partition,
)
from interlayer.audit.merkle import merkle_root, receipt_leaf
from interlayer.audit.receipts import end_of, hour_of, read_key, receipts_partition
from interlayer.audit.sealing import COMPARED_AFTER
from interlayer.audit.segments import sealed_by, segment_code, segment_digest, segment_hour, segment_of
from interlayer.audit.trail import chain_partition
from interlayer.errors import Corrupt, NotFound
from interlayer.ids import Clock, timestamp
from interlayer.storage.items import LAST, ItemStore, Key, Span
from interlayer.storage.streaming import stream

_SEGMENTS_PAGE: Final = 10
_PROGRESS: Final = 5_000
_REACH: Final = timedelta(days=40 * 366)

Progress = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class Report:
    """What was looked at, and what is wrong."""

    ok: bool = True
    organization: str
    events: int = 0
    head: str = ""
    segments: int = 0
    receipts: int = 0
    expired: int = 0
    unsealed: int = 0
    unchecked: int = 0
    checkpoints: int = 0
    compared: int = 0
    uncovered: int = 0
    unscanned: str = ""
    """Why memory was not looked through for what was slipped in; empty where it was."""
    faults: list[Fault] = field(default_factory=list[Fault])

    def summary(self) -> str:
        """Return the report in three lines."""
        unchecked = f", {self.unchecked:,} in broken segments" if self.unchecked else ""
        anchored = f"{self.checkpoints:,} checkpoints compared" if self.checkpoints else "no anchor (docs/auditing.md)"
        uncovered = f", {self.uncovered:,} older than that and not covered" if self.uncovered else ""
        unscanned = f"; what was slipped into memory was not looked for: {self.unscanned}" if self.unscanned else ""
        return (
            f"{self.events:,} events, {self.segments:,} segments, {self.receipts:,} sealed receipts as written, "
            f"{self.expired:,} expired, {self.unsealed:,} not sealed yet{unchecked}; {anchored}\n"
            f"{self.compared:,} items in force are as they were put on record{uncovered}{unscanned}\n"
            f"{f'{len(self.faults):,} faults' if self.faults else 'no fault'}; head {self.head}"
        )


@dataclass(slots=True)
class _Sealings:
    """What the chain says of segments."""

    codes: "array[int]" = field(default_factory=lambda: array("q"))
    broken: set[str] = field(default_factory=set[str])
    """Segments that are not what was sealed."""
    broken_hours: set[str] = field(default_factory=set[str])
    newest_hour: str = ""
    newest_at: str = ""


class Verifier:
    """Verifies the audit trail of an organization."""

    def __init__(self, store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def verify(
        self, organization: str, checkpoints: Sequence[Checkpoint] = (), progress: Progress = lambda _: None
    ) -> Report:
        """Report what there is and every fault. Raises `NotFound` when the organization has no trail at all."""
        return await _Run(self._store, self._clock, organization, progress).verify(checkpoints)


class _Run:
    def __init__(self, store: ItemStore, clock: Clock, organization: str, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._organization = organization
        self._progress = progress
        self._report = Report(organization=organization)
        self._sealings = _Sealings()
        self._state = StateCheck(store, organization, clock())
        self._seen = 0
        self._place = 0

    async def verify(self, checkpoints: Sequence[Checkpoint]) -> Report:
        report, organization = self._report, self._organization
        begin = await first_hour(self._store, organization, self._clock)
        if begin is None and not checkpoints:
            raise NotFound(f"no events of {organization} are stored here. Check INTERLAYER_HOME and INTERLAYER_ORG.")
        number = await self._events(checkpoints)
        try:
            self._state.begin(await read_key(self._store, organization))
        except Corrupt as damage:
            self._state.begin(None, damage)
        self._sort()
        first, last = self._range(begin)
        await self._strangers(Span(end=first))
        for hour in hours(first, last):
            await self._hour(hour)
        await self._strangers(Span(hour_of(end_of(last)), LAST))
        report.faults += await self._state.end(number, self._clock(), self._count)
        report.compared, report.uncovered = self._state.compared, self._state.uncovered
        report.unscanned = self._state.unscanned
        report.faults.sort(key=lambda fault: fault.what != "checkpoint")
        report.ok = not report.faults
        return report

    async def _events(self, checkpoints: Sequence[Checkpoint]) -> int:
        """Look at every event; return the number of the last."""
        anchored: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            anchored.setdefault(checkpoint.number, []).append(checkpoint)
        chain = ChainCheck(self._report.faults, anchored)
        async for item in stream(self._store, "audit", chain_partition(self._organization)):
            sound = chain.look(item.key.sort, body_of(item))
            await self._sealing(body_of(item), sound=sound)
            if sound:
                self._state.event(body_of(item))
            self._count()
        chain.end()
        self._report.events, self._report.head, self._report.checkpoints = chain.events, chain.hash, chain.compared
        return chain.number

    async def _sealing(self, event: Mapping[str, Any], *, sound: bool) -> None:
        """Look at the segment that an event has sealed, if it did."""
        name, sealings = sealed_by(event), self._sealings
        code = segment_code(name) if name else None
        if name is None or code is None:
            return
        detail: Mapping[str, Any] = event["detail"]
        sealings.codes.append(code)
        hour = segment_hour(code)
        if hour >= sealings.newest_hour:
            later = hour > sealings.newest_hour
            sealings.newest_at = str(event.get("at")) if later else max(sealings.newest_at, str(event.get("at")))
            sealings.newest_hour = hour
        item = await self._store.get(Key("audit", segments_partition(self._organization), name))
        if item is None:
            self._mark_broken(name, code, detail, "missing", f"event {event.get('number')} has sealed it")
        elif not sound:
            self._mark_broken(name, code, detail)
        elif segment_digest(body_of(item)) != detail.get("sha256"):
            self._mark_broken(name, code, detail, "changed", f"it is not what event {event.get('number')} has sealed")
        elif not _consistent(item.body, detail):
            self._mark_broken(name, code, detail, "forged", "its count, order or root is not that of its leaves")

    def _mark_broken(
        self, name: str, code: int, detail: Mapping[str, Any], problem: Problem | None = None, told: str = ""
    ) -> None:
        """Take a segment for what it cannot be believed to say; without a problem its event is named already."""
        self._sealings.broken.add(name)
        self._sealings.broken_hours.add(segment_hour(code))
        self._report.unchecked += detail["count"] if isinstance(detail.get("count"), int) else 0
        if problem:
            self._report.faults.append(Fault("segment", name, problem, told))

    def _sort(self) -> None:
        codes = self._sealings.codes = array("q", sorted(self._sealings.codes))
        for place in range(1, len(codes)):
            if codes[place] == codes[place - 1]:
                name = segment_of(codes[place])
                self._report.faults.append(Fault("segment", name, "doubled", "two events have sealed it"))

    def _range(self, begin: str | None) -> tuple[str, str]:
        """Return the first and the last hour to look at, within reason whatever a forger has written."""
        now, codes = self._clock(), self._sealings.codes
        first = min(begin or hour_of(now), segment_hour(codes[0]) if codes else hour_of(now))
        last = max(hour_of(now), segment_hour(codes[-1]) if codes else "")
        return max(first, hour_of(now - _REACH)), min(last, hour_of(now + timedelta(days=1)))

    async def _strangers(self, span: Span) -> None:
        """Name the segments of hours in which there was nothing to seal."""
        async for item in stream(
            self._store, "audit", segments_partition(self._organization), span, page=_SEGMENTS_PAGE
        ):
            self._report.faults.append(_unknown(item.key.sort))

    async def _hour(self, hour: str) -> None:
        """Look at the receipts of an hour beside its segments."""
        leaves = await self._leaves(hour)
        report = self._report
        async for item in stream(self._store, "audit", receipts_partition(self._organization, hour)):
            receipt_id = item.key.sort
            leaf = leaves.pop(receipt_id, None)
            sound = leaf is None or receipt_leaf(receipt_id, body_of(item)) == leaf[0]
            await self._state.receipt(receipt_id, body_of(item), sound=sound)
            if leaf is None:
                self._judge_unsealed(receipt_id, hour)
            elif not sound:
                report.faults.append(
                    Fault("receipt", receipt_id, "changed", f"it is not the one that was sealed in {leaf[2]}")
                )
            else:
                report.receipts += 1
            self._count()
        now = self._clock().timestamp()
        for receipt_id, (_, expires_at, name) in leaves.items():
            if expires_at is not None and expires_at <= now:
                report.expired += 1
                self._state.expire(receipt_id)
            else:
                until = f", to be kept until {_day(expires_at)}" if expires_at is not None else ""
                report.faults.append(Fault("receipt", receipt_id, "missing", f"it was sealed in {name}{until}"))

    async def _leaves(self, hour: str) -> dict[str, tuple[str, int | None, str]]:
        """Read what is sealed of an hour: id -> leaf hash, end of its keeping, segment."""
        leaves: dict[str, tuple[str, int | None, str]] = {}
        codes = self._sealings.codes
        partition = segments_partition(self._organization)
        async for item in stream(self._store, "audit", partition, Span.prefix(f"{hour}-"), page=_SEGMENTS_PAGE):
            name, code = item.key.sort, segment_code(item.key.sort)
            while self._place < len(codes) and code is not None and codes[self._place] < code:
                self._place += 1
            if code is None or self._place == len(codes) or codes[self._place] != code:
                self._report.faults.append(_unknown(name))
                continue
            if name in self._sealings.broken:
                continue
            self._report.segments += 1
            for receipt_id, leaf, expires_at in item.body["leaves"]:
                if receipt_id in leaves:
                    told = f"in {leaves[receipt_id][2]} and in {name}"
                    self._report.faults.append(Fault("receipt", receipt_id, "doubled", f"it was sealed twice, {told}"))
                leaves[receipt_id] = (leaf, expires_at, name)
        return leaves

    def _judge_unsealed(self, receipt_id: str, hour: str) -> None:
        """Tell a receipt whose turn has not come from one that the sealer has passed by."""
        sealings = self._sealings
        if hour in sealings.broken_hours:
            return  # it may stand in the segment that is broken, and that one is named
        self._report.unsealed += 1
        if sealings.newest_hour > hour and sealings.newest_at >= timestamp(end_of(hour) + COMPARED_AFTER[0]):
            told = f"its hour was compared before {sealings.newest_at}: it came late, or was put in afterwards"
            self._report.faults.append(Fault("receipt", receipt_id, "unsealed", told))

    def _count(self) -> None:
        self._seen += 1
        if self._seen % _PROGRESS == 0:
            self._progress(self._seen)


def _consistent(body: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    """Whether a segment says of its leaves what is so, and the event says the same."""
    try:
        ids = [receipt_id for receipt_id, *_ in body["leaves"]]
        if not all(until is None or isinstance(until, int) for *_, until in body["leaves"]):
            return False
        root = merkle_root([leaf for _, leaf, _ in body["leaves"]])
        said = (body["root"], body["count"], body["first"], body["last"])
        told = (detail.get("root"), detail.get("count"), ids[0], ids[-1])
        return said == told == (root, len(ids), min(ids), max(ids))
    except (IndexError, KeyError, TypeError, ValueError):
        return False


def _unknown(name: str) -> Fault:
    return Fault("segment", name, "forged", "no event has sealed it")


def _day(expires_at: int) -> str:
    return f"{datetime.fromtimestamp(expires_at, UTC):%Y-%m-%d}"
