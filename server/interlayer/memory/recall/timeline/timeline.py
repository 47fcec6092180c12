"""Reads a timeline from what a caller may see of an entity: its facts, values, relations and merges, by when they held.

The order is that in which things were observed, whatever the order in which they were told: an e-mail of March stands
in March also where it was memorized in May.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.answers import display_time
from interlayer.audit.receipts import RECEIPT, hour_of, receipts_partition
from interlayer.errors import InvalidInput
from interlayer.ids import first_id, parse_instant, timestamp
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.properties import PropertyState, fold
from interlayer.memory.log.records import EntityId, LogEntry, Merged, Split
from interlayer.memory.log.relations import RelationState
from interlayer.memory.recall.neighbourhood.relations import RelatedEntity, Relations
from interlayer.memory.recall.timeline.answer import EventKind, OtherFact, TimelineAnswer, TimelineEvent
from interlayer.memory.schema.schema import EntitySchema, Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Span

_ASKED_MAX: Final = 500  # memories whose receipts are looked for
_WRITTEN_WITHIN: Final = timedelta(seconds=2)  # a receipt is made out in the transaction of its memory


class Timeline:
    """Tells what became known of an entity when. Raises `NotFound` and `Ambiguous`."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema
        self._links = Relations(store, entities, schema)

    async def of(
        self,
        principal: Principal,
        entity: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        name: str | None = None,
    ) -> TimelineAnswer:
        """Return the events of an entity between two instants, or those of one property of it."""
        organization, sight = principal.organization, self._entities.sight(principal)
        stored = await find_entity(self._entities, self._schema, principal, entity)
        schema = self._schema.stored(stored.head.entity.type)
        property_name = _known_property(schema, name) if name else None
        view = await self._entities.view(organization, stored.head, sight=sight)
        events = [*_values(view, schema, property_name)]
        if property_name is None:
            events += [*_facts(view), *await self._merges(organization, view, sight)]
            events += await self._relations(organization, view, sight)
        first, last = (timestamp(one) if one else "" for one in (since, until))
        chosen = [one for one in events if one.at >= first and (not last or one.at <= last)]
        chosen.sort(key=lambda one: (one.at, one.recorded_at))  # what one memory told stays in its order
        users = await self._users(organization, chosen) if "auditor" in principal.roles else {}
        head = await self._entities.shown(organization, stored.head, sight)
        return TimelineAnswer(
            entity=NamedEntity(ref=stored.head.entity.ref, name=head.name if head else ""),
            revision=self._entities.revision(stored.head, sight),
            events=tuple(_displayed(one, users) for one in chosen),
        )

    async def _merges(self, organization: str, view: EntityView, sight: Sight) -> list[TimelineEvent]:
        """Return what was made a part of the entity, and what was split off, as far as it may be known."""
        found: list[TimelineEvent] = []
        for entry in view.memories.values():
            if not isinstance(entry, Merged | Split):
                continue
            other = entry.absorbs if isinstance(entry, Merged) else entry.releases
            if named := await self._named(organization, other, sight):
                kind: EventKind = "merged" if isinstance(entry, Merged) else "split"
                found.append(_event(kind, entry, entry.recorded_at, other=named))
        return found

    async def _relations(self, organization: str, view: EntityView, sight: Sight) -> list[TimelineEvent]:
        """Return when relations began and ended, seen from either end."""
        read = await self._entities.read(organization, view.entity)
        found: list[TimelineEvent] = []
        for one in await self._links.of(organization, view, read.incoming if read else (), sight, history=True):
            other = NamedEntity(ref=one.head.entity.ref, name=one.head.name)
            named = {"relation": one.type, "other": other}
            where = view if one.direction == "out" else await self._origin(organization, one, sight)
            state = where.relations.get(one.relation) if where else None
            if where and state:
                direction = "in" if one.direction == "in" and one.type == one.relation.type else None
                found += [replace(event, direction=direction, **named) for event in _course(where, state)]
        return found

    async def _origin(self, organization: str, one: RelatedEntity, sight: Sight) -> EntityView | None:
        """Return the view of the entity at which a relation starts."""
        stored = await self._entities.survivor(organization, one.head.entity)
        return await self._entities.view(organization, stored.head, sight=sight) if stored else None

    async def _named(self, organization: str, entity: EntityId, sight: Sight) -> NamedEntity | None:
        stored = await self._entities.head(organization, entity)
        head = await self._entities.shown(organization, stored.head, sight) if stored else None
        return NamedEntity(ref=entity.ref, name=head.name) if head else None

    async def _users(self, organization: str, events: Sequence[TimelineEvent]) -> Mapping[str, str]:
        """Return by memory on whose behalf it was memorized, as its receipt says."""
        recorded = {one.memory_id: one.recorded_at for one in events}
        found: dict[str, str] = {}
        for memory_id in list(recorded)[-_ASKED_MAX:]:
            first = parse_instant(recorded[memory_id], "recorded_at")
            last = first + _WRITTEN_WITHIN
            span = Span(first_id(RECEIPT, first), first_id(RECEIPT, last))
            for hour in {hour_of(first), hour_of(last)}:
                page = await self._store.query("audit", receipts_partition(organization, hour), span)
                for item in page.items:
                    if item.body.get("memory_id") == memory_id and item.body.get("user"):
                        found[memory_id] = item.body["user"]
        return found


