"""Measure how long after a publish in another process a listening client is told; the aim is 2 s.

`python benchmarks notices [--publishes 20]`: one server over stdio for each protocol era and one over HTTP, on one
home, each with a listening client; this process publishes and takes the time until each of them was told.
"""

import argparse
import random
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import ResourceUpdatedNotification

from interlayer.app.composition import opened
from interlayer.app.settings import load
from interlayer_policies.governance import PolicyFile
from measuring import machine, percentile, show
from processes import command, environment
from serving import serving_http

POLICY: Final = "---\nid: tone\ndescription: How replies to customers sound.\nrules: [Be kind to {}.]\n---\n"
URI: Final = "policy://tone"
WAIT_S: Final = 30.0
SETTLE_S: Final = 6.0  # until the clients are connected and their servers watch


class Heard:
    """When clients were told last, by client."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self._news = anyio.Event()

    def note(self, who: str) -> None:
        """Somebody was told now."""
        self.at.setdefault(who, time.perf_counter())
        self._news.set()
        self._news = anyio.Event()

    async def all_of(self, names: list[str]) -> None:
        """Return when each of them was told."""
        with anyio.fail_after(WAIT_S):
            while not self.at.keys() >= set(names):
                await self._news.wait()


async def measured(home: Path, address: str, publishes: int) -> dict[str, list[float]]:
    """Return by client how many milliseconds after the return of each publish it was told."""
    took: dict[str, list[float]] = {"stdio, before 2026": [], "stdio, 2026": [], "http, 2026": []}
    heard = Heard()
    program, *arguments = command("serve")
    stdio = StdioServerParameters(command=program, args=arguments, env=environment(home))

    async def listen(name: str, target: Any) -> None:
        async with Client(target) as client, client.listen(resource_subscriptions=[URI]) as told:
            async for _ in told:
                heard.note(name)

    async def listen_as_before() -> None:
        async def take(message: Any) -> None:
            if isinstance(message, ResourceUpdatedNotification):
                heard.note("stdio, before 2026")

        async with Client(stdio, mode="legacy", message_handler=take) as client:
            await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - what it is about
            await anyio.sleep_forever()

    async with opened(load({"HOME": str(home)}, {"INTERLAYER_CONFIG": "/nowhere"})) as parts:
        governance, me = parts.domains.governance, parts.settings.principal
        await governance.publish(me, [PolicyFile("tone.md", POLICY.format("all"))], reason="benchmark")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen, "stdio, 2026", stdio)
            tasks.start_soon(listen, "http, 2026", f"{address}/mcp")
            tasks.start_soon(listen_as_before)
            await anyio.sleep(SETTLE_S)
            for number in range(publishes):
                heard.at.clear()
                files = [PolicyFile("tone.md", POLICY.format(f"visitor {number}"))]
                await governance.publish(me, files, reason="benchmark")
                start = time.perf_counter()
                with suppress(TimeoutError):
                    await heard.all_of(list(took))
                for name, at in heard.at.items():
                    took[name].append((at - start) * 1000)
                await anyio.sleep(random.random())  # noqa: S311 - not in step with whoever looks
            tasks.cancel_scope.cancel()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publishes", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving_http(Path(folder) / "home") as address:
        took = anyio.run(measured, Path(folder) / "home", address, options.publishes)
    sys.stdout.write(f"{machine()}\n")
    rows = [
        [name, len(times), f"{percentile(times, 0.5):.0f}", f"{max(times):.0f}"]
        for name, times in took.items()
        if times
    ]
    show("From a publish to the notice, ms", ["client", "told", "p50", "most"], rows)


if __name__ == "__main__":
    main()
