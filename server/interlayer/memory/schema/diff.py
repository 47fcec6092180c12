"""How one schema differs from another, and what each difference means for what is stored. Pure functions.

| kind        | what it takes                                                                              |
| ----------- | ------------------------------------------------------------------------------------------ |
| `additive`  | nothing: what is stored reads as before                                                    |
| `migration` | heads and indexes are written anew; nothing that counted is lost, unless it is retired     |
| `breaking`  | stored values may count no more, or otherwise; applied only when asked for by name         |
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from interlayer.memory.schema.duration import is_shorter
from interlayer.memory.schema.relation import RelationSchema
from interlayer.memory.schema.schema import EntitySchema, IdentifierSchema, PropertySchema, Schema
from interlayer.memory.schema.types import ValueProblem

Kind = Literal["additive", "migration", "breaking"]
Effect = Literal[
    "none", "renamed", "moved", "retired", "revived", "removed", "type", "values", "update", "indexed", "unindexed"
]
Former = Mapping[str, frozenset[str]]
"""Property names by entity type, under which observations may lie that did not count under an earlier schema."""

ALL: Final = "*"
"""Stands in `Former` for every property of a type that was removed."""

# A change of any other key alters what agents are told or what is let in, never how a stored value reads.
_MEANING: Final = frozenset({"type", "values", "target", "pattern", "update", "indexed", "was", "retired"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One change.

    `names` are the names under which the observations lie that it concerns, today's first. `hidden` says that some of
    them may lie in the log of an entity whose head shows nothing of it.
    """

    place: str
    kind: Kind
    change: str
    entity_type: str = ""
    names: tuple[str, ...] = ()
    effect: Effect = "none"
    hidden: bool = False

    @property
    def hides(self) -> bool:
        """Whether observations may lie in the log afterwards that do not count."""
        return self.effect in {"retired", "removed", "type", "values"}


def differences(old: Schema, new: Schema, former: Former | None = None) -> list[Difference]:
    """Return every difference, the entity types in their order and the identifier kinds last."""
    found: list[Difference] = []
    for name in dict.fromkeys([*old.entities, *new.entities]):
        known = (former or {}).get(name, frozenset())
        before, after = old.entities.get(name), new.entities.get(name)
        if before is None and after is not None:
            found += _type_added(name, after, known)
        elif before is not None and after is None:
            names = tuple(before.properties)
            found.append(Difference(name, "breaking", "entity type is removed", name, names, "removed", bool(known)))
        elif before is not None and after is not None:
            found += _type_changed(name, before, after, known)
    for kind in dict.fromkeys([*old.identifiers, *new.identifiers]):
        found += _identifier(kind, old.identifiers.get(kind), new.identifiers.get(kind))
    for kind in dict.fromkeys([*old.relations, *new.relations]):
        found += _relation(kind, old.relations.get(kind), new.relations.get(kind))
    changed = _describe_change(old, new, {"entities", "identifiers", "relations"})
    if changed:
        found.append(Difference("schema", "additive", changed))
    return found


def former_after(former: Former, found: Sequence[Difference]) -> Former:
    """Return under which names observations may lie that do not count, after the differences were applied."""
    after = dict(former)
    for one in found:
        if one.hides:
            names = (ALL, *one.names) if one.place == one.entity_type else one.names
            after[one.entity_type] = after.get(one.entity_type, frozenset()) | set(names)
    return after


def _type_added(name: str, after: EntitySchema, known: frozenset[str]) -> Iterator[Difference]:
    if known:
        yield Difference(
            name, "migration", "entity type is back", name, tuple(after.properties), "revived", hidden=True
        )
    else:
        yield Difference(name, "additive", f"entity type is new, with {len(after.properties)} properties", name)


def _type_changed(name: str, before: EntitySchema, after: EntitySchema, known: frozenset[str]) -> Iterator[Difference]:
    changed = _describe_change(before, after, {"properties", "retention"})
    if changed:
        yield Difference(name, "additive", changed, name)
    if before.retention != after.retention:
        kept = f"is kept for {after.retention}, and then erased" if after.retention else "is kept for good"
        shorter = is_shorter(after.retention, before.retention)
        yield Difference(f"{name}.retention", "breaking" if shorter else "additive", f"what is said {kept}", name)
    continued: set[str] = set()
    for key, declared in after.properties.items():
        sources = {one: before.properties[one] for one in (key, *declared.was) if one in before.properties}
        continued.update(sources)
        yield from _Property(name, key, declared, known, sources).differences()
    for key, declared in before.properties.items():
        if key in continued:
            continue
        place, names = f"{name}.{key}", (key, *declared.was)
        if declared.retired:
            yield Difference(place, "additive", "retired property is removed", name)
        else:
            hidden = bool(known & {ALL, *names})
            yield Difference(place, "breaking", "property is removed", name, names, "removed", hidden)


