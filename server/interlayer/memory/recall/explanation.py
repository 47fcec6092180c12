"""Why something is remembered: every voice for a fact or a value, and the words of its source that it rests on."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from interlayer.answers import display_time
from interlayer.errors import NotFound, Refused
from interlayer.memory.entities.answer import NamedEntity
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import why_withheld
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import parse_entity
from interlayer.memory.log.records import (
    Confirmation,
    EntityId,
    FactId,
    FactRecord,
    LogEntry,
    Observation,
    RelationRecord,
    interaction_of,
)
from interlayer.memory.recall.answer import FactStatus
from interlayer.memory.recall.provenance import words_of
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

_AROUND: Final = 120  # characters of the source shown on either side of a quote


@dataclass(frozen=True, slots=True)
class _Saying:
    """A memory that says something, and how."""

    memory: LogEntry
    said: FactRecord | Confirmation | Observation | RelationRecord
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedFact:
    """A fact, and whether it still holds."""

    fact_id: str
    text: str
    confidence: float
    observed_at: str
    status: FactStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedValue:
    """The current value of a property, None where none of those that were observed is."""

    name: str
    value: Any
    confidence: float
    memory_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A memory that says so: in which words, from whom, and the words of its source, empty where they are not kept."""

    memory_id: str
    said: str
    agent: str
    source: str
    extractor: str
    confidence: float
    observed_at: str
    recorded_at: str
    before: str
    quote: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactExplanation:
    """Why a fact is remembered, what it stands against, probably stands against, and what says nearly the same."""

    entity: NamedEntity
    fact: ExplainedFact
    voices: tuple[Voice, ...]
    contradicts: tuple[ExplainedFact, ...]
    likely: tuple[ExplainedFact, ...]
    alike: tuple[ExplainedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyExplanation:
    """Why a property has its value."""

    entity: NamedEntity
    property: ExplainedValue
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRelation:
    """A relation to another entity, and whether it still holds."""

    type: str
    to: NamedEntity
    confidence: float
    observed_at: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationExplanation:
    """Why an entity has relations of a type, those that are over too."""

    entity: NamedEntity
    relations: tuple[ExplainedRelation, ...]
    voices: tuple[Voice, ...]


class Explanation:
    """Traces what is remembered to its sources."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    async def fact(self, principal: Principal, fact_id: str) -> FactExplanation:
        """Return who says a fact, the first voice first. Raises `NotFound`."""
        sight = self._entities.sight(principal)
        stored = await self._entities.holder(principal.organization, FactId.parse(fact_id).memory)
        view = await self._entities.view(principal.organization, stored.head, sight=sight) if stored else None
        fact = view.fact(fact_id) if view else None
        if stored is None or view is None or fact is None:
            raise NotFound(f"fact_id: {fact_id[:60]!r} is not known. Take it from `interlayer memory show`.")
        return FactExplanation(
            entity=await self._entity(principal, stored),
            fact=_show(fact),
            voices=await self._voices(principal.organization, _fact_voices(view, fact), view.cut),
            contradicts=tuple(_show(other) for other in fact.contradicts),
            likely=tuple(_show(other) for other in fact.likely),
            alike=tuple(_show(other) for other in fact.alike),
        )

    async def relation(self, principal: Principal, entity: str, name: str) -> RelationExplanation | None:
        """Return who stated relations of a type that an entity names, newest first, None if it names none of it.

        Raises `NotFound`.
        """
        stored, sight = await self._find(principal, entity), self._entities.sight(principal)
        types = self._schema.relation_types.meant_by(name)
        view = await self._entities.view(principal.organization, stored.head, sight=sight)
        states = {relation: state for relation, state in view.relations.items() if relation.type in types}
        heads = await self._entities.heads(principal.organization, [one.target for one in states])
        shown = {head.entity: await self._entities.shown(principal.organization, head, sight) for head in heads}
        named = {entity: NamedEntity(ref=one.entity.ref, name=one.name) for entity, one in shown.items() if one}
        told = {relation: state for relation, state in states.items() if relation.target in named}
        if not told:
            return None
        voices = [
            _Saying(voice.memory, replace(voice.said, observed_at=voice.observed_at), _stated(voice.said, named))
            for state in told.values()
            for voice in state.voices
        ]
        voices.sort(key=lambda voice: voice.said.observed_at, reverse=True)
        return RelationExplanation(
            entity=await self._entity(principal, stored),
            relations=tuple(
                ExplainedRelation(
                    type=relation.type,
                    to=named[relation.target],
                    confidence=state.confidence,
                    observed_at=display_time(state.observed_at),
                    status=state.status,
                )
                for relation, state in told.items()
            ),
            voices=await self._voices(principal.organization, voices, view.cut),
        )

    async def _find(self, principal: Principal, entity: str) -> StoredHead:
        """Return the head of an entity that the caller may know by a name. Raises `NotFound`."""
        parsed, sight = parse_entity(entity, self._schema), self._entities.sight(principal)
        known = await self._entities.resolve(principal.organization, parsed, sight)
        stored = await self._entities.head(principal.organization, known) if known else None
        if stored is None or await self._entities.shown(principal.organization, stored.head, sight, parsed) is None:
            raise NotFound(f"entity: {entity[:80]!r} is not known.")
        return stored

    async def property(self, principal: Principal, entity: str, name: str) -> PropertyExplanation:
        """Return who observed which value of a property, newest first. Raises `NotFound`."""
        stored, sight = await self._find(principal, entity), self._entities.sight(principal)
        schema = self._schema.stored(stored.head.entity.type)
        current = schema.current_name(name)
        if current in sight.withheld(schema):
            raise Refused(f"property: {current} is {why_withheld(schema.current[current].sensitivity)}.")
        view = await self._entities.view(principal.organization, stored.head, sight=sight)
        seen = [one for one in view.observations() if one.observation.name == current]
        state = view.properties.get(current)
        if not seen:
            has = ", ".join(sorted(view.properties)) or "none"
            raise NotFound(f"property: {name[:40]!r} has never been observed of it. Known are: {has}.")
        voices = [_Saying(view.memories[one.memory_id], one.observation, _said(one.observation)) for one in seen]
        voices.sort(key=lambda voice: voice.said.observed_at, reverse=True)
        return PropertyExplanation(
            entity=await self._entity(principal, stored),
            property=ExplainedValue(
                name=current,
                value=state.value if state else None,
                confidence=state.confidence if state else 0.0,
                memory_id=interaction_of(state.basis.memory_id) if state else "",
            ),
            voices=await self._voices(principal.organization, voices, view.cut),
        )

    async def _entity(self, principal: Principal, stored: StoredHead) -> NamedEntity:
        head = await self._entities.shown(principal.organization, stored.head, self._entities.sight(principal))
        return NamedEntity(ref=stored.head.entity.ref, name=head.name if head else "")

    async def _voices(self, organization: str, voices: Iterable[_Saying], cut: AbstractSet[str]) -> tuple[Voice, ...]:
        return tuple([await self._voice(organization, voice, cut) for voice in voices])

    async def _voice(self, organization: str, voice: _Saying, cut: AbstractSet[str]) -> Voice:
        memory, span = voice.memory, voice.said.span
        around = 0 if (memory.content_of or memory.id) in cut else _AROUND
        before, quote, after = await words_of(self._store, organization, memory, span, around) if span else ("",) * 3
        bare = quote.rstrip()
        return Voice(
            memory_id=memory.interaction,
            said=voice.text,
            agent=memory.agent,
            source=memory.source or "",
            extractor=memory.extractor,
            confidence=voice.said.confidence,
            observed_at=display_time(voice.said.observed_at),
            recorded_at=display_time(memory.recorded_at),
            before=before,
            quote=bare,
            after=quote[len(bare) :] + after,
        )


def _stated(said: RelationRecord, named: Mapping[EntityId, NamedEntity]) -> str:
    return f"{said.type} {named[said.target].name}{' is over' if said.ended else ''}"


def _said(seen: Observation) -> str:
    return str(seen.value) if not seen.remove else f"removed {seen.value}" if seen.value is not None else "removed"


def _fact_voices(view: EntityView, fact: FactState) -> Iterator[_Saying]:
    """Yield the memory that brought a fact, and every one that confirmed it, in the order of the log."""
    for memory in view.memories.values():
        for said in (*memory.facts, *memory.confirms):
            of = said.fact_id if isinstance(said, Confirmation) else said.id
            if view.fact(of) is fact:
                yield _Saying(memory, said, said.text)


def _show(fact: FactState) -> ExplainedFact:
    return ExplainedFact(
        fact_id=fact.record.id,
        text=fact.record.text,
        confidence=fact.confidence,
        observed_at=display_time(fact.seen_at),
        status="current" if fact.is_current else "superseded",
    )
