"""`group_worker.py PLACE`: keeps 16 transactions of two items each in flight and prints which are acknowledged."""

import sys
from itertools import count
from pathlib import Path

import anyio

from interlayer.storage.items import Key, Put
from interlayer.storage.sqlite.items import SqliteItems


async def main(place: str) -> None:
    store = SqliteItems(Path(place) / "items.db")
    numbers = count()

    async def write() -> None:
        for number in numbers:
            await store.transact([Put(Key("memory", f"acme#{half}", f"{number:06}"), {}) for half in "ab"])
            sys.stdout.write(f"{number:06}\n")
            sys.stdout.flush()

    async with anyio.create_task_group() as tasks:
        for _ in range(16):
            tasks.start_soon(write)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
