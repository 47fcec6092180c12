"""`store_worker.py ADAPTER PLACE TIMES`: adds one to a shared counter, so many times, by optimistic retry."""

import sys
from pathlib import Path

import anyio

from interlayer.storage.items import Key, Put, VersionConflict
from item_stores import STORES

COUNTER = Key("memory", "acme#counter", "total")


async def main(adapter: str, place: str, times: int) -> None:
    async with STORES[adapter](Path(place)) as store:
        for _ in range(times):
            while True:
                item = await store.get(COUNTER)
                value, version = (item.body["value"], item.version) if item else (0, 0)
                try:
                    await store.transact([Put(COUNTER, {"value": value + 1}, version)])
                except VersionConflict:
                    continue
                break


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
