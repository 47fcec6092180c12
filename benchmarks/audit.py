"""Measure what the audit trail costs and how fast it is verified.

`python benchmarks audit [--json] [--quick]`: a trail of 100,000 events and as many receipts is verified, and a memory
of 20,000 entities beside its trail; a delivery and a recall are measured with their receipts and without; and one
process that delivers beside sixteen that do so at once, each as fast as it can (closed loop) and each at a fixed pace
that the machine can carry (open loop, from the intended start).
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import random
from typing import Any, Final

import anyio

from interlayer.answers import as_json
from interlayer.app.composition import Parts, build, opened
from interlayer.app.settings import Settings, load
from interlayer.audit.receipts import RECEIPT, hour_of, receipts_partition
from interlayer.audit.trail import chain_partition, event_hash, event_place
from interlayer.ids import new_id, timestamp
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.principal import Principal
from interlayer.storage.items import Key, Put
from interlayer_policies.governance import Facets
from measuring import ROOT, SOURCES, machine, percentile, show

ITSELF: Final = (sys.executable, str(ROOT / "benchmarks"), "audit")
TASK: Final = "Write an email to the customer with a discount on the yearly plan, number {}"
PROCESSES: Final = 16
BARS: Final = {"verify_s": 10, "receipt_ms": 2, "read_receipt_ms": 1, "p99_of_16_to_1": 3}
LOAD: Final = 0.5  # of what the sixteen can do together, for the open loop
ROUNDS: Final = 3
BATCH: Final = 100


def at(home: Path) -> Settings:
    """Return the settings of a benchmark home."""
    return load({"HOME": str(home), "ORG": "bench"}, {"INTERLAYER_CONFIG": os.devnull})


async def fill(parts: Parts, count: int) -> None:
    """Write so many events and receipts of the last day."""
    who, now = parts.settings.principal, datetime.now(UTC) - timedelta(hours=22)
    head = await parts.audit.checkpoint(who)
    (sample,) = await parts.audit.receipts(who, limit=1)
    number, previous = head.number, head.hash
    for first in range(0, count, BATCH):
        events: list[Put] = []
        receipts: list[Put] = []
        for _ in range(BATCH):
            number += 1
            now += timedelta(seconds=20 * 3_600 / count)
            body: dict[str, Any] = {
                "number": number,
                "previous": previous,
                "at": timestamp(now),
                "organization": who.organization,
                "actor": "bench",
                "type": "memory.erased",
                "subject": "company:acme.example",
                "detail": {"facts": 12, "properties": 3, "sources": 2, "requested_by": "privacy@acme.example"},
            }
            previous = body["hash"] = event_hash(body)
            events.append(Put(Key("audit", chain_partition(who.organization), event_place(number)), body))
            receipt = {name: value for name, value in sample.body.items() if name != "id"} | {"at": timestamp(now)}
            place = Key("audit", receipts_partition(who.organization, hour_of(now)), new_id(RECEIPT, now))
            receipts.append(Put(place, receipt, expires_at=sample.body["expires_at"]))
        await parts.store.transact(events)
        await parts.store.transact(receipts)
        if first % 5_000 == 0:
            sys.stderr.write(f"\r{first:,} events and receipts written   ")


async def verifying(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Measure sealing and verifying."""
    async with opened(settings) as parts:
        await parts.domains.governance.context(settings.principal, TASK.format(0), Facets(channel="email"))
        await fill(parts, count)
        start = time.perf_counter()
        sealed = await parts.sealer.seal(settings.principal, everything=True)
        sealing = time.perf_counter() - start
    command = [*ITSELF, "--verify", str(settings.home)]
    done = await anyio.run_process(command, env={**os.environ, "PYTHONPATH": SOURCES}, stderr=None)
    found = json.loads(done.stdout)
    if found["faults"]:
        raise SystemExit(f"the trail does not verify: {found['faults'][0]}")
    what = f"{found['events']:,} events, {found['receipts']:,} receipts in {found['segments']} segments"
    return [
        {"what": f"verify, s: {what}", "p50": found["s"], "calls": 1},
        {"what": "verify: peak memory of the process, MiB", "p50": found["mib"], "calls": 1},
        {"what": "peak memory of a process that verifies nothing, MiB", "p50": found["idle_mib"], "calls": 1},
        {"what": f"seal by hand, s: {sealed.receipts:,} receipts", "p50": round(sealing, 2), "calls": 1},
    ]


async def verify(home: Path) -> None:
    """Be a process that verifies, and print what it took."""
    parts = build(at(home))
    idle = peak_mib()
    start = time.perf_counter()
    report = await parts.audit.verify(parts.settings.principal)
    taken = round(time.perf_counter() - start, 2)
    await parts.close()
    sys.stdout.write(json.dumps(as_json(report) | {"s": taken, "mib": peak_mib(), "idle_mib": idle}))


