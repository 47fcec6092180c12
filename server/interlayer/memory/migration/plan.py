"""What applying a schema would do to stored data: counted change by change, and said in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from interlayer.memory.schema.diff import Difference
from interlayer.memory.schema.schema import Schema

EXAMPLES_MAX: Final = 5

_SENTENCES: Final[Mapping[str, str]] = {
    "renamed": "{affected} of {stored} stored values are shown under the name {place}",
    "moved": "{affected} of {stored} stored values of {place} are read as the value that took their place",
    "retired": "{affected} stored values of {place} are no longer shown; they stay in history, and come back with it",
    "revived": "{affected} stored values of {place} are shown again",
    "removed": "{affected} of {stored} stored values of {place} stay in history and are no longer shown",
    "type": "{affected} of {stored} stored values of {place} are not of the new type: they stay in history and are no "
    "longer shown",
    "values": "{affected} of {stored} stored values of {place} are not among the new values: they stay in history and "
    "are no longer shown",
    "update": "{affected} of {stored} stored values of {place} give way to another observation",
    "indexed": "{affected} index items of {place} are written",
    "unindexed": "{affected} index items of {place} are removed",
    "none": "touches nothing stored",
}


@dataclass(slots=True)
class Change:
    """A difference and what it comes to: the values it looks at, those it alters, and some of their entities."""

    difference: Difference
    stored: int = 0
    affected: int = 0
    earlier: int = 0
    examples: list[str] = field(default_factory=list[str])

    @property
    def of_type(self) -> bool:
        """Whether a whole entity type goes or comes back."""
        return self.difference.place == self.difference.entity_type

    def count(self, ref: str, before: Mapping[str, Any], after: Mapping[str, Any], new: Schema) -> None:
        """Count one entity whose properties were `before` and would be `after`."""
        if self.of_type:
            self.stored += 1
            self._affect(ref, when=True)
            return
        one = self.difference
        name = one.names[0]
        held = next((other for other in one.names if other in before), None)
        self.stored += held is not None
        now = after.get(name)
        if one.effect in {"revived", "indexed"}:
            self._affect(ref, when=now is not None and (one.effect == "indexed" or held is None))
        elif held is None:
            return
        elif one.effect in {"type", "values"}:
            refused = new.stored(one.entity_type).reading(held, before[held]) is None
            self._affect(ref, when=refused)
            self.earlier += refused and now is not None
        elif one.effect in {"retired", "unindexed"}:
            self._affect(ref, when=True)
        else:
            self._affect(ref, when=held != name or before[held] != now)

    @property
    def effect(self) -> str:
        """What happens to stored data, in a sentence."""
        if self.of_type and self.difference.effect == "removed":
            return f"{self.affected} entities stay stored and can be neither named nor recalled"
        if self.of_type and self.difference.effect == "revived":
            return f"{self.affected} entities can be recalled again"
        if self.difference.effect != "none" and not self.stored + self.affected:
            return "nothing is stored of it"
        sentence = _SENTENCES[self.difference.effect].format(
            affected=self.affected, stored=self.stored, place=self.difference.place
        )
        return sentence + (f"; {self.earlier} of them show an earlier value instead" if self.earlier else "")

    def _affect(self, ref: str, *, when: bool) -> None:
        self.affected += when
        if when and len(self.examples) < EXAMPLES_MAX:
            self.examples.append(ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """A change of the schema: where, of which kind, and what happens to stored data."""

    place: str
    kind: str
    change: str
    effect: str
    stored: int
    affected: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCounts:
    """How many entities are looked at, and how many of them written anew."""

    looked_at: int
    rewritten: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCounts:
    """How many index items are written and removed."""

    written: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What applying a schema does, or would do."""

    changes: tuple[ChangeReport, ...]
    breaking: int
    resumes: bool
    entities: EntityCounts
    index_items: IndexCounts


@dataclass(slots=True)
class SchemaPlan:
    """Every change, and what all of them together write. `resumes`: a change was begun earlier and not finished."""

    changes: Sequence[Change]
    resumes: bool = False
    looked_at: int = 0
    rewritten: int = 0
    index_written: int = 0
    index_removed: int = 0

    @property
    def breaking(self) -> list[Change]:
        """The changes that are applied only when asked for by name."""
        return [change for change in self.changes if change.difference.kind == "breaking"]

    @property
    def touches(self) -> bool:
        """Whether anything stored would read otherwise than before, or has to be written anew."""
        return self.resumes or self.rewritten > 0 or any(change.affected for change in self.changes)

    def report(self) -> PlanReport:
        """Return the plan as operators are shown it."""
        changes = (
            ChangeReport(
                place=change.difference.place,
                kind=change.difference.kind,
                change=change.difference.change,
                effect=change.effect,
                stored=change.stored,
                affected=change.affected,
                examples=tuple(change.examples),
            )
            for change in self.changes
        )
        return PlanReport(
            changes=tuple(changes),
            breaking=len(self.breaking),
            resumes=self.resumes,
            entities=EntityCounts(looked_at=self.looked_at, rewritten=self.rewritten),
            index_items=IndexCounts(written=self.index_written, removed=self.index_removed),
        )
