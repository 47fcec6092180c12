"""memorize: candidates -> gates -> reconcile -> one transaction -> projection.

The transaction holds everything or nothing. A race with another writer of the same entity is lost without harm: the
view is brought up to date and the candidates are reconciled again; nothing is extracted or embedded twice.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from interlayer.errors import Conflict, InvalidInput
from interlayer.ids import Clock, new_id, timestamp
from interlayer.memory import keys
from interlayer.memory.candidates import FactCandidate, PropertyCandidate, facts_of, properties_of
from interlayer.memory.commits import Change, Plan, creation, plan
from interlayer.memory.entities import Entities
from interlayer.memory.gates import Gates
from interlayer.memory.identifiers import check_text
from interlayer.memory.naming import Claim, Naming, Subject
from interlayer.memory.outcomes import memorize_answer
from interlayer.memory.projecting import Pending, Projector
from interlayer.memory.reconciling import Decision, duplicate_threshold, reconcile
from interlayer.memory.records import Confirmation, EntityId, FactRecord, Memory, Observation, Relation
from interlayer.memory.schema import Schema
from interlayer.memory.view import EntityView
from interlayer.models.embedder import Embedder, Vectors
from interlayer.principal import Principal
from interlayer.storage.items import TRANSACT_OPERATIONS_MAX, ItemStore, Operation, Put, VersionConflict
from interlayer.storage.vectors import Row

CONTENT_MAX: Final = 200_000
FACTS_MAX: Final = 500
PROPERTIES_MAX: Final = 50
RELATIONS_MAX: Final = 10
LABEL_MAX: Final = 300
_ATTEMPTS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorizeRequest:
    """What a caller wants remembered, as it came; the contract has the meaning of each field."""

    entity: str
    content: str | None = None
    facts: Sequence[FactCandidate] = ()
    properties: Sequence[PropertyCandidate] = ()
    relations: Sequence[tuple[str, str]] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict[str, str])
    name: str | None = None
    source: str | None = None
    observed_at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A call after the gates: everything that a retry needs again."""

    request: MemorizeRequest
    subject: Subject
    memory_id: str
    observed_at: str
    facts: tuple[FactCandidate, ...]
    vectors: Vectors
    rejected_facts: tuple[Decision, ...]
    properties: tuple[Observation, ...]
    rejected_properties: tuple[dict[str, Any], ...]
    relations: tuple[tuple[str, Subject], ...]
    gates: Gates
    extractor: str


