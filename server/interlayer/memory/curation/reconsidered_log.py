"""A log as today's rules would have made it of the same statements: pure functions over its entries.

Each statement is compared again with what was known before it. What its caller said of others in so many words stays;
a statement keeps its id as long as it is a fact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import (
    Confirmation,
    FactId,
    FactRecord,
    LogEntry,
    Memorized,
    Merged,
    Reextracted,
    Split,
    statement_of,
)
from interlayer.memory.reconciliation.reconcile import Decision
from interlayer.memory.requests import FactCandidate
from interlayer.models.embedder import Vectors

_FIRST_OWN: Final = 10_000  # more than a call has statements: the number of a voice that becomes a fact

Decide = Callable[[Sequence[FactCandidate], Vectors, EntityView, str], Sequence[Decision]]
"""Decides statements with their vectors against what is known; the last argument is when they were observed."""


def reconsidered(
    log: Sequence[LogEntry],
    view: EntityView,
    vectors: Mapping[str, NDArray[np.float32]],
    decide: Decide,
    apart: Mapping[str, EntityView],
) -> list[LogEntry]:
    """Return a log as today's rules make it. `view` is blank and filled on the way; `vectors` has (dims,) by text.

    `apart` are blank views by visibility, where not all may see the same: a statement is compared with what all see
    who see it.

    What came with an entity that was merged in stays as it is, so that a split gives back exactly that.
    """
    became: dict[str, str] = {}  # statements that are no facts of their own any more -> the facts that they confirm
    revised: list[LogEntry] = []
    for before in log:
        entry = _renamed(before, became)
        if isinstance(entry, Memorized | Reextracted) and entry.home is None:
            entry = _decided(entry, apart.get(entry.visibility, view), vectors, decide, became)
        for visibility, one in {**apart, None: view}.items():
            if visibility is None or isinstance(entry, Merged | Split) or entry.visibility in ("", visibility):
                one.apply(entry, {fact.id: vectors[fact.text] for fact in entry.facts})
        revised.append(entry)
    return revised


def texts_of(log: Sequence[LogEntry]) -> dict[str, str]:
    """Return the statements of a log by id; those of voices by the ids that they would have as facts."""
    return {one.fact_id: one.said.text for entry in log for one in _statements(entry)}


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a memory says: a fact that it added, or its voice for a known one; its id as a fact."""

    said: FactRecord | Confirmation
    fact_id: str

    @property
    def is_open(self) -> bool:
        """Whether it is compared; what its caller said to be over is not."""
        return not self.said.ended


def _statements(entry: LogEntry) -> Iterator[_Statement]:
    taken = [int(statement_of(fact.id).rpartition("_")[2]) for fact in entry.facts]
    number = max([_FIRST_OWN - 1, *taken]) + 1
    for fact in entry.facts:
        yield _Statement(fact, fact.id)
    for place, voice in enumerate(entry.confirms):
        yield _Statement(voice, str(FactId.of(entry.id, number + place)))


def _decided(
    entry: LogEntry,
    view: EntityView,
    vectors: Mapping[str, NDArray[np.float32]],
    decide: Decide,
    became: dict[str, str],
) -> LogEntry:
    """Return a memory with its statements decided anew; note those that are no facts any more."""
    statements = list(_statements(entry))
    compared = [one for one in statements if one.is_open]
    if not compared:
        return entry
    candidates = [
        FactCandidate(one.said.text, one.said.confidence, one.said.observed_at, one.said.span) for one in compared
    ]
    rows = np.array([vectors[one.said.text] for one in compared], dtype=np.float32)
    ids = [one.fact_id for one in compared]
    found = decide(candidates, rows, view, entry.observed_at)
    facts = [one.said for one in statements if not one.is_open and isinstance(one.said, FactRecord)]
    confirms = [one.said for one in statements if not one.is_open and isinstance(one.said, Confirmation)]
    for one, decision in zip(compared, found, strict=True):
        known = decision.duplicate_of
        if isinstance(known, int) and isinstance(one.said, Confirmation):
            known = ids[known]
        if isinstance(known, str) and known not in one.said.replaces:
            confirms.append(_voice(one, known, decision.similarity or 0.0))
            if isinstance(one.said, FactRecord):
                became[statement_of(one.fact_id)] = known
        else:
            facts.append(_fact(one, decision, ids))
    return replace(entry, facts=tuple(facts), confirms=tuple(confirms))


def _voice(one: _Statement, known: str, similarity: float) -> Confirmation:
    said = one.said
    if isinstance(said, Confirmation) and statement_of(said.fact_id) == statement_of(known):
        return said
    return Confirmation(
        known, similarity, said.text, said.confidence, said.observed_at, said.span, said.given, said.replaces
    )


def _fact(one: _Statement, decision: Decision, ids: Sequence[str]) -> FactRecord:
    """Return a statement as a fact; what repeats another one of its memory is linked, so that its words stay."""
    said = one.said

    def named(*others: str | int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(other if isinstance(other, str) else ids[other] for other in others))

    against = named(*said.replaces, *decision.supersedes, *decision.superseded_by, *decision.opposed)
    alike = named(*decision.alike, *(() if decision.duplicate_of is None else (decision.duplicate_of,)))
    return FactRecord(
        one.fact_id,
        said.text,
        said.confidence,
        said.observed_at,
        said.span,
        against,
        said.given,
        tuple(other for other in named(*decision.likely) if other not in against),
        tuple(other for other in alike if other not in against),
        said.replaces,
    )


def _renamed(entry: LogEntry, became: Mapping[str, str]) -> LogEntry:
    """Return an entry in which what is said of statements that are no facts any more is said of what they confirm."""
    if not became:
        return entry

    def name(fact_id: str) -> str:
        return became.get(statement_of(fact_id), fact_id)

    def names(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(name, ids)))

    entry = replace(
        entry,
        facts=tuple(replace(fact, replaces=names(fact.replaces)) for fact in entry.facts),
        confirms=tuple(
            replace(voice, fact_id=name(voice.fact_id), replaces=names(voice.replaces)) for voice in entry.confirms
        ),
        closes=names(entry.closes),
    )
    if not isinstance(entry, Merged):
        return entry
    pairs = {link: tuple((one, name(other)) for one, other in getattr(entry, link)) for link in _PAIRS}
    return replace(entry, **pairs)


_PAIRS: Final = ("same", "opposed", "likely", "alike")
