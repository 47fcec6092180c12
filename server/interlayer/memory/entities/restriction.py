"""A log as somebody may see it who may not see all of it. Pure: what is left is what others have never been told of.

Memories of others go whole. Of the rest go the values that are too sensitive, with the statements that say them: what
stands where such a value was read, what was read by a call that found the value without saying where, and what holds
the value in its words. Whatever is folded from what is left cannot depend on what went.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final

from interlayer.language.dates import find_dates
from interlayer.language.quantities.numbers import numbers
from interlayer.language.terms import words
from interlayer.memory.log.properties import PropertyState, folded
from interlayer.memory.log.records import (
    Confirmation,
    FactRecord,
    LogEntry,
    Merged,
    Observation,
    Split,
    statement_of,
)
from interlayer.memory.schema.schema import EntitySchema

_TELLING: Final = 100  # a smaller number may stand in a sentence for anything
_RUN: Final = 6  # digits of a number that is no amount: a telephone, an account
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True)
class Restriction:
    """What is hidden of an entity: memories of these visibilities, and the values of these properties."""

    visibilities: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.visibilities or self.properties)

    @property
    def key(self) -> str:
        """Equal for equal restrictions."""
        return "|".join([*sorted(self.visibilities), "", *sorted(self.properties)]) if self else ""

    def seen(self, log: Iterable[LogEntry]) -> list[LogEntry]:
        """Return the entries that are not hidden whole."""
        return [one for one in log if _is_structure(one) or one.visibility not in self.visibilities]


@dataclass(slots=True)
class RestrictedLog:
    """What is left of a log; `withheld` are properties that have values which went, `cut` memories that lost something.

    `told` is the log by which the values are known, all of it where `log` is only a part.
    """

    restriction: Restriction
    schema: EntitySchema
    log: Sequence[LogEntry]
    told: Sequence[LogEntry] | None = None
    withheld: frozenset[str] = frozenset()
    cut: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        log = self.restriction.seen(self.log)
        told = log if self.told is None else self.restriction.seen(self.told)
        hidden = [(one, seen) for one in told for seen in one.properties if self._hides(seen)]
        states: dict[str, PropertyState] = {}
        for one in log:
            states, _ = folded(states, one, self.schema)
        self.withheld = frozenset(
            name for name in self.restriction.properties & states.keys() if not states[name].emptied
        )
        mirrored = {one.relation for name in self.restriction.properties if (one := self.schema.current.get(name))}
        linked = any(link.type in mirrored for one in log for link in one.relations)
        if hidden or linked:
            sayings = Sayings.of(hidden, self.schema)
            log = [self._without(one, sayings, mirrored) for one in log]
        if self.restriction.visibilities or hidden or linked:
            log = _renumbered(_with_known_pairs(log))
        self.log = log

    def _hides(self, seen: Observation) -> bool:
        return self.schema.current_name(seen.name) in self.restriction.properties

    def _without(self, memory: LogEntry, sayings: "Sayings", mirrored: AbstractSet[str]) -> LogEntry:
        properties = tuple(one for one in memory.properties if not self._hides(one))
        facts = tuple(one for one in memory.facts if not sayings.hold(memory, one))
        confirms = tuple(one for one in memory.confirms if not sayings.hold(memory, one))
        context = tuple((place, found) for place, found in memory.context if not sayings.in_words(found))
        relations = tuple(
            one for one in memory.relations if one.type not in mirrored and not sayings.overlap(memory, one.span)
        )
        kept = (len(properties), len(facts), len(confirms), len(context))
        if kept != (len(memory.properties), len(memory.facts), len(memory.confirms), len(memory.context)):
            self.cut.add(memory.content_of or memory.id)
        return replace(
            memory, properties=properties, facts=facts, confirms=confirms, context=context, relations=relations
        )


@dataclass(frozen=True, slots=True)
class Sayings:
    """How hidden values may be said: where they stand in contents, by their numbers, and in words."""

    spans: dict[str, list[tuple[int, int]]]
    unplaced: Collection[str]
    amounts: AbstractSet[float]
    digits: Collection[str]
    days: Collection[tuple[int, int, int]]
    phrases: Collection[tuple[str, ...]]

    @classmethod
    def of(cls, hidden: Iterable[tuple[LogEntry, Observation]], schema: EntitySchema) -> "Sayings":
        """Collect them from what was observed."""
        spans: dict[str, list[tuple[int, int]]] = {}
        unplaced: set[str] = set()
        values: list[Any] = []
        for memory, seen in hidden:
            if memory.content_of and seen.span:
                spans.setdefault(memory.content_of, []).append(seen.span)
            elif memory.content_of and not seen.given:
                unplaced.add(memory.id)
            values += seen.value if isinstance(seen.value, list) else [seen.value]
            declared = schema.current[schema.current_name(seen.name)]
            values += declared.values.get(seen.value, ()) if isinstance(seen.value, str) else ()
        bare = [one.get("amount") if isinstance(one, dict) else one for one in values]
        texts = [one for one in bare if isinstance(one, str)]
        runs = (re.sub(r"\D", "", one) for one in texts if not re.search(r"[^\W\d_]", one))
        phrases = (tuple(words(one.replace("_", " "))) for one in texts)
        return cls(
            spans,
            unplaced,
            {float(one) for one in bare if isinstance(one, int | float) and abs(one) >= _TELLING},
            {one for one in runs if len(one) >= _RUN},
            {day for day in map(_day, texts) if day},
            {phrase for phrase in phrases if phrase},
        )

    def hold(self, memory: LogEntry, said: FactRecord | Confirmation) -> bool:
        """Tell whether a statement says a hidden value."""
        if memory.id in self.unplaced and not said.given:
            return True
        return self.overlap(memory, said.span) or self.in_words(said.text)

    def overlap(self, memory: LogEntry, span: tuple[int, int] | None) -> bool:
        """Tell whether a hidden value stands at a place of the content of a memory."""
        if not span or memory.content_of not in self.spans:
            return False
        return any(first < span[1] and span[0] < last for first, last in self.spans[memory.content_of])

    def in_words(self, text: str) -> bool:
        """Tell whether words hold a hidden value."""
        if self.amounts and any({one.low, one.high} & self.amounts for one in numbers(text)):
            return True
        if self.digits:
            run = re.sub(r"\D", "", text)
            if any(one in run for one in self.digits):
                return True
        if self.days and any((one.year, one.month, one.day) in self.days for one in find_dates(text)):
            return True
        found = words(text) if self.phrases else []
        return any(
            tuple(found[place : place + len(phrase)]) == phrase
            for phrase in self.phrases
            for place in range(len(found) - len(phrase) + 1)
        )


def _day(text: str) -> tuple[int, int, int] | None:
    found = _DAY.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _with_known_pairs(log: Sequence[LogEntry]) -> list[LogEntry]:
    """Return a log in which merges say nothing of facts that are not in it."""
    known = {statement_of(fact.id) for memory in log for fact in memory.facts}

    def left(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple(pair for pair in pairs if all(statement_of(one) in known for one in pair))

    return [
        replace(one, same=left(one.same), opposed=left(one.opposed), likely=left(one.likely), alike=left(one.alike))
        if isinstance(one, Merged)
        else one
        for one in log
    ]


def _renumbered(log: Sequence[LogEntry]) -> list[LogEntry]:
    """Return a log whose revisions follow one another, whatever stood between them."""
    places = {revision: place for place, revision in enumerate(sorted({one.revision for one in log}), start=1)}
    return [replace(one, revision=places[one.revision]) for one in log]


def _is_structure(entry: LogEntry) -> bool:
    return isinstance(entry, Merged | Split)
