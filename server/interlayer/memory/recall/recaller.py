"""recall_entity: resolve -> view -> rank -> shape to the budget. Never anything of another entity."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlayer.ids import timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.vectors import of_query
from interlayer.memory.entities.view import EntityView, FactState, valid_then
from interlayer.memory.log import cursor as paging
from interlayer.memory.log import keys
from interlayer.memory.log.entity_read import RELATIONS_MAX, EntityRead
from interlayer.memory.log.identifiers import EntityString, check_text, parse_entity
from interlayer.memory.log.properties import PropertyState
from interlayer.memory.log.reader import parts, read_log
from interlayer.memory.log.records import EntityId, Head, Memorized, Relation
from interlayer.memory.log.revision import expired, without_memories
from interlayer.memory.memorize.answer import shown_time
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.recall.provenance import origins
from interlayer.memory.recall.ranking import asked, rank, without_query
from interlayer.memory.requests import QUERY_MAX, RecallRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore
from interlayer.text.budget import json_tokens


class Recaller:
    """Answers what is known of one entity."""

    def __init__(self, store: ItemStore, entities: Entities, spaces: Spaces, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._spaces = spaces
        self._schema = schema

    async def recall(self, principal: Principal, request: RecallRequest) -> dict[str, Any]:
        """Return the answer of the contract. Raises `InvalidInput` or `Ambiguous`."""
        parsed = parse_entity(request.entity, self._schema)
        check_text(request.query or "", "query", QUERY_MAX)
        known = await self._entities.resolve(principal.organization, parsed)
        dossier = await self._entities.read(principal.organization, known) if known else None
        head = await self._entities.shown(principal.organization, dossier.stored.head) if dossier else None
        if dossier is None or head is None:
            near = await self._entities.near(principal.organization, parsed)
            return {
                "found": False,
                "near": near,
                "properties": [],
                "facts": [],
                "relations": [],
                "omitted": {"facts": 0, "why": "nothing is known of this entity; the same query will not change that"},
            }
        until = timestamp(request.as_of) if request.as_of else None
        wanted = "relations" in request.include
        names = (head.name, *head.names)
        space = await self._spaces.of(principal.organization)
        vector, degraded = await of_query(space, asked(request.query, names) if request.query else None)
        view = await self._entities.view(principal.organization, head, space, dossier)
        if until:
            view = await self._past(principal.organization, view, until, degraded, space)
        page = _Page.of(request, view.revision)
        relations = await self._relations(principal.organization, view, dossier, until) if wanted else []
        if view.space != space.embedder.space:  # another call has moved it since
            view = await self._entities.view(principal.organization, head, space)
        ranked, there = _ranked(view, request, vector, page, names)
        answer = _frame(head, view, request, relations)
        answer["revision"] = head.revision
        if request.query and view.lacking and not degraded:
            degraded.append(f"vectors: {len(view.lacking)} facts have none yet and are ranked by words alone")
        if degraded:
            answer["degraded"] = degraded
        chosen = _fill(answer, ranked, there, request, page)
        if "sources" in request.include:
            await self._add_sources(principal.organization, answer, chosen, request.max_tokens)
        return answer

    async def properties(self, principal: Principal, entity: str) -> tuple[str, Mapping[str, Any]]:
        """Return the type and current properties of an entity; of an unknown one, none."""
        parsed = parse_entity(entity, self._schema)
        head = await self._head(principal.organization, parsed)
        return parsed.type, head.properties if head else {}

    async def _head(self, organization: str, entity: EntityString) -> Head | None:
        """Return the head of an entity as it may be shown, None when nothing of it may."""
        known = await self._entities.resolve(organization, entity)
        stored = await self._entities.head(organization, known) if known else None
        return await self._entities.shown(organization, stored.head) if stored else None

    async def _relations(
        self, organization: str, view: EntityView, dossier: EntityRead, until: str | None
    ) -> list[dict[str, Any]]:
        """Return the relations to and from entities that there are; of one that was merged, what it is a part of."""
        outgoing = list(view.relations.items())[:RELATIONS_MAX]
        incoming = [(view.entity, item) for item in dossier.incoming]
        for absorbed in parts(view.memories.values()):
            place = keys.head(organization, absorbed)
            page = await self._store.query("memory", place.partition, keys.incoming(), limit=RELATIONS_MAX)
            incoming += [(absorbed, item) for item in page.items]
        pointing = [(target, *_origin(item), item) for target, item in incoming[:RELATIONS_MAX]]
        others = dict.fromkeys([*(one.target for one, _ in outgoing), *(origin for _, _, origin, _ in pointing)])
        heads = {head.entity: head for head in await self._entities.heads(organization, list(others))}
        found: list[dict[str, Any]] = []
        for relation, memory in outgoing:
            head = await self._standing(organization, heads.get(relation.target))
            if head and await self._entities.shown(organization, head):
                found.append({"type": relation.type, "target": head.entity.ref, "memory_id": memory.id})
        for target, kind, origin, item in pointing:
            head = await self._standing(organization, heads.get(origin))
            if head is None:
                continue
            basis = await self._entities.basis(organization, head, Relation(kind, target), item.body)
            if basis and (until is None or basis[1] <= until):
                found.append({"type": kind, "source": head.entity.ref, "direction": "in", "memory_id": basis[0]})
        return found

    async def _standing(self, organization: str, head: Head | None) -> Head | None:
        """Return a head, or that of what the entity was merged into."""
        if head is None or head.merged_into is None:
            return head
        stored = await self._entities.survivor(organization, head.merged_into)
        return stored.head if stored else None

    async def _past(
        self, organization: str, view: EntityView, as_of: str, degraded: list[str], space: ActiveSpace
    ) -> EntityView:
        """Fold what was known and valid then: the log up to that instant, with what was merged into it at that time.

        Where nothing had been recorded yet, because the past was filled in later, it is what is now known to have been
        valid then, and `degraded` says so.
        """
        log = await read_log(self._store, organization, view.entity, as_of=as_of)
        known = without_memories(log, expired(log, self._entities.cutoff(view.entity.type)))
        valid = [valid_then(memory, as_of) for memory in known or view.memories.values()]
        if not known and any(memory.facts or memory.properties for memory in valid):
            degraded.append("as_of: nothing was recorded yet then; shown is what is now known to have been valid")
        same = view.space == space.embedder.space
        vectors = {fact.record.id: view.vectors[fact.number] for fact in view.ordered} if same else {}
        gone = {fact.id: fact.text for memory in valid for fact in memory.facts if fact.id not in vectors}
        vectors |= await self._entities.vectors(organization, view.entity, gone, space)
        past = self._entities.blank(view.entity, space)
        for memory in valid:
            past.apply(memory, vectors)
        return past

    async def _add_sources(
        self, organization: str, answer: dict[str, Any], chosen: Sequence[FactState], max_tokens: int
    ) -> None:
        answer["sources"] = []
        async with aclosing(origins(self._store, organization, chosen)) as entries:
            async for entry in entries:
                if json_tokens(answer) + json_tokens(entry) > max_tokens:
                    break
                answer["sources"].append(entry)


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """What earlier pages have shown. Facts newer than the first page's revision stay out: a walk comes to its end."""

    revision: int
    shown: paging.Marks
    query: str

    @classmethod
    def of(cls, request: RecallRequest, revision: int) -> "_Page":
        digest = paging.digest_of(request.entity, request.query, request.min_confidence, request.as_of)
        if request.cursor is None:
            return cls(revision, np.empty(0, dtype=np.uint64), digest)
        (first_revision, query), shown = paging.decode(request.cursor, int, str)
        paging.check_same(query, digest)
        return cls(first_revision, shown, digest)

    def after(self, chosen: Sequence[FactState]) -> str:
        marks = [*self.shown.tolist(), *(paging.mark(fact.record.id) for fact in chosen)]
        return paging.encode([self.revision, self.query], marks)


