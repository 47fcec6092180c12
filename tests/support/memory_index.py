"""A vector index in a dictionary: small, and held to the same contract as the real one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import Space, Vectors
from interlayer.storage.vectors import Hit, Row
from interlayer.text.terms import terms


class MemoryIndex:
    """`VectorIndex` without files."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._rows: dict[str, dict[str, tuple[Row, NDArray[np.float32]]]] = {}

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        held = self._rows.setdefault(organization, {})
        for row, vector in zip(rows, vectors, strict=True):
            held.setdefault(row.id, (row, vector))

    async def vectors_of(self, organization: str, owner: str) -> Mapping[str, NDArray[np.float32]]:
        return {name: vector for name, (row, vector) in self._of(organization).items() if row.owner == owner}

    async def search(
        self, organization: str, vector: NDArray[np.float32], text: str, *, kind: str | None = None, limit: int
    ) -> list[Hit]:
        wanted = set(terms(text))
        hits: list[Hit] = []
        for row, held in self._of(organization).values():
            if kind is None or row.kind == kind:
                shared = len(wanted & set(terms(row.text)))
                hits.append(Hit(row, float(held @ vector), float(shared) if shared else None))
        return sorted(hits, key=lambda hit: -(hit.cosine or 0) - (hit.lexical or 0))[:limit]

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        return sum(self._of(organization).pop(name, None) is not None for name in ids)

    async def ids(self, organization: str) -> set[str]:
        return set(self._of(organization))

    async def optimize(self, organization: str) -> None:
        """Nothing gets scattered here."""

    async def ping(self) -> None:
        """Answer at once."""

    async def close(self) -> None:
        """Hold nothing open."""

    def _of(self, organization: str) -> dict[str, tuple[Row, NDArray[np.float32]]]:
        return self._rows.get(organization, {})
