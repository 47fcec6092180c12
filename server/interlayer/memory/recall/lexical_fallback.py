"""What search_memory falls back to when the vector index cannot be used: words, in the newest entities' own logs.

Slower the more there is, so it looks at so many entities and no longer than so long, and the answer says so.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Final

import anyio
import numpy as np

from interlayer.language.terms import terms
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId
from interlayer.memory.projection.rows import stretches
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import Hit, Row
from interlayer.text.bm25 import Bm25

ENTITIES_MAX: Final = 500  # of each type
_PATIENCE_S: Final = 3.0

Shown = Callable[[Sequence[Row]], Awaitable[Sequence[Row]]]
"""Returns those of some rows that a caller may see."""


class Scanner:
    """Ranks facts by BM25 without the vector index."""

    def __init__(self, store: ItemStore, schema: Schema) -> None:
        self._store = store
        self._schema = schema

    async def hits(
        self,
        organization: str,
        text: str,
        entity_type: str | None,
        ids: Collection[str] | None,
        limit: int,
        shown: Shown,
    ) -> list[Hit]:
        """Return up to `limit` rows that share a word with the text, best first; of these entities only, if given.

        `shown` leaves out what is not to be seen before anything is counted.
        """
        rows: list[Row] = []
        with anyio.move_on_after(_PATIENCE_S):
            for one in [entity_type] if entity_type else self._schema.entities:
                for entity in await self._entities(organization, one, ids):
                    async with aclosing(stretches(self._store, organization, entity)) as found:
                        async for stretch in found:
                            rows += stretch.rows
        rows = list(await shown(rows))
        index = Bm25()
        for row in rows:
            index.add(terms(row.text))
        scores = index.scores(terms(text))
        best = [int(place) for place in np.argsort(-scores, kind="stable")[:limit] if scores[place] > 0]
        return [Hit(rows[place], None, float(scores[place])) for place in best]

    async def _entities(self, organization: str, entity_type: str, ids: Collection[str] | None) -> list[EntityId]:
        if ids is not None:
            return [EntityId(entity_type, one) for one in sorted(ids, reverse=True)[:ENTITIES_MAX]]
        place = keys.listing(organization, entity_type, "")
        page = await self._store.query("memory", place.partition, reverse=True, limit=ENTITIES_MAX)
        return [EntityId(entity_type, item.key.sort) for item in page.items]
