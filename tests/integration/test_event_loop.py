"""While one caller sends much, others are served: no step of the event loop computes for long."""

import asyncio.events  # noqa: TID251 - what is measured is the loop itself
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from interlayer.app.mcp_server.process import Interlayer, running
from interlayer.app.mcp_server.transports import build_server
from interlayer.app.settings import load
from serving import Caller

pytestmark = pytest.mark.anyio

HOLD_S = 0.05
WORDS = (
    "the customer asked for a new offer about pumps and valves in Hamburg before March because of budget Acme signed "
    "contract renewal costs EUR 4500 meeting with Ann Lee on 3 May 2026 order delayed"
).split()


@contextmanager
def steps_of_the_loop() -> Generator[list[float]]:
    """Note the processor time of each step: how long the machine made it wait does not count."""
    steps: list[float] = []
    run = asyncio.events.Handle._run  # pyright: ignore[reportPrivateUsage]

    def timed(handle: Any) -> None:
        began = time.thread_time()
        run(handle)
        steps.append(time.thread_time() - began)

    asyncio.events.Handle._run = timed  # type: ignore[method-assign] # pyright: ignore[reportPrivateUsage]
    try:
        yield steps
    finally:
        asyncio.events.Handle._run = run  # type: ignore[method-assign] # pyright: ignore[reportPrivateUsage]


def statements(seed: int, number: int) -> list[dict[str, str]]:
    """Return different statements of some twenty words."""
    draw = random.Random(seed)  # noqa: S311 - which words come next
    return [{"text": f"{' '.join(draw.choices(WORDS, k=20)).capitalize()} {step}."} for step in range(number)]


async def test_five_hundred_facts_hold_nobody_up(home: Path) -> None:
    interlayer = Interlayer(load({"HOME": str(home)}, {}))
    async with running(interlayer), Client(build_server(interlayer)) as client:
        call = Caller(client)
        await call("memorize", entity="company:first.com", facts=statements(0, 20))  # loads what is loaded once
        longest: list[float] = []
        for attempt in range(3):  # a step that is interrupted takes longer, never shorter
            with steps_of_the_loop() as steps:
                await call("memorize", entity=f"company:acme-{attempt}.com", facts=statements(attempt, 500))
            longest.append(max(steps))
        assert min(longest) < HOLD_S


async def test_whoever_recalls_what_is_just_being_written_sees_all_of_it_or_nothing(home: Path) -> None:
    interlayer = Interlayer(load({"HOME": str(home)}, {}))
    async with running(interlayer), Client(build_server(interlayer)) as client:
        call = Caller(client)
        await call("memorize", entity="company:acme.com", facts=[{"text": "Acme builds rockets."}])
        told: set[tuple[int, int]] = set()
        written = anyio.Event()

        async def write() -> None:
            await call("memorize", entity="company:acme.com", facts=statements(7, 500))
            written.set()

        async def read() -> None:
            while True:
                known = await call("recall_entity", entity="company:acme.com", limit=1, include=["facts"])
                told.add((known["revision"], len(known["facts"]) + known["omitted"]["facts"]))
                if written.is_set():
                    return

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            tasks.start_soon(read)
        assert len(told) == 2  # a revision of one fact, and one of all
