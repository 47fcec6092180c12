"""The extractor port: what a model is asked and what it answers, whoever the model is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from interlayer.memory.schema import EntitySchema


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read: content about an entity, what its properties are and were, and when it was observed."""

    content: str
    entity_type: str
    name: str
    schema: EntitySchema
    observed_at: str
    known: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ExtractedFact:
    """A statement, the words of the content that it rests on, and whom and when it is about if the model says so."""

    text: str
    quote: str
    confidence: float
    observed_at: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class ExtractedProperty:
    """A property value and the words of the content that it rests on."""

    name: str
    value: Any
    quote: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Extracted:
    """Everything that a model found."""

    facts: Sequence[ExtractedFact] = ()
    properties: Sequence[ExtractedProperty] = ()


class Extractor(Protocol):
    """Reads content. Raises `Unavailable` when it cannot; then content is read without a model."""

    @property
    def name(self) -> str:
        """What the answer calls it."""
        ...

    async def extract(self, reading: Reading) -> Extracted:
        """Return what the content says of the entity."""
        ...
