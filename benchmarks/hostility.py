"""What good callers notice of 10,000 hostile calls, and of an identity provider that is slow, hangs or is away.

`python benchmarks hostility [--calls 10000] [--seconds 20] [--json]`
A good caller recalls five times a second, from this process. Hostile ones call from another, as fast as they are let:
without a token, with wrong ones, and with a good one and a body that is huge, deep, malformed or nonsense, while idle
connections take what places they can. Then good tokens are used while the provider of their keys is in trouble and
others send tokens with keys that nobody knows. Each is compared with the same caller when all is quiet.
"""

import argparse
import itertools
import json
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2

from identity_provider import IdentityProvider, identity_provider
from measuring import environment, machine, percentile, show

PACE_S: Final = 0.2
AT_ONCE: Final = 8
IDLE: Final = 200
BOGUS_PACE_S: Final = 0.05
HEADERS: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
ENTITY: Final = "company:acme.com"
MOODS: Final = ("slow", "hanging", "away")


class Server:
    """A server in a process of its own."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/mcp"
        self.log = home.parent / "log"
        given = environment(home) | {f"INTERLAYER_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "interlayer", "serve", "--http", f"127.0.0.1:{self.port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=given, stderr=log)

    def wait(self) -> None:
        """Return when it answers."""
        with httpx2.Client(timeout=10) as http:
            while self.process.poll() is None:
                try:
                    if http.get(self.address.replace("/mcp", "/readyz")).status_code == 200:
                        return
                except httpx2.HTTPError:
                    pass
                time.sleep(0.1)
        sys.exit("the server ended")

    @property
    def memory_mb(self) -> float:
        """What it holds in memory, in MiB; 0 where the system does not say so."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def serving(settings: dict[str, str]) -> Generator[tuple[Server, Path]]:
    """Run a server; yields it with its home."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        server = Server(home, settings)
        try:
            server.wait()
            yield server, home
        finally:
            server.process.terminate()
            server.process.wait(15)


def key(home: Path, agent: str) -> str:
    """Make an API key."""
    command = [sys.executable, "-m", "interlayer", "access", "create", agent]
    return subprocess.run(command, env=environment(home), check=True, capture_output=True, text=True).stdout.strip()


def called(tool: str, **arguments: Any) -> bytes:
    """Return the body of a call."""
    params = {"name": tool, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


class GoodCaller:
    """Calls steadily, and notes how long each call took."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._http = httpx2.AsyncClient(headers={**HEADERS, "Authorization": f"Bearer {token}"}, timeout=120)
        self.failed = 0

    async def learn(self) -> None:
        """Store something to recall."""
        facts = [{"text": f"Order {number} of Acme left plant {number % 7} complete."} for number in range(100)]
        answer = await self._http.post(self._address, content=called("memorize", entity=ENTITY, facts=facts))
        answer.raise_for_status()

    async def calls(self, until: anyio.Event) -> list[float]:
        """Call until an event; return milliseconds."""
        took: list[float] = []
        body = called("recall_entity", entity=ENTITY, query="which orders left plant 3?")
        while not until.is_set():
            began = time.perf_counter()
            answer = await self._http.post(self._address, content=body)
            took.append((time.perf_counter() - began) * 1_000)
            self.failed += answer.status_code != 200 or b'"isError":true' in answer.content
            await anyio.sleep(max(0.0, PACE_S - took[-1] / 1_000))
        return took

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()


@asynccontextmanager
async def good_caller(server: Server, token: str) -> AsyncGenerator[GoodCaller]:
    """Yield a caller that has something to recall."""
    caller = GoodCaller(server.address, token)
    await caller.learn()
    for _ in range(3):  # what is done once
        await timed(caller, 1.0)
    yield caller
    await caller.close()


async def timed(caller: GoodCaller, seconds: float) -> list[float]:
    """Return the milliseconds of a caller's calls in so many seconds."""
    until = anyio.Event()
    took: list[float] = []

    async def ring() -> None:
        await anyio.sleep(seconds)
        until.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ring)
        took += await caller.calls(until)
    return took


def attacks(token: str) -> Iterator[tuple[str, bytes]]:
    """Yield tokens and bodies without end."""
    draw = random.Random(7)  # noqa: S311 - which nonsense comes next
    huge = called("memorize", entity=ENTITY, facts=[{"text": 1}] * 200_000)
    deep = called("recall_entity", entity=ENTITY, include="[" * 100_000)
    good = called("recall_entity", entity=ENTITY)
    uri = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "policy://../../etc/passwd"}}
    for number in itertools.count():
        if number % 100 == 0:
            yield token, huge
        yield "", good
        yield f"ilk_{draw.randbytes(8).hex()}_{draw.randbytes(32).hex()}", good
        yield token, draw.randbytes(200)
        yield token, b"[" * 100_000
        yield token, deep
        yield token, called("memorize", entity=7, facts=[{"text": number}] * 500, nonsense=1)
        yield token, called(f"tool-{number}", x=1)
        yield token, json.dumps(uri).encode()
        yield token, called("search_memory", query=draw.randbytes(100).hex())


