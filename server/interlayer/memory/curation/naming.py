"""Who else names an entity: what forget says of it in a moment, found by search and so only what the caller may see."""

from collections import Counter
from typing import Final

from interlayer.memory.erasure.answer import StillNamed
from interlayer.memory.erasure.subjects.names import SubjectNames
from interlayer.memory.log.records import Head
from interlayer.memory.recall.search import Searcher
from interlayer.memory.requests import QUERY_MAX, RESULTS_MAX, TOKENS_MAX, SearchRequest
from interlayer.principal import Principal

_SHOWN: Final = 10


class Naming:
    """Searches for what an entity is called by."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def still_named(self, principal: Principal, head: Head) -> tuple[StillNamed, ...]:
        """Return the entities whose facts name it, most facts first: at most ten of those that a search finds."""
        names = SubjectNames.of([head])
        query = " ".join(names.told)[:QUERY_MAX]
        if not query.strip():
            return ()
        request = SearchRequest(query=query, limit=RESULTS_MAX, max_tokens=TOKENS_MAX)
        found = Counter[str]()
        for one in (await self._searcher.search(principal, request)).results:
            if names.find(one.fact.text):
                found[one.entity.ref] += 1
        return tuple(StillNamed(entity=entity, facts=facts) for entity, facts in found.most_common(_SHOWN))
