"""`reembed_worker.py HOME MODEL [BATCHES]`: moves organization acme to MODEL; killed after so many batches, if said."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from interlayer.app.composition import build
from interlayer.models.choice import EmbedderChoice
from interlayer.models.embedder import Vectors
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.vectors import Row
from moves import embedders, settings_for


async def main(home: Path, model: str, batches: int | None) -> None:
    add, left = LanceIndex.add, batches

    async def dying(self: LanceIndex, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        nonlocal left
        await add(self, organization, rows, vectors)
        if left is not None and (left := left - 1) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    LanceIndex.add = dying
    parts = build(settings_for(home), embedder_of=embedders())
    try:
        moved = await parts.memory.reembedder.move(parts.settings.principal, EmbedderChoice(model))
        sys.stdout.write(f"{moved.space} {moved.added}")
    finally:
        await parts.close()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
