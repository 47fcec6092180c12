"""search_memory and list_entities: across the entities of one organization."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import anyio
import numpy as np

from interlayer.answers import as_json, display_time
from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import cursor as paging
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.answer import FoundFact, ListAnswer, ListedEntity, SearchAnswer, SearchResult
from interlayer.memory.recall.filters import Filters
from interlayer.memory.recall.lexical_fallback import ENTITIES_MAX, Scanner
from interlayer.memory.recall.mentions import Mentions
from interlayer.memory.recall.query import asked, check_query, meant
from interlayer.memory.requests import Condition, SearchRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Span
from interlayer.storage.vectors import Hit, Row
from interlayer.text.budget import json_tokens
from interlayer.text.fusion import min_max

_CANDIDATES: Final = 100  # of each leg at first: enough for several pages, few enough to look each up in the item store
_WIDER: Final = 4  # times as many, while too few of them may be shown
_PATIENCE_S: Final = 20.0  # for the index, with what it has not seen yet; each request of it is bounded more closely
_SLOW_S: Final = 1.0
_REST_S: Final = 15.0  # after a slow failure the next callers do not wait again
_DEGRADED: Final = f"vectors: found by words alone, in the newest {ENTITIES_MAX} entities of a type."
_LISTED_TOKENS: Final = 1_996  # with what leads to the next page, an answer stays about 2,000
_NAMED: Final = 0.3  # added to the score of a fact of whom the query names
_OWNERS_MAX: Final = 1_000  # entities that meet `where`, up to which the index itself leaves out all others


class Searcher:
    """Finds facts and lists entities."""

    def __init__(
        self,
        store: ItemStore,
        spaces: Spaces,
        entities: Entities,
        projector: Projector,
        schema: Schema,
    ) -> None:
        self._store = store
        self._spaces = spaces
        self._entities = entities
        self._projector = projector
        self._schema = schema
        self._filters = Filters(store, schema)
        self._scanner = Scanner(store, schema)
        self._mentions = Mentions(entities, schema)
        self._rests_until_s = 0.0

    async def search(self, principal: Principal, request: SearchRequest) -> SearchAnswer:
        """Return the facts that fit best. Raises `InvalidInput`, or `Unavailable` without the item store."""
        check_query(request.query, request.also)
        if not request.query.strip():
            raise InvalidInput("query", "is blank.", "Say what to look for, or use list_entities.")
        allowed = await self._find_allowed(principal.organization, request)
        shown = _marks_shown(request)
        try:
            return _page(await self._find(principal.organization, request, allowed, set(shown)), shown, request)
        except (Unavailable, Corrupt) as error:
            text = meant(request.query, request.also)
            limit = _CANDIDATES + len(shown)
            hits = await self._scanner.hits(principal.organization, text, request.entity_type, allowed, limit)
            found = await self._living(principal.organization, _fuse(hits, ()), allowed, set(shown), request)
            return replace(_page(found, shown, request), degraded=(f"{_DEGRADED} {error}",))

    async def _find(
        self, organization: str, request: SearchRequest, allowed: set[str] | None, shown: set[int]
    ) -> list[tuple[Head, FactState, float]]:
        """Ask the index. Raises `Unavailable` in a bounded time, and then for a while at once."""
        now_s = anyio.current_time()
        if now_s < self._rests_until_s:
            raise Unavailable("It did not answer a moment ago.")
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await self._ask(organization, request, allowed, shown)
        except (TimeoutError, Unavailable) as error:
            if anyio.current_time() - now_s > _SLOW_S:
                self._rests_until_s = anyio.current_time() + _REST_S
            if isinstance(error, Unavailable):
                raise
            raise Unavailable(f"No answer within {_PATIENCE_S:.0f} s.") from error

    async def _ask(
        self, organization: str, request: SearchRequest, allowed: set[str] | None, shown: set[int]
    ) -> list[tuple[Head, FactState, float]]:
        space = await self._spaces.of(organization)
        named = await self._named(organization, request, allowed)
        texts = [meant(one, request.also) for one in (request.query, asked(request.query, _names(named)))]
        vectors = await space.embedder.embed(texts, query=True)
        await self._projector.drain(organization)  # what was written is found
        owners = await self._owners(organization, request, allowed)
        limit = _CANDIDATES + len(shown)
        while True:
            hits = await space.index.search(
                organization, vectors[0], texts[0], kind=request.entity_type, owners=owners, limit=limit
            )
            own: Sequence[Hit] = ()
            if named:
                own = await space.index.search(
                    organization, vectors[1], texts[1], owners=_refs(named), limit=_CANDIDATES + len(shown)
                )
            found = await self._living(organization, _fuse(hits, own), allowed, shown, request)
            if len(found) > request.limit or len(hits) < limit:
                return found
            limit *= _WIDER

    async def list_entities(
        self, principal: Principal, entity_type: str, where: Sequence[Condition], limit: int, cursor: str | None
    ) -> ListAnswer:
        """Return entities, oldest first; new ones come last, so no page shifts."""
        self._schema.entity(entity_type, "entity_type")
        after = paging.decode(cursor, str)[0][0] if cursor else ""
        if where:
            matching = sorted(await self._filters.matching(principal.organization, entity_type, where))
            ids = [one for one in matching if one > after]
            more, ids = len(ids) > limit, ids[:limit]
        else:
            place = keys.listing(principal.organization, entity_type, "")
            page = await self._store.query("memory", place.partition, Span(), limit=limit, cursor=after or None)
            more, ids = page.cursor is not None, [item.key.sort for item in page.items]
        heads = await self._entities.heads(principal.organization, [EntityId(entity_type, one) for one in ids])
        last = ""
        answer = ListAnswer(entities=())
        for stored in heads:
            head = await self._meeting(principal.organization, stored, where)
            if head is None:
                last = stored.entity.id
                continue
            entry = ListedEntity(
                ref=head.entity.ref,
                name=head.name,
                updated_at=display_time(head.updated_at),
                properties=head.properties,
            )
            if answer.entities and json_tokens(as_json(answer)) + json_tokens(as_json(entry)) > _LISTED_TOKENS:
                more = True
                break
            answer = replace(answer, entities=(*answer.entities, entry))
            last = head.entity.id
        return replace(answer, next_cursor=paging.encode([last]) if more and last else None)

    async def _meeting(self, organization: str, stored: Head, where: Sequence[Condition]) -> Head | None:
        """Return a head as it may be shown, None if that does not meet the conditions.

        The index may have found it by a value that was kept long enough.
        """
        head = await self._entities.shown(organization, stored)
        if head is None or head is stored:
            return head
        return head if self._filters.meets(head.entity.type, where, head.properties) else None

    async def _find_allowed(self, organization: str, request: SearchRequest) -> set[str] | None:
        if request.entity_type:
            self._schema.entity(request.entity_type, "entity_type")
        if not request.where:
            return None
        if not request.entity_type:
            raise InvalidInput("where", "needs entity_type.", "Name the type whose properties it compares.")
        return await self._filters.matching(organization, request.entity_type, request.where)

    async def _named(self, organization: str, request: SearchRequest, allowed: set[str] | None) -> Sequence[Head]:
        """Return the heads of those whom the query names, without those that do not meet `where`."""
        named = await self._mentions.named_in(organization, request.query, request.entity_type)
        heads = await self._entities.heads(organization, named)
        return [head for head in heads if allowed is None or head.entity.id in allowed]

    async def _survivors(self, organization: str, rows: Sequence[Row], where: Sequence[Condition]) -> dict[str, Head]:
        """Return by owner the heads that rows belong to: of an entity that was merged, that of the other one."""
        owners = list(dict.fromkeys(EntityId(*row.owner.split(":", 1)) for row in rows))
        owners = [owner for owner in owners if owner.type in self._schema.entities]  # a type may have been removed
        found: dict[str, Head] = {}
        for head in await self._entities.heads(organization, owners):
            stored = await self._entities.survivor(organization, head.merged_into) if head.merged_into else None
            meeting = await self._meeting(organization, stored.head if stored else head, where)
            if meeting:
                found[head.entity.ref] = meeting
        return found

    async def _living(
        self,
        organization: str,
        scored: Sequence[tuple[Row, float]],
        allowed: set[str] | None,
        shown: set[int],
        request: SearchRequest,
    ) -> list[tuple[Head, FactState, float]]:
        """Return the best hits, one more than a page, that may be shown: still in the item store, in force and new.

        The index is never the truth.
        """
        heads = await self._survivors(organization, [row for row, _ in scored], request.where)
        found: dict[str, tuple[Head, FactState, float]] = {}
        views: dict[str, EntityView] = {}
        for row, score in scored:
            if len(found) > request.limit:
                break
            head = heads.get(row.owner)
            if head is None or (allowed is not None and head.entity.id not in allowed):
                continue
            if head.entity.ref not in views:
                views[head.entity.ref] = await self._entities.view(organization, head)
            fact = views[head.entity.ref].facts.get(row.id)
            # What probably took the place of a fact is read before it.
            for one in (fact.newer, fact) if fact else ():
                if one and one.is_current and paging.mark(one.record.id) not in shown:
                    found.setdefault(one.record.id, (head, one, score))
        return list(found.values())[: request.limit + 1]

    async def _owners(
        self, organization: str, request: SearchRequest, allowed: set[str] | None
    ) -> Sequence[str] | None:
        """Return to what rows of the entities that meet `where` belong; None if they are too many to be listed."""
        if allowed is None or len(allowed) > _OWNERS_MAX or not request.entity_type:
            return None
        heads = await self._entities.heads(organization, [EntityId(request.entity_type, one) for one in allowed])
        return _refs(heads)


def _digest(request: SearchRequest) -> str:
    return paging.digest_of(request.query, tuple(request.also), request.entity_type, request.where)


def _marks_shown(request: SearchRequest) -> list[int]:
    """Return the marks of what earlier pages have shown."""
    if not request.cursor:
        return []
    (digest,), marks = paging.decode(request.cursor, str)
    paging.check_same(digest, _digest(request))
    return marks.tolist()


def _names(heads: Sequence[Head]) -> list[str]:
    """Return everything that entities are called by."""
    known = [
        (head.name, *head.names, *(one for values in head.identifiers.values() for one in values)) for head in heads
    ]
    return [name for names in known for name in names]


def _refs(heads: Sequence[Head]) -> list[str]:
    """Return to what rows of entities, and of what was merged into them, belong."""
    return sorted({one.ref for head in heads for one in (head.entity, *head.absorbed)})


def _fuse(hits: Sequence[Hit], own: Sequence[Hit]) -> list[tuple[Row, float]]:
    """Return rows with scores of 0..1, best first. `own` are those of whom the query names, found without the name."""
    scores: dict[str, float] = {}
    rows = {hit.row.id: hit.row for hit in (*hits, *own)}
    for found, bonus in ((_scaled(hits), 0.0), (_scaled(own), _NAMED)):
        for row_id, score in found.items():
            scores[row_id] = max(scores.get(row_id, 0.0), (score + bonus) / (1 + _NAMED))
    order = sorted(scores, key=lambda row_id: (-scores[row_id], row_id))
    return [(rows[row_id], round(scores[row_id], 4)) for row_id in order]


def _scaled(hits: Sequence[Hit]) -> dict[str, float]:
    """Return by row id the mean of the legs of hits, each scaled to 0..1."""
    if not hits:
        return {}
    legs = np.array([[hit.cosine or 0.0 for hit in hits], [hit.lexical or 0.0 for hit in hits]], dtype=np.float32)
    return {hit.row.id: float(score) for hit, score in zip(hits, min_max(legs).mean(axis=0), strict=True)}


def _page(found: Sequence[tuple[Head, FactState, float]], shown: Sequence[int], request: SearchRequest) -> SearchAnswer:
    results: list[SearchResult] = []
    left = request.max_tokens - paging.CURSOR_TOKENS - paging.MARK_TOKENS * len(shown)
    for head, fact, score in found[: request.limit]:
        entry = SearchResult(
            entity=NamedEntity(ref=head.entity.ref, name=head.name),
            fact=FoundFact(
                fact_id=fact.record.id,
                text=fact.record.text,
                confidence=fact.confidence,
                observed_at=display_time(fact.record.observed_at),
                memory_id=fact.memory.id,
                source=fact.memory.source or "",
            ),
            score=score,
        )
        left -= json_tokens(as_json(entry)) + 1 + paging.MARK_TOKENS
        if results and left < 0:
            break
        results.append(entry)
    if len(found) == len(results):
        return SearchAnswer(results=tuple(results))
    now = [paging.mark(fact.record.id) for _, fact, _ in found[: len(results)]]
    return SearchAnswer(results=tuple(results), next_cursor=paging.encode([_digest(request)], [*shown, *now]))
