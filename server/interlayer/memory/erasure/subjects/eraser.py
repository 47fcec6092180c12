"""The erasure of a person: what others say of it first, then what is its own, then a reading of everything once more.

Every step is whole by itself and on record. Run again after a kill it goes on where it was.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final

from interlayer.answers import as_json
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Event, Trail, chain_partition
from interlayer.errors import NotFound, Refused
from interlayer.ids import Clock, timestamp
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Safeguards
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.erasure.reasons import Reason
from interlayer.memory.erasure.subjects.answer import Certificate, Erased, ErasurePreview, Left, Mention, SubjectReport
from interlayer.memory.erasure.subjects.case import SubjectCase, case_id, read_case
from interlayer.memory.erasure.subjects.finder import Progress, SubjectFinder
from interlayer.memory.erasure.subjects.mentions import MentionRedaction
from interlayer.memory.erasure.subjects.subject import Request, Subject, Subjects, demand_privacy
from interlayer.memory.log import keys, outbox
from interlayer.memory.log.records import EntityId, Memorized
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.projection.projector import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, Delete, Item, ItemStore
from interlayer.storage.optimistic import optimistically
from interlayer.storage.streaming import stream

ERASED_EVENT: Final = "subject.erased"
"""Type of the event that holds the certificate."""

_ROUNDS: Final = 5  # in which what others write meanwhile is found as well
_PAGE: Final = 200

_NAMESAKE: Final = "bears the same name itself and may be another person; --also ENTITY takes it in"
_UNCERTAIN: Final = "names the person by name only, and only what is certain was asked for"
_EXCLUDED: Final = "was left alone by --exclude"
_HELD: Final = "is under legal hold"
_UNREAD: Final = "a model is reading the call just now; run the erasure again when it is read"
_SINCE: Final = "was written while the erasure ran; run it again"


class SubjectEraser:
    """Previews and makes erasures of persons."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        planner: ErasurePlanner,
        trail: Trail,
        schema: Schema,
        clock: Clock,
        safeguards: Safeguards,
        book: ReceiptBook,
        subjects: Subjects,
        finder: SubjectFinder,
    ) -> None:
        self._store = store
        self._entities = entities
        self._projector = projector
        self._planner = planner
        self._trail = trail
        self._schema = schema
        self._clock = clock
        self._guards = safeguards
        self._book = book
        self._finder = finder
        self._subjects = subjects
        self._redaction = MentionRedaction(store, entities, planner, safeguards, book)

    async def preview(
        self, principal: Principal, request: Request, progress: Progress = lambda _: None
    ) -> ErasurePreview:
        """Return what an erasure would do. Raises `NotFound` for a person of whom nothing is held."""
        demand_privacy(principal)
        organization = principal.organization
        subject = await self._subject(organization, request)
        report = await self._finder.find(organization, subject, progress)
        await self._finder.note(principal, subject, report.mentions)
        skipped = await self._skipped(organization, request, report.mentions)
        left = tuple(Left(what=_where(one), count=one.count, why=why) for one, why in skipped)
        touched = [one for one in report.mentions if one not in dict(skipped)]
        return ErasurePreview(
            report=report,
            erased=len(report.own),
            redacted=sum(one.count for one in touched),
            skipped=left,
            token=_token(request, report),
        )

    async def erase(
        self,
        principal: Principal,
        request: Request,
        reason: Reason,
        *,
        token: str | None = None,
        progress: Progress = lambda _: None,
    ) -> Certificate:
        """Erase the person's own entities and redact every mention; return what was done and what is left.

        With a token only if what is held is what was shown with it. Raises `Refused` for a person under legal hold.
        """
        demand_privacy(principal)
        organization = principal.organization
        await ensure_in_force(self._store, organization, self._schema)
        if token is not None and (await self.preview(principal, request)).token != token:
            raise Refused("token: what is held of the person is not what was shown. Look at a new preview.")
        case = await self._case(principal, request, reason)
        for _ in range(_ROUNDS):
            subject = await self._of_case(organization, case)
            mentions, _ = await self._finder.mentions(organization, subject, progress)
            skipped = {one for one, _ in await self._skipped(organization, case.request, mentions)}
            wanted = [one for one in mentions if one not in skipped]
            if not wanted and not subject.standing:
                break
            in_content = {one.memory for one in wanted if one.place == "content" and one.memory}
            for ref in dict.fromkeys(one.entity for one in wanted if one.entity):
                case = await self._redaction.redact_entity(principal, case, EntityId(*ref.split(":", 1)), in_content)
            case = await self._redaction.redact_beside(principal, case, wanted)
            for head in subject.standing:
                case = await self._erase_own(principal, case, head.entity)
        await self._projector.erase(organization)
        return await self._certify(principal, case)

    async def _subject(self, organization: str, request: Request) -> Subject:
        item = await self._store.get(keys.subject_case(organization, await self._case_id(organization, request)))
        if item:
            return await self._of_case(organization, read_case(item))
        return await self._subjects.resolve(organization, request)

    async def _case_id(self, organization: str, request: Request) -> str:
        return case_id(await self._book.key(organization), request.person)

    async def _case(self, principal: Principal, request: Request, reason: Reason) -> SubjectCase:
        """Open a case, or take up the one that a process has left."""
        organization = principal.organization
        place = keys.subject_case(organization, await self._case_id(organization, request))
        if item := await self._store.get(place):
            return read_case(item)
        subject = await self._subjects.resolve(organization, request)
        for head in subject.standing:
            await self._guards.holds.guard(organization, head)
        case = SubjectCase(place.sort, ABSENT, request, reason, tuple(sorted(subject.entities)), subject.names)
        detail = {"case": case.id, **reason.record, "entities": [one.ref for one in case.entities]}
        await self._trail.commit(principal, Event("subject.erasure_begun", case.id, detail), [case.put(organization)])
        return case.stored()

    async def _of_case(self, organization: str, case: SubjectCase) -> Subject:
        heads = await self._entities.heads(organization, case.entities)
        return Subject(case.request, tuple(heads), case.names, frozenset(case.entities))

    async def _erase_own(self, principal: Principal, case: SubjectCase, entity: EntityId) -> SubjectCase:
        organization, key = principal.organization, await self._book.key(principal.organization)

        async def attempt() -> SubjectCase:
            async with self._entities.lock(organization, entity):
                stored = await self._entities.head(organization, entity)
                if stored is None:
                    return case
                log = await self._entities.log(organization, stored.head)
                erasure = await self._planner.whole(organization, stored, log)
                changes = [("entities", entity.ref)]
                for memory in log:
                    changes += [("facts", fact.text) for fact in memory.facts]
                    changes += [("properties", f"{one.name}: {one.value}") for one in memory.properties]
                    changes += [("relations", one.type) for one in memory.relations]
                    if isinstance(memory, Memorized) and memory.has_content:
                        changes.append(("contents", await self._redaction.content(organization, memory.id)))
                counted = replace(case, erased=case.erased.plus(changes, key))
                erasure.decisive.extend(await self._guards.holds.guard(organization, stored.head))
                erasure.decisive.append(counted.put(organization))
                detail = {**case.reason.record, "case": case.id, "entity": entity.ref, "counts": dict(erasure.counts)}
                await self._planner.commit(principal, Event("memory.erased", entity.ref, detail), erasure)
            return counted.stored()

        return await optimistically(attempt, f"{entity.ref}: too many agents write to it at once. Run it again.")

    async def _skipped(
        self, organization: str, request: Request, mentions: Sequence[Mention]
    ) -> list[tuple[Mention, str]]:
        """Return the mentions that are left alone, each with the reason."""
        refs = list(dict.fromkeys(one.entity for one in mentions if one.entity))
        entities = {ref: EntityId(*ref.split(":", 1)) for ref in refs}
        held = {ref for ref, entity in entities.items() if await self._guards.holds.on(organization, [entity])}
        found: list[tuple[Mention, str]] = []
        for one in mentions:
            if one.place == "unread":
                found.append((one, _UNREAD))
            elif one.entity in request.excluded:
                found.append((one, _EXCLUDED))
            elif one.entity in held:
                found.append((one, _HELD))
            elif one.namesake and one.certainty == "likely":
                found.append((one, _NAMESAKE))
            elif request.only_certain and one.certainty == "likely":
                found.append((one, _UNCERTAIN))
        return found

    async def _certify(self, principal: Principal, case: SubjectCase) -> Certificate:
        """Read everything once more, and close the case with what is left."""
        organization = principal.organization
        report = await self._finder.find(organization, await self._of_case(organization, case))
        left = await self._left(organization, case, report)
        certificate = Certificate(
            case=case.id,
            at=timestamp(self._clock()),
            by=principal.person,
            reason=case.reason.code,
            reference=case.reason.reference,
            entities=tuple(one.ref for one in case.entities),
            erased=case.erased.counted,
            redacted=case.redacted.counted,
            left=left,
            event=0,
            event_hash="",
        )
        detail = {name: value for name, value in as_json(certificate).items() if name not in {"event", "event_hash"}}
        operations = [
            Delete(keys.subject_case(organization, case.id), case.version),
            outbox.purge(outbox.new_keys(organization, self._clock)(), []),  # has the files cleared
        ]
        await self._trail.commit(principal, Event(ERASED_EVENT, case.id, detail), operations)
        await self._projector.erase(organization)
        return await self.certificate(principal, case.id)

    async def certificate(self, principal: Principal, case: str) -> Certificate:
        """Return the certificate of an erasure as the audit trail has it. Raises `NotFound`."""
        demand_privacy(principal)
        place = chain_partition(principal.organization)
        async with aclosing(stream(self._store, "audit", place, reverse=True, page=_PAGE)) as events:
            async for item in events:
                if item.body["type"] == ERASED_EVENT and item.body["subject"] == case:
                    return _read_certificate(item)
        raise NotFound(f"{case[:40]!r}: no erasure of that case is on record.")

    async def _left(self, organization: str, case: SubjectCase, report: SubjectReport) -> tuple[Left, ...]:
        reasons = dict(await self._skipped(organization, case.request, report.mentions))
        counted: dict[tuple[str, str], int] = {}
        for one in report.mentions:
            place = _where(one), reasons.get(one, _SINCE)
            counted[place] = counted.get(place, 0) + one.count
        left = [Left(what=what, count=count, why=why) for (what, why), count in counted.items()]
        more = partial(_some, left)
        more(
            "receipts",
            report.receipts,
            "name the person by an id or an HMAC only; they are the record of what was done",
        )
        more("audit events", report.events, "name the person by an id only; the chain must not be changed")
        more("published policies", len(report.policies), f"{', '.join(report.policies)}: their owners can change them")
        more("names of one word", len(report.passed_over), "are too common to be looked for; --name looks for them")
        left.append(Left(what="backups and exports", count=0, why="made before are yours to delete"))
        return tuple(left)


def _read_certificate(item: Item) -> Certificate:
    told = dict(item.body["detail"])
    for name in ("erased", "redacted"):
        told[name] = {kind: Erased(**one) for kind, one in told[name].items()}
    told["left"] = tuple(Left(**one) for one in told["left"])
    told["entities"] = tuple(told["entities"])
    return Certificate(**told, event=item.body["number"], event_hash=item.body["hash"])


def _some(left: list[Left], what: str, count: int, why: str) -> None:
    if count:
        left.append(Left(what=what, count=count, why=why))


def _where(mention: Mention) -> str:
    return f"{mention.place} of {mention.entity}" if mention.entity else mention.place


def _token(request: Request, report: SubjectReport) -> str:
    """Return what stands for a preview: equal as long as an erasure would do the same."""
    shown = as_json([report.own, report.mentions, list(request.excluded), request.only_certain])
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]
