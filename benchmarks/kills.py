"""Kill processes with SIGKILL, 500 times, and look for what was acknowledged and is lost; exit 1 on any.

`python benchmarks kills [--runs 500] [--seed 1] [--backend embedded|aws] [--json]`.
A third of the runs kill a real MCP server over stdio at a random moment, a third a process that memorizes, forgets,
merges and publishes at once, a third one of these at a named write step of either layer. After each, the next process
looks: acknowledged facts are in the log, forgotten ones nowhere, merges and publications in force, both layers agree,
the audit chain is whole.
"""

import argparse
import itertools
import json
import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

from backends import BACKENDS, backend
from interlayer.app.composition import Parts, build
from interlayer.memory.requests import RecallRequest
from killed import KINDS, Job, serial, settings_of, work
from measuring import environment, machine, show

CONTEXT: Final = multiprocessing.get_context("forkserver")  # a process that has imported everything forks the others
RUNS_A_HOME: Final = 25
LIFE_S: Final = 1.5  # a process dies at a random moment within this time after its first word
STEPS: Final = [
    (kind, layer, step, applied)
    for step in range(6)
    for kind in KINDS
    for layer in ("store", "index")
    for applied in ("before", "after")
    if layer == "store" or kind != "publish"
]


@dataclass
class Told:
    """What a home's processes have said they did."""

    memorized: set[str] = field(default_factory=set[str])
    forgotten: set[str] = field(default_factory=set[str])
    in_doubt: set[str] = field(default_factory=set[str])
    merged: list[list[str]] = field(default_factory=list[list[str]])
    revision: int = 0
    counts: Counter[str] = field(default_factory=Counter[str])

    def join(self, later: "Told") -> None:
        """Add what a later process has said."""
        self.memorized |= later.memorized
        self.forgotten |= later.forgotten
        self.in_doubt |= later.in_doubt
        self.merged += later.merged
        self.revision = max(self.revision, later.revision)

    def take(self, line: Mapping[str, Any]) -> None:
        """Take note of a line."""
        self.counts[line["what"]] += 1
        match line["what"]:
            case "memorized":
                self.memorized.add(line["text"])
            case "forgetting":
                self.in_doubt.add(line["text"])
            case "forgotten":
                self.in_doubt.discard(line["text"])
                self.forgotten.add(line["text"])
            case "merged":
                self.merged.append(line["pair"])
            case "published":
                self.revision = max(self.revision, line["revision"])
            case _:
                pass


@dataclass
class Outcome:
    """What was found after the kills."""

    lost: list[str] = field(default_factory=list[str])
    back: list[str] = field(default_factory=list[str])
    differences: list[str] = field(default_factory=list[str])
    audit: list[str] = field(default_factory=list[str])
    replayed: int = 0

    def broken(self) -> int:
        """Return how many promises were broken."""
        return len(self.lost) + len(self.back) + len(self.differences) + len(self.audit)


def kill_a_process(home: Path, organization: str, layers: Mapping[str, str], job: Job, chance: random.Random) -> Told:
    """Let a process work until it is killed, by itself at a step or from outside; return what it said."""
    told = Told()
    receiving, sending = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=work, args=(str(home), organization, dict(layers), job, sending))
    process.start()
    sending.close()
    timer = threading.Timer(60.0, process.kill)
    timer.start()
    while True:
        try:
            said = receiving.recv()
        except EOFError:
            break
        told.take(said)
        if said["what"] == "begun":
            timer.cancel()
            timer = threading.Timer(5.0 if job.layer else chance.uniform(0, LIFE_S), process.kill)
            timer.start()
    process.join()
    timer.cancel()
    if process.exitcode != -signal.SIGKILL:
        raise SystemExit(f"run {job.number} ended by itself with {process.exitcode}")
    return told


