"""search_memory: facts across the entities of one organization, as far as a caller may see them."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import anyio
import numpy as np

from interlayer.answers import as_json, display_time
from interlayer.errors import Corrupt, InvalidInput, Unavailable
from interlayer.language.terms import terms
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.repository import Entities, called
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import cursor as paging
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.recall.answer import FoundFact, SearchAnswer, SearchResult, Tie
from interlayer.memory.recall.lexical_fallback import ENTITIES_MAX, Scanner
from interlayer.memory.recall.listing import Lister
from interlayer.memory.recall.mentions import Mentions
from interlayer.memory.recall.neighbourhood.links import Links
from interlayer.memory.recall.neighbourhood.ties import Ties
from interlayer.memory.recall.query import asked, check_query, meant
from interlayer.memory.requests import SearchRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import Hit, Row
from interlayer.text.bm25 import Bm25
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
_COSINE_DIGITS: Final = 5  # beyond them is the noise of adding in another order
_OWNERS_MAX: Final = 1_000  # entities that meet `where`, up to which the index itself leaves out all others


class Searcher(Lister):
    """Finds facts, and lists entities."""

    def __init__(
        self,
        store: ItemStore,
        spaces: Spaces,
        entities: Entities,
        projector: Projector,
        schema: Schema,
    ) -> None:
        super().__init__(store, entities, schema)
        self._spaces = spaces
        self._projector = projector
        self._scanner = Scanner(store, schema)
        self._mentions = Mentions(entities, schema)
        self._ties = Ties(Links(store, entities, schema), entities, schema)
        self._rests_until_s = 0.0

    async def search(self, principal: Principal, request: SearchRequest) -> SearchAnswer:
        """Return the facts that fit best. Raises `InvalidInput`, or `Unavailable` without the item store."""
        check_query(request.query, request.also)
        if not request.query.strip():
            raise InvalidInput("query", "is blank.", "Say what to look for, or use list_entities.")
        sight = self._entities.sight(principal)
        allowed = await self._find_allowed(principal.organization, request, sight)
        asked_for = _Asked(principal.organization, request, allowed, frozenset(_marks_shown(request)), sight)
        shown = _marks_shown(request)
        try:
            found = await self._find(asked_for)
            if not found and not shown and await self._find_by_words(asked_for):
                raise Corrupt("The index is empty. Run interlayer reconcile --rebuild.")
            return self._page(found, shown, asked_for)
        except (Unavailable, Corrupt) as error:
            found = await self._find_by_words(asked_for)
            return replace(self._page(found, shown, asked_for), degraded=(f"{_DEGRADED} {error}",))

    async def _find_by_words(self, asked_for: "_Asked") -> list["_Found"]:
        """Look into the item store, where the index cannot be asked."""
        request, visible = asked_for.request, partial(self._visible, asked_for)
        text, limit = meant(request.query, request.also), _CANDIDATES + len(asked_for.shown)
        allowed = asked_for.allowed
        hits = await self._scanner.hits(asked_for.organization, text, request.entity_type, allowed, limit, visible)
        return await self._living(asked_for, _fuse(text, hits, ()))

    async def _find(self, asked_for: "_Asked") -> list["_Found"]:
        """Ask the index. Raises `Unavailable` in a bounded time, and then for a while at once."""
        now_s = anyio.current_time()
        if now_s < self._rests_until_s:
            raise Unavailable("It did not answer a moment ago.")
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await self._ask(asked_for)
        except (TimeoutError, Unavailable) as error:
            if anyio.current_time() - now_s > _SLOW_S:
                self._rests_until_s = anyio.current_time() + _REST_S
            if isinstance(error, Unavailable):
                raise
            raise Unavailable(f"No answer within {_PATIENCE_S:.0f} s.") from error

    async def _ask(self, asked_for: "_Asked") -> list["_Found"]:
        organization, request = asked_for.organization, asked_for.request
        space = await self._spaces.of(organization)
        named = await self._named(asked_for)
        texts = [meant(one, request.also) for one in (request.query, asked(request.query, _names(named)))]
        vectors = await space.embedder.embed(texts, query=True)
        await self._projector.drain(organization)  # what was written is found
        owners = await self._owners(asked_for)
        wanted = _CANDIDATES + len(asked_for.shown)
        while True:
            hits = await self._seen_of(
                asked_for,
                lambda limit: space.index.search(
                    organization, vectors[0], texts[0], kind=request.entity_type, owners=owners, limit=limit
                ),
                wanted,
            )
            own: Sequence[Hit] = ()
            if named:
                own = await self._seen_of(
                    asked_for,
                    lambda limit: space.index.search(
                        organization, vectors[1], texts[1], owners=_refs(named), limit=limit
                    ),
                    _CANDIDATES + len(asked_for.shown),
                )
            found = await self._living(asked_for, _fuse(texts[0], hits, own, texts[1]))
            if len(found) > request.limit or len(hits) < wanted:
                return await self._tied(asked_for, found, named)
            wanted *= _WIDER

    async def _tied(self, asked_for: "_Asked", found: Sequence["_Found"], named: Sequence[Head]) -> list["_Found"]:
        """Return what was found with how it is related to whom the query names."""
        heads = {one.head.entity: one.stored for one in found}
        ties = await self._ties.between(asked_for.organization, heads, named, asked_for.sight)
        return [replace(one, related=ties.get(one.head.entity)) for one in found]

    async def _seen_of(
        self, asked_for: "_Asked", search: Callable[[int], Awaitable[Sequence[Hit]]], wanted: int
    ) -> list[Hit]:
        """Return the hits that the caller may see: as many as if there were no others."""
        limit = wanted
        while True:
            hits = await search(limit)
            rows = await self._visible(asked_for, [hit.row for hit in hits])
            if len(rows) == len(hits):
                return list(hits)
            ids = {row.id for row in rows}
            seen = [hit for hit in hits if hit.row.id in ids]
            legs = [sum(hit.cosine is not None for hit in seen), sum(hit.lexical is not None for hit in seen)]
            if min(legs) >= wanted or len(hits) < limit:
                return _first(seen, wanted)
            limit *= _WIDER

    async def _visible(self, asked_for: "_Asked", rows: Sequence[Row]) -> list[Row]:
        """Return those of some rows that the caller may see, whether or not they hold today."""
        owners = list(dict.fromkeys(EntityId(*row.owner.split(":", 1)) for row in rows))
        views: dict[str, EntityView] = {}
        for head in await self._entities.heads(asked_for.organization, owners):
            stored = (
                await self._entities.survivor(asked_for.organization, head.merged_into) if head.merged_into else None
            )
            last = stored.head if stored else head
            if self._entities.restriction(last, asked_for.sight):
                views[head.entity.ref] = await self._entities.view(asked_for.organization, last, sight=asked_for.sight)
        return [row for row in rows if row.owner not in views or row.id in views[row.owner].rows]

    async def _find_allowed(self, organization: str, request: SearchRequest, sight: Sight) -> set[str] | None:
        if request.entity_type:
            self._schema.entity(request.entity_type, "entity_type")
        if not request.where:
            return None
        if not request.entity_type:
            raise InvalidInput("where", "needs entity_type.", "Name the type whose properties it compares.")
        return await self._filters.matching(organization, request.entity_type, request.where, sight)

    async def _named(self, asked_for: "_Asked") -> Sequence[Head]:
        """Return the heads of those whom the query names, without those that do not meet `where`."""
        request = asked_for.request
        heads = await self._mentions.named_in(
            asked_for.organization, request.query, request.entity_type, asked_for.sight
        )
        return [head for head in heads if asked_for.allowed is None or head.entity.id in asked_for.allowed]

    async def _survivors(self, asked_for: "_Asked", rows: Sequence[Row]) -> dict[str, tuple[Head, Head]]:
        """Return by owner the heads that rows belong to, stored and shown; of what was merged, that of the other."""
        organization = asked_for.organization
        owners = list(dict.fromkeys(EntityId(*row.owner.split(":", 1)) for row in rows))
        owners = [owner for owner in owners if owner.type in self._schema.entities]  # a type may have been removed
        found: dict[str, tuple[Head, Head]] = {}
        for head in await self._entities.heads(organization, owners):
            stored = await self._entities.survivor(organization, head.merged_into) if head.merged_into else None
            last = stored.head if stored else head
            meeting = await self._meeting(organization, last, asked_for.request.where, asked_for.sight)
            if meeting:
                found[head.entity.ref] = (last, meeting)
        return found

    async def _living(self, asked_for: "_Asked", scored: Sequence[tuple[Row, float]]) -> list["_Found"]:
        """Return the best hits, one more than a page, that may be shown: still in the item store, in force and new.

        The index is never the truth.
        """
        organization, request, allowed = asked_for.organization, asked_for.request, asked_for.allowed
        heads = await self._survivors(asked_for, [row for row, _ in scored])
        found: dict[str, _Found] = {}
        views: dict[str, EntityView] = {}
        for row, score in scored:
            if len(found) > request.limit:
                break
            stored, head = heads.get(row.owner, (None, None))
            if stored is None or head is None or (allowed is not None and head.entity.id not in allowed):
                continue
            ref = head.entity.ref
            if ref not in views:
                views[ref] = await self._entities.view(organization, stored, sight=asked_for.sight)
            fact = views[ref].facts.get(row.id)
            # What probably took the place of a fact is read before it.
            for one in (fact.newer, fact) if fact else ():
                if one and one.is_current and paging.mark(one.record.id) not in asked_for.shown:
                    found.setdefault(one.record.id, _Found(stored, head, one, score, views[ref].withheld))
        return list(found.values())[: request.limit + 1]

    async def _owners(self, asked_for: "_Asked") -> Sequence[str] | None:
        """Return to what rows of the entities that meet `where` belong; None if they are too many to be listed."""
        allowed, entity_type = asked_for.allowed, asked_for.request.entity_type
        if allowed is None or len(allowed) > _OWNERS_MAX or not entity_type:
            return None
        heads = await self._entities.heads(asked_for.organization, [EntityId(entity_type, one) for one in allowed])
        return _refs(heads)

    def _page(self, found: Sequence["_Found"], shown: Sequence[int], asked_for: "_Asked") -> SearchAnswer:
        request, results = asked_for.request, list[SearchResult]()
        withheld: dict[str, set[str]] = {}
        left = request.max_tokens - paging.CURSOR_TOKENS - paging.MARK_TOKENS * len(shown)
        for one in found[: request.limit]:
            entry = one.shown
            left -= json_tokens(as_json(entry)) + 1 + paging.MARK_TOKENS
            if results and left < 0:
                break
            results.append(entry)
            withheld.setdefault(one.head.entity.type, set()).update(one.withheld)
        told = tuple(why for kind, names in withheld.items() for why in self._why(kind, names) or ())
        answer = SearchAnswer(results=tuple(results), withheld=tuple(dict.fromkeys(told)) or None)
        if len(found) == len(results):
            return answer
        now = [paging.mark(one.fact.record.id) for one in found[: len(results)]]
        return replace(answer, next_cursor=paging.encode([_digest(request)], [*shown, *now]))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search: whose, for what, among whom, without what earlier pages have shown, and what may be seen."""

    organization: str
    request: SearchRequest
    allowed: AbstractSet[str] | None
    shown: frozenset[int]
    sight: Sight


