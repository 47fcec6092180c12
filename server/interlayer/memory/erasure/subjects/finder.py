"""Where a person is held and named: everything of the organization is read once, item by item."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Final

from interlayer.audit.reads import Read, ReadReceipts, Shown
from interlayer.audit.receipts import ReceiptBook, sealed
from interlayer.memory.erasure.holds import LegalHolds, told
from interlayer.memory.erasure.subjects.answer import Certainty, Mention, OwnEntity, Passage, Place, SubjectReport
from interlayer.memory.erasure.subjects.names import Hit, SubjectNames, texts_in
from interlayer.memory.erasure.subjects.places import PlacedTexts, is_head, memory_of_content, places_in
from interlayer.memory.erasure.subjects.subject import Request, Subject, Subjects, demand_privacy
from interlayer.memory.log import keys
from interlayer.memory.log.reader import read_log
from interlayer.memory.log.records import EntityId, Head, read_head
from interlayer.memory.memorize.commit import SOURCE_PART
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore

Progress = Callable[[int], None]
MENTIONS_MAX: Final = 50_000
_PROGRESS: Final = 1_000
_LOOKED_UP: Final = 500
_AROUND: Final = 160  # characters of a text that are shown on both sides

_Found = tuple[Place, EntityId | None, str | None]


class SubjectFinder:
    """Reads an organization for a person."""

    def __init__(
        self, store: ItemStore, subjects: Subjects, holds: LegalHolds, book: ReceiptBook, reads: ReadReceipts
    ) -> None:
        self._reads = reads
        self._subjects = subjects
        self._store = store
        self._holds = holds
        self._book = book

    async def report(
        self, principal: Principal, request: Request, progress: Progress = lambda _: None
    ) -> SubjectReport:
        """Return where the person of a request is held and named."""
        demand_privacy(principal)
        subject = await self._subjects.resolve(principal.organization, request)
        found = await self.find(principal.organization, subject, progress)
        await self.note(principal, subject, found.mentions)
        return found

    async def note(self, principal: Principal, subject: Subject, mentions: Sequence[Mention] = ()) -> None:
        """Put on record who was shown what is held of a person. Raises `Unavailable` where that is demanded."""
        own = [Shown(entity=head.entity.ref, revision=head.revision) for head in subject.standing]
        others = dict.fromkeys(one.entity for one in mentions if one.entity)
        shown = [*own, *(Shown(entity=ref) for ref in others)]
        await self._reads.keep(principal, Read(kind="subject", shown=shown, asked=subject.request.person))

    async def find(self, organization: str, subject: Subject, progress: Progress = lambda _: None) -> SubjectReport:
        """Return where the person is held and named. It takes one reading of everything, and bounded memory."""
        mentions, incomplete = await self.mentions(organization, subject, progress)
        receipts = events = 0
        async with aclosing(self.records(organization, subject)) as records:
            async for item in records:
                is_event = item.key.partition.endswith("#chain")
                receipts, events = receipts + (not is_event), events + is_event
        return SubjectReport(
            person=subject.request.person,
            identifiers=tuple(value for _, value in subject.names.identifiers),
            names=subject.names.names,
            own=tuple([await self._own(organization, head) for head in subject.standing]),
            mentions=mentions,
            receipts=receipts,
            events=events,
            policies=tuple(await self._policies(organization, subject)),
            passed_over=subject.names.passed_over,
            incomplete=incomplete or None,
        )

    async def mentions(
        self, organization: str, subject: Subject, progress: Progress = lambda _: None
    ) -> tuple[tuple[Mention, ...], bool]:
        """Return the places outside the person's own entities, and whether there are too many to list."""
        found: dict[_Found, tuple[Certainty, int]] = {}
        namesakes: set[EntityId] = set()
        seen, own = 0, subject.entities
        async with aclosing(self._store.scan("memory", f"{keys.organization(organization)}#")) as items:
            async for item in items:
                seen += 1
                if seen % _PROGRESS == 0:
                    progress(seen)
                if len(found) >= MENTIONS_MAX:
                    break
                if is_head(item) and subject.names.are_borne_by(head := read_head(item.body)):
                    namesakes.add(head.entity)
                async for place, certainty in self._in_item(item, subject, own):
                    known = found.get(place)
                    surest: Certainty = "certain" if "certain" in (certainty, known and known[0]) else "likely"
                    found[place] = surest, (known[1] if known else 0) + 1
        owners = await self._owners(organization, {memory for _, entity, memory in found if memory and not entity})
        listed: list[Mention] = []
        for (place, entity, memory), (certainty, count) in found.items():
            owner = entity or owners.get(memory or "")
            if owner in own:
                continue
            listed.append(
                Mention(
                    place=place,
                    certainty=certainty,
                    count=count,
                    entity=owner.ref if owner else None,
                    memory=memory,
                    namesake=True if owner in namesakes else None,
                )
            )
        listed.sort(key=lambda one: (one.entity or "", one.memory or "", one.place))
        return tuple(listed), len(found) >= MENTIONS_MAX

    async def passages(self, organization: str, subject: Subject) -> AsyncGenerator[Passage]:
        """Yield the words outside the person's own entities that name the person."""
        names, own = subject.names, subject.entities
        async with aclosing(self._store.scan("memory", f"{keys.organization(organization)}#")) as items:
            async for item in items:
                memory = memory_of_content(item)
                text = await self._whole(item) if memory else ""
                if memory and names.find(text):
                    owner = (await self._owners(organization, {memory})).get(memory)
                    if owner not in own:
                        for words in _windows(text, names.find(text)):
                            yield _passage(PlacedTexts("content", [words], owner, memory), words, names)
                for one in places_in(item, own):
                    for words in ("",) if one.texts is None else one.texts:
                        if one.texts is None or names.find(words):
                            yield _passage(one, words, names)

    async def records(self, organization: str, subject: Subject) -> AsyncGenerator[Item]:
        """Yield the receipts and events that name the person, by an id or an HMAC."""
        key = await self._book.key(organization)
        refs = {entity.ref for entity in subject.entities}
        spelled = {*refs, subject.request.person}
        for head in subject.heads:
            called = [head.name, *head.names, *(one for values in head.identifiers.values() for one in values)]
            spelled |= {f"{head.entity.type}:{one}" for one in called}
        told = refs | {sealed(key, one) for one in spelled}
        async with aclosing(self._store.scan("audit", f"{organization}#")) as items:
            async for item in items:
                kind = item.key.partition.removeprefix(f"{organization}#").partition("#")[0]
                if kind in {"receipts", "chain"} and any(text in told for text in texts_in(item.body)):
                    yield item

    async def _own(self, organization: str, head: Head) -> OwnEntity:
        log = await read_log(self._store, organization, head.entity, upto=head.revision)
        hold = await self._holds.on(organization, [head.entity, *head.absorbed])
        return OwnEntity(
            entity=head.entity.ref,
            name=head.name,
            memories=len(log),
            facts=head.facts,
            properties=len(head.properties),
            relations=len({one.relation for memory in log for one in memory.relations}),
            hold=told(hold) if hold else None,
        )

    async def _policies(self, organization: str, subject: Subject) -> list[str]:
        """Return where published policies name the person: they are for their owners to change."""
        found: dict[str, None] = {}
        async with aclosing(self._store.scan("governance", f"{organization}#")) as items:
            async for item in items:
                if subject.names.certainty(texts_in(item.body)):
                    found[f"{item.key.partition.partition('#')[2]} {item.key.sort}"] = None
        return list(found)

    async def _owners(self, organization: str, memories: set[str]) -> dict[str, EntityId]:
        """Return whose memories they are, as far as they are known."""
        wanted, found = sorted(memories), dict[str, EntityId]()
        for first in range(0, len(wanted), _LOOKED_UP):
            places = {keys.memory_place(organization, one): one for one in wanted[first : first + _LOOKED_UP]}
            items = await self._store.get_many(list(places))
            found |= {places[key]: EntityId(**item.body["entity"]) for key, item in items.items()}
        return found

    async def _in_item(
        self, item: Item, subject: Subject, own: frozenset[EntityId]
    ) -> AsyncGenerator[tuple[_Found, Certainty]]:
        """Yield where an item names the person."""
        names = subject.names
        if memory := memory_of_content(item):
            text = await self._whole(item)
            certainty = names.certainty([text]) if text else None
            if certainty:
                yield ("content", None, memory), certainty
        for one in places_in(item, own):
            certainty = "certain" if one.texts is None else names.certainty(one.texts)
            if certainty:
                yield (one.place, one.entity, one.memory), certainty

    async def _whole(self, item: Item) -> str:
        """Return a content whole for its first part, nothing for the others: a name may stand across two."""
        if int(item.key.sort):
            return ""
        text: str = item.body["text"]
        if len(text) < SOURCE_PART:
            return text
        parts = await self._store.query("memory", item.key.partition)
        return "".join(part.body["text"] for part in parts.items)


def _windows(text: str, hits: Sequence[Hit]) -> Iterator[str]:
    """Yield what stands around the hits: of a text of others no more than that."""
    start = end = 0
    for hit in hits:
        if hit.start - _AROUND > end:
            if end:
                yield text[start:end]
            start = max(0, hit.start - _AROUND)
        end = min(len(text), hit.end + _AROUND)
    yield text[start:end]


def _passage(place: PlacedTexts, words: str, names: SubjectNames) -> Passage:
    return Passage(
        place=place.place,
        text=words,
        certainty=names.certainty([words]) or "certain",
        entity=place.entity.ref if place.entity else None,
        memory=place.memory,
    )
