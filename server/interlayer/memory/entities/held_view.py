"""A view that a process keeps: it is brought up to date where it is, and in a thread where much comes in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio
import anyio.to_thread

from interlayer.memory.entities.view import EntityView

_FOLDED_INLINE: Final = 200  # facts; folding more takes others' time


@dataclass(slots=True)
class HeldView:
    """A view, after how many erasures of its entity it was made, and for how many facts it counts among all."""

    view: EntityView
    epoch: int
    facts: int = 0
    of: tuple[int, EntityView] | None = None
    """Of which revision of which view it is a part, where something is hidden."""

    folding: anyio.Event | None = None
    """While a thread changes the view: set when it is done."""

    async def settled(self) -> None:
        """Return when no thread changes the view."""
        while self.folding:
            await self.folding.wait()

    async def change(self, facts: int, fold: Callable[[], None]) -> None:
        """Change the view; where many facts come in, a thread does it, so that others are served."""
        if facts <= _FOLDED_INLINE:
            fold()
            return
        done = self.folding = anyio.Event()
        try:
            await anyio.to_thread.run_sync(fold)
        finally:
            self.folding = None
            done.set()