def _origin(item: Item) -> tuple[str, EntityId]:
    """Return the type and the origin of a relation as it is noted with its target."""
    _, kind, origin_type, origin_id = item.key.sort.split("#")
    return kind, EntityId(origin_type, origin_id)


def _ranked(
    view: EntityView,
    request: RecallRequest,
    vector: np.ndarray[Any, np.dtype[np.float32]],
    page: _Page,
    names: Sequence[str],
) -> tuple[Sequence[tuple[FactState, float | None]], int]:
    """Return the facts of a page, best first and one more than it can hold, and how many there are from there on."""
    if "facts" not in request.include:
        return [], 0
    superseded_too = "history" in request.include or request.as_of is not None
    traits = view.traits
    eligible = (traits.confidence >= np.float32(request.min_confidence)) & (traits.revisions <= page.revision)
    if not superseded_too:
        eligible &= ~traits.superseded
    numbers = np.flatnonzero(eligible)
    end = len(page.shown) + request.limit + 1
    if request.query:
        ranked = rank(view, request.query, vector, numbers, end, names)
    else:
        ranked = without_query(view, numbers, end)
    if not len(page.shown):
        return ranked, len(numbers)
    left = np.isin(traits.marks, page.shown, invert=True)
    return [one for one in ranked if left[one[0].number]], int(left[numbers].sum())