@dataclass(frozen=True, slots=True)
class _Property:
    """A property of the new schema and the properties of the old one that it goes on from: none when it is new."""

    entity_type: str
    name: str
    new: PropertySchema
    known: frozenset[str]
    sources: Mapping[str, PropertySchema]

    def differences(self) -> Iterator[Difference]:
        if not self.sources:
            yield self._describe_widening(f"property is new, of type {self.new.type}", retired=self.new.retired)
            return
        old = self.sources.get(self.name) or next(iter(self.sources.values()))
        yield from self._lineage(old)
        if self.new.retired:
            if not old.retired:
                yield self._one("migration", "is retired", "retired")
            elif old != self.new:
                yield self._one("additive", "is changed, and stays retired")
            return
        if old.retired:
            yield self._one("migration", "is in use again", "revived")
        yield from self._meaning(old)
        yield from self._use(old)

    def _lineage(self, old: PropertySchema) -> Iterator[Difference]:
        """Yield what alters under which names it was observed."""
        renamed = [source for source in self.sources if source != self.name]
        if renamed:
            unused = self.new.retired and all(self.sources[source].retired for source in renamed)
            kind: Kind = "additive" if unused else "migration"
            yield self._one(kind, f"goes on from {', '.join(renamed)}", "none" if unused else "renamed")
        lost = set(old.was) - {self.name, *self.new.was}
        if lost:
            yield self._one("breaking", f"does not go on from {', '.join(sorted(lost))} any more", "removed")
        gained = set(self.new.was) - set(old.was) - self.sources.keys()
        if gained and not (old.retired and self.new.retired):
            yield self._describe_widening(f"also goes on from {', '.join(sorted(gained))}", retired=self.new.retired)

    def _meaning(self, old: PropertySchema) -> Iterator[Difference]:
        """Yield what alters which values count, and which of them is current."""
        new = self.new
        if old.type != new.type:
            yield self._one("breaking", f"type was {old.type}, becomes {new.type}", "type")
        elif old.values != new.values:
            yield self._values(old)
        for key, before, after in (("pattern", old.pattern, new.pattern), ("target", old.target, new.target)):
            if before == after or old.type != new.type:
                continue
            narrower = bool(new.pattern) if key == "pattern" else bool(set(old.target) - set(new.target))
            change = f"{key} was {_show(before)}, becomes {_show(after)}"
            yield self._one("breaking", change, "values") if narrower else self._describe_widening(change)
        if old.update != new.update:
            yield self._one("breaking", f"update was {old.update}, becomes {new.update}", "update")

    def _values(self, old: PropertySchema) -> Difference:
        removed = [value for value in old.values if not _takes(self.new, value)]
        moved = [value for value in old.values if value not in self.new.values and value not in removed]
        added = [value for value in self.new.values if value not in old.values]
        parts = [
            f"{what} {', '.join(words)}"
            for what, words in (("without", removed), ("as a synonym", moved), ("with new", added))
            if words
        ]
        change = f"values {'; '.join(parts) or 'have other synonyms'}"
        if removed:
            return self._one("breaking", change, "values")
        return self._one("migration", change, "moved") if moved else self._describe_widening(change)

    def _use(self, old: PropertySchema) -> Iterator[Difference]:
        """Yield what alters how agents find and write it."""
        if old.indexed != self.new.indexed:
            now = self.new.indexed
            yield self._one(
                "migration", "is indexed" if now else "is not indexed any more", "indexed" if now else "unindexed"
            )
        changed = _describe_change(old, self.new, _MEANING)
        if changed:
            yield self._one("additive", changed)

    def _describe_widening(self, change: str, *, retired: bool = False) -> Difference:
        """Return a change that lets more count: harmless, unless something lies in the log that now counts again."""
        revives = self._hidden and not retired
        return self._one("migration" if revives else "additive", change, "revived" if revives else "none")

    def _one(self, kind: Kind, change: str, effect: Effect = "none") -> Difference:
        place = f"{self.entity_type}.{self.name}"
        if effect == "none":
            return Difference(place, kind, change, self.entity_type)
        hidden = self._hidden or effect == "revived"
        return Difference(place, kind, change, self.entity_type, self._names, effect, hidden)

    @property
    def _names(self) -> tuple[str, ...]:
        """The names of the property of any time: what it is called, was called, and what it goes on from."""
        earlier = [one for source, old in self.sources.items() for one in (source, *old.was)]
        return tuple(dict.fromkeys([self.name, *self.new.was, *earlier]))

    @property
    def _hidden(self) -> bool:
        return bool(self.known & {ALL, *self._names})


def _identifier(kind: str, old: IdentifierSchema | None, new: IdentifierSchema | None) -> Iterator[Difference]:
    if old != new:
        change = "is new" if old is None else "is removed" if new is None else "pattern is changed"
        yield Difference(f"identifiers.{kind}", "additive", f"identifier kind {change}")


def _relation(kind: str, old: RelationSchema | None, new: RelationSchema | None) -> Iterator[Difference]:
    """Yield what differs of a type of relation: what is stored reads by the new one without being written anew."""
    if old and new and old != new:
        yield Difference(f"relations.{kind}", "additive", _describe_change(old, new, ()))
    elif old != new:
        yield Difference(f"relations.{kind}", "additive", f"type of relation is {'new' if new else 'removed'}")


def _describe_change(old: BaseModel, new: BaseModel, but: Collection[str]) -> str:
    """Return which keys differ, in words, beside some; nothing when none does."""
    fields = type(new).model_fields.items()
    keys = [one.alias or key for key, one in fields if key not in but and getattr(old, key) != getattr(new, key)]
    return f"{', '.join(keys)} changed" if keys else ""


def _takes(declared: PropertySchema, value: str) -> bool:
    try:
        declared.normal(value)
    except ValueProblem:
        return False
    return True


def _show(value: str | tuple[str, ...]) -> str:
    return (value if isinstance(value, str) else ", ".join(value)) or "none"
