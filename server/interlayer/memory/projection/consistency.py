"""Do the log and the vector index say the same? Names every difference, and clears what cannot be mended by adding.

The log is the truth. While others write, a difference may be a write that is on its way: only what two readings have
in common is reported.
"""

import hashlib
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from interlayer.errors import Corrupt
from interlayer.memory.projection.backfill import Backfill, Progress
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.storage.vectors import Row

_WORDS_TRIED: Final = 3


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference: a fact without a row, a row without a fact, a row in other words, or an unreadable index.

    `space` is the id of the embedding space: the former one is compared as long as it is kept.
    """

    kind: Literal["missing", "extra", "changed", "unreadable"]
    fact_id: str
    owner: str
    space: str


class ConsistencyCheck:
    """Compares the log of an organization with every space that has to hold all of it."""

    def __init__(self, spaces: Spaces, filler: Backfill) -> None:
        self._spaces = spaces
        self._filler = filler

    async def differences(self, organization: str, progress: Progress = lambda _: None) -> list[Difference]:
        """List the differences, sorted; `progress` is told the number of facts looked at. Raises `Unavailable`."""
        spaces = await self._spaces.whole(organization)
        return sorted([one for space in spaces for one in await self._between(organization, space, progress)])

    async def clear(self, organization: str, progress: Progress = lambda _: None) -> list[Difference]:
        """Take out what adding and removing rows by id cannot mend; return all that differed.

        An unreadable index is dropped whole, rows in other words are removed: a rebuild adds them as they should be.
        """
        cleared: list[Difference] = []
        for space in await self._spaces.whole(organization):
            found = await self._between(organization, space, progress)
            if any(one.kind == "unreadable" for one in found):
                await space.index.drop(organization)
            changed = [one.fact_id for one in found if one.kind == "changed"]
            if changed:
                await space.index.remove(organization, changed)
            cleared += found
        return cleared

    async def _between(self, organization: str, space: ActiveSpace, progress: Progress) -> set[Difference]:
        """List the differences between the log and a space."""
        try:
            found = await self._compare(organization, space, progress)
            return found & await self._compare(organization, space, progress) if found else set()
        except Corrupt as error:
            return {Difference("unreadable", "", str(error), space.id)}

    async def _compare(self, organization: str, space: ActiveSpace, progress: Progress) -> set[Difference]:
        held, different = await _read_rows(organization, space)
        seen = 0
        async with aclosing(self._filler.stretches(organization)) as found:
            async for stretch in found:
                for row in stretch.rows:
                    owner, digest = held.pop(row.id, ("", b""))
                    if digest != _digest(row):
                        different.add(Difference("changed" if owner else "missing", row.id, row.owner, space.id))
                seen += len(stretch.rows)
                progress(seen)
        return different | {Difference("extra", row_id, owner, space.id) for row_id, (owner, _) in held.items()}


async def _read_rows(organization: str, space: ActiveSpace) -> tuple[dict[str, tuple[str, bytes]], set[Difference]]:
    """Return owner and digest of every row by id, and what is there twice with a difference."""
    held: dict[str, tuple[str, bytes]] = {}
    different: set[Difference] = set()
    row: Row | None = None
    async for rows in space.index.rows(organization):
        for row in rows:
            if held.setdefault(row.id, (row.owner, _digest(row)))[1] != _digest(row):
                different.add(Difference("changed", row.id, row.owner, space.id))
    if row:
        await _try(organization, space, row)
    return held, different


async def _try(organization: str, space: ActiveSpace, row: Row) -> None:
    """Use every index once; damage to one shows only then. Adding a row that is there changes nothing."""
    nothing = np.zeros((1, space.embedder.space.dims), dtype=np.float32)
    words = " ".join(row.text.split()[:_WORDS_TRIED])
    await space.index.search(organization, nothing[0], words, kind=row.kind, owners=[row.owner], limit=1)
    await space.index.add(organization, [row], nothing)


def _digest(row: Row) -> bytes:
    return hashlib.sha256("\0".join((row.owner, row.kind, row.text)).encode()).digest()[:16]
