"""From one schema to another: what it would do to an organization's stored data, and doing it.

Memories are never rewritten: they read otherwise under another schema. What is written anew is what was folded from
them, the heads and the index items of the entities concerned, each entity in one transaction. The new heads follow
from the log and the new schema alone, so that whatever a crash leaves is completed by running the same again:

1. the change is marked as begun, and from then on no server writes under the former schema;
2. every entity concerned is brought to what its log comes to, until a pass finds nothing left to do;
3. the new schema goes on record, with an event in the audit trail.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.state import STATE, state_of
from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Refused
from interlayer.memory.log import keys
from interlayer.memory.log.change import head_put
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.properties import PropertyState, folded, found_by, with_values
from interlayer.memory.log.property_index import index_repairs
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import EntityId, Head, read_head
from interlayer.memory.migration.plan import Change, SchemaPlan
from interlayer.memory.migration.record import Recorded, recorded
from interlayer.memory.schema.diff import Difference
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import (
    ABSENT,
    TRANSACT_OPERATIONS_MAX,
    Check,
    Delete,
    Item,
    ItemStore,
    Operation,
    Put,
    VersionConflict,
)
from interlayer.storage.optimistic import optimistically

_PAGE: Final = 100
_AT_START: Final = 2_000  # entities that a start looks at before it leaves the decision to an operator
_PASSES: Final = 20
_BATCH: Final = TRANSACT_OPERATIONS_MAX - 3  # beside the head, its receipt and the check of the record
_STARTER: Final = "interlayer"
MIGRATED: Final = "migrate"
"""Kind of the receipt of a head that was written anew under another schema."""


@dataclass(slots=True)
class _Scope:
    """The entities of a type that are concerned: those whose heads show one of the names, or every one."""

    names: set[str] = field(default_factory=set[str])
    every: bool = False


@dataclass(frozen=True, slots=True)
class _Entity:
    """An entity as it is stored, what its properties come to, and the index items that go and come."""

    stored: StoredHead
    after: Head
    removed: Sequence[Delete]
    written: Sequence[Put]

    @property
    def settled(self) -> bool:
        return not self.removed and not self.written and self.after == self.stored.head


class Migrator:
    """Plans and applies schemas, and decides at a start whether the configured one is in force."""

    def __init__(self, store: ItemStore, trail: Trail, book: ReceiptBook) -> None:
        self._store = store
        self._trail = trail
        self._book = book

    async def claim(self, organization: str, configured: Schema, file: str = "") -> None:
        """Put the configured schema on record if that alters nothing stored. Raises `Refused` that names the way."""

        async def attempt() -> None:
            put = await self.fitting(organization, configured, file)
            if put and put.expect == ABSENT:
                await self._store.transact([put])
            elif put:
                event = Event("schema.claimed", "schema", {"digest": configured.digest})
                await self._trail.commit(Principal(organization, _STARTER), event, [put])

        busy = "schema: several servers put theirs on record at once. Give them all one schema, start again."
        await optimistically(attempt, busy)

    async def fitting(self, organization: str, configured: Schema, file: str = "") -> Put | None:
        """Build the operation that puts the configured schema on record; None if it is there. Raises `Refused`.

        `file` is where the schema was read from, nothing for the one that ships with the package.
        """
        known = await recorded(self._store, organization)
        if known is None:
            return Recorded(configured).put_schema(organization, configured)
        if not known.begun and known.schema.digest == configured.digest:
            return None
        if known.begun:
            raise Refused(
                "INTERLAYER_SCHEMA: a change of the schema was begun and not finished. Complete it with "
                f"`{_command('apply', file)}`."
            )
        found = await self._survey(organization, known, configured, at_most=_AT_START)
        if found is None or found.touches:
            raise Refused(
                f"INTERLAYER_SCHEMA: {file or 'the starter schema'} is not what the stored data was written under "
                f"({_first_reason(found)}). See what changes with `{_command('plan', file)}` and change it with "
                f"`{_command('apply', file)}`, or set the former file again."
            )
        return known.put_schema(organization, configured)

    async def plan(
        self, organization: str, new: Schema, configured: Schema, progress: Callable[[int], None]
    ) -> SchemaPlan:
        """Tell what applying the new schema would do; write nothing."""
        known = await self._read_current(organization, configured)
        found = await self._survey(organization, known, new, progress=progress)
        assert found is not None  # noqa: S101 - without a limit there is always a count
        return found

    async def apply(
        self,
        principal: Principal,
        new: Schema,
        configured: Schema,
        progress: Callable[[int], None],
        *,
        allow_breaking: bool,
    ) -> SchemaPlan:
        """Bring the stored data under the new schema and put it on record; return what was done.

        Raises `Refused` for breaking changes that were not allowed, and `Conflict` when another change of the schema
        came between. Running it again completes what was begun.
        """
        organization = principal.organization
        known = await self._read_current(organization, configured)
        done = SchemaPlan([Change(one) for one in known.differences(new)], resumes=bool(known.begun))
        if done.breaking and not allow_breaking:
            named = "; ".join(f"{one.difference.place}: {one.difference.change}" for one in done.breaking[:5])
            raise Refused(
                f"schema: {len(done.breaking)} breaking changes ({named}). See what they do with `interlayer schema "
                "plan`, and apply them with --allow-breaking."
            )
        if known.version != ABSENT and known.schema.digest == new.digest and not known.begun:
            return done
        scopes = _scopes(known.unsettled(new))
        try:
            if scopes:
                known = await self._begin(organization, known, new)
                await self._settle(principal, known, new, scopes, done, progress)
            detail = {"digest": new.digest, "former": known.schema.digest, "rewritten": done.rewritten}
            event = Event("schema.applied", "schema", detail)
            await self._trail.commit(principal, event, [known.put_schema(organization, new)])
        except VersionConflict as conflict:
            raise Conflict("schema: it was changed by somebody else meanwhile. Plan and apply again.") from conflict
        return done

    async def _read_current(self, organization: str, configured: Schema) -> Recorded:
        """Return the record; data that is older than records was written under the configured schema."""
        return await recorded(self._store, organization) or Recorded(configured)

    async def _begin(self, organization: str, known: Recorded, new: Schema) -> Recorded:
        if any(one.digest == new.digest for one in known.begun):
            return known
        begun = (*known.begun, new)
        await self._store.transact([known.put(organization, begun=begun)])
        return replace(known, begun=begun, version=known.version + 1)

    async def _settle(
        self,
        principal: Principal,
        known: Recorded,
        new: Schema,
        scopes: Mapping[str, _Scope],
        done: SchemaPlan,
        progress: Callable[[int], None],
    ) -> None:
        """Rewrite entities until a pass over all of them finds nothing to do: writers may have been on their way."""
        organization = principal.organization
        mark = Check(keys.schema(organization), known.version)
        for number in range(_PASSES):
            restless = False
            async for entities in self._pages(organization, new, scopes):
                for entity in entities:
                    if number == 0:
                        done.looked_at += 1
                        _count(done.changes, entity, new)
                    if entity.settled:
                        continue
                    restless = True
                    await self._rewrite(principal, entity, mark, done)
                progress(done.looked_at)
            if not restless:
                return
        raise Conflict("schema: entities are being written all the while. Stop the servers and apply again.")

    async def _rewrite(self, principal: Principal, entity: _Entity, mark: Check, done: SchemaPlan) -> None:
        organization = principal.organization
        head = replace(entity.after, revision=entity.after.revision + 1)
        place = keys.head(organization, head.entity)
        index: list[Operation] = [*entity.removed, *entity.written]
        try:
            while len(index) > _BATCH:  # more indexed properties than a transaction holds: the head goes with the last
                await self._store.transact([mark, Check(place, entity.stored.version), *index[:_BATCH]])
                del index[:_BATCH]
            put = head_put(organization, head, entity.stored.version)
            state = state_of(await self._book.key(organization), [put])
            receipt = self._book.made(principal, MIGRATED, {"entity": head.entity.ref, STATE: state})
            await self._store.transact([mark, put, receipt, *index])
        except VersionConflict as conflict:
            if mark.key in conflict.keys:
                raise
            return  # a writer was first; the next pass sees what it wrote
        done.rewritten += 1
        done.index_written += len(entity.written)
        done.index_removed += len(entity.removed)

    async def _survey(
        self,
        organization: str,
        known: Recorded,
        new: Schema,
        *,
        at_most: int | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> SchemaPlan | None:
        """Tell what the new schema would do; None if that takes a look at more than `at_most` entities."""
        found = SchemaPlan([Change(one) for one in known.differences(new)], resumes=bool(known.begun))
        scopes = _scopes(known.unsettled(new))
        async with aclosing(self._pages(organization, new, scopes)) as pages:
            async for entities in pages:
                for entity in entities:
                    found.looked_at += 1
                    _count(found.changes, entity, new)
                    if not entity.settled:
                        found.rewritten += 1
                        found.index_written += len(entity.written)
                        found.index_removed += len(entity.removed)
                progress(found.looked_at)
                if at_most is not None and found.touches:
                    break
                if at_most is not None and found.looked_at > at_most:
                    return None
        return found

    async def _pages(
        self, organization: str, new: Schema, scopes: Mapping[str, _Scope]
    ) -> AsyncGenerator[Sequence[_Entity]]:
        for entity_type, scope in scopes.items():
            cursor: str | None = None
            while True:
                place = keys.listing(organization, entity_type, "")
                page = await self._store.query("memory", place.partition, limit=_PAGE, cursor=cursor)
                listed = [keys.head(organization, EntityId(entity_type, item.key.sort)) for item in page.items]
                heads = await self._store.get_many(listed)
                concerned = [
                    heads[key]
                    for key in listed
                    if key in heads and (scope.every or scope.names & heads[key].body["properties"].keys())
                ]
                yield [await self._entity(organization, item, new) for item in concerned]
                cursor = page.cursor
                if cursor is None:
                    break

    async def _entity(self, organization: str, item: Item, new: Schema) -> _Entity:
        head = read_head(item.body)
        entity = head.entity
        schema = new.stored(entity.type)
        states: Mapping[str, PropertyState] = {}
        for memory in await read_log(self._store, organization, entity):
            states, _ = folded(states, memory, schema)
        after = with_values(head, states)
        after = replace(after, voices=head.voices) if after.properties == head.properties else after
        repairs = await index_repairs(self._store, organization, entity, found_by(head), found_by(after), schema)
        return _Entity(StoredHead(head, item.version), after, *repairs)


def _scopes(found: Iterable[Difference]) -> dict[str, _Scope]:
    """Return by entity type which entities the differences concern."""
    scopes: dict[str, _Scope] = {}
    for one in found:
        if one.effect != "none":
            scope = scopes.setdefault(one.entity_type, _Scope())
            scope.names |= set(one.names)
            scope.every = scope.every or one.hidden or one.place == one.entity_type
    return scopes


def _count(changes: Sequence[Change], entity: _Entity, new: Schema) -> None:
    for change in changes:
        if change.difference.effect != "none" and change.difference.entity_type == entity.stored.head.entity.type:
            change.count(entity.stored.head.entity.ref, entity.stored.head.properties, entity.after.properties, new)


def _command(name: str, file: str) -> str:
    return f"interlayer schema {name} {file}".strip()


def _first_reason(found: SchemaPlan | None) -> str:
    if found is None:
        return f"more than {_AT_START} entities would have to be looked at"
    touching = [change for change in found.changes if change.affected]
    if not touching:
        return "stored entities have to be written anew"
    return f"{touching[0].difference.place}: {touching[0].difference.change}"
