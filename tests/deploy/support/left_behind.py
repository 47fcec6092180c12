"""Does what a server does that cannot reach the vectors, and is gone before anybody projects it.

Run by the server's own Python, with the settings in the environment: `left_behind.py ENTITY FACT [FORGOTTEN]`.
"""

import os
import sys
from contextlib import suppress

import anyio

from interlayer.app.composition import build
from interlayer.app.settings import load
from interlayer.errors import Unavailable
from interlayer.memory.requests import FactCandidate, MemorizeRequest


async def main(entity: str, fact: str, forgotten: str | None = None) -> None:
    """Memorize, perhaps forget another entity, and die."""
    parts = build(load({}))
    await parts.prepare()
    request = MemorizeRequest(entity=entity, facts=[FactCandidate(fact, 0.9)])
    await parts.memory.memorizer.memorize(parts.settings.principal, request)
    if forgotten:
        with suppress(Unavailable):
            await parts.memory.forgetter.forget(parts.settings.principal, entity=forgotten, reason="asked to")
    os._exit(0)


anyio.run(main, *sys.argv[1:])
