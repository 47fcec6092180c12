"""Reconciling anew what is stored, under the rules of today: a reviewable difference, put into force entity by entity.

Nothing is read or extracted again: the statements of a log are compared once more, those that were merged away in other
words too. A second run finds nothing to do, so a run that was broken off goes on by being started again.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Unavailable
from interlayer.ids import Clock
from interlayer.language.comparison.tokens import exact_form
from interlayer.memory.curation.reconsidered_log import reconsidered, texts_of
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import ORGANIZATION
from interlayer.memory.entities.view import EntityView
from interlayer.memory.erasure.plan import Erasure, largest_that_fits, replacement
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.log import outbox
from interlayer.memory.log.entity_read import StoredHead, listed
from interlayer.memory.log.records import EntityId, LogEntry
from interlayer.memory.log.revision import expired
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.reconciliation.reconcile import Decision, reconcile
from interlayer.memory.requests import FactCandidate
from interlayer.memory.schema.schema import Schema
from interlayer.models.embedder import Vectors
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore
from interlayer.storage.optimistic import optimistically

_PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconsidered:
    """What today's rules make of an entity; facts as texts, in pairs each with what it is merged into or gives way to.

    `added` were merged away and are facts again, `released` were superseded and are current.
    """

    entity: str
    name: str
    added: tuple[str, ...]
    released: tuple[str, ...]
    superseded: tuple[tuple[str, str], ...]
    merged: tuple[tuple[str, str], ...]
    facts: int

    @property
    def is_empty(self) -> bool:
        """Whether no fact comes, goes or changes its status."""
        return not (self.added or self.released or self.superseded or self.merged)


class Reconsideration:
    """Reconciles entities anew. Raises `NotFound`, `Unavailable` without vectors, `Conflict` when others write."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        planner: ErasurePlanner,
        trail: Trail,
        spaces: Spaces,
        schema: Schema,
        clock: Clock,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._planner = planner
        self._trail = trail
        self._spaces = spaces
        self._schema = schema
        self._clock = clock

    async def entities(self, principal: Principal, entity: str | None = None) -> AsyncGenerator[EntityId]:
        """Yield an entity by its name, or all that stand for themselves."""
        if entity:
            yield (await find_entity(self._entities, self._schema, principal, entity)).head.entity
            return
        for entity_type in self._schema.entities:
            async with aclosing(listed(self._store, principal.organization, entity_type, _PAGE)) as found:
                async for one in found:
                    yield one

    async def compare(self, principal: Principal, entity: EntityId) -> Reconsidered | None:
        """Return the difference that would come of an entity; None if it is gone."""
        stored = await self._entities.head(principal.organization, entity)
        if stored is None or stored.head.merged_into:
            return None
        return (await self._revise(principal.organization, stored)).difference

    async def apply(self, principal: Principal, entity: EntityId) -> Reconsidered | None:
        """Put what changes into force, with an audit event; return what changed, None if the entity is gone.

        What one transaction does not hold is done in portions, oldest memories first.
        """
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        first: Reconsidered | None = None

        async def portion() -> bool:
            nonlocal first
            async with self._entities.lock(organization, entity):
                stored = await self._entities.head(organization, entity)
                if stored is None or stored.head.merged_into:
                    return True
                revision = await self._revise(organization, stored)
                first = first or revision.difference
                return not revision.changed or await self._commit(principal, stored, revision)

        busy = f"{entity.ref}: too many agents write to it at once. Run interlayer memory reconsider again."
        while not await optimistically(portion, busy):
            pass
        await self._projector.drain(organization)
        return first

    async def _commit(self, principal: Principal, stored: StoredHead, revision: "_Revision") -> bool:
        """Write the changed entries, as many as a transaction holds; tell whether these were all."""
        organization = principal.organization

        async def plan(parts: Sequence[str]) -> Erasure:
            chosen = set(parts)
            pairs = zip(revision.before, revision.after, strict=True)
            revised = [after if before.id in chosen else before for before, after in pairs]
            return await self._planner.rewrite(organization, stored, revision.before, revised, stored.head.entity.ref)

        erasure = await largest_that_fits(revision.changed, plan)
        difference = revision.difference
        counts = {
            "added": len(difference.added),
            "released": len(difference.released),
            "superseded": len(difference.superseded),
            "merged": len(difference.merged),
        }
        detail = {"counts": counts, "complete": erasure.is_last}
        operations = replacement(erasure, outbox.new_keys(organization, self._clock))
        await self._trail.commit(principal, Event("memory.reconsidered", stored.head.entity.ref, detail), operations)
        return erasure.is_last

    async def _revise(self, organization: str, stored: StoredHead) -> "_Revision":
        """Decide an entity's statements anew; what was kept long enough is left as it is."""
        entity, names = stored.head.entity, (stored.head.name, *stored.head.names)
        space = await self._spaces.of(organization)
        log = await self._entities.log(organization, stored.head)
        gone = expired(log, self._entities.cutoff(entity.type))
        living = [entry for entry in log if entry.id not in gone]
        vectors = await self._vectors(organization, entity, living, space)

        def decide(
            candidates: Sequence[FactCandidate], rows: Vectors, view: EntityView, observed_at: str
        ) -> Sequence[Decision]:
            return reconcile(candidates, rows, view, view.vectors, space.scale, names, observed_at)

        view = self._entities.blank(entity, space)
        told = {entry.visibility for entry in living}
        apart = {one: self._entities.blank(entity, space) for one in told} if any(told) else {}
        if apart:
            apart.setdefault(ORGANIZATION, self._entities.blank(entity, space))
        work = partial(reconsidered, living, view, vectors, decide, apart)
        made = {entry.id: entry for entry in await anyio.to_thread.run_sync(work)}
        after = [made.get(entry.id, entry) for entry in log]
        difference = _difference(stored, self._entities.fold(entity, living), view)
        return _Revision(log, after, difference)

    async def _vectors(
        self, organization: str, entity: EntityId, log: Sequence[LogEntry], space: ActiveSpace
    ) -> dict[str, NDArray[np.float32]]:
        """Return the vector of every statement by its text. Raises `Unavailable` when some cannot be had."""
        texts = texts_of(log)
        found = await self._entities.vectors(organization, entity, texts, space)
        if missing := len(texts.keys() - found.keys()):
            raise Unavailable(f"{entity.ref}: {missing} statements have no vectors, and the model cannot be reached.")
        return {text: found[fact_id] for fact_id, text in texts.items()}