class Server:
    """A real MCP server over stdio, with calls in flight until it is killed at a random moment."""

    def __init__(self, home: Path, organization: str, layers: Mapping[str, str], number: int) -> None:
        self.told = Told()
        self._number = number
        chosen = {**layers, "ORG": organization, "ERASURE_QUOTA": "0"}
        settings = {f"INTERLAYER_{name}": value for name, value in chosen.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "interlayer", "serve"],
            env={**environment(home), **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._ids = itertools.count(1)
        self._memorizing: dict[int, str] = {}
        self._forgetting: dict[int, str] = {}

    def run(self, life_s: float) -> Told:
        """Let a server live, and keep what it acknowledged; its life is counted from the first answer on."""
        client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "kills", "version": "1"}}
        self._send({"id": 0, "method": "initialize", "params": client})
        self._send({"method": "notifications/initialized"})
        for _ in range(8):
            self._memorize()
        timer = threading.Timer(60.0, self._process.kill)
        timer.start()
        for line in self._process.stdout or ():
            answer = json.loads(line)
            if answer.get("id") == 1:
                timer.cancel()
                timer = threading.Timer(life_s, self._process.kill)
                timer.start()
            with suppress(BrokenPipeError):  # killed while it was spoken to; what it has answered is still read
                self._take(answer.get("id"), answer.get("result", {}).get("structuredContent"))
        self._process.wait()
        timer.cancel()
        return self.told

    def _take(self, call: int, said: Mapping[str, Any] | None) -> None:
        if said and call in self._memorizing:
            (fact,) = said["facts"]
            text = self._memorizing[call]
            self.told.take({"what": "memorized" if fact["outcome"] == "added" else "repeated", "text": text})
            if call % 3 == 0:
                self.told.take({"what": "forgetting", "text": text})
                self._forgetting[self._call("forget", fact_id=fact["fact_id"], reason="asked to")] = text
            self._memorize()
        elif said and call in self._forgetting and "pending" not in said:
            self.told.take({"what": "forgotten", "text": self._forgetting[call]})

    def _memorize(self) -> None:
        number = len(self._memorizing)
        text = f"Voyage {serial(self._number, number)} was logged."
        entity = f"company:s{self._number}-{number % 4}.example"
        self._memorizing[self._call("memorize", entity=entity, facts=[{"text": text}])] = text

    def _call(self, tool: str, **arguments: Any) -> int:
        call = next(self._ids)
        self._send({"id": call, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
        return call

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process.stdin:
            self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            self._process.stdin.flush()


async def looked_at(home: Path, organization: str, layers: Mapping[str, str], told: Told) -> Outcome:
    """Start anew, reconcile, and compare with what was said."""
    outcome = Outcome()
    parts = build(settings_of(home, organization, layers))
    try:
        await parts.prepare()
        outcome.replayed = await parts.memory.projector.drain(organization)
        outcome.differences = [str(one) for one in await parts.memory.consistency.differences(organization)]
        log = await _texts(parts, organization)
        index = (await parts.memory.spaces.of(organization)).index
        held = {row.text async for rows in index.rows(organization) for row in rows}
        outcome.lost = sorted(told.memorized - told.forgotten - told.in_doubt - log)
        outcome.back = sorted(told.forgotten & (log | held))
        for kept, other in told.merged:
            answers = [await _recalled(parts, one) for one in (kept, other)]
            if answers[0] != answers[1]:
                outcome.lost.append(f"merge of {kept} and {other}")
        if (await parts.domains.governance.published(parts.settings.principal)).revision < told.revision:
            outcome.lost.append(f"revision {told.revision}")
        outcome.audit = [str(fault) for fault in (await parts.audit.verify(parts.settings.principal)).faults]
    finally:
        await parts.close()
    return outcome


async def _texts(parts: Parts, organization: str) -> set[str]:
    return {row.text async for stretch in parts.memory.backfill.stretches(organization) for row in stretch.rows}


async def _recalled(parts: Parts, entity: str) -> str:
    answer = await parts.memory.recaller.recall(parts.settings.principal, RecallRequest(entity=entity))
    return answer.entity.ref if answer.entity else ""


def runs(count: int, seed: int) -> Iterator[tuple[int, Job | None]]:
    """Yield number and job of every run; no job stands for a server."""
    steps = list(STEPS)
    random.Random(seed).shuffle(steps)  # noqa: S311
    steps_left = itertools.cycle(steps)
    for number in range(count):
        if number % 3 == 0:
            yield number, None
        elif number % 3 == 1:
            yield number, Job(number, ("forget",) if number % 2 else KINDS)  # erasing is slow beside the others
        else:
            kind, layer, step, applied = next(steps_left)
            yield number, Job(number, (kind,), layer, step, applied)


def drill(
    options: argparse.Namespace, place: Path, layers: Mapping[str, str]
) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Do all runs; return what was acknowledged and done, and the runs that broke a promise."""
    chance = random.Random(options.seed)  # noqa: S311
    counts: Counter[str] = Counter()
    broken: list[dict[str, Any]] = []
    told = Told()
    for number, job in runs(options.runs, options.seed):
        name = f"kills-{options.seed}-{number // RUNS_A_HOME}"
        if number % RUNS_A_HOME == 0:
            told = Told()
        home = place / name
        if job:
            said = kill_a_process(home, name, layers, job, chance)
        else:
            said = Server(home, name, layers, number).run(chance.uniform(0, LIFE_S))
        told.join(said)
        counts += said.counts
        outcome = anyio.run(looked_at, home, name, layers, told)
        counts["replayed"] += outcome.replayed
        if outcome.broken():
            broken.append({"run": number, "job": asdict(job) if job else "server", **vars(outcome)})
            sys.stderr.write(json.dumps(broken[-1]) + "\n")
        if number % 20 == 19:
            sys.stderr.write(f"{number + 1} runs, {len(broken)} broken\n")
    return counts, broken


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=BACKENDS, default="embedded")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore::RuntimeWarning")  # LanceDB's, of forks: nothing of it runs yet
    CONTEXT.set_forkserver_preload(["killed", "lancedb.expr", "lancedb.index"])
    logging.disable(logging.INFO)  # clients of AWS tell where their credentials come from
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place, backend(options.backend) as layers:
        counts, broken = drill(options, Path(place), layers)
    report: dict[str, Any] = {
        "machine": machine(),
        "runs": options.runs,
        **{f"acknowledged: {name}": counts[name] for name in ("memorized", "forgotten", "merged", "published")},
        "outbox entries replayed": counts["replayed"],
        **{name: sum(len(one[name]) for one in broken) for name in ("lost", "back", "differences", "audit")},
        "seconds": round(time.monotonic() - begun),
    }
    if options.json:
        sys.stdout.write(json.dumps({**report, "broken": broken}, indent=2) + "\n")
    else:
        show(
            f"{options.runs} times kill -9, {options.backend}",
            ["what", "figure"],
            [[name, str(report[name])] for name in report],
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
