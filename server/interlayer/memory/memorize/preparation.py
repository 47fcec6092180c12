"""Preparing a call: parse whom it is about, read its content, pass the gates, embed. Done once for all attempts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from interlayer.errors import InvalidInput, Unavailable
from interlayer.ids import Clock, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution, ResolvedEntity
from interlayer.memory.entities.sight import audience_of
from interlayer.memory.entities.vectors import of_statements
from interlayer.memory.extraction.extractor import Extractors
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.call import Call, PreparedCall, Reading
from interlayer.memory.memorize.content import read_with_model
from interlayer.memory.memorize.intake import admit, gate, read_plainly, relation_type, without_secrets
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.reconciliation.replacing import names_by_words
from interlayer.memory.requests import MemorizeRequest
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal

Keep = Callable[[MemorizeRequest, float], Awaitable[None]]
"""Keeps a call without secrets while a model reads its content, which may take so many seconds."""

_INLINE_CHARACTERS: Final = 20_000  # more words are looked through in a thread
_LONG_AT_ONCE: Final = 4  # such threads share one processor with all who wait for short answers
_long_work: Final = RunVar[anyio.CapacityLimiter]("interlayer_long_work")
_NOTHING: Final = Reading("", redacted=False)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Read:
    """A call whose content was read, without secrets; whom it is about, as far as that had to be known for it."""

    request: MemorizeRequest
    context: GateContext
    reading: Reading
    resolved: ResolvedEntity | None


class Preparation:
    """Prepares calls. Raises `InvalidInput` for what cannot be remembered, whatever is known of its entity."""

    def __init__(
        self,
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

    async def prepare(self, call: Call, keep: Keep, *, by_operator: bool = False) -> PreparedCall:
        """Prepare a call, which is kept before a model is asked.

        What an operator lets through passes no gate but those that guard the store. Raises `Refused` for what may never
        be remembered.
        """
        request, organization = call.request, call.principal.organization
        reference = self._main(request)
        relations = [
            (relation_type(one.type), self._resolution.parse(one.target, field="relations.target"))
            for one in request.relations
        ]
        observed_at = request.observed_at or self._clock()
        read = await self._read(call, reference, observed_at, keep)
        judge = admit if by_operator else gate
        said = len(read.request.content or "") + sum(len(fact.text) for fact in request.facts)
        gated = await run_over(said, partial(judge, read.request, read.context, read.reading))
        space = await self._spaces.of(organization)
        naming = list(dict.fromkeys(fact.replaces or "" for fact in gated.facts if names_by_words(fact)))
        vectors, degraded = await of_statements(space, [*(fact.text for fact in gated.facts), *naming])
        count = len(gated.facts)
        return PreparedCall(
            call=call,
            request=read.request,
            reference=reference,
            relations=relations,
            observed_at=timestamp(read.context.observed_at),
            gated=gated,
            space=space,
            vectors=None if vectors is None else vectors[:count],
            degraded=degraded,
            naming=naming,
            naming_vectors=None if vectors is None else vectors[count:],
            resolved=read.resolved,
        )

    def _main(self, request: MemorizeRequest) -> EntityReference:
        """Read whom a call is about. Raises `InvalidInput` where that is nobody, or not one only."""
        if not request.entity:
            raise InvalidInput("entity", "is missing.", "Say whom the call is about, as type:key.")
        main = self._resolution.parse(request.entity, request.identifiers, request.name)
        named = [
            *((f"facts.{number}.about", one.about) for number, one in enumerate(request.facts)),
            *((f"properties.{number}.about", one.about) for number, one in enumerate(request.properties)),
            *((f"relations.{number}.source", one.source) for number, one in enumerate(request.relations)),
        ]
        for field_name, text in named:
            if text and self._resolution.parse(text, field=field_name).identity != main.identity:
                raise InvalidInput(field_name, "names another than entity.", "Send it in a call of its own.")
        return main

    async def _read(self, call: Call, reference: EntityReference, observed_at: datetime, keep: Keep) -> _Read:
        """Read the content of a call. What is known of the entity before tells whom "she" may mean."""
        request, organization = call.request, call.principal.organization
        if not request.content:
            context = gate_context(self._schema, reference, None, observed_at)
            return _Read(without_secrets(request, _NOTHING), context, _NOTHING, None)
        resolved = await self._resolve(call.principal, reference)
        audience = audience_of(request.visibility)
        stored = resolved.read.stored.head if resolved.read else None
        head = await self._entities.shown(organization, stored, audience) if stored else None
        longest = self._schema.gates.fact_characters_max
        reading = await run_over(len(request.content), partial(read_plainly, request.content, observed_at, longest))
        if request.observed_at is None and reading.document:
            observed_at = reading.document.written_at or observed_at
        context = gate_context(self._schema, reference, head, observed_at)
        request = without_secrets(request, reading)
        try:
            model = await self._extractors.current(organization)
        except Unavailable as error:
            failed = replace(reading, failed=f"the model cannot be told: {error}")
            return _Read(request, context, failed, resolved)
        if model is None:
            return _Read(request, context, reading, resolved)
        await keep(replace(request, observed_at=observed_at), model.timeout_s)
        space = await self._spaces.of(organization)
        view = await self._entities.view(organization, stored, space, sight=audience) if stored and head else None
        read = await read_with_model(model, reading, context, view, space)
        return _Read(request, context, read, resolved)

    async def _resolve(self, principal: Principal, reference: EntityReference) -> ResolvedEntity:
        organization = principal.organization
        found = await self._resolution.resolve(organization, reference, self._entities.sight(principal))
        read = await self._entities.read(organization, found.entity) if found.entity else None
        return replace(found, read=read)


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
