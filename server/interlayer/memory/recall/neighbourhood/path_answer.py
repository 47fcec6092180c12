"""The answer to how two entities are connected: plain values that cost nothing to import."""

from dataclasses import dataclass

from interlayer.memory.entities.answer import NamedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """A relation that leads to the next entity of a path, or with `reverse` from it."""

    relation: str
    reverse: bool
    observed_at: str
    memory_id: str
    to: NamedEntity


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way from the first entity to the last; `observed_at` is that of the oldest of its relations."""

    steps: tuple[PathStep, ...]
    observed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathAnswer:
    """How two entities are connected, the shortest ways first; of those in `cut` not all relations were looked at."""

    start: NamedEntity
    end: NamedEntity
    paths: tuple[Path, ...]
    cut: tuple[NamedEntity, ...] = ()