class Memorizer:
    """Remembers. Raises `InvalidInput`, `Ambiguous`, `Conflict` or `Unavailable`; then nothing was stored."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        embedder: Embedder,
        schema: Schema,
        clock: Clock,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._embedder = embedder
        self._schema = schema
        self._clock = clock
        self._naming = Naming(store, entities, schema)

    async def memorize(self, principal: Principal, request: MemorizeRequest) -> dict[str, Any]:
        """Return the answer of the contract, after everything it says is durable."""
        check_limits(request)
        replayed = await self._seen(principal, request)
        if replayed:
            return replayed
        checked = await self._checked(request)
        for _ in range(_ATTEMPTS):
            try:
                return await self._attempt(principal, checked)
            except VersionConflict:
                # Either the entity moved on, or this very call ran twice at once and the other one was first.
                replayed = await self._seen(principal, request)
                if replayed:
                    return replayed
        raise Conflict("entity: too many agents write to it at once. Nothing was stored; send the same call again.")

    async def _seen(self, principal: Principal, request: MemorizeRequest) -> dict[str, Any] | None:
        if not request.idempotency_key:
            return None
        item = await self._store.get(keys.idempotency(principal.organization, principal.agent, request.idempotency_key))
        return {**item.body["answer"], "replayed": True} if item else None

    async def _checked(self, request: MemorizeRequest) -> Checked:
        now = self._clock()
        subject = self._naming.subject(request.entity, request.identifiers, request.name)
        gates = Gates()
        facts, rejected_facts = _gated_facts(request, gates)
        observed_at = timestamp(request.observed_at or now)
        schema = self._schema.entities[subject.entity.type]
        given = [candidate.name for candidate in request.properties]
        found = properties_of(request.content, schema, given) if request.content else ()
        properties: dict[str, Observation] = {}
        rejected_properties: list[dict[str, Any]] = []
        for candidate in [*request.properties, *found]:
            value, reason = gates.value(candidate, schema)
            if reason is None:
                seen = Observation(candidate.name, value, candidate.confidence, observed_at, candidate.span)
                properties[candidate.name] = seen
            else:
                rejected_properties.append(
                    {
                        "name": candidate.name,
                        "outcome": "rejected",
                        "value": value,
                        "confidence": candidate.confidence,
                        "reason": reason,
                    }
                )
        _refuse_instructions(gates, request)
        return Checked(
            request=request,
            subject=subject,
            memory_id=new_id("m", now),
            observed_at=observed_at,
            facts=tuple(facts),
            vectors=await self._embedder.embed([fact.text for fact in facts]),
            rejected_facts=tuple(rejected_facts),
            properties=tuple(properties.values()),
            rejected_properties=tuple(rejected_properties),
            relations=tuple(
                (kind, self._naming.subject(target, field="relations.target")) for kind, target in request.relations
            ),
            gates=gates,
            extractor=_extractor(request),
        )

    async def _attempt(self, principal: Principal, checked: Checked) -> dict[str, Any]:
        organization = principal.organization
        known, claims = await self._naming.bearer(organization, checked.subject)
        entity = known or EntityId(checked.subject.entity.type, new_id("e", self._clock()))
        async with self._entities.lock(organization, entity):
            stored = await self._entities.head(organization, entity) if known else None
            if known and stored is None:
                raise VersionConflict([keys.head(organization, entity)])  # erased since it was resolved
            view = await self._entities.view(organization, stored.head) if stored else self._entities.blank(entity)
            targets, creations = await self._targets(organization, checked)
            decisions = reconcile(checked.facts, checked.vectors, view, duplicate_threshold(self._embedder.space))
            memory = self._memory(principal, checked, decisions, targets, view.revision + 1)
            change = Change(
                organization,
                entity,
                stored,
                memory,
                checked.subject,
                claims,
                checked.request.content,
                timestamp(self._clock()),
            )
            planned = plan(change, view, self._schema)
            answer = memorize_answer(checked, decisions, memory, planned, claims, created=known is None)
            operations = [*planned.operations, *creations, *self._first_answer(principal, checked, answer)]
            if len(operations) > TRANSACT_OPERATIONS_MAX:
                raise InvalidInput("relations", "this call changes too much at once.", "Split it into several calls.")
            await self._store.transact(operations)
            self._remember(organization, planned, memory, view, _added(decisions, checked.vectors))
        return answer

    async def _targets(self, organization: str, checked: Checked) -> tuple[tuple[Relation, ...], list[Operation]]:
        relations: dict[Relation, None] = {}
        created: dict[str, EntityId] = {}
        operations: list[Operation] = []
        for kind, subject in checked.relations:
            key = f"{subject.entity.type}:{subject.entity.key.casefold()}"
            target = created.get(key)
            if target is None:
                target, is_new = await self._naming.target(organization, subject, self._clock())
                if is_new:
                    created[key] = target
                    operations += creation(organization, target, subject, timestamp(self._clock()))
            relations[Relation(kind, target)] = None
        return tuple(relations), operations

    def _memory(
        self,
        principal: Principal,
        checked: Checked,
        decisions: Sequence[Decision],
        relations: tuple[Relation, ...],
        revision: int,
    ) -> Memory:
        request = checked.request
        facts = [
            FactRecord(
                fact_id(checked.memory_id, number),
                one.candidate.text,
                one.candidate.confidence,
                one.candidate.observed_at or checked.observed_at,
                one.candidate.span,
            )
            for number, one in enumerate(decisions)
            if one.outcome == "added"
        ]
        return Memory(
            id=checked.memory_id,
            revision=revision,
            agent=principal.agent,
            recorded_at=timestamp(self._clock()),
            observed_at=checked.observed_at,
            source=request.source,
            has_content=bool(request.content),
            extractor=checked.extractor,
            facts=tuple(facts),
            confirms=tuple(_confirmations(decisions, checked.observed_at)),
            properties=checked.properties,
            relations=relations,
            idempotency=request.idempotency_key,
        )

    def _first_answer(self, principal: Principal, checked: Checked, answer: Mapping[str, Any]) -> list[Operation]:
        key = checked.request.idempotency_key
        if not key:
            return []
        return [Put(keys.idempotency(principal.organization, principal.agent, key), {"answer": dict(answer)})]

    def _remember(self, organization: str, planned: Plan, memory: Memory, view: EntityView, vectors: Vectors) -> None:
        """Bring this process's view and the index up to what was just committed."""
        by_id = {fact.id: vector for fact, vector in zip(memory.facts, vectors, strict=True)}
        self._entities.committed(organization, planned.head, view, memory, by_id)
        entity = planned.head.entity
        rows = tuple(Row(fact.id, entity.ref, entity.type, fact.text) for fact in memory.facts)
        self._projector.offer(Pending(organization, keys.outbox(organization, memory.id), rows, vectors))


