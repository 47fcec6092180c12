"""The parts of a call: of whom it tells, and what it says of each, sent through the gates one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from interlayer.documents.document import Document, Piece
from interlayer.language.comparison.tokens import exact_form
from interlayer.memory.entities.resolution import EntityReference, Resolution, ResolvedEntity
from interlayer.memory.extraction.plain import PATTERN_CONFIDENCE
from interlayer.memory.gates.context import GateContext
from interlayer.memory.log.records import EntityId, part_id
from interlayer.memory.memorize.call import GateResult, PreparedPart, PreparedRelation, Reading
from interlayer.memory.memorize.mentions.told import Subject, Told
from interlayer.memory.reconciliation.replacing import names_by_words
from interlayer.memory.requests import MemorizeRequest, RelationCandidate
from interlayer.memory.schema.relation import RelationTypes

Judge = Callable[[MemorizeRequest, GateContext, Reading], GateResult]
"""Sends the candidates of a part of a call through the gates."""

_EMPTY: Final = Document(())


@dataclass(frozen=True, slots=True)
class CallSubject:
    """Somebody of whom a call tells: whom it names, who that is as far as it was looked up, and its gates' context."""

    reference: EntityReference
    context: GateContext
    resolved: ResolvedEntity | None = None
    told: Subject | None = None

    @property
    def entity(self) -> EntityId | None:
        """Who it is, None for somebody who is new, or was not looked up."""
        return self.resolved.entity if self.resolved else None


@dataclass(frozen=True, slots=True)
class CallAsRead:
    """A call whose content was read, without secrets, and of whom it tells; whom it is mainly about first."""

    request: MemorizeRequest
    subjects: Sequence[CallSubject]
    reading: Reading
    told: Told
    named: Mapping[str, int] = field(default_factory=dict[str, int])
    """Entity string of a statement -> the place of its subject."""

    @property
    def main(self) -> CallSubject:
        """Whom it is mainly about."""
        return self.subjects[0]


def parts_of(
    memory_id: str, read: CallAsRead, resolution: Resolution, types: RelationTypes, judge: Judge
) -> list[PreparedPart]:
    """Send what a call says of each through the gates; those of whom nothing is said are left out."""
    relations = _relations(read, resolution, types)
    parts: list[PreparedPart] = []
    named = set(read.named.values())
    for number, subject in enumerate(read.subjects):
        gated = judge(_request_of(read, number), subject.context, _reading_of(read, number))
        part = PreparedPart(
            memory_id=part_id(memory_id, number) if number else memory_id,
            reference=subject.reference,
            gated=replace(gated, pending="") if number else gated,
            relations=relations.get(number, ()),
            naming=list(dict.fromkeys(one.replaces or "" for one in gated.facts if names_by_words(one))),
            resolved=subject.resolved,
            is_told=number > 0 and subject.told is not None and number not in named,
        )
        if number == 0 or not part.is_empty or gated.rejected:
            parts.append(part)
    return parts


def text_of(reference: EntityReference) -> str:
    """Write an entity as calls name it."""
    return f"{reference.entity.type}:{reference.entity.key}"


@dataclass(slots=True)
class _Relations:
    """The relations of a call by the place of whom they start at, each once, by the name that the schema has for it."""

    read: CallAsRead
    types: RelationTypes
    found: dict[int, dict[tuple[str, tuple[str, ...]], PreparedRelation]] = field(
        default_factory=dict[int, dict[tuple[str, tuple[str, ...]], PreparedRelation]]
    )

    def add(self, said: RelationCandidate, source: int, target: EntityReference, place: int | None = None) -> None:
        """Add a relation from the subject at a place; one whose target is a subject too may be turned round."""
        start = self.read.subjects[source].reference
        reading = self.types.read(said.type, start.entity.type, target.entity.type)
        if reading.turned and place is not None:
            source, target = place, start
        said = said if reading.turned and place is None else replace(said, type=reading.type)
        own = self.found.setdefault(source, {})
        own.setdefault((said.type, target.identity), PreparedRelation(said, target, reading.note))


def _relations(
    read: CallAsRead, resolution: Resolution, types: RelationTypes
) -> Mapping[int, Sequence[PreparedRelation]]:
    """Return the relations of a call by the place of whom they start at: the caller's, then the content's."""
    relations = _Relations(read, types)
    for one in read.request.relations:
        target = resolution.parse(one.target, field="relations.target")
        relations.add(one, read.named[one.source] if one.source else 0, target)
    for one in read.reading.extracted.relations if read.reading.extracted else ():
        place = read.named[one.target]
        relations.add(one, read.named[one.source] if one.source else 0, read.subjects[place].reference, place)
    places = {id(one.told): place for place, one in enumerate(read.subjects) if one.told}
    for one in read.told.relations:
        source = places[id(one.source)] if one.source else 0
        place = places.get(id(one.target)) if one.target else 0  # nothing more need be said of a target
        target = one.target.reference if one.target else read.main.reference
        said = RelationCandidate(
            one.type, text_of(target), ended=one.ended, confidence=PATTERN_CONFIDENCE, span=one.span
        )
        relations.add(said, source, target, place)
    return {place: list(some.values()) for place, some in relations.found.items()}


def _request_of(read: CallAsRead, number: int) -> MemorizeRequest:
    """Return the part of a request that is about one subject, by its place."""

    def is_of(about: str | None) -> bool:
        return (read.named[about] if about else 0) == number

    return replace(
        read.request,
        facts=[one for one in read.request.facts if is_of(one.about)],
        properties=[one for one in read.request.properties if is_of(one.about)],
    )


def _reading_of(read: CallAsRead, number: int) -> Reading:
    """Return the part of a reading that is about one subject, by its place: of the content, and of a model's answer."""
    reading, told, subject = read.reading, read.told, read.subjects[number]
    if found := reading.extracted:
        places = {None: 0, **read.named}
        facts = tuple(one for one in found.facts if places.get(one.about, 0) == number)
        properties = tuple(one for one in found.properties if places.get(one.about, 0) == number)
        own = replace(found, facts=facts, properties=properties)
        reading = replace(
            reading,
            extracted=own if number == 0 else replace(own, lost=(), refused=(), unknown_facts=0),
            answered=found,
        )
    document = reading.document
    if document is None:
        return reading
    # What the caller says of somebody in the content's own words is not said of anybody else.
    given = {exact_form(one.text): read.named[one.about] for one in read.request.facts if one.about}

    def is_of(piece: Piece) -> bool:
        if piece.kind != "statement":
            return number == 0
        place = given.get(exact_form(piece.text)) if given else None
        if place is not None:
            return place == number
        return (number == 0 or subject.told is not None) and told.about((piece.start, piece.end)) is subject.told

    pieces = tuple(piece for piece in document.pieces if is_of(piece))
    valued = told.document_of(subject.told, document) if subject.told or number == 0 else _EMPTY
    return replace(reading, document=replace(document, pieces=pieces), valued=valued)
