"""An organization's audit trail in a file: receipts, sealers and auditors on one clock, and a forger beside them."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from interlayer.audit.reader import Audit, Checkpoint, Report, Sealed, Sealer
from interlayer.audit.trail import Event, Trail
from interlayer.principal import Principal
from interlayer.storage.items import Item
from interlayer.storage.sqlite.items import SqliteItems
from interlayer_policies.publication.receipts import Receipts

ME = Principal("acme", "outbound-1")
DETAIL = {"revision": 1, "facets": {"channel": "email"}, "rules": ["discounts#R1@3", "tone#R2@1"], "sections": []}


@dataclass
class AuditRoom:
    """One process on the store of a file; `other()` is a second one with a clock of its own."""

    path: Path
    days: int | None = 400
    now: datetime = datetime(2026, 6, 15, 12, 20, tzinfo=UTC)
    others: list["AuditRoom"] = field(default_factory=list["AuditRoom"])

    def __post_init__(self) -> None:
        self.store = SqliteItems(self.path, self.seconds)
        self.trail = Trail(self.store, self.clock)
        self.receipts = Receipts(self.store, self.clock, self.days)
        self.sealer = Sealer(self.store, self.trail, self.clock)
        self.audit = Audit(self.store, self.clock)

    def clock(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)

    def other(self, **behind: float) -> "AuditRoom":
        room = AuditRoom(self.path, self.days, self.now - timedelta(**behind))
        self.others.append(room)
        return room

    async def close(self) -> None:
        for room in (*self.others, self):
            await room.store.close()

    async def event(self, kind: str = "policy.published", **detail: Any) -> None:
        await self.trail.commit(ME, Event(kind, "policies", detail), [])

    async def deliver(self, count: int = 1, who: Principal = ME, **detail: Any) -> list[str]:
        """Write receipts a millisecond apart; return their ids."""
        made: list[str] = []
        for number in range(count):
            self.advance(milliseconds=1)
            made.append(await self.receipts.write(who, "context", f"task {number}", DETAIL | detail))
        return made

    async def seal(self, *, everything: bool = False) -> Sealed:
        return await self.sealer.seal(ME, everything=everything)

    async def verify(self, *checkpoints: Checkpoint) -> Report:
        return await self.audit.verify(ME, checkpoints)

    async def segments(self) -> list[Item]:
        return list((await self.store.query("audit", "acme#segments")).items)

    async def sealed(self) -> list[str]:
        """Return the ids in all segments."""
        return [receipt_id for item in await self.segments() for receipt_id, *_ in item.body["leaves"]]

    async def events(self) -> list[dict[str, Any]]:
        return [dict(event.body) for event in await self.audit.newest(ME, 10_000)]


class Forger:
    """Writes to a copy of the file behind everybody's back."""

    def __init__(self, original: Path, copy: Path) -> None:
        shutil.copy(original, copy)
        self.path = copy
        self._file = sqlite3.connect(copy)

    def places(self, partition: str) -> list[tuple[str, str]]:
        """Return (partition, sort) of all items of the partitions that begin so."""
        sql = "SELECT partition, sort FROM items WHERE tbl = 'audit' AND partition LIKE ? ORDER BY partition, sort"
        return list(self._file.execute(sql, (f"{partition}%",)))

    def read(self, place: tuple[str, str]) -> dict[str, Any]:
        sql = "SELECT body FROM items WHERE tbl = 'audit' AND partition = ? AND sort = ?"
        return json.loads(self._file.execute(sql, place).fetchone()[0])

    def change(self, place: tuple[str, str], change: Callable[[dict[str, Any]], Any]) -> None:
        body = self.read(place)
        change(body)
        self.write(place, body)

    def write(self, place: tuple[str, str], body: dict[str, Any]) -> None:
        sql = "INSERT OR REPLACE INTO items VALUES ('audit', ?, ?, 1, ?, NULL)"
        self._file.execute(sql, (*place, json.dumps(body).encode()))

    def swap(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        first, second = self.read(one), self.read(other)
        self.write(one, second)
        self.write(other, first)

    def delete(self, *places: tuple[str, str]) -> None:
        self._file.executemany("DELETE FROM items WHERE tbl = 'audit' AND partition = ? AND sort = ?", places)

    def hide(self, place: tuple[str, str]) -> None:
        """Let an item expire at once."""
        sql = "UPDATE items SET expires_at = 1 WHERE tbl = 'audit' AND partition = ? AND sort = ?"
        self._file.execute(sql, place)

    def done(self) -> Path:
        self._file.commit()
        self._file.close()
        return self.path