def fact_id(memory_id: str, number: int) -> str:
    """Return the id of the n-th fact of a memory: it names its memory, and no two are alike."""
    return f"f_{memory_id.removeprefix('m_')}_{number}"


def check_limits(request: MemorizeRequest) -> None:
    """Raise `InvalidInput` for what no gate has to look at: nothing at all, too much, or no text."""
    if not any((request.content, request.facts, request.properties, request.relations, request.identifiers)):
        raise InvalidInput(
            "content", "nothing to remember.", "Give content, facts, properties, relations or identifiers."
        )
    for name, count, most in (
        ("content", len(request.content or ""), CONTENT_MAX),
        ("facts", len(request.facts), FACTS_MAX),
        ("properties", len(request.properties), PROPERTIES_MAX),
        ("relations", len(request.relations), RELATIONS_MAX),
        ("source", len(request.source or ""), LABEL_MAX),
        ("idempotency_key", len(request.idempotency_key or ""), LABEL_MAX),
    ):
        if count > most:
            raise InvalidInput(name, f"{count} is over the limit of {most}.", "Send it in several calls.")
    for name, text in (("content", request.content), ("source", request.source)):
        check_text(text or "", name)
    check_text(request.idempotency_key or "", "idempotency_key")
    for number, fact in enumerate(request.facts):
        check_text(fact.text, f"facts.{number}.text")
    if request.content is not None and not request.content.strip():
        raise InvalidInput("content", "is blank.", "Leave it out or send text.")


def _gated_facts(request: MemorizeRequest, gates: Gates) -> tuple[list[FactCandidate], list[Decision]]:
    passed: list[FactCandidate] = []
    rejected: list[Decision] = []
    for candidate in [*request.facts, *(facts_of(request.content) if request.content else ())]:
        reason = gates.fact(candidate.text)
        if reason is None:
            passed.append(candidate)
        else:
            rejected.append(Decision(candidate, "rejected", reason=reason))
    return passed, rejected


def _refuse_instructions(gates: Gates, request: MemorizeRequest) -> None:
    """Refuse a call that holds nothing but instructions to a model: there is nothing in it to remember."""
    if gates.checked and not gates.passed and gates.rejected == Counter(instruction=gates.checked):
        field_name = "content" if request.content else "facts"
        raise InvalidInput(
            field_name, "it only addresses a model and states nothing.", "Send statements about the entity."
        )


def _extractor(request: MemorizeRequest) -> str:
    given = bool(request.facts or request.properties)
    if request.content:
        return "caller+plain" if given else "plain"
    return "caller" if given else "none"


def _confirmations(decisions: Sequence[Decision], observed_at: str) -> Iterator[Confirmation]:
    for one in decisions:
        if isinstance(one.duplicate_of, str):
            said = one.candidate
            seen = said.observed_at or observed_at
            yield Confirmation(one.duplicate_of, one.similarity or 0.0, said.text, said.confidence, seen, said.span)


def _added(decisions: Sequence[Decision], vectors: Vectors) -> Vectors:
    return vectors[np.array([one.outcome == "added" for one in decisions], dtype=bool)] if len(decisions) else vectors


__all__ = ["Checked", "Claim", "MemorizeRequest", "Memorizer", "check_limits", "fact_id"]
