"""`forget_worker.py HOME entity|fact_id|memory_id NAME WRITE before|after`: a forget killed at its n-th write."""

import sys
from pathlib import Path
from typing import Any

import anyio

from dying import die_at
from organizations import home_of


async def main(home: str, what: str, name: Any, write: int, applied: str) -> None:
    async with home_of(Path(home)) as parts:
        die_at(parts.store, write, applied)
        named: dict[str, Any] = {what: name}
        await parts.memory.forgetter.forget(parts.settings.principal, "mistake", **named)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