def peak_mib() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def deliver(parts: Parts, agent: str, calls: int, every_s: float = 0.0) -> list[float]:
    """Return milliseconds of each delivery, every task a new one.

    With a pace the time of a delivery counts from when it was to start: who is late because of the one before waits.
    """
    who = Principal(parts.settings.principal.organization, agent)
    taken: list[float] = []
    begun = time.perf_counter() + every_s * random()  # noqa: S311 - so that the processes do not beat in time
    for number in range(calls):
        start = begun + number * every_s if every_s else time.perf_counter()
        await anyio.sleep(max(0.0, start - time.perf_counter()))
        await parts.domains.governance.context(who, TASK.format(f"{agent} {number}"), Facets(channel="email"))
        taken.append((time.perf_counter() - start) * 1_000)
    return taken


class NoReceipts:
    """In place of the receipts: gives a number and writes nothing."""

    async def write(self, *_: Any, **__: Any) -> str:
        """Return an id."""
        return "rc_none"


def without_receipts(parts: Parts) -> None:
    """Let the deliveries of a process leave no receipt: there is no such setting, on purpose."""
    vars(parts.domains.governance)["_receipts"] = NoReceipts()


async def receipt_cost(settings: Settings, calls: int) -> list[dict[str, Any]]:
    """Measure a delivery with its receipt and without, by turns."""
    plain, with_receipt = list[float](), list[float]()
    async with opened(settings) as parts:
        bare = build(settings)
        without_receipts(bare)
        for turn in range(12):
            for one, taken in ((parts, with_receipt), (bare, plain)):
                found = await deliver(one, f"turn {turn}", calls // 10)
                taken.extend(found if turn > 1 else [])  # the first two warm up
        await bare.close()
    rows = [row("get_governance_context with its receipt, ms", with_receipt), row("the same without, ms", plain)]
    added = rows[0]["p50"] - rows[1]["p50"]
    return [*rows, {"what": "a receipt adds, ms", "p50": round(added, 2), "calls": len(plain)}]


async def read_cost(settings: Settings, calls: int) -> list[dict[str, Any]]:
    """Measure a recall with its receipt and without, by turns: one asks at the door, the other one behind it."""
    plain, with_receipt = list[float](), list[float]()
    async with opened(settings) as parts:
        who, entity = parts.settings.principal, "company:acme.example"
        facts = [FactCandidate(f"Acme sold {number * 7} pumps to town {number}.", 0.9) for number in range(20)]
        await parts.memory.memorizer.memorize(who, MemorizeRequest(entity=entity, facts=facts))
        for turn in range(12):
            for ask, taken in ((parts.memory.recall, with_receipt), (parts.memory.recaller.recall, plain)):
                found: list[float] = []
                for number in range(calls // 10):
                    request = RecallRequest(entity=entity, query=f"Who bought {turn * number} pumps?")
                    start = time.perf_counter()
                    await ask(who, request)
                    found.append((time.perf_counter() - start) * 1_000)
                taken.extend(found if turn > 1 else [])  # the first two warm up
    rows = [row("recall_entity, 20 facts, with its receipt, ms", with_receipt), row("the same without, ms", plain)]
    added = rows[0]["p50"] - rows[1]["p50"]
    return [*rows, {"what": "the receipt of a read adds, ms", "p50": round(added, 2), "calls": len(plain)}]


async def state(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Measure verifying so many entities of one memory each beside their receipts."""
    async with opened(settings) as parts:
        who, facts = parts.settings.principal, [FactCandidate("It sells pumps.", 0.9)]
        for number in range(count):
            request = MemorizeRequest(entity=f"company:{number}.example", facts=facts)
            await parts.memory.memorizer.memorize(who, request)
            if number % 500 == 0:
                sys.stderr.write(f"\r{number:,} entities written   ")
        await anyio.sleep(11)  # the grace of sealing
        await parts.sealer.seal(who, everything=True)
    command = [*ITSELF, "--verify", str(settings.home)]
    done = await anyio.run_process(command, env={**os.environ, "PYTHONPATH": SOURCES}, stderr=None)
    found = json.loads(done.stdout)
    if found["faults"] or found["uncovered"]:
        raise SystemExit(f"the state does not verify: {found['faults'][:1]}")
    what = f"{found['compared']:,} items of {count:,} entities in force"
    return [
        {"what": f"verify, s: {what}", "p50": found["s"], "calls": 1},
        {"what": "verify them: peak memory of the process, MiB", "p50": found["mib"], "calls": 1},
    ]


def row(what: str, taken: Sequence[float]) -> dict[str, Any]:
    """Return a line of the report."""
    p50, p99 = (round(percentile(taken, part), 2) for part in (0.5, 0.99))
    return {"what": what, "p50": p50, "p99": p99, "calls": len(taken)}


@dataclass
class Taken:
    """Milliseconds of each delivery, and how many a second were made by all processes together."""

    ms: list[float]
    per_s: float


def at_once(home: Path, processes: int, calls: int, *options: str) -> Taken:
    """Time deliveries by so many processes that begin at one moment."""
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    command = [*ITSELF, "--worker", str(home), "--calls", str(calls), *options]
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for worker in workers:
        if worker.stdout:
            worker.stdout.readline()  # it is ready
    for worker in workers:
        if worker.stdin:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    done = [json.loads(worker.communicate()[0]) for worker in workers]
    spent = max(one["s"] for one in done)
    return Taken([ms for one in done for ms in one["ms"]], processes * calls / spent)


async def work(home: Path, calls: int, bare: bool, every_s: float) -> None:
    """Be one of the processes: get ready, wait for the word, deliver, and print what each call took."""
    async with opened(at(home)) as parts:
        if bare:
            without_receipts(parts)
        agent = f"agent-{os.getpid()}"
        await deliver(parts, f"{agent}-warm", 5)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        start = time.perf_counter()
        taken = await deliver(parts, agent, calls, every_s)
        spent = time.perf_counter() - start
    sys.stdout.write(json.dumps({"ms": taken, "s": spent}))


def commit_floor(folder: Path, calls: int) -> list[float]:
    """Return milliseconds of SQLite's own insert of a kilobyte, on disk when it returns, one after another."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, body BLOB)")
    taken: list[float] = []
    for _ in range(calls):
        start = time.perf_counter()
        connection.execute("INSERT INTO items (body) VALUES (zeroblob(1000))")
        taken.append((time.perf_counter() - start) * 1_000)
    connection.close()
    return taken


async def concurrency(home: Path, calls: int) -> list[dict[str, Any]]:
    """Measure one process and sixteen, closed loop and open loop by turns, and verify what they left."""
    share = calls // 4
    full = at_once(home, PROCESSES, share // 2).per_s  # a first run, to know what is half of it
    every_s = PROCESSES / (full * LOAD)
    pace = ["--every", str(every_s)]
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, processes, count, options in (
            ("1 process delivers", 1, calls, []),
            (f"{PROCESSES} processes deliver as fast as they can", PROCESSES, share, []),
            ("the same without receipts", PROCESSES, share, ["--bare"]),
            (f"1 process delivers {1 / every_s:.1f} times a second", 1, share, pace),
            (f"{PROCESSES} processes do, {full * LOAD:.0f} times a second together", PROCESSES, share, pace),
            ("the same without receipts, at this pace", PROCESSES, share, [*pace, "--bare"]),
        ):
            found.setdefault(name, []).extend(at_once(home, processes, count // ROUNDS, *options).ms)
    rows = [row(f"{name}, ms", taken) for name, taken in found.items()]
    floor = row("floor: SQLite's own insert of a kilobyte, on disk, ms", commit_floor(home, calls))
    parts = build(at(home))
    await anyio.sleep(11)  # the grace of sealing
    await parts.sealer.seal(parts.settings.principal, everything=True)
    report = await parts.audit.verify(parts.settings.principal)
    await parts.close()
    if report.faults or report.unsealed:
        raise SystemExit(f"the trail does not verify: {report.summary()}")
    closed, paced = (round(many["p99"] / one["p99"], 1) for one, many in (rows[0:2], rows[3:5]))
    return [
        floor,
        *rows,
        {"what": f"p99 of {PROCESSES} to p99 of 1, as fast as they can", "p50": closed, "calls": 1},
        {"what": f"p99 of {PROCESSES} to p99 of 1, each at its pace", "p50": paced, "calls": 1},
    ]


async def measure(*, quick: bool, only: str | None) -> list[dict[str, Any]]:
    """Return the lines of the report."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if only in (None, "cost"):
            rows += await receipt_cost(at(home / "cost"), 200 if quick else 1_000)
            rows += await read_cost(at(home / "reads"), 200 if quick else 1_000)
        if only in (None, "concurrency"):
            rows += await concurrency(home / "at-once", 200 if quick else 800)
        if only in (None, "verify"):
            rows += await verifying(at(home / "verify"), 10_000 if quick else 100_000)
        if only in (None, "state"):
            rows += await state(at(home / "state"), 2_000 if quick else 20_000)
    sys.stderr.write("\n")
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer calls, 10,000 events and receipts")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--every", type=float, default=0.0, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["cost", "concurrency", "verify", "state"], help="only this part")
    given = parser.parse_args()
    if given.verify:
        anyio.run(verify, given.verify)
        return
    if given.worker:
        anyio.run(work, given.worker, given.calls, given.bare, given.every)
        return
    before = machine()
    rows = anyio.run(lambda: measure(quick=given.quick, only=given.only))
    if given.json:
        sys.stdout.write(json.dumps({"machine": before, "bars": BARS, "rows": rows}, indent=2) + "\n")
        return
    cells = [[one["what"], one["p50"], one.get("p99", ""), one["calls"]] for one in rows]
    show(f"The audit trail ({before})", ["", "p50 or figure", "p99", "calls"], cells)


if __name__ == "__main__":
    main()