def _known_property(schema: EntitySchema, name: str) -> str:
    current = schema.current_name(name)
    if current not in schema.current:
        raise InvalidInput("property", f"{name[:40]!r} is none.", f"Known are {', '.join(sorted(schema.current))}.")
    return current


def _facts(view: EntityView) -> Iterator[TimelineEvent]:
    """Yield what was stated, each statement with what it took the place of, and what was said to be over."""
    displaced: dict[FactState, list[FactState]] = {}
    for fact in view.ordered:
        if newer := _next(fact):
            displaced.setdefault(newer, []).append(fact)
    for fact in view.ordered:
        newer = _next(fact)
        yield replace(
            _event("fact_added", fact.memory, fact.record.observed_at),
            fact_id=fact.record.id,
            text=fact.record.text,
            replaces=tuple(map(_other, displaced.get(fact, ()))) or None,
            replaced_by=_other(newer) if newer else None,
        )
    for fact, entry in _endings(view).items():
        if fact.is_over and fact.ended:
            ended = _event("fact_ended", entry, fact.ended[1])
            yield replace(ended, fact_id=fact.record.id, text=fact.record.text)


def _next(fact: FactState) -> FactState | None:
    """Return the first of the facts that took the place of one."""
    over = [other for other in fact.contradicts if fact.gives_way_to(other)]
    return min(over, key=lambda other: (other.seen_at, other.number)) if over else None


def _endings(view: EntityView) -> dict[FactState, LogEntry]:
    """Return by which memory each fact was last said to be over."""
    found: dict[FactState, LogEntry] = {}
    for entry in view.memories.values():
        said = [*entry.closes]
        said += [one.id for one in entry.facts if one.ended]
        said += [one.fact_id for one in entry.confirms if one.ended]
        for fact_id in said:
            if fact := view.fact(fact_id):
                found[fact] = entry
    return found


def _course(view: EntityView, state: RelationState) -> Iterator[TimelineEvent]:
    """Yield when a relation of an entity began, and when it was over, or another one took its place."""
    held = [one for one in state.voices if not one.said.ended]
    if held:
        first = min(held, key=lambda one: one.observed_at)
        yield _event("relation_begun", first.memory, first.observed_at)
    if state.status == "ended":
        over = [one for one in state.voices if one.said.ended]
        last = max(over, key=lambda one: one.observed_at) if over else None
        yield _event(
            "relation_ended", last.memory if last else state.basis, last.observed_at if last else state.observed_at
        )
    elif state.status == "superseded":
        others = [one for one in view.relations.values() if one.relation.type == state.relation.type]
        later = [one for one in others if one.status == "current" and one.observed_at >= state.observed_at]
        newer = min(later, key=lambda one: one.observed_at, default=None)
        basis = newer.basis if newer else state.basis
        yield _event("relation_ended", basis, newer.observed_at if newer else basis.observed_at)


def _values(view: EntityView, schema: EntitySchema, only: str | None) -> Iterator[TimelineEvent]:
    """Yield how values changed, as if each had been told when it was observed."""
    for name, whole in view.states.items():
        if only not in (None, name):
            continue
        state: PropertyState | None = None
        for seen in sorted(whole.history, key=lambda one: one.observation.observed_at):
            before = None if state is None or state.emptied else state.value
            state, outcome = fold(state, seen, schema.current[name])
            after = None if state.emptied else state.value
            if outcome in {"confirmed", "kept"} or before == after:
                continue
            kind: EventKind = "property_changed"
            if after is None:
                kind = "property_removed"
            elif before is None:
                kind = "property_set"
            yield replace(
                _event(kind, view.memories[seen.memory_id], seen.observation.observed_at),
                property=name,
                value=after,
                previous=before,
            )


def _event(kind: EventKind, entry: LogEntry, at: str, **more: Any) -> TimelineEvent:
    """Return an event that an entry of the log tells of, with stored instants."""
    return TimelineEvent(
        at=at,
        event=kind,
        agent=entry.agent,
        source=entry.source or "",
        recorded_at=entry.recorded_at,
        memory_id=entry.interaction,
        **more,
    )


def _other(fact: FactState) -> OtherFact:
    at = display_time(fact.record.observed_at)
    return OtherFact(fact_id=fact.record.id, text=fact.record.text, observed_at=at)


def _displayed(event: TimelineEvent, users: Mapping[str, str]) -> TimelineEvent:
    return replace(
        event,
        at=display_time(event.at),
        recorded_at=display_time(event.recorded_at),
        user=users.get(event.memory_id),
    )
