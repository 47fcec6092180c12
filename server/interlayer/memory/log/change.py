"""One change of an entity: its log is added to or rewritten, and everything that is folded from it follows.

Whoever changes an entity says what the log is from now on and which head follows from it. Head, list of entities,
display names, property index, relations, places of memories and outbox are derived here, and nowhere else.
Identifiers are not: they are claims that may pass from one entity to another.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final, Protocol, TypeVar

from interlayer.memory.log import keys, outbox
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.naming.called import Called
from interlayer.memory.log.naming.name_index import forms_of, name_changes
from interlayer.memory.log.properties import PropertyState, found_by, with_values
from interlayer.memory.log.property_index import index_changes
from interlayer.memory.log.records import (
    Confirmation,
    EntityId,
    FactRecord,
    Head,
    LogEntry,
    Merged,
    Split,
    entry_body,
    head_body,
    part_body,
)
from interlayer.memory.schema.schema import EntitySchema
from interlayer.storage.items import ABSENT, Delete, ItemStore, Key, Operation, Put

_CHUNK_BYTES: Final = 120_000
_STATEMENT_OVERHEAD: Final = 200  # its id, confidence, time and place beside the words


class Fold(Protocol):
    """What a log comes to, as far as a head shows it."""

    @property
    def properties(self) -> Mapping[str, PropertyState]:
        """The current value of each property."""
        ...

    @property
    def facts(self) -> Collection[str]:
        """The ids of its facts."""
        ...


def head_after(head: Head, fold: Fold, now: str) -> Head:
    """Derive the head from what its log comes to after a change."""
    counted = replace(head, facts=len(fold.facts), revision=head.revision + 1, updated_at=now)
    return with_values(counted, fold.properties)


def head_put(organization: str, head: Head, version: int) -> Put:
    """Write a head in place of the one of a version."""
    return Put(keys.head(organization, head.entity), head_body(head), version)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """An entry of a log as it was and as it is to be, None when it goes; `items` hold it now, by key with versions."""

    before: LogEntry
    after: LogEntry | None
    revision: int
    items: Mapping[Key, int]

    @classmethod
    async def read(
        cls,
        store: ItemStore,
        organization: str,
        place: tuple[EntityId, int],
        before: LogEntry,
        after: LogEntry | None,
    ) -> "Rewriting":
        """Read the items that hold an entry, from the log and the revision of `place`."""
        holder, revision = place
        first = keys.memory(organization, holder, revision)
        listed = await store.query("memory", first.partition, keys.one_memory(revision))
        return cls(before, after, revision, {item.key: item.version for item in listed.items})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """What becomes of one entity.

    `stored` is the head as it was read, None for an entity that comes to be; `after` the head that follows, None for
    one that goes. `relations` make the targets of its relations know of them as they are afterwards.
    """

    organization: str
    schema: EntitySchema
    stored: StoredHead | None
    after: Head | None
    appended: Sequence[LogEntry] = ()
    rewritten: Sequence[Rewriting] = ()
    relations: Sequence[Operation] = ()

    @property
    def entity(self) -> EntityId:
        """The entity that changes."""
        head = self.after or (self.stored.head if self.stored else None)
        assert head is not None  # noqa: S101 - a change has a head before it or after it
        return head.entity

    def operations(self, new_key: outbox.NewKey | None = None) -> list[Operation]:
        """List what makes the change, all or none; `new_key` names the outbox entries of what is rewritten."""
        operations = [*self._head(), *self._log(), *self.relations]
        for one in self.rewritten:
            assert new_key is not None  # noqa: S101 - who rewrites a log names the entries
            operations += self._rewritten(one, new_key)
        return operations

    def _head(self) -> Iterator[Operation]:
        version = self.stored.version if self.stored else ABSENT
        if self.after:
            yield head_put(self.organization, self.after, version)
        else:
            yield Delete(keys.head(self.organization, self.entity), version)
        old, new = _standing(self._before), _standing(self.after)
        if (old is None) != (new is None):
            listing = keys.listing(self.organization, self.entity.type, self.entity.id)
            yield Put(listing, {}) if new else Delete(listing)
        values_before, values_after = found_by(old) if old else {}, found_by(new) if new else {}
        if values_before != values_after:
            yield from index_changes(self.organization, self.entity, values_before, values_after, self.schema)
        yield from self._found_by(keys.name, _name_forms(old), _name_forms(new))
        yield from self._found_by(keys.sound, _sounds(old), _sounds(new))
        yield from name_changes(self.organization, self.entity, forms_of(old, self.schema), forms_of(new, self.schema))

    def _found_by(
        self, key: Callable[[str, str, str, str], Key], before: Collection[str], after: Collection[str]
    ) -> Iterator[Operation]:
        """Keep the entity under what it is found by from now on, each in a place of its own."""
        for form in before:
            if form not in after:
                yield Delete(key(self.organization, self.entity.type, form, self.entity.id))
        for form in after:
            if form not in before:
                yield Put(key(self.organization, self.entity.type, form, self.entity.id), {})

    @property
    def _before(self) -> Head | None:
        return self.stored.head if self.stored else None

    def _log(self) -> Iterator[Operation]:
        for entry in self.appended:
            yield from self._entry(entry, entry.revision)
            if not isinstance(entry, Merged | Split):
                yield Put(
                    keys.memory_place(self.organization, entry.id), keys.address_body(self.entity, entry.revision)
                )
            if not isinstance(entry, Merged):  # what comes with a merge is in the index already
                key = outbox.entry_key(self.organization, entry.id)
                yield outbox.addition(key, self.entity, entry.revision)

    def _rewritten(self, one: Rewriting, new_key: outbox.NewKey) -> Iterator[Operation]:
        """Replace an entry of the log, and have what is left of it projected again."""
        yield Delete(outbox.entry_key(self.organization, one.before.id))
        puts: list[Put] = []
        if one.after:
            puts = [replace(put, expect=one.items.get(put.key, ABSENT)) for put in self._entry(one.after, one.revision)]
        yield from puts
        kept = {put.key for put in puts}
        for key in one.items:
            if key not in kept:
                yield Delete(key)
        if one.after:
            known = {fact.id: fact.text for fact in one.before.facts}
            changed = [fact.id for fact in one.after.facts if known.get(fact.id) != fact.text]
            yield outbox.addition(new_key(), self.entity, one.revision, changed)

    def _entry(self, entry: LogEntry, revision: int) -> Iterator[Put]:
        """Put an entry: the first item holds all but the statements that do not fit, further ones hold those."""
        entry = replace(entry, revision=revision, home=None)
        parts = zip_longest(_chunks(entry.facts), _chunks(entry.confirms), fillvalue=())
        for number, (facts, confirms) in enumerate(parts):
            if number == 0:
                first = replace(entry, facts=facts, confirms=confirms)
                yield Put(keys.memory(self.organization, self.entity, revision), entry_body(first))
            else:
                key = keys.memory(self.organization, self.entity, revision, number)
                yield Put(key, part_body(facts, confirms))


def _sounds(head: Head | None) -> Collection[str]:
    return Called.publicly(head).sounds if head else ()


Statement = TypeVar("Statement", FactRecord, Confirmation)


def _standing(head: Head | None) -> Head | None:
    """Return a head that stands for itself: an entity that is merged into another is found as that one."""
    return head if head and head.merged_into is None else None


def _name_forms(head: Head | None) -> list[str]:
    return list(dict.fromkeys(fold_name(name) for name in head.names)) if head else []


def _chunks(statements: Sequence[Statement]) -> Iterator[tuple[Statement, ...]]:
    """Yield the statements in portions of which two fit into an item; at least one portion, empty or not."""
    chunk: list[Statement] = []
    size = 0
    for statement in statements:
        needed = len(json.dumps(statement.text, ensure_ascii=False).encode()) + _STATEMENT_OVERHEAD
        if chunk and size + needed > _CHUNK_BYTES:
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(statement)
        size += needed
    yield tuple(chunk)
