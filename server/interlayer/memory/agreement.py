"""Do the log and the vector index say the same? Names every difference, and clears what cannot be mended by adding.

The log is the truth. While others write, a difference may be a write that is on its way: only what two readings have
in common is reported.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from interlayer.errors import Corrupt
from interlayer.memory import keys
from interlayer.memory.projecting import all_rows
from interlayer.memory.records import EntityId
from interlayer.models.embedder import Space
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import Row, VectorIndex

_WORDS_TRIED: Final = 3

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference: a fact without a row, a row without a fact, a row in other words, or an unreadable index."""

    kind: Literal["missing", "extra", "changed", "unreadable"]
    fact_id: str
    owner: str


class Agreement:
    """Compares the two layers of an organization."""

    def __init__(self, store: ItemStore, index: VectorIndex, space: Space, entity_types: Sequence[str]) -> None:
        self._store = store
        self._index = index
        self._space = space
        self._types = entity_types

    async def differences(self, organization: str, progress: Progress = lambda _: None) -> list[Difference]:
        """Return what differs, sorted; `progress` is told the number of facts looked at. Raises `Unavailable`."""
        try:
            found = await self._compared(organization, progress)
            return sorted(found & await self._compared(organization, progress)) if found else []
        except Corrupt as error:
            return [Difference("unreadable", "", str(error))]

    async def clear(self, organization: str, progress: Progress = lambda _: None) -> list[Difference]:
        """Take out what adding and removing rows by id cannot mend; return all that differed.

        An unreadable index is dropped whole, rows in other words are removed: a rebuild adds them as they should be.
        """
        found = await self.differences(organization, progress)
        if any(one.kind == "unreadable" for one in found):
            await self._index.drop(organization)
        changed = [one.fact_id for one in found if one.kind == "changed"]
        if changed:
            await self._index.remove(organization, changed)
        return found

    async def _compared(self, organization: str, progress: Progress) -> set[Difference]:
        held, different = await self._held(organization)
        seen = 0
        async for rows in self._log(organization):
            for row in rows:
                owner, digest = held.pop(row.id, ("", b""))
                if digest != _digest(row):
                    different.add(Difference("changed" if owner else "missing", row.id, row.owner))
            seen += len(rows)
            progress(seen)
        return different | {Difference("extra", row_id, owner) for row_id, (owner, _) in held.items()}

    async def _held(self, organization: str) -> tuple[dict[str, tuple[str, bytes]], set[Difference]]:
        """Return owner and digest of every row by id, and what is there twice with a difference."""
        held: dict[str, tuple[str, bytes]] = {}
        different: set[Difference] = set()
        row: Row | None = None
        async for rows in self._index.rows(organization):
            for row in rows:
                if held.setdefault(row.id, (row.owner, _digest(row)))[1] != _digest(row):
                    different.add(Difference("changed", row.id, row.owner))
        if row:
            await self._try(organization, row)
        return held, different

    async def _try(self, organization: str, row: Row) -> None:
        """Use every index once; damage to one shows only then. Adding a row that is there changes nothing."""
        nothing = np.zeros((1, self._space.dims), dtype=np.float32)
        words = " ".join(row.text.split()[:_WORDS_TRIED])
        await self._index.search(organization, nothing[0], words, kind=row.kind, owners=[row.owner], limit=1)
        await self._index.add(organization, [row], nothing)

    async def _log(self, organization: str) -> AsyncGenerator[Sequence[Row]]:
        for entity_type in self._types:
            listed = await self._store.query("memory", keys.listing(organization, entity_type, "").partition)
            for item in listed.items:
                yield await all_rows(self._store, organization, EntityId(entity_type, item.key.sort))


def _digest(row: Row) -> bytes:
    return hashlib.sha256("\0".join((row.owner, row.kind, row.text)).encode()).digest()[:16]
