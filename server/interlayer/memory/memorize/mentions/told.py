"""What a content tells of whom: the answer of `mentions.Mentions`, which the preparation of a call asks once.

How it is used. `plain_facts` reads the whole document; each fact goes to `told.about(fact.span)`, None being the main
entity. Properties are read once for each subject, the main one as well: `properties_of` over
`told.document_of(subject, document)` with a `bears` that knows `subject.names`. It holds only what may state a value
of that subject. Where a single value is to be routed, `told.about(span, {type})` tells of whom of these types its place
tells; it is None where that is the main entity, which may be of another type: then the value is nobody's.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from interlayer.documents.document import Document, Piece
from interlayer.memory.entities.resolution import EntityReference
from interlayer.memory.log.records import EntityId

Span = tuple[int, int]
"""From the first character to behind the last one, in the content."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody of whom a content tells.

    `reference` finds or creates it, `entity` is who it is, None for somebody new. `names` is how the content calls it
    and how it is known: its display name first.
    """

    reference: EntityReference
    entity: EntityId | None
    name: str
    names: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Its entity type."""
        return self.reference.entity.type


@dataclass(frozen=True, slots=True)
class ToldRelation:
    """A relation that a content states, at a place; an end that is None is the main entity."""

    source: Subject | None
    type: str
    target: Subject | None
    span: Span
    ended: bool = False


@dataclass(frozen=True, slots=True)
class AmbiguousMention:
    """A name in a content that several entities bear; they are written as `type:id`, and may be seen by the caller."""

    mention: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom a part of a content tells of, the one it is about first; None is the main entity."""

    span: Span
    about: tuple[Subject | None, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a content tells of, and about whom each part of it is.

    `main` is whom it is mainly about, where the call names nobody; None if nothing is named. `main_name` is how a main
    person is called who had no name yet. `subjects` are the others
    of whom it says something, and the ends of relations. `tellings` are the parts in order, `asides` what stands beside
    a name within one.
    """

    main: Subject | None = None
    main_type: str = ""
    main_name: str = ""
    subjects: tuple[Subject, ...] = ()
    relations: tuple[ToldRelation, ...] = ()
    ambiguous: tuple[AmbiguousMention, ...] = ()
    tellings: tuple[Telling, ...] = ()
    asides: tuple[tuple[Subject | None, Piece], ...] = ()

    def about(self, span: Span, types: Collection[str] = ()) -> Subject | None:
        """Return whom a statement at a place is about, None for the main entity.

        With types, it is the first of these types of whom the place tells.
        """
        for one in self._at(span):
            for subject in one.about:
                kind = subject.type if subject else self.main_type
                if not types or kind in types:
                    return subject
        return None

    def document_of(self, subject: Subject | None, document: Document) -> Document:
        """Return a document with only those pieces that may state a value of a subject, None for the main entity."""
        return replace(document, pieces=tuple(self._pieces_of(subject, document)))

    def _pieces_of(self, subject: Subject | None, document: Document) -> Iterator[Piece]:
        """Yield what a document says of a subject, then what it says beside the name in sentences about others."""
        kind = subject.type if subject else self.main_type
        first = {one.span: self._first(one, kind) for one in self.tellings}
        for piece in document.pieces:
            told = first.get((piece.start, piece.end), self)
            if told is subject or (subject is None and told is self):
                yield piece
        yield from (piece for one, piece in self.asides if one is subject)

    def _first(self, telling: Telling, kind: str) -> "Subject | Told | None":
        """Return the first of a type of whom a part tells, None for the main entity, itself where it tells of none."""
        return next((one for one in telling.about if (one.type if one else self.main_type) == kind), self)

    def _at(self, span: Span) -> Sequence[Telling]:
        """Return the parts that a place lies in or holds, the one that holds most of it first."""
        first = bisect_left(self.tellings, span[0], key=lambda one: one.span[1])
        met: list[Telling] = []
        for one in self.tellings[max(first - 1, 0) :]:
            if one.span[0] >= span[1]:
                break
            if span[0] < one.span[1]:
                met.append(one)
        return sorted(met, key=lambda one: max(one.span[0], span[0]) - min(one.span[1], span[1]))
