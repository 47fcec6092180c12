"""`full_disk_worker.py HOME BYTES`: memorizes until no file may grow over BYTES; prints what it was told."""

import json
import resource
import sys
from pathlib import Path

import anyio

from interlayer.errors import InterlayerError
from organizations import home_of, memorize


async def main(home: str, limit: int) -> None:
    async with home_of(Path(home)) as parts:
        await parts.prepare()
        await memorize(parts, "company:dock.example", "The dock opened.")
        await parts.memory.projector.drain("acme")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for number in range(1_000):
            text = f"Container {number} holds {'iron ' * 60}bars."
            try:
                answer = await memorize(parts, "company:dock.example", text)
            except InterlayerError as error:
                sys.stdout.write(json.dumps({"failed": f"{error.code}: {error}"}) + "\n")
                break
            sys.stdout.write(json.dumps({"kept": text, "outcome": answer["facts"][0]["outcome"]}) + "\n")
        try:
            await parts.memory.projector.drain("acme")
        except InterlayerError as error:
            sys.stdout.write(json.dumps({"index": f"{error.code}: {error}"}) + "\n")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], int(sys.argv[2]))
