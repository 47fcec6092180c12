"""Preparing a call: parse whom it is about, read its content, pass the gates, embed. Done once for all attempts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from interlayer.errors import Ambiguous, InvalidInput, Unavailable
from interlayer.ids import Clock, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution, ResolvedEntity
from interlayer.memory.entities.sight import Sight, audience_of
from interlayer.memory.entities.vectors import of_statements
from interlayer.memory.entities.view import EntityView
from interlayer.memory.extraction.extractor import Extracted, Extractors
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.answer import AmbiguousMention
from interlayer.memory.memorize.call import Call, PreparedCall, PreparedPart, Reading
from interlayer.memory.memorize.intake import admit, check_orders, gate, read_plainly, relation_type, without_secrets
from interlayer.memory.memorize.mentions.mentions import Mentions
from interlayer.memory.memorize.mentions.told import Told
from interlayer.memory.memorize.parts import CallAsRead, CallSubject, parts_of, text_of
from interlayer.memory.memorize.reading.content import known_subject, read_with_model
from interlayer.memory.projection.spaces import ActiveSpace, Spaces
from interlayer.memory.requests import MemorizeRequest, RelationCandidate
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore

Keep = Callable[[MemorizeRequest, float], Awaitable[None]]
"""Keeps a call without secrets while a model reads its content, which may take so many seconds."""

_INLINE_CHARACTERS: Final = 20_000  # more words are looked through in a thread
_LONG_AT_ONCE: Final = 4  # such threads share one processor with all who wait for short answers
_long_work: Final = RunVar[anyio.CapacityLimiter]("interlayer_long_work")
_NOTHING: Final = Reading("", redacted=False)

T = TypeVar("T")


class Preparation:
    """Prepares calls. Raises `InvalidInput` for what cannot be remembered, whatever is known of its entity."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        resolution: Resolution,
        schema: Schema,
        spaces: Spaces,
        extractors: Extractors,
        clock: Clock,
    ) -> None:
        self._entities = entities
        self._resolution = resolution
        self._schema = schema
        self._spaces = spaces
        self._extractors = extractors
        self._clock = clock
        self._mentions = Mentions(store, entities, resolution, schema, run_over)

    async def prepare(self, call: Call, keep: Keep, *, by_operator: bool = False) -> PreparedCall:
        """Prepare a call, which is kept before a model is asked.

        What an operator lets through passes no gate but those that guard the store. Raises `Refused` for what may never
        be remembered.
        """
        request, organization = call.request, call.principal.organization
        main = self._resolution.parse(request.entity, request.identifiers, request.name) if request.entity else None
        for number, one in enumerate(request.relations):
            relation_type(one.type)
            self._resolution.parse(one.target, field=f"relations.{number}.target")
        observed_at = request.observed_at or self._clock()
        read = await self._read(call, main, observed_at, keep)
        judge = admit if by_operator else gate
        said = len(read.request.content or "") + sum(len(fact.text) for fact in request.facts)
        space = await self._spaces.of(organization)
        types = self._schema.relation_types
        parts = await run_over(said, partial(parts_of, call.memory_id, read, self._resolution, types, judge))
        if not read.reading.extracted and not by_operator:
            check_orders(read.request, [one.gated for one in parts])
        parts, degraded = await _embedded(parts, space)
        return PreparedCall(
            call=call,
            request=read.request,
            observed_at=timestamp(read.main.context.observed_at),
            space=space,
            parts=parts,
            degraded=degraded,
            ambiguous=tuple(
                AmbiguousMention(mention=one.mention, candidates=one.candidates) for one in read.told.ambiguous
            ),
        )

    async def _read(self, call: Call, main: EntityReference | None, observed_at: datetime, keep: Keep) -> CallAsRead:
        """Read the content of a call. What is known of its entities before tells whom "she" may mean."""
        request, organization = call.request, call.principal.organization
        if not request.content:
            main = main or self._first_named(request)
            subject = CallSubject(main, gate_context(self._schema, main, None, observed_at))
            read = CallAsRead(without_secrets(request, _NOTHING), [subject], _NOTHING, Told())
            return await self._with_named(call.principal, read)
        resolved = await self._resolve(call.principal, main) if main else None
        longest = self._schema.gates.fact_characters_max
        reading = await run_over(len(request.content), partial(read_plainly, request.content, observed_at, longest))
        if request.observed_at is None and reading.document:
            observed_at = reading.document.written_at or observed_at
        request = without_secrets(request, reading)
        told = Told()
        if reading.document:
            known = resolved.read.stored.head if resolved and resolved.read else None
            told = await self._mentions.told(call.principal, reading.content, reading.document, main, known)
            main = replace(main, name=told.main_name) if main and told.main_name else main
        if main is None:
            main = told.main.reference if told.main else self._first_named(request)
            given = self._resolution.parse(text_of(main), request.identifiers, request.name)
            main = replace(main, identifiers={**main.identifiers, **given.identifiers}, name=given.name or main.name)
            resolved = await self._resolve(call.principal, main)
        audience = audience_of(request.visibility)
        stored = resolved.read.stored.head if resolved and resolved.read else None
        head = await self._entities.shown(organization, stored, audience) if stored else None
        context = gate_context(self._schema, main, head, observed_at)
        if told.main:
            context = replace(context, names=tuple(dict.fromkeys((*context.names, *told.main.names))))
        subjects = [CallSubject(main, context, resolved), *await self._told_of(call, told, observed_at)]
        read = CallAsRead(request, subjects, reading, told)
        try:
            model = await self._extractors.current(organization)
        except Unavailable as error:
            failed = replace(reading, failed=f"the model cannot be told: {error}")
            return await self._with_named(call.principal, replace(read, reading=failed))
        if model is not None:
            await keep(replace(request, observed_at=observed_at), model.timeout_s)
            space = await self._spaces.of(organization)
            view = await self._entities.view(organization, stored, space, sight=audience) if stored and head else None
            others = [known_subject(text_of(one.reference), one.context) for one in subjects[1:]]
            names = [one.mention for one in told.ambiguous]
            views = await self._views(organization, subjects[1:], space, audience)
            told_to = partial(read_with_model, subjects=others, ambiguous=names, views=views)
            seen = await told_to(model, reading, text_of(main), context, self._schema, view, space)
            read = replace(read, reading=seen)
        return await self._with_named(call.principal, read)

    async def _views(
        self, organization: str, subjects: Sequence[CallSubject], space: ActiveSpace, audience: Sight
    ) -> Mapping[str, EntityView]:
        """Return the views of entities, by name, that those have who will see the call."""
        views: dict[str, EntityView] = {}
        for one in subjects:
            stored = one.resolved.read.stored.head if one.resolved and one.resolved.read else None
            if stored and await self._entities.shown(organization, stored, audience):
                views[one.context.name] = await self._entities.view(organization, stored, space, sight=audience)
        return views

    def _first_named(self, request: MemorizeRequest) -> EntityReference:
        """Return whom the first statement of a call that names no entity is about. Raises `InvalidInput` for nobody."""
        named = [
            *((f"facts.{number}.about", one.about) for number, one in enumerate(request.facts)),
            *((f"properties.{number}.about", one.about) for number, one in enumerate(request.properties)),
            *((f"relations.{number}.source", one.source) for number, one in enumerate(request.relations)),
        ]
        field_name, text = next(((name, text) for name, text in named if text), ("", None))
        if text is None:
            problem = "is missing, and nothing else names anybody."
            raise InvalidInput("entity", problem, "Say whom the call is about, as type:key.")
        return self._resolution.parse(text, field=field_name)

    async def _told_of(self, call: Call, told: Told, observed_at: datetime) -> list[CallSubject]:
        """Return the others of whom the content tells, as those who will see the call know them."""
        organization, audience = call.principal.organization, audience_of(call.request.visibility)
        known = await self._entities.read_all(organization, [one.entity for one in told.subjects if one.entity])
        heads = {
            one: await self._entities.shown(organization, read.stored.head, audience) for one, read in known.items()
        }
        found: list[CallSubject] = []
        for one in told.subjects:
            context = gate_context(
                self._schema, one.reference, heads.get(one.entity) if one.entity else None, observed_at
            )
            context = replace(context, names=tuple(dict.fromkeys((*context.names, one.name, *one.names))))
            # Whoever is named by an identifier was looked up by it; a name may be borne by more than its index has.
            is_sure = not one.reference.identifiers and (one.entity or one.reference.key_identifiers)
            read = known.get(one.entity) if one.entity else None
            resolved = ResolvedEntity(one.entity, (), read) if is_sure else None
            found.append(CallSubject(one.reference, context, resolved, one))
        return found

    async def _with_named(self, principal: Principal, read: CallAsRead) -> CallAsRead:
        """Add whom statements name, the caller's and a model's, beside those of whom the content tells."""
        main = text_of(read.main.reference)
        request = replace(read.request, relations=[self._directed(one, main) for one in read.request.relations])
        read = replace(read, request=request)
        texts: list[tuple[str, str | None]] = [("facts.about", one.about) for one in request.facts]
        texts += [("properties.about", one.about) for one in request.properties]
        texts += [("relations.source", one.source) for one in request.relations]
        given = {text: self._resolution.parse(text, field=name) for name, text in texts if text}
        read = await self._with(principal, read, given)
        extracted, nobodys = read.reading.extracted, set[str]()
        if extracted is None:
            return read
        said = {text: self._resolution.parse(text, field="content") for text in extracted.named}
        try:
            return await self._with(principal, read, said)
        except Ambiguous:
            for text, reference in said.items():
                try:
                    read = await self._with(principal, read, {text: reference})
                except Ambiguous:
                    nobodys.add(text)
        return replace(read, reading=replace(read.reading, extracted=extracted.without(nobodys)))

    async def _with(self, principal: Principal, read: CallAsRead, given: Mapping[str, EntityReference]) -> CallAsRead:
        """Add whom texts name, those who are not there yet."""
        subjects = [*read.subjects]
        places = {one.reference.identity: place for place, one in enumerate(subjects)}
        others = {one.identity: (text, one) for text, one in given.items() if one.identity not in places}
        found = await self._resolve_all(principal, [one for _, one in others.values()])
        for (text, reference), resolved in zip(others.values(), found, strict=True):
            known = [one.entity for one in subjects]
            if resolved.entity and resolved.entity in known:
                places[reference.identity] = known.index(resolved.entity)
                continue
            places[reference.identity] = len(subjects)
            head = resolved.read.stored.head if resolved.read else None
            audience = audience_of(read.request.visibility)
            shown = await self._entities.shown(principal.organization, head, audience) if head else None
            called = _as_listed(reference, read.reading.extracted, text, is_known=resolved.entity is not None)
            context = gate_context(self._schema, called, shown, read.main.context.observed_at)
            subjects.append(CallSubject(called, context, resolved))
        named = {text: places[reference.identity] for text, reference in given.items()}
        return replace(read, subjects=subjects, named={**read.named, **named})

    async def _resolve_all(self, principal: Principal, references: Sequence[EntityReference]) -> list[ResolvedEntity]:
        if len(references) < 2:
            return [await self._resolve(principal, one) for one in references]
        sight = self._entities.sight(principal)
        found = await self._resolution.resolve_all(principal.organization, references, sight)
        read = await self._entities.read_all(principal.organization, [one.entity for one in found if one.entity])
        return [replace(one, read=read.get(one.entity)) if one.entity else one for one in found]

    def _directed(self, one: RelationCandidate, main: str) -> RelationCandidate:
        """Return a relation by the name that the schema has for it, from the end at which it starts there."""
        source = one.source or main
        read = self._schema.relation_types.read(
            relation_type(one.type), *(text.partition(":")[0].strip() for text in (source, one.target))
        )
        if not read.turned:
            return replace(one, type=read.type)
        return replace(one, type=read.type, source=one.target, target=source)

    async def _resolve(self, principal: Principal, reference: EntityReference) -> ResolvedEntity:
        organization = principal.organization
        found = await self._resolution.resolve(organization, reference, self._entities.sight(principal))
        read = await self._entities.read(organization, found.entity) if found.entity else None
        return replace(found, read=read)