@dataclass(frozen=True, slots=True)
class _Revision:
    """A log as it is and as it shall be, entry by entry."""

    before: Sequence[LogEntry]
    after: Sequence[LogEntry]
    difference: Reconsidered

    @property
    def changed(self) -> list[str]:
        """The ids of the entries that change, oldest first."""
        return [one.id for one, other in zip(self.before, self.after, strict=True) if one != other]


def _difference(stored: StoredHead, before: EntityView, after: EntityView) -> Reconsidered:
    """Compare two readings of an entity, statement by statement."""
    was = {exact_form(fact.record.text): fact for fact in before.ordered}
    now = {exact_form(fact.record.text): fact for fact in after.ordered}
    merged: list[tuple[str, str]] = []
    for form, fact in was.items():
        if form not in now:
            into = after.fact(fact.record.id) or next(filter(None, map(after.fact, fact.said_as)), None)
            merged.append((fact.record.text, into.record.text if into else ""))
    both = [(was[form], fact) for form, fact in now.items() if form in was]
    lapsed = [fact for old, fact in both if old.is_current and not fact.is_current]
    return Reconsidered(
        entity=stored.head.entity.ref,
        name=stored.head.name,
        added=tuple(fact.record.text for form, fact in now.items() if form not in was),
        released=tuple(fact.record.text for old, fact in both if fact.is_current and not old.is_current),
        superseded=tuple((one.record.text, by.record.text if (by := one.superseded_by) else "") for one in lapsed),
        merged=tuple(merged),
        facts=len(after.ordered),
    )
