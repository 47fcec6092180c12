"""The vector-index port: a rebuildable projection of texts and their vectors, one dataset an organization and space.

It never is the truth: rows can always be made again from the item store. So the contract is small
(`tests/contract/test_vectors.py`): what was added is found by every process after `add` returns; adding a row whose
id is present changes nothing; a search collapses rows that two processes added at once; what was removed cannot be
found and, after `remove` returns, cannot be read from the index's files either. Knows no domain: an `owner` is
whatever rows belong to, a `kind` whatever owners are grouped by.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import Vectors


@dataclass(frozen=True, slots=True)
class Row:
    """One text of the index, without its vector."""

    id: str
    owner: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a search found; a leg that did not find it has no score."""

    row: Row
    cosine: float | None
    lexical: float | None


class VectorIndex(Protocol):
    """The port. Raises `Unavailable` when the index cannot be reached, `Corrupt` when it cannot be read."""

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append those of the rows whose id is not there yet; `vectors` is (len(rows), dims)."""
        ...

    async def vectors_of(self, organization: str, owner: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vector of every row of an owner, by row id."""
        ...

    async def search(
        self,
        organization: str,
        vector: NDArray[np.float32],
        text: str,
        *,
        kind: str | None = None,
        owners: Sequence[str] | None = None,
        limit: int,
    ) -> list[Hit]:
        """Return up to `limit` rows nearest to the vector and up to `limit` best by full text, collapsed by id.

        With `kind` or `owners`, rows of others are left out before anything is counted.
        """
        ...

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        """Erase rows by id, older versions on disk included; return how many there were."""
        ...

    async def ids(self, organization: str) -> set[str]:
        """Return the id of every row."""
        ...

    def rows(self, organization: str) -> AsyncIterator[Sequence[Row]]:
        """Yield every row in batches, a row that was added twice twice. Raises `Corrupt` if one cannot be read."""
        ...

    async def drop(self, organization: str) -> None:
        """Delete the organization's rows of this space with everything around them, readable or not."""
        ...

    async def optimize(self, organization: str) -> None:
        """Merge small fragments and bring the indexes up to date, if enough has been written since."""
        ...

    async def verify(self) -> None:
        """Raise `Refused` where writers could overwrite each other; costs nothing where that is known."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` unless the index can be read."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...
