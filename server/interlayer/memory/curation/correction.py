"""What a person sets right: another wording or value in the place of what is remembered, or that something is over.

A correction is a memory like any other, of the person who makes it, and goes through the same gates. It is seen by
whoever sees what it corrects. Nothing is lost by it: what held before is history.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from interlayer.answers import display_time
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.language.terms import terms
from interlayer.memory.curation.answer import ChangedRelation, ChangedValue, CorrectionAnswer
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.identities import find_entity
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import keys
from interlayer.memory.log.records import EntityId, Head, LogEntry, Relation, read_entry
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.recall.answer import FoundFact
from interlayer.memory.reconciliation.replacing import find_named
from interlayer.memory.requests import FactCandidate, MemorizeRequest, PropertyCandidate, RelationCandidate
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Operation, Put

SURE: Final = 0.99
"""The confidence of what a person says is so."""

_STANDING: Final = frozenset({"keep_first", "append", "max", "min"})
"""Update policies by which a new value alone does not take the place of the old one."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An entity as whoever corrects it sees it."""

    head: Head
    shown: Head
    view: EntityView

    @property
    def entity(self) -> EntityId:
        """Whom it is about."""
        return self.head.entity


class Corrections:
    """Corrects and ends what is remembered. Raises `NotFound`, `Ambiguous`, `InvalidInput`, and `Refused`.

    With `dry_run` nothing is written, and the answer says what would be.
    """

    def __init__(self, store: ItemStore, entities: Entities, memorizer: Memorizer, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._memorizer = memorizer
        self._schema = schema

    async def facts(
        self, principal: Principal, entity: str, named: str, *, past: bool = False
    ) -> tuple[NamedEntity, tuple[FoundFact, ...]]:
        """Return an entity, and its facts that an id or words name: the one that says just this, else all that may.

        With `past` they need not hold any more.
        """
        found = await self._find(principal, entity)
        facts = _named(found.view, named, past=past)
        return NamedEntity(ref=found.entity.ref, name=found.shown.name), tuple(map(_held, facts))

    async def replace_fact(
        self, principal: Principal, entity: str, fact_id: str, text: str, *, dry_run: bool = False
    ) -> CorrectionAnswer:
        """Put a statement in the place of a fact."""
        found, fact = await self._fact(principal, entity, fact_id)
        said = FactCandidate(text, SURE, replaces=fact.record.id)
        request = MemorizeRequest(entity=found.entity.ref, facts=[said], visibility=_told(fact.memory.visibility))
        return await self._write(principal, found, request, "corrected", dry_run=dry_run)

    async def end_fact(
        self, principal: Principal, entity: str, fact_id: str, *, dry_run: bool = False
    ) -> CorrectionAnswer:
        """Say that what a fact says is over."""
        found, fact = await self._fact(principal, entity, fact_id)
        said = FactCandidate(fact.record.text, SURE, ended=True)
        request = MemorizeRequest(entity=found.entity.ref, facts=[said], visibility=_told(fact.memory.visibility))
        return await self._write(principal, found, request, "ended", dry_run=dry_run)

    async def set_value(
        self, principal: Principal, entity: str, name: str, value: Any, *, dry_run: bool = False
    ) -> CorrectionAnswer:
        """Give a property a value, whatever it had before."""
        found = await self._find(principal, entity)
        current, visibility = self._property(found, name)
        declared = self._schema.stored(found.entity.type).current[current]
        values = [PropertyCandidate(current, value, SURE)]
        if declared.update in _STANDING and current in found.view.properties:
            values.insert(0, PropertyCandidate(current, None, SURE, remove=True))
        request = MemorizeRequest(entity=found.entity.ref, properties=values, visibility=visibility)
        return await self._write(principal, found, request, "corrected", dry_run=dry_run)

    async def remove_value(
        self, principal: Principal, entity: str, name: str, value: Any = None, *, dry_run: bool = False
    ) -> CorrectionAnswer:
        """Take a value out of a list, or empty a property."""
        found = await self._find(principal, entity)
        current, visibility = self._property(found, name)
        if current not in found.view.properties:
            raise NotFound(f"property: {found.shown.name} has no {current}.")
        values = [PropertyCandidate(current, value, SURE, remove=True)]
        request = MemorizeRequest(entity=found.entity.ref, properties=values, visibility=visibility)
        return await self._write(principal, found, request, "ended", dry_run=dry_run)

    async def end_relation(
        self, principal: Principal, entity: str, kind: str, other: str, *, dry_run: bool = False
    ) -> CorrectionAnswer:
        """Say that a relation to another entity, or from it, is over."""
        ends = [await self._find(principal, one, field) for one, field in ((entity, "entity"), (other, "target"))]
        reading = self._schema.relation_types.read(kind, ends[0].entity.type, ends[1].entity.type)
        # One without a name from its end is named as it is from either side.
        for start, end in (ends[::-1],) if reading.turned else (ends, ends[::-1]):
            state = start.view.relations.get(Relation(reading.type, end.entity))
            if state and state.status == "current":
                said = RelationCandidate(reading.type, end.entity.ref, ended=True, confidence=SURE)
                told = _told(state.basis.visibility)
                request = MemorizeRequest(entity=start.entity.ref, relations=[said], visibility=told)
                return await self._write(principal, start, request, "ended", dry_run=dry_run)
        raise NotFound(f"relation: {ends[0].shown.name} has no current {kind} with {ends[1].shown.name}.")

    async def _find(self, principal: Principal, entity: str, field: str = "entity") -> _Found:
        stored = await find_entity(self._entities, self._schema, principal, entity, field)
        sight = self._entities.sight(principal)
        shown = await self._entities.shown(principal.organization, stored.head, sight)
        view = await self._entities.view(principal.organization, stored.head, sight=sight)
        return _Found(stored.head, shown or stored.head, view)

    async def _fact(self, principal: Principal, entity: str, fact_id: str) -> tuple[_Found, FactState]:
        found = await self._find(principal, entity)
        fact = found.view.fact(fact_id)
        if fact is None:
            raise NotFound(f"fact_id: {fact_id[:60]!r} is no fact of {found.shown.name}.")
        return found, fact

    def _property(self, found: _Found, name: str) -> tuple[str, str]:
        """Return the name that a property has today, and to whom its value was told."""
        schema = self._schema.stored(found.entity.type)
        current = schema.current_name(name)
        if current not in schema.current:
            known = ", ".join(sorted(schema.current))
            raise InvalidInput("property", f"a {found.entity.type} has none called {name[:40]!r}.", f"Known: {known}.")
        if current in found.view.withheld:
            raise Refused(f"property: {current} is not yours to see, nor to correct.")
        state = found.view.properties.get(current)
        return current, _told(found.view.memories[state.basis.memory_id].visibility) if state else ""

    async def _write(
        self, principal: Principal, found: _Found, request: MemorizeRequest, verb: str, *, dry_run: bool
    ) -> CorrectionAnswer:
        """Memorize a correction, or only see what that would do, and compare what holds before and after."""
        if "writer" not in principal.roles:
            raise Refused("A correction is a memory, which needs the role writer.")
        request = replace(request, source=f"{verb} by {principal.person}")
        noted = _Writing(principal.organization, found.entity, None if dry_run else self._store)
        log, before = [*found.view.memories.values()], _State.of(found.view)  # the view itself goes on with the write
        with suppress(_OnlyLookedError):
            await self._memorizer.memorize(principal, request, noted.commit)
        after = _State.of(self._entities.fold(found.entity, [*log, *noted.entries])) if noted.entries else before
        return CorrectionAnswer(
            entity=NamedEntity(ref=found.entity.ref, name=found.shown.name),
            memory_id=noted.entries[0].interaction if noted.entries and not dry_run else "",
            no_longer=tuple(fact for one, fact in before.facts.items() if one not in after.facts),
            now=tuple(fact for one, fact in after.facts.items() if one not in before.facts),
            values=tuple(_changed(before.values, after.values)),
            relations=tuple([one async for one in self._changed_relations(principal, before, after)]),
            rejected=tuple(noted.rejected),
        )

    async def _changed_relations(
        self, principal: Principal, before: "_State", after: "_State"
    ) -> AsyncIterator[ChangedRelation]:
        """Yield the relations that hold only before, or only after, with the names of their other ends."""
        sight = self._entities.sight(principal)
        for relation in sorted(before.relations ^ after.relations, key=lambda one: one in after.relations):
            stored = await self._entities.survivor(principal.organization, relation.target)
            head = await self._entities.shown(principal.organization, stored.head, sight) if stored else None
            if head:
                other = NamedEntity(ref=head.entity.ref, name=head.name)
                yield ChangedRelation(type=relation.type, other=other, holds=relation in after.relations)


@dataclass(frozen=True, slots=True)
class _State:
    """What holds of an entity at a moment: its current facts by id, the values of its properties, its relations."""

    facts: Mapping[str, FoundFact]
    values: Mapping[str, Any]
    relations: AbstractSet[Relation]

    @classmethod
    def of(cls, view: EntityView) -> "_State":
        """Take it from a view."""
        facts = {fact.record.id: _held(fact) for fact in view.ordered if fact.is_current}
        values = {name: state.value for name, state in view.properties.items()}
        relations = {relation for relation, state in view.relations.items() if state.status == "current"}
        return cls(facts, values, relations)


class _OnlyLookedError(Exception):
    """Ends a call before anything of it is written."""


@dataclass(slots=True)
class _Writing:
    """What a correction writes of an entity, last attempt; without a store it is only looked at."""

    organization: str
    entity: EntityId
    store: ItemStore | None
    entries: list[LogEntry] = field(default_factory=list[LogEntry])
    rejected: list[str] = field(default_factory=list[str])

    async def commit(self, operations: Sequence[Operation]) -> None:
        """Note what is written, and write it."""
        turned_down = keys.rejected(self.organization, "").partition
        self.entries, self.rejected = [], []
        for one in operations:
            if not isinstance(one, Put):
                continue
            place = keys.place_in_log(one.key)
            if place and place[0] == self.entity and "agent" in one.body:
                self.entries.append(read_entry(one.body))
            if one.key.partition == turned_down and "candidates" in one.body:
                self.rejected += [str(candidate["reason"]) for candidate in one.body["candidates"]]
        if self.store is None:
            raise _OnlyLookedError
        await self.store.transact(operations)


def _named(view: EntityView, named: str, *, past: bool) -> list[FactState]:
    """Return the facts that an id or words name."""
    meant = [fact for fact in view.ordered if past or fact.is_current]
    if exact := view.fact(named) or view.same_words(named):
        return [exact] if exact in meant else []
    wanted = set(terms(named))
    holding = [fact for fact in meant if wanted and wanted <= set(terms(fact.record.text))]
    return holding or [fact for fact in find_named(named, view, (), None) if fact in meant]


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ChangedValue]:
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield ChangedValue(name=name, previous=before.get(name), value=after.get(name))


def _held(fact: FactState) -> FoundFact:
    return FoundFact(
        fact_id=fact.record.id,
        text=fact.record.text,
        confidence=fact.confidence,
        observed_at=display_time(fact.record.observed_at),
        memory_id=fact.memory.interaction,
        source=fact.memory.source or "",
    )


def _told(visibility: str) -> str:
    """Return a visibility as callers write it. Who sees what is private is the one whose it is."""
    return "private" if visibility.startswith("private:") else visibility
