"""The process that `kills.py` kills: real stores and real work, and a line for everything that was acknowledged.

Before a call it tells what it is about to do, after it what came of it. Whoever reads the lines knows what must be
there (acknowledged), what must be gone (forgotten), and what may be either (under way when the process died).
"""

import itertools
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from interlayer.app.composition import Parts, build
from interlayer.app.settings import Settings, load
from interlayer.memory.requests import FactCandidate, MemorizeRequest
from interlayer_policies.governance import PolicyFile

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

KINDS: Final = ("memorize", "forget", "merge", "publish")
_POLICY: Final = """---
id: {word}
title: Notice {word}
rules:
  - {{id: R1, level: must, text: Mention the notice {word}.}}
---
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What a process does until it dies: a kind of work (or all), and the step at which it kills itself, if it does.

    A step is the n-th call of a layer's writing methods, counted once the work has begun.
    """

    number: int
    kinds: tuple[str, ...]
    layer: str = ""
    step: int = 0
    applied: str = "before"


def serial(run: int, number: int) -> int:
    """Return a number that no other fact bears: facts that differ in a number are different facts."""
    return (run + 1) * 100_000 + number


def settings_of(home: Path, organization: str, layers: Mapping[str, str]) -> Settings:
    """Return the settings of a home."""
    return load({"HOME": str(home), "ORG": organization, **layers}, {"INTERLAYER_CONFIG": os.devnull})


def work(home: str, organization: str, layers: Mapping[str, str], job: Job, output: "Connection") -> None:
    """Run in a process of its own; never returns while it lives."""
    anyio.run(_work, settings_of(Path(home), organization, layers), job, output)


async def _work(settings: Settings, job: Job, output: "Connection") -> None:
    parts = build(settings)
    await parts.prepare()

    def tell(what: str, **details: Any) -> None:
        output.send({"what": what, **details})

    await _arm(parts, job)
    doing = {"memorize": _memorize, "forget": _forget, "merge": _merge, "publish": _publish}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parts.memory.projector.run, settings.principal.organization)
        for kind in job.kinds:
            tasks.start_soon(doing[kind], parts, job, tell)
        tell("begun")


async def _arm(parts: Parts, job: Job) -> None:
    """Have the process killed at the job's step: `before` the write is applied or right `after`."""
    methods = {"store": ("transact",), "index": ("add", "remove", "optimize")}.get(job.layer, ())
    index = (await parts.memory.spaces.of(parts.settings.principal.organization)).index
    layer: Any = {"store": parts.store, "index": index}.get(job.layer)
    count = itertools.count()

    def dying(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def at_step(*arguments: Any) -> Any:
            due = next(count) >= job.step
            if due and job.applied == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = await call(*arguments)
            if due:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return at_step

    for name in methods:
        setattr(layer, name, dying(getattr(layer, name)))


async def _remember(parts: Parts, entity: str, text: str, tell: Callable[..., None]) -> str:
    tell("memorizing", text=text)
    request = MemorizeRequest(entity=entity, facts=[FactCandidate(text, 0.9)])
    answer = await parts.memory.memorizer.memorize(parts.settings.principal, request)
    (fact,) = answer.facts
    tell("memorized" if fact.outcome == "added" else "repeated", text=text)
    return fact.fact_id


async def _memorize(parts: Parts, job: Job, tell: Callable[..., None]) -> None:
    for number in itertools.count():
        text = f"Shipment {serial(job.number, number)} left the harbour."
        await _remember(parts, f"company:m{job.number}-{number % 3}.example", text, tell)


async def _forget(parts: Parts, job: Job, tell: Callable[..., None]) -> None:
    entity = f"company:f{job.number}.example"
    await _remember(parts, entity, f"Crane {job.number} stands still.", tell)
    for number in itertools.count():
        text = f"Invoice {serial(job.number, number)} was paid."
        fact_id = await _remember(parts, entity, text, tell)
        tell("forgetting", text=text)
        answer = await parts.memory.forgetter.forget(parts.settings.principal, "asked to", fact_id=fact_id)
        if answer.pending is None:
            tell("forgotten", text=text)


async def _merge(parts: Parts, job: Job, tell: Callable[..., None]) -> None:
    for number in itertools.count():
        one, other = (f"company:{side}{job.number}-{number}.example" for side in "ab")
        for place, entity in enumerate((one, other)):
            await _remember(parts, entity, f"Depot {serial(job.number, 2 * number + place)} opened.", tell)
        await parts.memory.merger.merge(parts.settings.principal, one, other, "the same firm")
        tell("merged", pair=[one, other])


async def _publish(parts: Parts, job: Job, tell: Callable[..., None]) -> None:
    for number in itertools.count():
        word = f"notice-{job.number}-{number}"
        file = PolicyFile(f"{word}.md", _POLICY.format(word=word))
        done = await parts.domains.governance.publish(parts.settings.principal, [file], reason="a drill")
        tell("published", word=word, revision=done.revision)