def _as_listed(
    reference: EntityReference, extracted: Extracted | None, text: str, *, is_known: bool
) -> EntityReference:
    """Return whom a model names: somebody new by the name that the content has, a known one by no other name."""
    listed = next((one for one in extracted.subjects if one.entity == text), None) if extracted else None
    if listed is None:
        return reference
    if is_known:
        return replace(reference, entity=replace(reference.entity, name=None))
    is_name = listed.names[0] != reference.entity.key and not reference.entity.is_id
    return replace(reference, name=listed.names[0]) if is_name else reference


async def _embedded(
    parts: Sequence[PreparedPart], space: ActiveSpace
) -> tuple[tuple[PreparedPart, ...], tuple[str, ...]]:
    """Give the parts of a call the vectors of their statements, asked for at once."""
    texts = [text for one in parts for text in (*(fact.text for fact in one.gated.facts), *one.naming)]
    vectors, degraded = await of_statements(space, texts)
    if vectors is None:
        return tuple(parts), degraded
    made: list[PreparedPart] = []
    start = 0
    for one in parts:
        middle = start + len(one.gated.facts)
        end = middle + len(one.naming)
        made.append(replace(one, vectors=vectors[start:middle], naming_vectors=vectors[middle:end]))
        start = end
    return tuple(made), degraded


def gate_context(schema: Schema, reference: EntityReference, head: Head | None, observed_at: datetime) -> GateContext:
    """Say what a call is about, as far as its gates have to know."""
    entity = reference.entity
    given = [reference.display_name] if reference.display_name else []
    values = [value for values in (head.identifiers.values() if head else ()) for value in values]
    key = [] if entity.is_id else [entity.key]
    return GateContext(
        entity_type=entity.type,
        schema=schema.entities[entity.type],
        gates=schema.gates,
        observed_at=observed_at,
        name=reference.name or (head.name if head else reference.display_name or entity.key),
        names=tuple(dict.fromkeys([*(head.names if head else ()), *given])),
        keys=tuple(dict.fromkeys([*values, *reference.identifiers.values(), *key])),
    )


async def run_over(characters: int, work: Callable[[], T]) -> T:
    """Do work on the words of a call; over many of them it is done in a thread, of which a few run at once."""
    if characters <= _INLINE_CHARACTERS:
        return work()
    try:
        limiter = _long_work.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_LONG_AT_ONCE)
        _long_work.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter)
