"""A wrong clock erases nothing for good: retention and expiry wait, say so, and everything else goes on."""

import json
import time
import urllib.request
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from mcp import Client

from command_line import interlayer
from interlayer.app.composition import Parts, build
from interlayer.app.settings import load
from interlayer.ids import system_clock
from interlayer.memory.erasure.retention_clock import ClockInDoubt
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.principal import Principal
from interlayer_policies.governance import Facets
from processes import forked
from serving import Caller, serving_http

pytestmark = pytest.mark.anyio

WRITER = Principal("default", "outbound-1")
ANN = "contact:Ann Lee"


@pytest.fixture
def schema(tmp_path: Path) -> str:
    """Return a schema that keeps contacts for 90 days."""
    file = tmp_path / "schema.yaml"
    file.write_text("entities:\n  contact: {retention: 90d}\n", encoding="utf-8")
    return str(file)


@asynccontextmanager
async def process(home: Path, schema: str, **off: float) -> AsyncGenerator[Parts]:
    """Open the home in a process whose clock is off by so much."""
    settings = load({"HOME": str(home), "SCHEMA": schema}, {"INTERLAYER_CONFIG": "/nowhere"})
    parts = build(settings, lambda: system_clock() + timedelta(**off))
    try:
        await parts.prepare()
        yield parts
    finally:
        await parts.close()


async def fill(parts: Parts) -> None:
    """Leave a contact and a receipt behind, sealed, as a server does."""
    request = MemorizeRequest(entity=ANN, facts=[FactCandidate("Ann likes tea.", 0.9)])
    await parts.memory.memorizer.memorize(WRITER, request)
    await parts.domains.governance.context(WRITER, "Offer a discount", Facets())
    await parts.sealer.seal(parts.settings.principal, everything=True)
    await sweep(parts)


async def sweep(parts: Parts) -> dict[str, int]:
    """Do what a server does at its start and every hour."""
    until = await parts.memory.retention_clock.advance("default")
    return await parts.memory.expirer.expire(parts.settings.principal, until=until)


async def known(parts: Parts) -> tuple[list[str], int, list[str]]:
    """Return what is known of Ann, how many receipts there are, and what the auditor finds wrong."""
    answer = await parts.memory.recaller.recall(WRITER, RecallRequest(entity=ANN))
    report = await parts.audit.verify(parts.settings.principal)
    return [fact.text for fact in answer.facts], report.receipts, [str(fault) for fault in report.faults]


async def test_one_start_with_a_clock_far_ahead_erases_nothing(home: Path, schema: str, tmp_path: Path) -> None:
    async with process(home, schema, days=-450) as parts:
        await fill(parts)
        before = await known(parts)
        assert (before[0], before[2]) == (["Ann likes tea."], [])
    async with process(home, schema) as parts:
        with pytest.raises(ClockInDoubt, match=r"450 days after retention last counted .*nothing is erased"):
            await sweep(parts)
    done = interlayer(home, "memory", "expire", SCHEMA=schema)
    assert (done.returncode, "set it" in done.stderr) == (1, True)
    exported = interlayer(home, "export", str(tmp_path / "copy"), SCHEMA=schema)
    assert exported.returncode == 0, "an export goes on"
    assert "may hold what was kept long enough" in exported.stderr
    async with process(home, schema, days=-450, hours=1) as parts:
        assert await known(parts) == before
        assert await sweep(parts) == {"entities": 0, "memories": 0, "facts": 0}


async def test_a_clock_behind_the_newest_record_stops_retention_and_nothing_else(home: Path, schema: str) -> None:
    async with process(home, schema) as parts:
        await fill(parts)
    async with process(home, schema, hours=-3) as parts:
        with pytest.raises(ClockInDoubt, match="newest record"):
            await sweep(parts)
        request = MemorizeRequest(entity="contact:Bob Roy", facts=[FactCandidate("Bob bakes.", 0.9)])
        assert (await parts.memory.memorizer.memorize(WRITER, request)).entity
    async with process(home, schema, minutes=1) as parts:
        assert (await known(parts))[0] == ["Ann likes tea."]
        await sweep(parts)


async def test_records_of_the_future_are_a_fault_that_doctor_names(home: Path, schema: str) -> None:
    async with process(home, schema, hours=3) as parts:
        await fill(parts)
    findings = json.loads(interlayer(home, "doctor", "--json", SCHEMA=schema).stdout)
    [clock] = [one for one in findings if not one["ok"]]
    assert (clock["name"], "Set the clock" in clock["detail"]) == ("clock", True)


async def test_a_server_says_that_retention_waits_and_goes_on_until_somebody_vouches(home: Path, schema: str) -> None:
    async with process(home, schema, days=-200) as parts:
        await fill(parts)
    with serving_http(home, start=forked, SCHEMA=schema) as address:
        wait_until(lambda: degraded(address) != [])
        [said] = degraded(address)
        assert said.startswith("retention: the clock shows ")
        assert "200 days after" in said
        async with Client(f"{address}/mcp") as client:
            told = {"entity": "contact:Bob Roy", "facts": [{"text": "Bob bakes.", "confidence": 0.9}]}
            await Caller(client)("memorize", **told)
    seen = interlayer(home, "doctor", SCHEMA=schema)
    assert (seen.returncode, "200 days after retention last counted" in seen.stdout) == (0, True)
    done = interlayer(home, "memory", "expire", "--trust-clock", "--json", SCHEMA=schema)
    assert json.loads(done.stdout)["entities"] == 1, "it was due for 110 days"
    assert "retention waits" not in interlayer(home, "doctor", SCHEMA=schema).stdout
    assert "retention.clock_trusted" in interlayer(home, "audit", "tail").stdout
    assert interlayer(home, "audit", "verify").returncode == 0
    assert interlayer(home, "memory", "expire", "--trust-clock", "--dry-run", SCHEMA=schema).returncode == 2


def degraded(address: str) -> list[str]:
    with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
        found: list[str] = json.load(answer)["degraded"]
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
