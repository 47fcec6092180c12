"""The extractor port: a model that reads content and proposes what to remember of it.

Whatever a model does, content is remembered: when it fails, the plain way is taken until it answers, and the call says
so (`pending`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from interlayer.language.attribution import Spoken
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.memory.schema.schema import EntitySchema, Schema

_SEVERAL: Final = "several are called as it names them"
EXTRACTED_MAX: Final = 2_000  # facts in the longest content: more than these are a model that runs in circles


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that a model is told of while it reads, so that it may say what of it is repeated or replaced.

    `of` is whom it is about, empty for the main entity.
    """

    id: str
    text: str
    of: str = ""


Nearest = Callable[[str], Awaitable[Sequence[KnownFact]]]
"""Returns those of the entity's facts that are nearest to a text."""


async def nothing_near(text: str) -> Sequence[KnownFact]:
    """Return nothing: of an entity of which nothing is known."""
    _ = text
    return ()


@dataclass(frozen=True, slots=True)
class KnownSubject:
    """Somebody whom a content tells of, or to whom its main entity belongs, as it is known before a model reads.

    `entity` is how a call names it. Its names are as they are known and as the content writes them; `keys` are its
    identifiers.
    """

    entity: str
    names: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Its entity type."""
        return self.entity.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """What a model is given to read. Secrets are blotted out of the content already.

    `main` is whom the content is mainly about, `bears` says whether somebody that a model names is that entity;
    `subjects` are others that are known. `ambiguous` are names that several bear. `spoken` are the sentences in order.
    """

    content: str
    schema: Schema
    main: KnownSubject
    observed_at: datetime
    known: Mapping[str, Any]
    bears: Callable[[str], bool]
    subjects: Sequence[KnownSubject] = ()
    ambiguous: Sequence[str] = ()
    spoken: Sequence[Spoken] = ()
    nearest: Nearest = nothing_near

    @property
    def entity_type(self) -> str:
        """The type of the main entity."""
        return self.main.type

    @property
    def own(self) -> EntitySchema:
        """The schema of the main entity's type."""
        return self.schema.entities[self.main.type]

    @property
    def name(self) -> str:
        """What the main entity is called."""
        return self.main.names[0]


@dataclass(frozen=True, slots=True)
class ExtractedEntity:
    """Somebody whom a content tells of: the name, as the content writes it, and identifiers that stand there."""

    name: str
    type: str
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtractedFact:
    """A statement, the very words of the content that it rests on, and, if told, since when it holds and of whom.

    `repeats` and `replaces` are ids of known facts. `ended`: what the statement is about is over.
    """

    text: str
    quote: str
    confidence: float
    observed_at: str | None = None
    subject: str | None = None
    repeats: str | None = None
    replaces: str | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ExtractedProperty:
    """A value for a property of the schema, and the very words of the content that it rests on.

    `remove`: the value is no longer one, or, without a value, the property has none any more. `subject` is whose.
    """

    name: str
    value: Any
    quote: str
    confidence: float
    remove: bool = False
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class ExtractedRelation:
    """A link from one whom the content tells of to another, both by name, and the very words that it rests on."""

    source: str
    type: str
    target: str
    quote: str
    confidence: float
    ended: bool = False
    observed_at: str | None = None


@dataclass(frozen=True, slots=True)
class LostEntry:
    """Something of a model's answer that cannot be used, and what it said as far as that can be told.

    `passage` is what the model was reading, empty for all of the content: what was lost is about something in there.
    """

    why: str
    text: str = ""
    quote: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a model found. `by` is the model that answered and its prompt; empty: the extractor's name says it all.

    `lost` is what of its answer cannot be used. `unknown_facts` counts what it named as known and was not told.
    """

    facts: Sequence[ExtractedFact] = ()
    properties: Sequence[ExtractedProperty] = ()
    relations: Sequence[ExtractedRelation] = ()
    entities: Sequence[ExtractedEntity] = ()
    by: str = ""
    lost: Sequence[LostEntry] = ()
    unknown_facts: int = 0


class Extractor(Protocol):
    """Reads content. Raises `Unavailable` when the model cannot be reached or does not answer in form."""

    @property
    def name(self) -> str:
        """What answers and memories call it."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long a call waits for it."""
        ...

    async def extract(self, task: ExtractionTask) -> Extraction:
        """Read what the content says of the entity."""
        ...


class Extractors(Protocol):
    """Says which extractor an organization has just now. Raises `Unavailable` when that cannot be told."""

    async def current(self, organization: str) -> Extractor | None:
        """Return the extractor, None where no model is configured."""
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """The same extractor for every organization."""

    extractor: Extractor | None = None

    async def current(self, organization: str) -> Extractor | None:
        """Return it."""
        _ = organization
        return self.extractor


NO_MODEL: Final = Always()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate of a model that is nobody's, and why, under the code of a gate."""

    candidate: FactCandidate | PropertyCandidate
    code: Literal["other_entity", "ungrounded", "low_confidence", "not_in_form"]
    why: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """A model's candidates, each with whom it is about, who they are from, and what of its answer was lost.

    `subjects` are those beside the main entity whom they may be about. `refused` are candidates that are nobody's.
    """

    extractor: str
    facts: tuple[FactCandidate, ...]
    properties: tuple[PropertyCandidate, ...]
    relations: tuple[RelationCandidate, ...] = ()
    subjects: tuple[KnownSubject, ...] = ()
    refused: tuple[Refusal, ...] = ()
    lost: tuple[LostEntry, ...] = ()
    unknown_facts: int = 0

    @property
    def named(self) -> Sequence[str]:
        """The entities that the candidates are about or link, each once."""
        about = [one.about for one in (*self.facts, *self.properties)]
        ends = [end for one in self.relations for end in (one.source, one.target)]
        return list(dict.fromkeys(filter(None, (*about, *ends))))

    def without(self, entities: set[str], why: str = _SEVERAL) -> "Extracted":
        """Return it without what is about some entities, which is turned down: nobody can tell them from others."""
        links = [one for one in self.relations if entities.intersection(filter(None, (one.source, one.target)))]
        gone: list[FactCandidate | PropertyCandidate] = [one for one in self.facts if one.about in entities]
        gone += [one for one in self.properties if one.about in entities]
        gone += [FactCandidate(f"{one.type} {one.target}", one.confidence, origin="extractor") for one in links]
        return replace(
            self,
            facts=tuple(one for one in self.facts if one.about not in entities),
            properties=tuple(one for one in self.properties if one.about not in entities),
            relations=tuple(one for one in self.relations if one not in links),
            refused=(*self.refused, *(Refusal(one, "other_entity", why) for one in gone)),
        )
