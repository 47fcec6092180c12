"""An item store that takes its process with it at a certain write: SIGKILL, with nothing tidied up."""

import os
import signal
from collections.abc import Sequence
from typing import Any

from interlayer.storage.items import Operation


def die_at(store: Any, write: int, applied: str) -> None:
    """Have the process killed at this write of the store, counted from now: `before` it is applied or right `after`."""
    transact = store.transact
    left = write

    async def dying(operations: Sequence[Operation]) -> None:
        nonlocal left
        left -= 1
        if left < 0 and applied == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await transact(operations)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    store.transact = dying