async def attack(address: str, token: str, calls: int) -> Counter[str]:
    """Send hostile calls, some at a time; return how many got which status."""
    statuses: Counter[str] = Counter()
    left = itertools.islice(attacks(token), calls)

    async def attacker() -> None:
        async with httpx2.AsyncClient(headers=HEADERS, timeout=120) as http:
            for bearer, body in left:
                headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
                try:
                    statuses[str((await http.post(address, content=body, headers=headers)).status_code)] += 1
                except httpx2.HTTPError as error:
                    statuses[type(error).__name__] += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(attacker)
    return statuses


async def under_attack(seconds: float, calls: int) -> list[dict[str, Any]]:
    """Measure a good caller in quiet, under attack, and afterwards."""
    with serving({"AUTH": "keys"}) as (server, home), ExitStack() as idle:
        good, hostile = key(home, "good"), key(home, "hostile")
        async with good_caller(server, good) as caller:
            quiet = row("all is quiet", await timed(caller, seconds), server)
            for _ in range(IDLE):
                idle.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            command = [sys.executable, __file__, "--attack", server.address, "--token", hostile, "--calls", str(calls)]
            paths = os.pathsep.join(sys.path)
            over, told, took = anyio.Event(), dict[str, int](), list[float]()

            async def attacked() -> None:
                done = await anyio.run_process(command, env={**os.environ, "PYTHONPATH": paths}, stderr=None)
                told.update(json.loads(done.stdout))
                over.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attacked)
                took += await caller.calls(over)
            beside = row(f"{calls} hostile calls, {IDLE} idle connections", took, server)
            after = row("afterwards", await timed(caller, seconds), server)
            return [quiet, {**beside, "failed": caller.failed, "statuses": told}, after]


async def without_keys(seconds: float) -> list[dict[str, Any]]:
    """Measure a good caller while the provider of the keys is in trouble."""
    with identity_provider() as provider, serving(provider.settings()) as (server, _):
        async with good_caller(server, provider.token(exp=int(time.time()) + 3_600)) as caller:
            rows = [row("the provider is well", await timed(caller, seconds), server)]
            for mood in MOODS:
                provider.mood, took = mood, list[float]()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(send_unknown_keys, server.address, provider)
                    took += await timed(caller, seconds)
                    tasks.cancel_scope.cancel()
                rows.append(row(f"it is {mood}, and unknown keys come", took, server))
                provider.mood = "well"
            return [{**one, "failed": caller.failed} for one in rows]


async def send_unknown_keys(address: str, provider: IdentityProvider) -> None:
    """Send tokens with keys that nobody knows, twenty a second, without waiting for the answers."""
    async with httpx2.AsyncClient(headers=HEADERS, timeout=120) as http, anyio.create_task_group() as tasks:
        for number in itertools.count():
            token = provider.token(headers={"kid": f"bogus-{number}"})
            headers = {"Authorization": f"Bearer {token}"}
            tasks.start_soon(lambda headers: http.post(address, content=b"{}", headers=headers), headers)
            await anyio.sleep(BOGUS_PACE_S)


def row(name: str, took: Sequence[float], server: Server) -> dict[str, Any]:
    """Return the figures of a stretch of time."""
    return {
        "while": name,
        "calls": len(took),
        "p50 ms": round(percentile(took, 0.5), 1),
        "p99 ms": round(percentile(took, 0.99), 1),
        "max ms": round(max(took), 1),
        "memory MiB": round(server.memory_mb),
        "log kB": round(server.log.stat().st_size / 1_000, 1),
        "failed": 0,
    }


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.disable(logging.INFO)  # clients tell of every request
    if options.attack:
        if hasattr(os, "nice"):
            os.nice(10)  # attackers have machines of their own
        sys.stdout.write(json.dumps(anyio.run(attack, options.attack, options.token, options.calls)))
        return
    about = machine()
    parts = {
        "Hostile calls": anyio.run(under_attack, options.seconds, options.calls),
        "Identity provider": anyio.run(without_keys, options.seconds),
    }
    if options.json:
        sys.stdout.write(json.dumps({"machine": about, **parts}, indent=2) + "\n")
        return
    sys.stdout.write(f"{about}\n")
    for title, rows in parts.items():
        shown = [name for name in rows[0] if name != "statuses"]
        show(title, shown, [[one[name] for name in shown] for one in rows])
        for one in rows:
            if "statuses" in one:
                sys.stdout.write(f"\nanswers to hostile calls: {one['statuses']}\n")


if __name__ == "__main__":
    main()
