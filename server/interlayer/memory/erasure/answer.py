"""The answer of forget: plain values that cost nothing to import."""

from dataclasses import dataclass

from interlayer.memory.entities.answer import NamedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedCounts:
    """How much was erased; `entities` only where one was erased whole."""

    entities: int | None = None
    memories: int
    facts: int
    properties: int
    relations: int
    vectors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StillNamed:
    """Another entity whose facts name what was forgotten: how many of those that were looked at."""

    entity: str
    facts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAnswer:
    """The answer of forget. `pending` says which layer holds it still, until it can be reached.

    `recorded_as` is there where words of the reason were not kept, `still_named` where other entities name what was
    forgotten, `restorable` where it can be taken back: until when, and how.
    """

    erased: ErasedCounts
    pending: str | None = None
    recorded_as: str | None = None
    still_named: tuple[StillNamed, ...] | None = None
    restorable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedErasure:
    """What an erasure would take from one entity, as far as its caller may see it, since when that is known.

    `facts` are the statements that would be gone, `kept` those that others say as well.
    """

    entity: NamedEntity
    since: str
    memories: int
    facts: tuple[str, ...]
    kept: tuple[str, ...]
    properties: tuple[str, ...]
    relations: int