@dataclass(frozen=True, slots=True)
class _Found:
    """A fact that was found, whom it is about, its score, what of that entity is withheld, and how it is related.

    `stored` is the head of that entity as it is, `head` as it may be shown.
    """

    stored: Head
    head: Head
    fact: FactState
    score: float
    withheld: AbstractSet[str]
    related: Tie | None = None

    @property
    def shown(self) -> SearchResult:
        """What an answer says of it."""
        fact = self.fact
        return SearchResult(
            entity=NamedEntity(ref=self.head.entity.ref, name=self.head.name),
            fact=FoundFact(
                fact_id=fact.record.id,
                text=fact.record.text,
                confidence=fact.confidence,
                observed_at=display_time(fact.record.observed_at),
                memory_id=fact.memory.interaction,
                source=fact.memory.source or "",
            ),
            score=self.score,
            related=self.related,
        )


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
    return [name for head in heads for name in called(head)]


def _refs(heads: Sequence[Head]) -> list[str]:
    """Return to what rows of entities, and of what was merged into them, belong."""
    return sorted({one.ref for head in heads for one in (head.entity, *head.absorbed)})


def _first(hits: Sequence[Hit], wanted: int) -> list[Hit]:
    """Return so many hits of each leg as were wanted, best first."""
    near = sorted((hit for hit in hits if hit.cosine is not None), key=lambda hit: -(hit.cosine or 0))[:wanted]
    said = sorted((hit for hit in hits if hit.lexical is not None), key=lambda hit: -(hit.lexical or 0))[:wanted]
    kept = {hit.row.id for hit in (*near, *said)}
    return [hit for hit in hits if hit.row.id in kept]


