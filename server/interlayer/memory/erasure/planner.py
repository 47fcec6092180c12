"""Plans of erasures and rewritings of one entity, and the one transaction that puts a plan into force."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import NotFound
from interlayer.ids import Clock, timestamp
from interlayer.memory.entities.log_revision import LogRevisions
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.plan import Erasure, largest_that_fits, transaction, unique
from interlayer.memory.erasure.references import References
from interlayer.memory.log import identifiers, keys, outbox
from interlayer.memory.log.change import EntityChange
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.naming.name_index import names_left
from interlayer.memory.log.records import Head, LogEntry
from interlayer.memory.log.revision import later_readings, list_shared_facts, without_fact, without_memories
from interlayer.memory.memorize.waiting.in_flight import InFlightCalls
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Delete, ItemStore, Operation

_ANSWERS_MAX: Final = 20  # kept for replay and rewritten; more than these are deleted


class ErasurePlanner:
    """Plans what becomes of an entity, of a memory or of a fact that goes, with everything that refers to it."""

    def __init__(self, store: ItemStore, entities: Entities, trail: Trail, schema: Schema, clock: Clock) -> None:
        self._store = store
        self._entities = entities
        self._trail = trail
        self._schema = schema
        self._clock = clock
        self._references = References(store, entities, InFlightCalls(store, clock), schema)
        self._revisions = LogRevisions(store, entities, schema)

    async def memory_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[LogEntry], memory_id: str
    ) -> Erasure:
        """Plan the erasure of a memory with what was read of its content later; what others confirm is handed over.

        Where that is too much at once, the handing over comes first.
        """
        gone = {memory_id, *later_readings(log, memory_id)}

        async def plan(parts: Sequence[str]) -> Erasure:
            only = None if memory_id in parts else frozenset(parts)
            return await self.rewrite(organization, stored, log, without_memories(log, gone, only), memory_id)

        return await largest_that_fits([*list_shared_facts(log, gone), memory_id], plan)

    async def fact_erasure(
        self, organization: str, stored: StoredHead, log: Sequence[LogEntry], fact_id: str
    ) -> Erasure:
        """Plan the erasure of a fact with all its voices, the last of them first, so that it keeps its id meanwhile."""
        fact = self._entities.fold(stored.head.entity, log).fact(fact_id)
        if fact is None:
            raise NotFound(f"fact_id: {fact_id!r} is not known. Take it from recall_entity.")
        said_as = frozenset(fact.said_as)

        async def plan(parts: Sequence[str]) -> Erasure:
            chosen = [memory for memory in log if memory.id in parts]
            revised = [without_fact(memory, said_as) if memory.id in parts else memory for memory in log]
            erasure = await self.rewrite(organization, stored, log, revised, fact_id)
            erasure.decisive.extend(await self._references.redactions(organization, chosen, said_as))
            return erasure

        voices = [memory.id for memory in log if without_fact(memory, said_as) is not memory]
        return await largest_that_fits(voices[::-1], plan)

    async def whole(self, organization: str, stored: StoredHead, log: Sequence[LogEntry]) -> Erasure:
        """Plan the erasure of an entity with everything that leads to it or came from it.

        Where that is too much at once, what it is told of beside others comes first.
        """
        told = [memory.id for memory in log if memory.part_of]

        async def plan(parts: Sequence[str]) -> Erasure:
            if len(parts) > len(told):
                return await self._all(organization, stored, log)
            return await self.rewrite(
                organization, stored, log, without_memories(log, frozenset(parts)), stored.head.entity.ref
            )

        return await largest_that_fits([*told, stored.head.entity.ref], plan)

    async def _all(self, organization: str, stored: StoredHead, log: Sequence[LogEntry]) -> Erasure:
        head = stored.head
        entity = head.entity
        rows = [fact.id for memory in log for fact in memory.facts]
        listed = await self._store.query("memory", keys.head(organization, entity).partition)
        own = [item.key for item in listed.items if item.key != keys.head(organization, entity)]
        own += await self._references.absorbed(organization, head)
        own += await self._references.rejected(organization, head)
        own += await self._references.claims(organization, {head.entity, *head.absorbed})
        own += await self._references.unread(organization, entity)
        hidden = [*own, *await self._references.traces(organization, entity, log)]
        gone = EntityChange(
            organization=organization, schema=self._schema.stored(entity.type), stored=stored, after=None
        )
        forms = dict.fromkeys(fold_name(name) for name in (*head.names, head.name))
        last = [
            *gone.operations(),
            *await self._references.parts(organization, entity, log),
            Delete(keys.name(organization, entity.type, fold_name(head.name), entity.id)),
            *(Delete(keys.identifier(organization, entity.type, form, identifiers.NAME)) for form in forms),
            *(
                Delete(keys.identifier(organization, entity.type, value, kind))
                for kind, values in head.identifiers.items()
                for value in values
            ),
        ]
        last += await names_left(self._store, last)
        counts = Counter(
            entities=1,
            memories=len(log),
            facts=len(rows),
            properties=len(_stated(log) & head.properties.keys()),
            relations=sum(len(memory.relations) for memory in log),
        )
        ids = tuple(memory.id for memory in log)
        return Erasure(entity.ref, unique(last), [Delete(key) for key in hidden], rows, counts, memories=ids)

    async def rewrite(
        self,
        organization: str,
        stored: StoredHead,
        log: Sequence[LogEntry],
        revised: Sequence[LogEntry],
        subject: str,
        rename: Callable[[Head], Head] = lambda head: head,
    ) -> Erasure:
        """Plan the turn of a log into its revision, with everything that follows from it.

        `rename` changes what the entity is called by; claims to what it is not called by any more are the caller's.
        """
        entity, kept = stored.head.entity, {memory.id: memory for memory in revised}
        now = timestamp(self._clock())
        changes = await self._revisions.changes(organization, stored, log, revised, now)
        changes[0] = replace(changes[0], after=rename(changes[0].after) if changes[0].after else None)
        new_key = outbox.new_keys(organization, self._clock)
        operations = [operation for change in changes for operation in change.operations(new_key)]
        rows: list[str] = []
        for memory in log:
            left = kept.get(memory.id)
            texts = {fact.id: fact.text for fact in (left.facts if left else ())}
            rows += [fact.id for fact in memory.facts if texts.get(fact.id) != fact.text]
        gone = [memory for memory in log if memory.id not in kept]
        stated = {one.relation for memory in revised for one in memory.relations}
        lost = {one.relation for memory in gone for one in memory.relations} - stated
        operations += await names_left(self._store, operations)
        names = {one.name for memory in gone for one in memory.properties}
        operations += await self._references.parts(organization, entity, gone)
        answers = await self._references.answers(organization, entity, revised, names)
        operations += answers if len(answers) <= _ANSWERS_MAX else []
        traces = await self._references.traces(organization, entity, gone, relations=False)
        traces += [one.key for one in answers] if len(answers) > _ANSWERS_MAX else []
        after = changes[0].after
        counts = Counter(
            memories=len(gone),
            facts=sum(len(memory.facts) for memory in log) - (after.facts if after else 0),
            properties=sum(not one.derived for memory in gone for one in memory.properties),
            relations=len(lost),
        )
        hidden: list[Operation] = [Delete(key) for key in traces]
        replaced = frozenset(fact.id for memory in revised for fact in memory.facts)
        ids = tuple(memory.id for memory in gone)
        return Erasure(subject, unique(operations), hidden, rows, counts, replaced, memories=ids)

    async def commit(self, principal: Principal, event: Event, erasure: Erasure) -> None:
        """Put the erasure into force in one transaction, with its audit event."""
        new_key = outbox.new_keys(principal.organization, self._clock)
        await self._trail.commit(principal, event, transaction(erasure, new_key))


def _stated(log: Sequence[LogEntry]) -> set[str]:
    """Name the properties of which somebody stated a value."""
    return {one.name for memory in log for one in memory.properties if not one.derived}
