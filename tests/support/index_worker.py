"""`index_worker.py ADAPTER PLACE FIRST COUNT`: adds numbered rows to organization acme, one by one."""

import sys
from pathlib import Path

import anyio

from vector_indexes import INDEXES, numbered, unit_vectors


async def main(adapter: str, place: str, first: int, count: int) -> None:
    async with INDEXES[adapter](Path(place)) as index:
        await index.ping()
        for number in range(first, first + count):
            await index.add("acme", numbered(1, first=number), unit_vectors(1, number))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