def _fuse(text: str, hits: Sequence[Hit], own: Sequence[Hit], own_text: str = "") -> list[tuple[Row, float]]:
    """Return rows with scores of 0..1, best first. `own` are those of whom the query names, found without the name."""
    scores: dict[str, float] = {}
    rows = {hit.row.id: hit.row for hit in (*hits, *own)}
    for found, bonus in ((_scaled(hits, text), 0.0), (_scaled(own, own_text), _NAMED)):
        for row_id, score in found.items():
            scores[row_id] = max(scores.get(row_id, 0.0), round((score + bonus) / (1 + _NAMED), 4))
    order = sorted(scores, key=lambda row_id: (-scores[row_id], row_id))
    return [(rows[row_id], scores[row_id]) for row_id in order]


def _scaled(hits: Sequence[Hit], text: str) -> dict[str, float]:
    """Return by row id the mean of the legs of hits, each scaled to 0..1.

    Words are weighed among the hits alone: how often they are in the index is not for everybody to know.
    """
    if not hits:
        return {}
    index = Bm25()
    for hit in hits:
        index.add(terms(hit.row.text))
    lexical = index.scores(terms(text))
    nearness = [round(hit.cosine or 0.0, _COSINE_DIGITS) for hit in hits]
    legs = np.array([nearness, lexical], dtype=np.float32)
    return {hit.row.id: float(score) for hit, score in zip(hits, min_max(legs).mean(axis=0), strict=True)}
