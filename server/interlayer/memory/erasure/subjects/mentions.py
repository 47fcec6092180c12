"""The redaction of what others say of a person: entity by entity, then what lies beside entities."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Event
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Safeguards
from interlayer.memory.erasure.plan import Erasure, largest_that_fits
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.erasure.subjects.answer import Mention
from interlayer.memory.erasure.subjects.case import SubjectCase
from interlayer.memory.erasure.subjects.names import SubjectNames
from interlayer.memory.erasure.subjects.places import places_in
from interlayer.memory.erasure.subjects.redaction import (
    Change,
    blot_content,
    changes_of,
    claims,
    head_changes,
    redact_answer,
    redact_entry,
    redact_head,
    texts_of,
)
from interlayer.memory.log import keys
from interlayer.memory.log.change import head_put
from interlayer.memory.log.entity_read import StoredHead
from interlayer.memory.log.records import EntityId, Head, LogEntry, Memorized
from interlayer.principal import Principal
from interlayer.storage.items import Delete, Item, ItemStore, Operation
from interlayer.storage.optimistic import optimistically

_BESIDE: Final = 40  # items that are redacted together
_PLACES: Final = ("answer", "rejected", "conflict", "forgotten")


class MentionRedaction:
    """Takes a person out of what is not its own."""

    def __init__(
        self, store: ItemStore, entities: Entities, planner: ErasurePlanner, safeguards: Safeguards, book: ReceiptBook
    ) -> None:
        self._store = store
        self._entities = entities
        self._planner = planner
        self._guards = safeguards
        self._book = book

    async def content(self, organization: str, memory_id: str) -> str:
        """Return the content of a memory."""
        return whole(await self._parts(organization, memory_id))

    async def redact_entity(
        self, principal: Principal, case: SubjectCase, entity: EntityId, in_content: Set[str]
    ) -> SubjectCase:
        """Redact an entity's log, content, names and identifiers, portion by portion; return the case as it is then.

        `in_content` are memories whose content names the person.
        """
        organization = principal.organization

        async def portion() -> tuple[SubjectCase, bool]:
            async with self._entities.lock(organization, entity):
                stored = await self._entities.survivor(organization, entity)
                if stored is None:
                    return case, True
                erasure, changes = await self._plan(organization, case, stored, in_content)
                if not changes:
                    return case, True
                key = await self._book.key(organization)
                counted = replace(case, redacted=case.redacted.plus(changes, key))
                erasure.decisive.extend(await self._guards.holds.guard(organization, stored.head))
                erasure.decisive.append(counted.put(organization))
                detail = {**case.reason.record, "case": case.id, "redacted": len(changes)}
                await self._planner.commit(principal, Event("memory.redacted", entity.ref, detail), erasure)
            return counted.stored(), erasure.is_last

        busy = f"{entity.ref}: too many agents write to it at once. Run it again."
        is_last = False
        while not is_last:
            case, is_last = await optimistically(portion, busy)
        stored = await self._entities.survivor(organization, entity)
        return await self._rename_parts(principal, case, stored.head) if stored else case

    async def _rename_parts(self, principal: Principal, case: SubjectCase, head: Head) -> SubjectCase:
        """Redact what entities that were merged into one are called by: nobody writes to them."""
        organization = principal.organization
        for part in head.absorbed:
            stored = await self._entities.head(organization, part)
            if stored is None:
                continue
            renamed = redact_head(stored.head, case.names, careful=case.request.only_certain)
            if renamed != stored.head:
                put = [head_put(organization, renamed, stored.version), *claims(organization, stored.head, renamed)]
                case = await self._commit(principal, case, part.ref, put, list(head_changes(stored.head, renamed)))
            case = await self._rename_parts(principal, case, stored.head)
        return case

    async def redact_beside(self, principal: Principal, case: SubjectCase, mentions: Sequence[Mention]) -> SubjectCase:
        """Redact answers kept for replay; delete rejected candidates, claims, and what could be taken back."""
        organization = principal.organization
        wanted = {(one.place, one.memory) for one in mentions if one.place in _PLACES}
        if not wanted:
            return case
        own = frozenset(case.entities)
        found: list[tuple[Item, str, str | None]] = []
        async with aclosing(self._store.scan("memory", f"{keys.organization(organization)}#")) as items:
            async for item in items:
                for one in places_in(item, own):
                    if (one.place, one.memory) in wanted and case.names.certainty(one.texts or ()):
                        found.append((item, one.place, one.memory))
                        break
        forgotten = {memory for _, place, memory in found if place == "forgotten"}
        for one in await self._guards.grace.listed(organization):
            if one.id in forgotten:
                await self._guards.grace.complete(principal, one)
                case = await self._commit(principal, case, case.id, [], [("forgotten", one.id)])
        items_beside = [(item, place) for item, place, _ in found if place != "forgotten"]
        for first in range(0, len(items_beside), _BESIDE):
            case = await self._commit_beside(principal, case, items_beside[first : first + _BESIDE])
        return case

    async def _commit_beside(
        self, principal: Principal, case: SubjectCase, batch: Sequence[tuple[Item, str]]
    ) -> SubjectCase:
        operations: list[Operation] = []
        changes: list[Change] = []
        for item, place in batch:
            is_answer = place == "answer"
            operations.append(redact_answer(item, case.names) if is_answer else Delete(item.key, item.version))
            changes.append(("answers" if is_answer else place, str(item.body)))
        return await self._commit(principal, case, case.id, operations, changes)

    async def _commit(
        self,
        principal: Principal,
        case: SubjectCase,
        subject: str,
        operations: Sequence[Operation],
        changes: Sequence[Change],
    ) -> SubjectCase:
        organization = principal.organization
        counted = replace(case, redacted=case.redacted.plus(changes, await self._book.key(organization)))
        erasure = Erasure(subject, [*operations, counted.put(organization)], [], [], Counter())
        detail = {**case.reason.record, "case": case.id, "redacted": len(changes)}
        await self._planner.commit(principal, Event("memory.redacted", subject, detail), erasure)
        return counted.stored()

    async def _plan(
        self, organization: str, case: SubjectCase, stored: StoredHead, in_content: Set[str]
    ) -> tuple[Erasure, list[Change]]:
        """Plan the redaction of as much of an entity as one transaction holds, and say what it changes."""
        head, names = stored.head, case.names
        careful = case.request.only_certain or names.are_borne_by(head)
        log = await self._entities.log(organization, head)
        found = {
            entry.id: made
            for entry in log
            if (made := await self._redacted(organization, case, entry, in_content, careful=careful))
        }
        renamed = redact_head(head, names, careful=careful)
        planned: list[_Redacted] = []

        async def plan(chosen: Sequence[str]) -> Erasure:
            planned[:] = [found[one] for one in chosen]
            revised = [found[entry.id].after if entry.id in chosen else entry for entry in log]
            erasure = await self._planner.rewrite(
                organization, stored, log, revised, head.entity.ref, lambda after: renamed_as(after, renamed)
            )
            erasure.decisive.extend(claims(organization, head, renamed))
            for one in planned:
                erasure.decisive.extend(one.beside(organization, names))
            return erasure

        if not found and renamed == head:
            return Erasure(head.entity.ref, [], [], [], Counter()), []
        erasure = await largest_that_fits(list(found), plan)
        return erasure, [*head_changes(head, renamed), *(change for one in planned for change in one.changes(names))]

    async def _redacted(
        self, organization: str, case: SubjectCase, entry: LogEntry, in_content: Set[str], *, careful: bool
    ) -> "_Redacted | None":
        """Return an entry without the person, None if it does not name it, or not for certain where that is asked."""
        own = frozenset(case.entities)
        texts = texts_of(entry)
        parts: Sequence[Item] = ()
        if (
            isinstance(entry, Memorized)
            and entry.has_content
            and (entry.id in in_content or case.names.certainty(texts))
        ):
            parts = await self._parts(organization, entry.id)
        is_related = any(one.target in own for one in entry.relations)
        certainty = "certain" if is_related else case.names.certainty([whole(parts), *texts])
        if certainty is None or (careful and certainty != "certain"):
            return None
        return _Redacted(entry, redact_entry(entry, case.names, own), parts)

    async def _parts(self, organization: str, memory_id: str) -> Sequence[Item]:
        return (await self._store.query("memory", keys.source(organization, memory_id, 0).partition)).items


@dataclass(frozen=True, slots=True)
class _Redacted:
    """An entry before and after, and the parts of its content where that is redacted too."""

    before: LogEntry
    after: LogEntry
    parts: Sequence[Item]

    def beside(self, organization: str, names: SubjectNames) -> Iterator[Operation]:
        """Yield what changes outside the log."""
        yield from blot_content(self.parts, names)
        entry = self.before
        if isinstance(entry, Memorized) and entry.idempotency and names.find(entry.idempotency):
            yield Delete(keys.idempotency(organization, entry.agent, entry.idempotency))

    def changes(self, names: SubjectNames) -> Iterator[Change]:
        """Yield what it redacts."""
        yield from changes_of(self.before, self.after)
        if names.find(text := whole(self.parts)):
            yield "contents", text


def whole(parts: Sequence[Item]) -> str:
    """Return the content that lies in parts."""
    return "".join(part.body["text"] for part in parts)


def renamed_as(head: Head, other: Head) -> Head:
    """Return a head with what another one is called by."""
    labels = {visibility: other.labels.get(visibility, label) for visibility, label in head.labels.items()}
    return replace(
        head, name=other.name, names=other.names, identifiers=other.identifiers, lent=other.lent, labels=labels
    )
