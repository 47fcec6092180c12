"""The vector index in memory: exact cosine and BM25 over the rows of a dictionary, for one event loop.

It keeps every promise of the port but that rows outlive the process. Its text leg reads words as the rest of the house
does (`language/terms.py`), accents folded as LanceDB folds them; scores are comparable with one another only.
"""

import unicodedata
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

import anyio.lowlevel
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Unavailable
from interlayer.language.terms import terms
from interlayer.models.embedder import Space, Vectors
from interlayer.storage.validation import check_unicode, check_vectors
from interlayer.storage.vectors import Hit, Row
from interlayer.text.bm25 import Bm25

_BATCH_ROWS: Final = 1_000


class Dataset:
    """The rows of one organization in one space, in the order in which they came, with what a search needs."""

    def __init__(self) -> None:
        self.vectors: dict[str, NDArray[np.float32]] = {}
        self.rows: dict[str, Row] = {}
        self._words: Bm25 | None = None
        self._matrix: Vectors | None = None

    def add(self, row: Row, vector: NDArray[np.float32]) -> None:
        """Append the row, if its id is not there yet."""
        if row.id not in self.rows:
            self.rows[row.id] = row
            self.vectors[row.id] = vector.astype(np.float32)  # a copy: the caller may go on using its own
            self._matrix = None
            if self._words is not None:
                self._words.add(_terms(row.text))

    def remove(self, row_id: str) -> None:
        """Remove the row, if it is there."""
        if self.rows.pop(row_id, None):
            del self.vectors[row_id]
            self._words = self._matrix = None

    def cosines(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n,) float32: the cosine of each row, NaN where either vector is zero."""
        if self._matrix is None:
            self._matrix = np.stack([*self.vectors.values()])
        lengths = np.linalg.norm(self._matrix, axis=1) * np.linalg.norm(vector)
        with np.errstate(invalid="ignore"):
            return (self._matrix @ vector) / lengths

    def lexical(self, text: str) -> NDArray[np.float32]:
        """Return (n,) float32: the BM25 score of each row, NaN where it has no word of the text."""
        if self._words is None:
            self._words = Bm25()
            for row in self.rows.values():
                self._words.add(_terms(row.text))
        scores = self._words.scores(_terms(text))
        return np.where(scores > 0, scores, np.float32("nan"))


class Datasets:
    """The contents that several indexes share, by organization and space, as several processes share a folder."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Dataset]] = defaultdict(dict)

    def find(self, organization: str, space: str) -> Dataset:
        """Return a dataset, an empty one if there is none."""
        return self._held.get(organization, {}).get(space) or Dataset()

    def make(self, organization: str, space: str) -> Dataset:
        """Return a dataset, which is there from now on."""
        return self._held[organization].setdefault(space, Dataset())

    def of(self, organization: str) -> Collection[Dataset]:
        """Return the organization's datasets, one a space."""
        return self._held.get(organization, {}).values()

    def drop(self, organization: str, space: str) -> None:
        """Forget a dataset, if there is one."""
        self._held.get(organization, {}).pop(space, None)


class InMemoryIndex:
    """`VectorIndex` for vectors of one space on datasets, its own or shared ones."""

    def __init__(self, space: Space, datasets: Datasets | None = None) -> None:
        self._space = space
        self._datasets = datasets or Datasets()
        self._closed = False

    async def add(self, organization: str, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append those of the rows whose id is not there yet; `vectors` is (len(rows), dims)."""
        check_vectors(vectors, len(rows), self._space.dims)
        check_unicode("rows", *(part for row in rows for part in (row.id, row.owner, row.kind, row.text)))
        await self._enter(organization)
        for row, vector in zip(rows, vectors, strict=True):
            self._datasets.make(organization, self._space.id).add(row, vector)

    async def vectors_of(self, organization: str, owner: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vector of every row of an owner, by row id."""
        check_unicode("owner", owner)
        dataset = await self._dataset(organization)
        return {row.id: dataset.vectors[row.id].copy() for row in dataset.rows.values() if row.owner == owner}

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
        """Return up to `limit` rows nearest to the vector and up to `limit` best by full text, collapsed by id."""
        check_vectors(vector[np.newaxis], 1, self._space.dims)
        check_unicode("kind", kind or "")
        check_unicode("owners", *(owners or ()))
        dataset = await self._dataset(organization)
        rows = list(dataset.rows.values())
        if not rows:
            return []
        wanted = None if owners is None else set(owners)
        left_out = [kind not in {None, row.kind} or (wanted is not None and row.owner not in wanted) for row in rows]
        cosines = _best(dataset.cosines(vector), left_out, limit)
        lexical = _best(dataset.lexical(text), left_out, limit)
        return [
            Hit(rows[place], cosines.get(place), lexical.get(place)) for place in dict.fromkeys([*cosines, *lexical])
        ]

    async def remove(self, organization: str, ids: Sequence[str]) -> int:
        """Erase rows by id, from every space; return how many ids there were."""
        check_unicode("ids", *ids)
        await self._enter(organization)
        removed: set[str] = set()
        for dataset in self._datasets.of(organization):
            removed |= dataset.rows.keys() & set(ids)
            for row_id in ids:
                dataset.remove(row_id)
        return len(removed)

    async def ids(self, organization: str) -> set[str]:
        """Return the id of every row."""
        return set((await self._dataset(organization)).rows)

    async def rows(self, organization: str) -> AsyncIterator[Sequence[Row]]:
        """Yield every row in batches."""
        rows = list((await self._dataset(organization)).rows.values())
        for first in range(0, len(rows), _BATCH_ROWS):
            yield rows[first : first + _BATCH_ROWS]

    async def drop(self, organization: str) -> None:
        """Delete the organization's rows of this space."""
        await self._enter(organization)
        self._datasets.drop(organization, self._space.id)

    async def optimize(self, organization: str) -> None:
        """Do nothing: there are no fragments."""
        await self._enter(organization)

    async def verify(self) -> None:
        """Do nothing: writers of one event loop take turns."""

    async def ping(self) -> None:
        """Raise `Unavailable` if the index is closed."""
        await self._enter("")

    async def close(self) -> None:
        """Refuse what comes later; idempotent."""
        self._closed = True

    async def _enter(self, organization: str) -> None:
        """Let others go first, as an index elsewhere does. Raises `Unavailable` once closed."""
        check_unicode("organization", organization)
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise Unavailable("vectors in memory: this index is closed.")

    async def _dataset(self, organization: str) -> Dataset:
        await self._enter(organization)
        return self._datasets.find(organization, self._space.id)


def _best(scores: NDArray[np.float32], left_out: Sequence[bool], limit: int) -> dict[int, float]:
    """Return the `limit` best scores by the place of their row, best first, earlier rows first among equals."""
    scores = np.where(left_out, np.float32("nan"), scores)
    order = np.argsort(-scores, kind="stable")[: max(limit, 0)]  # NaN comes last
    return {int(place): float(scores[place]) for place in order if not np.isnan(scores[place])}


def _terms(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text)
    return terms("".join(one for one in decomposed if not unicodedata.combining(one)))
