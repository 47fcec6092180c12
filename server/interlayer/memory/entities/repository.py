"""Entities in the item store: reading heads and logs, keeping views up to date, finding who bears a name.

Nothing here writes; `commits` plans what is written.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Ambiguous, Corrupt, Unavailable
from interlayer.ids import Clock, new_id, system_clock
from interlayer.language.fuzzy_names import nearest
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.entity_read import EntityRead, StoredHead, read_entity
from interlayer.memory.log.identifiers import EntityString
from interlayer.memory.log.properties import with_values
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import EntityId, Head, LogEntry, Relation, read_head
from interlayer.memory.log.revision import expired, is_structure, without_memories
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore

VIEW_FACTS_MAX: Final = 150_000  # facts kept in memory over all views: some 3 kB each with 256 dims
NEAR_SCANNED_MAX: Final = 500
NEAR_MAX: Final = 5
_FEW: Final = 64  # facts that a model at hand has embedded before the index has answered
BEARERS_MAX: Final = 100
_FOLDED_INLINE: Final = 200  # facts; folding more takes others' time


_Place = tuple[str, str, str]
"""Organization, type and id of an entity: texts, whose hashes are at hand."""


def _place(organization: str, entity: EntityId) -> _Place:
    return organization, entity.type, entity.id


@dataclass(slots=True)
class _Cached:
    view: EntityView
    epoch: int
    facts: int = 0
    """What it counts for among all views."""
    folding: anyio.Event | None = None
    """While a thread changes the view: set when it is done."""

    async def settled(self) -> None:
        """Return when no thread changes the view."""
        while self.folding:
            await self.folding.wait()


class Entities:
    """Reads entities of all organizations; views are cached, most recently used last."""

    def __init__(self, store: ItemStore, spaces: Spaces, schema: Schema, clock: Clock = system_clock) -> None:
        self._store = store
        self._spaces = spaces
        self._schema = schema
        self._clock = clock
        self._views: OrderedDict[_Place, _Cached] = OrderedDict()
        self._facts = 0  # over all views
        self._locks: dict[_Place, anyio.Lock] = {}

    async def head(self, organization: str, entity: EntityId) -> StoredHead | None:
        """Return the head as it is now, or None if there is no such entity."""
        item = await self._store.get(keys.head(organization, entity))
        return StoredHead(read_head(item.body), item.version) if item else None

    async def read(self, organization: str, entity: EntityId, known: EntityRead | None = None) -> EntityRead | None:
        """Return the head with what of the log the view still lacks; None if there is no such entity.

        `known`, read before, is as good as long as this process has not changed the entity since.
        """
        cached = self._views.get(_place(organization, entity))
        if known and (cached is None or cached.view.revision <= known.stored.head.revision):
            return known
        return await read_entity(self._store, organization, entity, cached.view.revision if cached else 0)

    async def survivor(self, organization: str, entity: EntityId) -> StoredHead | None:
        """Return the head of what an entity has become: its own, or that of the entity it was merged into."""
        stored = await self.head(organization, entity)
        while stored and stored.head.merged_into:
            stored = await self.head(organization, stored.head.merged_into)
        return stored

    async def holder(self, organization: str, memory_id: str) -> StoredHead | None:
        """Return the head of the entity that a memory tells of, or of what that has become."""
        place = await self._store.get(keys.memory_place(organization, memory_id[:80]))
        return await self.survivor(organization, EntityId(**place.body["entity"])) if place else None

    async def heads(self, organization: str, entities: Sequence[EntityId]) -> list[Head]:
        """Return those of the heads that exist, in the order asked for."""
        wanted = [keys.head(organization, entity) for entity in entities]
        found = await self._store.get_many(wanted)
        return [read_head(found[key].body) for key in wanted if key in found]

    async def resolve(self, organization: str, entity: EntityString) -> EntityId | None:
        """Return the one entity that bears the key, None if nobody does.

        An identifier goes before a display name. Raises `Ambiguous` when several bear it.
        """
        if entity.is_id:
            found = await self.survivor(organization, EntityId(entity.type, entity.key))
            return found.head.entity if found else None
        by_identifier: set[str] = set()
        named: set[str] | None = None
        name = identifiers.fold_name(entity.key)
        for value in set(identifiers.possible_identifiers(entity, self._schema).values()):
            bearers, so_called = await self.bearers(organization, entity.type, value)
            by_identifier |= bearers
            named = so_called if value == name else named
        if not by_identifier and named is None:
            # A generic identifier may have any form, so a key with the look of a name is tried as one too.
            by_identifier, named = await self.bearers(organization, entity.type, name)
        return await self._only(organization, entity, by_identifier or named or set())

    async def bearers(self, organization: str, entity_type: str, value: str) -> tuple[set[str], set[str]]:
        """Return the ids of the entities that bear an identifier, whatever its kind, and of those so called."""
        place = keys.identifier(organization, entity_type, value, "")
        page = await self._store.query("memory", place.partition, limit=BEARERS_MAX)
        so_called = {item.key.sort for item in page.items if item.key.sort.startswith(keys.BEARER)}
        kinds = [item for item in page.items if item.key.sort not in {*so_called, identifiers.NAME}]
        return {item.body["id"] for item in kinds}, {sort.removeprefix(keys.BEARER) for sort in so_called}

    async def near(self, organization: str, entity: EntityString) -> list[str]:
        """Return `type:name` of entities whose names or identifiers look like the key."""
        listed = await self._store.query(
            "memory", keys.listing(organization, entity.type, "").partition, reverse=True, limit=NEAR_SCANNED_MAX
        )
        heads = await self.heads(organization, [EntityId(entity.type, item.key.sort) for item in listed.items])
        names: dict[str, str] = {}
        for head in heads:
            if await self.shown(organization, head) is None:
                continue
            for name in [head.name, *head.names, *(value for values in head.identifiers.values() for value in values)]:
                names[identifiers.fold_name(name)] = f"{entity.type}:{name}"
        near = nearest(identifiers.fold_name(entity.key), names, NEAR_MAX)
        return list(dict.fromkeys(names[name] for name in near))

    async def view(
        self, organization: str, head: Head, space: ActiveSpace | None = None, read: EntityRead | None = None
    ) -> EntityView:
        """Return the view at least as new as the head, without what was kept long enough.

        Its vectors are of `space`, the current one if none is named; `read` saves reading what it holds. The caller
        must not await while it reads from the view.
        """
        space = space or await self._spaces.of(organization)
        place = _place(organization, head.entity)
        cached = self._views.get(place)
        cutoff = self.cutoff(head.entity.type)
        if cached is None or cached.epoch != head.epoch or cached.view.oldest < cutoff:
            cached = _Cached(self.blank(head.entity, space), head.epoch)
        await cached.settled()
        while cached.view.revision < head.revision or cached.view.space != space.embedder.space:
            # Calls that began before and after a flip may meet here, so each looks again after it has waited.
            await self._move(organization, cached, space)
            await self._catch_up(organization, cached, head, cutoff, space, read)
            await cached.settled()
        await self._complete(organization, cached, space)
        await cached.settled()
        self._keep(place, cached)
        return cached.view

    async def log(self, organization: str, head: Head) -> list[LogEntry]:
        """Return the whole log, what was kept long enough included, with that of every absorbed entity."""
        return await read_log(self._store, organization, head.entity, upto=head.revision)

    def cutoff(self, entity_type: str, until: datetime | None = None) -> str:
        """Return the instant before which what was recorded of a type is not kept any more; empty when all is.

        It is that of now, or of an earlier instant.
        """
        now = self._clock()
        return self._schema.stored(entity_type).cutoff(min(until, now) if until else now)

    def is_due(self, entity_type: str, memory_id: str) -> bool:
        """Tell from its id whether a memory of a type was kept long enough."""
        retention = self._schema.stored(entity_type).retention
        if not retention or not memory_id:
            return False
        cutoff = max(before(self._clock(), retention), datetime(1970, 1, 1, tzinfo=UTC))
        return memory_id < new_id("m", cutoff, lambda _: 0)

    def overdue(self, head: Head) -> bool:
        """Tell whether the log may hold what was kept long enough: then only its view is right, not the head."""
        return bool(head.revision) and head.since < self.cutoff(head.entity.type)

    async def shown(self, organization: str, head: Head) -> Head | None:
        """Return a head as it may be shown: without values that were kept long enough, None if all of it was."""
        if not self.overdue(head):
            return head
        view = await self.view(organization, head)
        if all(is_structure(memory) for memory in view.memories.values()):
            return None
        return with_values(head, view.properties)

    async def basis(
        self, organization: str, origin: Head, relation: Relation, kept: Mapping[str, Any]
    ) -> tuple[str, str] | None:
        """Return which memory a relation rests on and when that was recorded, None if it was kept long enough.

        `kept` is what was noted with the target of the relation.
        """
        if not self.overdue(origin):
            return kept["memory_id"], kept.get("recorded_at", "")
        memory = (await self.view(organization, origin)).relations.get(relation)
        return (memory.id, memory.recorded_at) if memory else None

    async def is_target(self, organization: str, entity: EntityId) -> bool:
        """Tell whether a relation points at an entity."""
        place = keys.head(organization, entity)
        return bool((await self._store.query("memory", place.partition, keys.incoming(), limit=1)).items)

    def blank(self, entity: EntityId, space: ActiveSpace | None = None) -> EntityView:
        """Return the view of an entity of which nothing is known yet; without a space for what no vector matters to."""
        return EntityView(entity, self._schema.stored(entity.type), space.embedder.space if space else None)

    def fold(self, entity: EntityId, log: Iterable[LogEntry]) -> EntityView:
        """Fold a log, whether or not it was kept long enough; the view has no vectors."""
        view = self.blank(entity)
        for entry in log:
            view.apply(entry, {})
        return view

    async def committed(
        self,
        organization: str,
        head: Head,
        view: EntityView,
        memory: LogEntry,
        vectors: Mapping[str, NDArray[np.float32]],
        space: ActiveSpace,
    ) -> None:
        """Fold in what this process has just committed, so that the next use need not read it back."""
        if view.space != space.embedder.space:  # it was moved to another one while this was committed
            return
        place = _place(organization, head.entity)
        kept = self._views.get(place)
        cached = kept if kept and kept.view is view else _Cached(view, head.epoch)
        cached.epoch = head.epoch
        self._keep(place, cached)
        await cached.settled()
        if view.revision == memory.revision - 1:
            await _fold(cached, len(memory.facts), partial(view.apply, memory, vectors))
            self._keep(place, cached)

    def lock(self, organization: str, entity: EntityId) -> anyio.Lock:
        """Return the lock under which this process changes an entity: it saves retries, the store decides."""
        place = _place(organization, entity)
        if len(self._locks) > 10_000:
            self._locks = {key: held for key, held in self._locks.items() if held.locked()}
        return self._locks.setdefault(place, anyio.Lock())

    async def _move(self, organization: str, cached: _Cached, space: ActiveSpace) -> None:
        """Bring a view into a space."""
        view = cached.view
        known: dict[str, NDArray[np.float32]] = {}
        tried: set[str] = set()
        while view.space != space.embedder.space:
            texts = {fact.record.id: fact.record.text for fact in view.ordered if fact.record.id not in tried}
            if not texts:
                view.move(space.embedder.space, known)
                return
            known |= await self.vectors(organization, view.entity, texts, space)
            tried |= texts.keys()
            await cached.settled()

    async def _complete(self, organization: str, cached: _Cached, space: ActiveSpace) -> None:
        """Give facts the vectors that could not be had when they came into a view."""
        view = cached.view
        lacking = view.lacking
        if lacking:
            vectors = await self.vectors(organization, view.entity, lacking, space)
            await cached.settled()
            if view.space == space.embedder.space:
                view.give(vectors)

    async def _catch_up(
        self,
        organization: str,
        cached: _Cached,
        head: Head,
        cutoff: str,
        space: ActiveSpace,
        read: EntityRead | None,
    ) -> None:
        view = cached.view
        if view.revision >= head.revision:
            return
        after, upto = view.revision, head.revision
        items = read.log if read and read.covers(after, upto) else None
        log = await read_log(self._store, organization, head.entity, after=after, upto=upto, items=items)
        memories = without_memories(log, expired(log, cutoff))
        view.stated.update(relation for memory in log for relation in memory.relations)
        texts = {fact.id: fact.text for memory in memories for fact in memory.facts}
        vectors = await self.vectors(organization, view.entity, texts, space)
        if view.space != space.embedder.space:
            return

        await cached.settled()

        def fold() -> None:
            seen = view.revision  # another call may have caught up while this one waited
            for memory in memories:
                if memory.revision > seen and memory.id not in view.memories:
                    view.apply(memory, vectors)
            view.revision = max(view.revision, head.revision)

        await _fold(cached, len(texts), fold)

    async def vectors(
        self, organization: str, entity: EntityId, texts: Mapping[str, str], space: ActiveSpace
    ) -> Mapping[str, NDArray[np.float32]]:
        """Return vectors of facts by id: from the index where it has them, else embedded; none if neither can."""
        if not texts:
            return {}
        known: dict[str, NDArray[np.float32]] = {}
        if len(texts) > (_FEW if space.embedder.at_hand else 0):
            try:
                known = dict(await space.index.vectors_of(organization, entity.ref))
            except (Unavailable, Corrupt):
                known = {}
        missing = [fact_id for fact_id in texts if fact_id not in known]
        try:
            embedded = await space.embedder.embed([texts[fact_id] for fact_id in missing], waiting=True)
        except Unavailable:  # a missing vector costs rank, not the answer
            return known
        return {**known, **dict(zip(missing, embedded, strict=True))}

    async def _only(self, organization: str, entity: EntityString, found: set[str]) -> EntityId | None:
        if len(found) > 1:
            bearers = await self.heads(organization, [EntityId(entity.type, one) for one in sorted(found)])
            heads = [head for head in bearers if await self.shown(organization, head)]
            if len(heads) < 2:  # the others are only still there to be erased
                return (heads or bearers)[0].entity
            shown = "; ".join(f"{head.entity.ref} ({_describe(head)})" for head in heads[:10])
            raise Ambiguous(f"entity: {len(heads)} entities bear {entity.key!r}: {shown}. Use one of these.")
        return EntityId(entity.type, found.pop()) if found else None

    def _keep(self, place: _Place, cached: _Cached) -> None:
        """Keep a view as the one used last; where all hold too many facts, those used longest ago go."""
        former = self._views.pop(place, None)
        self._facts -= former.facts if former else 0
        cached.facts = len(cached.view.ordered)
        self._facts += cached.facts
        self._views[place] = cached
        while self._facts > VIEW_FACTS_MAX and len(self._views) > 1:
            _, oldest = self._views.popitem(last=False)
            self._facts -= oldest.facts


async def _fold(cached: _Cached, facts: int, fold: Callable[[], None]) -> None:
    """Change a view; where many facts come in, a thread does it, so that others are served."""
    if facts <= _FOLDED_INLINE:
        fold()
        return
    done = cached.folding = anyio.Event()
    try:
        await anyio.to_thread.run_sync(fold)
    finally:
        cached.folding = None
        done.set()


def _describe(head: Head) -> str:
    known = [value for values in head.identifiers.values() for value in values]
    return ", ".join([head.name, *known[:3]])