def _frame(
    head: Head, view: EntityView, request: RecallRequest, relations: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the answer without its facts."""
    answer: dict[str, Any] = {
        "found": True,
        "entity": {
            "ref": head.entity.ref,
            "type": head.entity.type,
            "id": head.entity.id,
            "name": head.name,
            "identifiers": {kind: list(values) for kind, values in head.identifiers.items()},
        },
        "revision": head.revision,
        "properties": [],
        "facts": [],
        "relations": [],
        "omitted": {"facts": 0, "why": ""},
    }
    if "properties" in request.include:
        answer["properties"] = [
            _property(name, state)
            for name, state in sorted(view.properties.items())
            if state.confidence >= request.min_confidence
        ]
    answer["relations"] = list(relations)
    if unread := sum(isinstance(one, Memorized) and bool(one.pending) for one in view.memories.values()):
        answer["pending"] = {"sources": unread, "why": "a model has still to read them; shown is what they say plainly"}
    if "history" in request.include:
        answer["history"] = list(_history(view))
    _trim(answer, request.max_tokens)
    return answer


def _trim(answer: dict[str, Any], max_tokens: int) -> None:
    """Cut what stands beside the facts, least needed first, until the budget holds."""
    for part in ("history", "relations", "properties"):
        entries = answer.get(part) or []
        while entries and json_tokens(answer) > max_tokens:
            del entries[len(entries) // 2 :]
            answer["omitted"][part] = "max_tokens"


def _fill(
    answer: dict[str, Any],
    ranked: Sequence[tuple[FactState, float | None]],
    there: int,
    request: RecallRequest,
    page: _Page,
) -> list[FactState]:
    """Add facts until the limit or the budget; say how many of those that are `there` were left out."""
    left = request.max_tokens - json_tokens(answer) - paging.CURSOR_TOKENS - paging.MARK_TOKENS * len(page.shown)
    chosen: list[FactState] = []
    why = ""
    for fact, score in ranked:
        entry = _fact(fact, score)
        left -= json_tokens(entry) + 1 + paging.MARK_TOKENS
        if len(chosen) == request.limit or (left < 0 and chosen):
            why = "limit" if len(chosen) == request.limit else "max_tokens"
            break
        answer["facts"].append(entry)
        chosen.append(fact)
    omitted = there - len(chosen)
    answer["omitted"] |= {"facts": omitted, "why": f"{why}: pass next_cursor for more" if omitted else ""}
    if omitted:
        answer["next_cursor"] = page.after(chosen)
    return chosen


def _fact(fact: FactState, score: float | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"fact_id": fact.record.id, "text": fact.record.text, "confidence": fact.confidence}
    if score is not None:
        entry["score"] = score
    return entry | {
        "observed_at": shown_time(fact.record.observed_at),
        "status": "superseded" if fact.superseded_by else "current",
        "memory_id": fact.memory.id,
        "source": fact.memory.source or "",
    }


def _property(name: str, state: PropertyState) -> dict[str, Any]:
    return {
        "name": name,
        "value": state.value,
        "confidence": state.confidence,
        "observed_at": shown_time(state.observed_at),
        "memory_id": state.basis.memory_id,
        "source": state.basis.source or "",
    }


def _history(view: EntityView) -> Iterable[dict[str, Any]]:
    newest_first = sorted(view.observations(), key=lambda seen: seen.observation.observed_at, reverse=True)
    for one in sorted(newest_first, key=lambda seen: seen.observation.name):
        yield {
            "name": one.observation.name,
            "value": one.observation.value,
            "observed_at": shown_time(one.observation.observed_at),
            "recorded_at": shown_time(one.recorded_at),
            "memory_id": one.memory_id,
            "agent": one.agent,
        }
