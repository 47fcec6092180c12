"""Merging two entities on purpose, and splitting them again.

Nothing is copied: the log of the one says that it absorbs the other, whose own log is kept as it is and read along.
So a merge is one small transaction, its history is in the log, and splitting gives back exactly what was there. What
was memorized after the merge stays with the entity that it was memorized to.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from interlayer.audit.trail import Event, Trail
from interlayer.errors import NotFound, Refused
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory.curation.answer import MergeAnswer, SplitAnswer
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.vectors import comparable
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import identifiers, keys
from interlayer.memory.log.change import EntityChange, head_after
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import check_reason, fold_name, parse_entity
from interlayer.memory.log.labels import join, joined, unlabelled, without
from interlayer.memory.log.properties import with_values
from interlayer.memory.log.records import EntityId, FactRecord, Head, LogEntry, Merged, Split
from interlayer.memory.log.relations import own_states, point
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.reconciliation.reconcile import Decision, reconcile
from interlayer.memory.requests import FactCandidate
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import (
    TRANSACT_OPERATIONS_MAX,
    ItemStore,
    Operation,
    Put,
    VersionConflict,
)
from interlayer.storage.optimistic import optimistically

_BUSY: Final = "entity: too many agents write to these entities."
_PAIRS_MAX: Final = 2_000  # of repeated or contradicting facts noted in a merge: within the size of an item


class _EntryFields(TypedDict):
    """What an entry of the log says of a merge as of a split."""

    id: str
    revision: int
    agent: str
    recorded_at: str
    observed_at: str
    extractor: str
    source: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """The entity that stays and the one that is merged into it or split off from it."""

    kept: StoredHead
    other: StoredHead


class Merger:
    """Merges and splits entities. Raises `NotFound`, `Refused` or `InvalidInput`; then nothing has changed."""

    def __init__(
        self, store: ItemStore, entities: Entities, trail: Trail, spaces: Spaces, schema: Schema, clock: Clock
    ) -> None:
        self._store = store
        self._entities = entities
        self._trail = trail
        self._spaces = spaces
        self._schema = schema
        self._clock = clock

    async def merge(self, principal: Principal, kept: str, other: str, reason: str) -> MergeAnswer:
        """Make `other` a part of `kept`."""
        check_reason(reason)

        async def attempt() -> MergeAnswer:
            pair = _Pair(
                await find_entity(self._entities, self._schema, principal, kept, "A"),
                await find_entity(self._entities, self._schema, principal, other, "B"),
            )
            _check_pair(pair)
            return await self._merge(principal, pair, reason)

        return await optimistically(attempt, f"{_BUSY} Nothing was merged; try again.")

    async def split(self, principal: Principal, kept: str, other: str, reason: str) -> SplitAnswer:
        """Give `other`, an id, back what it was before it was merged into `kept`."""
        check_reason(reason)

        async def attempt() -> SplitAnswer:
            pair = _Pair(
                await find_entity(self._entities, self._schema, principal, kept, "A"),
                await self._find_absorbed(principal, other),
            )
            if pair.other.head.merged_into != pair.kept.head.entity:
                raise Refused(f"B: {other} is not merged into {kept}. `interlayer entity names {kept}` lists what is.")
            return await self._split(principal, pair, reason)

        return await optimistically(attempt, f"{_BUSY} Nothing was split; try again.")

    async def _find_absorbed(self, principal: Principal, other: str) -> StoredHead:
        parsed = parse_entity(other, self._schema, "B")
        stored = await self._entities.head(principal.organization, EntityId(parsed.type, parsed.key))
        if stored is None:
            raise NotFound(f"B: no entity has the id {other!r}. `interlayer entity names A` lists what was merged.")
        return stored

    async def _merge(self, principal: Principal, pair: _Pair, reason: str) -> MergeAnswer:
        organization, kept, other = principal.organization, pair.kept.head, pair.other.head
        await ensure_in_force(self._store, organization, self._schema)
        space = await self._spaces.of(organization)
        ours = await self._entities.view(organization, kept, space)
        theirs = await self._entities.view(organization, other, space)
        if ours.space != theirs.space:  # another call has moved one of them since
            raise VersionConflict([keys.space(organization)])
        decisions = await self._compare(ours, theirs, space, (kept.name, *kept.names))
        ids = [fact.record.id for fact in theirs.ordered]
        entry = Merged(
            **self._entry(principal, kept, reason),
            absorbs=other.entity,
            same=tuple(_same_pairs(ids, decisions))[:_PAIRS_MAX],
            opposed=tuple(_pairs(ids, decisions, _opposed))[:_PAIRS_MAX],
            likely=tuple(_pairs(ids, decisions, lambda one: one.likely))[:_PAIRS_MAX],
            alike=tuple(_pairs(ids, decisions, lambda one: one.alike))[:_PAIRS_MAX],
        )
        whole = self._entities.fold(kept.entity, [*ours.memories.values(), entry, *theirs.memories.values()])
        given = tuple(dict.fromkeys(name for name in (other.name, *other.names) if name not in kept.names))
        labels = joined(kept, other)
        head = replace(
            head_after(replace(kept, labels=labels), whole, entry.recorded_at),
            names=(*kept.names, *given),
            identifiers=join(kept.identifiers, other.identifiers),
            absorbed=(*kept.absorbed, other.entity),
            oldest=min(kept.since, other.since),
        )
        away = replace(other, merged_into=kept.entity, lent=given)
        operations = [
            *self._changes(organization, pair, head, away, entry),
            *await self._claims_moved(organization, other, other.entity, kept.entity),
        ]
        await self._commit(principal, "entity.merged", pair, reason, operations)
        return MergeAnswer(
            kept=kept.entity.ref, merged=other.entity.ref, facts=len(whole.facts), repeated=len(entry.same)
        )

    async def _split(self, principal: Principal, pair: _Pair, reason: str) -> SplitAnswer:
        organization, kept, other = principal.organization, pair.kept.head, pair.other.head
        await ensure_in_force(self._store, organization, self._schema)
        view = await self._entities.view(organization, kept)
        apart = await self._entities.view(organization, other)
        left = (
            one for one in view.memories.values() if one.id not in apart.memories and not _absorbs(one, other.entity)
        )
        rest = self._entities.fold(kept.entity, left)
        entry = Split(
            **self._entry(principal, kept, reason), releases=other.entity, facts=tuple(_facts_left_alone(rest, view))
        )
        labels = {visibility: unlabelled(one, other) for visibility, one in kept.labels.items()}
        head = replace(
            head_after(replace(kept, labels=labels), rest, entry.recorded_at),
            names=tuple(name for name in kept.names if name not in other.lent),
            identifiers=without(kept.identifiers, other.identifiers),
            epoch=kept.epoch + 1,
            absorbed=tuple(one for one in kept.absorbed if one != other.entity),
        )
        # The schema may have changed.
        back = with_values(replace(other, merged_into=None, lent=(), facts=len(apart.facts)), apart.properties)
        operations = [
            *self._changes(organization, pair, head, back, entry),
            *await self._pointers(organization, kept.entity, rest),
            *await self._claims_moved(organization, other, kept.entity, other.entity),
        ]
        await self._commit(principal, "entity.split", pair, reason, operations)
        merged_at = max(one.revision for one in view.memories.values() if _absorbs(one, other.entity))
        since = [one for one in view.memories.values() if one.revision > merged_at and one.facts]
        return SplitAnswer(kept=kept.entity.ref, split=other.entity.ref, stays=sum(len(one.facts) for one in since))

    async def _compare(
        self, ours: EntityView, theirs: EntityView, space: ActiveSpace, names: Sequence[str]
    ) -> list[Decision]:
        candidates = [
            FactCandidate(fact.record.text, fact.confidence, fact.seen_at, fact.record.span) for fact in theirs.ordered
        ]
        own = None if theirs.lacking else theirs.vectors
        texts = [candidate.text for candidate in candidates]
        vectors, known, scale = await comparable(self._spaces, space, texts, own, ours)
        return reconcile(candidates, vectors, ours, known, scale, names)

    def _entry(self, principal: Principal, kept: Head, reason: str) -> _EntryFields:
        now = self._clock()
        return {
            "id": new_id("m", now),
            "revision": kept.revision + 1,
            "agent": principal.agent,
            "recorded_at": timestamp(now),
            "observed_at": timestamp(now),
            "extractor": "operator",
            "source": reason,
        }

    def _changes(
        self, organization: str, pair: _Pair, kept: Head, other: Head, entry: Merged | Split
    ) -> Iterator[Operation]:
        schema = self._schema.stored(kept.entity.type)
        ours = EntityChange(organization=organization, schema=schema, stored=pair.kept, after=kept, appended=(entry,))
        theirs = EntityChange(organization=organization, schema=schema, stored=pair.other, after=other)
        yield from ours.operations()
        yield from theirs.operations()

    async def _pointers(self, organization: str, entity: EntityId, rest: EntityView) -> list[Operation]:
        """List what makes the targets of its relations know what those are without the other entity."""
        rules = self._schema.relation_rules(entity.type)
        left = own_states(rest.relations, entity, entity)
        return await point(self._store, organization, entity, {}, left, rules, taken=left)

    async def _claims_moved(
        self, organization: str, head: Head, before: EntityId, after: EntityId
    ) -> Iterator[Operation]:
        """Build the operations that make the identifiers of a head lead from one entity to another."""
        places = [
            keys.identifier(organization, before.type, value, kind)
            for kind, values in head.identifiers.items()
            for value in values
        ]
        forms = dict.fromkeys(fold_name(name) for name in (head.name, *head.names))
        places += [keys.identifier(organization, before.type, form, identifiers.NAME) for form in forms]
        held = await self._store.get_many(places)
        return (
            Put(place, {"id": after.id}, item.version) for place, item in held.items() if item.body["id"] == before.id
        )

    async def _commit(
        self, principal: Principal, kind: str, pair: _Pair, reason: str, operations: Sequence[Operation]
    ) -> None:
        if len(operations) >= TRANSACT_OPERATIONS_MAX:
            raise Refused("B: it has too many names and identifiers to be moved at once. Merge A into B instead.")
        detail = {"other": pair.other.head.entity.ref, "reason": reason}
        await self._trail.commit(principal, Event(kind, pair.kept.head.entity.ref, detail), operations)


def _check_pair(pair: _Pair) -> None:
    kept, other = pair.kept.head.entity, pair.other.head.entity
    if kept == other:
        raise Refused(f"A and B are the same entity, {kept.ref}.")
    if kept.type != other.type:
        raise Refused(f"B: a {other.type} cannot be merged into a {kept.type}.")


def _facts_left_alone(rest: EntityView, view: EntityView) -> Iterator[FactRecord]:
    """Yield the facts that stand for themselves from now on: what they confirm goes away."""
    stated = {fact.id for memory in rest.memories.values() for fact in memory.facts}
    for fact in rest.ordered:
        if fact.record.id not in stated:
            known = view.fact(fact.record.id)
            yield replace(
                fact.record,
                contradicts=_ids(known.contradicts if known else ()),
                likely=_ids(known.likely if known else ()),
                alike=_ids(known.alike if known else ()),
            )


def _absorbs(entry: LogEntry, entity: EntityId) -> bool:
    return isinstance(entry, Merged) and entry.absorbs == entity


def _same_pairs(ids: Sequence[str], decisions: Sequence[Decision]) -> Iterator[tuple[str, str]]:
    for fact_id, one in zip(ids, decisions, strict=True):
        if isinstance(one.duplicate_of, str):
            yield fact_id, one.duplicate_of


def _pairs(
    ids: Sequence[str], decisions: Sequence[Decision], named: Callable[[Decision], Iterable[str | int]]
) -> Iterator[tuple[str, str]]:
    """Yield each fact with those of the other entity that its decision names."""
    for fact_id, one in zip(ids, decisions, strict=True):
        for other in named(one):
            if isinstance(other, str):
                yield fact_id, other


def _opposed(one: Decision) -> Iterable[str | int]:
    return (*one.supersedes, *one.superseded_by, *one.opposed)


def _ids(facts: Iterable[FactState]) -> tuple[str, ...]:
    return tuple(fact.record.id for fact in facts)
