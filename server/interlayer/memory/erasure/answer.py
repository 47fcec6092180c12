"""The answer of forget: plain values that cost nothing to import."""

from dataclasses import dataclass


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
class ForgetAnswer:
    """The answer of forget. `pending` says which layer holds it still, until it can be reached."""

    erased: ErasedCounts
    pending: str | None = None
