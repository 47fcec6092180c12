"""Views of entities, kept in memory: one of all that is known, and one for every set of things that some may not see.

Nothing here writes; `commits` plans what is written.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import anyio
import numpy as np
from numpy.typing import NDArray

from interlayer.errors import Corrupt, Unavailable
from interlayer.ids import Clock, new_id, system_clock
from interlayer.memory.entities.held_view import HeldView
from interlayer.memory.entities.restriction import RestrictedLog, Restriction
from interlayer.memory.entities.sight import EVERYTHING, ORGANIZATION, Sight, sight_of
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.entity_read import EntityRead
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import EntityId, Head, LogEntry
from interlayer.memory.log.revision import expired, without_memories
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.schema.duration import before
from interlayer.memory.schema.property import Sensitivity
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

VIEW_FACTS_MAX: Final = 150_000  # facts kept in memory over all views: some 3 kB each with 256 dims
_FEW: Final = 64  # facts that a model at hand has embedded before the index has answered


_Place = tuple[str, str, str, str]
"""Organization, type and id of an entity, and what is hidden of it: texts, whose hashes are at hand."""


def _place(organization: str, entity: EntityId, restriction: Restriction | None = None) -> _Place:
    return organization, entity.type, entity.id, restriction.key if restriction else ""


class Views:
    """Views of the entities of all organizations, most recently used last."""

    def __init__(
        self,
        store: ItemStore,
        spaces: Spaces,
        schema: Schema,
        clock: Clock = system_clock,
        reader_sees: Sensitivity = "personal",
    ) -> None:
        self._store = store
        self._spaces = spaces
        self._schema = schema
        self._clock = clock
        self._reader_sees: Sensitivity = reader_sees
        self._views: OrderedDict[_Place, HeldView] = OrderedDict()
        self._facts = 0  # over all views
        self._locks: dict[_Place, anyio.Lock] = {}

    def sight(self, principal: Principal) -> Sight:
        """Return what a caller may see."""
        return sight_of(principal, self._reader_sees)

    def restriction(self, head: Head, sight: Sight) -> Restriction:
        """Return what is hidden of an entity where somebody looks who sees only so much."""
        schema = self._schema.stored(head.entity.type)
        hidden = frozenset(one for one in head.labels or (ORGANIZATION,) if not sight.sees(one))
        withheld = sight.withheld(schema)
        if withheld:
            withheld &= {schema.current_name(name) for name in head.observed}
        return Restriction(hidden, withheld)

    def revision(self, head: Head, sight: Sight) -> int:
        """Return how often an entity has changed, as far as may be seen."""
        hidden = (label for visibility, label in head.labels.items() if not sight.sees(visibility))
        return head.revision - sum(len(label.revisions) for label in hidden)

    async def view(
        self,
        organization: str,
        head: Head,
        space: ActiveSpace | None = None,
        read: EntityRead | None = None,
        sight: Sight = EVERYTHING,
    ) -> EntityView:
        """Return the view at least as new as the head, without what was kept long enough and what is not to be seen.

        Its vectors are of `space`, the current one if none is named; `read` saves reading what it holds. The caller
        must not await while it reads from the view.
        """
        space = space or await self._spaces.of(organization)
        place = _place(organization, head.entity)
        cached = self._views.get(place)
        cutoff = self.cutoff(head.entity.type)
        if cached is None or cached.epoch != head.epoch or cached.view.oldest < cutoff:
            cached = HeldView(self.blank(head.entity, space), head.epoch)
        await cached.settled()
        while cached.view.revision < head.revision or cached.view.space != space.embedder.space:
            # Calls that began before and after a flip may meet here, so each looks again after it has waited.
            await self._move(organization, cached, space)
            await self._catch_up(organization, cached, head, cutoff, space, read)
            await cached.settled()
        await self._complete(organization, cached, space)
        await cached.settled()
        self._keep(place, cached)
        restriction = self.restriction(head, sight)
        return await self._part(organization, cached.view, restriction, space) if restriction else cached.view

    async def _part(
        self, organization: str, whole: EntityView, restriction: Restriction, space: ActiveSpace
    ) -> EntityView:
        """Return the view of what is left of one where something is hidden; it is made anew when the whole changes."""
        place = _place(organization, whole.entity, restriction)
        cached = self._views.get(place)
        if cached is None or cached.of != (whole.revision, whole) or cached.view.space != whole.space:
            cached = await self._folded(whole, restriction, space)
        await self._complete(organization, cached, space)
        self._keep(place, cached)
        return cached.view

    async def _folded(self, whole: EntityView, restriction: Restriction, space: ActiveSpace) -> HeldView:
        log, of = [*whole.memories.values()], (whole.revision, whole)
        view = self.blank(whole.entity, space)
        vectors = whole.vectors_by_id() if whole.space == view.space else {}
        made = HeldView(view, 0, of=of)

        def fold() -> None:
            left = RestrictedLog(restriction, self._schema.stored(whole.entity.type), log)
            for memory in left.log:
                view.apply(memory, vectors)
            view.withheld, view.cut = left.withheld, frozenset(left.cut)

        await made.change(len(whole.ordered), fold)
        return made

    def reached(self, organization: str, entity: EntityId) -> int:
        """Return the revision up to which this process has read the log of an entity."""
        cached = self._views.get(_place(organization, entity))
        return cached.view.revision if cached else 0

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

    def blank(self, entity: EntityId, space: ActiveSpace | None = None) -> EntityView:
        """Return the view of an entity of which nothing is known yet; without a space for what no vector matters to."""
        schema, rules = self._schema.stored(entity.type), self._schema.relation_rules(entity.type)
        return EntityView(entity, schema, space.embedder.space if space else None, rules)

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
        cached = kept if kept and kept.view is view else HeldView(view, head.epoch)
        cached.epoch = head.epoch
        self._keep(place, cached)
        await cached.settled()
        if view.revision == memory.revision - 1:
            await cached.change(len(memory.facts), partial(view.apply, memory, vectors))
            self._keep(place, cached)

    def lock(self, organization: str, entity: EntityId) -> anyio.Lock:
        """Return the lock under which this process changes an entity: it saves retries, the store decides."""
        place = _place(organization, entity)
        if len(self._locks) > 10_000:
            self._locks = {key: held for key, held in self._locks.items() if held.locked()}
        return self._locks.setdefault(place, anyio.Lock())

    async def _move(self, organization: str, cached: HeldView, space: ActiveSpace) -> None:
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

    async def _complete(self, organization: str, cached: HeldView, space: ActiveSpace) -> None:
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
        cached: HeldView,
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
        view.stated.update(one.relation for memory in log for one in memory.relations)
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

        await cached.change(len(texts), fold)

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

    def _keep(self, place: _Place, cached: HeldView) -> None:
        """Keep a view as the one used last; where all hold too many facts, those used longest ago go."""
        former = self._views.pop(place, None)
        self._facts -= former.facts if former else 0
        cached.facts = len(cached.view.ordered)
        self._facts += cached.facts
        self._views[place] = cached
        while self._facts > VIEW_FACTS_MAX and len(self._views) > 1:
            _, oldest = self._views.popitem(last=False)
            self._facts -= oldest.facts
