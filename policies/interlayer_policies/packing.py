"""Guidance into a token budget: best first, whole sections only, equal texts once; what is left out is said."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlayer.text.budget import CHARS_PER_TOKEN, compact_json
from interlayer_policies.answers import DeliveredSection, Omitted, as_json
from interlayer_policies.governing import Governing
from interlayer_policies.relevance import Query
from interlayer_policies.snapshot import GuidanceSection, Snapshot

CANDIDATES_MAX: Final = 64
"""More sections than this fit into no budget that may be asked for, short of trivial ones."""

# What each better section of the same policy leaves of a score: a task rests on many policies, and the third section
# of one would take the room of the first of another.
_AGAIN: Final = 0.8

# Sections left out that are worth room in the answer: they name what to ask for with a larger budget.
_LISTED_IN_BUDGET: Final = 3
_NOTE_BYTES: Final = 130


@dataclass(frozen=True, slots=True)
class Candidate:
    """A relevant section and its bytes in the answer."""

    section: DeliveredSection
    size: int


@dataclass(frozen=True, slots=True)
class Packed:
    """The sections to send, best first, and those that did not fit."""

    sections: tuple[DeliveredSection, ...]
    omitted: tuple[Omitted, ...]


def candidates(snapshot: Snapshot, governing: Governing, query: Query) -> list[Candidate]:
    """Return the most relevant sections of the policies in force, best first, none with the text of another."""
    numbers = np.flatnonzero(governing.in_force[snapshot.section_policies])
    if not numbers.size:
        return []
    relevance = snapshot.index.relevance(query, numbers)
    scored = [
        (round(float(relevance.scores[n]), 4), snapshot.sections[int(numbers[n])])
        for n in np.flatnonzero(relevance.passes)
    ]
    seen: set[str] = set()
    found: list[Candidate] = []
    for score, section in _spread(scored):
        if section.content not in seen and len(found) < CANDIDATES_MAX:
            seen.add(section.content)
            delivered = _delivered(section, score)
            found.append(Candidate(delivered, json_bytes(as_json(delivered)) + 1))
    return found


def packed(found: Sequence[Candidate], room: float) -> Packed:
    """Return which of the sections fit into this many bytes of compact JSON."""
    if sum(candidate.size for candidate in found) <= room:
        return Packed(tuple(candidate.section for candidate in found), ())
    rest = room - _LISTED_IN_BUDGET * _NOTE_BYTES
    taken: list[DeliveredSection] = []
    left: list[Candidate] = []
    for candidate in found:
        if candidate.size <= rest:
            taken.append(candidate.section)
            rest -= candidate.size
        else:
            left.append(candidate)
    # Rules alone can fill the budget; naming what else there is must not be what exceeds it.
    listed = left[: max(1, min(_LISTED_IN_BUDGET, int(room // _NOTE_BYTES)))]
    return Packed(tuple(taken), tuple(_omitted(candidate) for candidate in listed))


def json_bytes(value: object) -> int:
    """Return the bytes of JSON values in compact form."""
    return len(compact_json(value).encode())


def tokens_of(size: int) -> int:
    """Return the estimated tokens of this many bytes, as `interlayer.text.budget` counts them."""
    return math.ceil(size / CHARS_PER_TOKEN)


def bytes_of(tokens: int) -> float:
    """Return how many bytes of compact JSON make this many tokens."""
    return tokens * CHARS_PER_TOKEN


def _spread(scored: Sequence[tuple[float, GuidanceSection]]) -> list[tuple[float, GuidanceSection]]:
    """Return sections best first, where each counts for less by the better ones of its policy."""
    before: Counter[int] = Counter()
    spread: list[tuple[float, GuidanceSection]] = []
    for score, section in sorted(scored, key=_best_first):
        spread.append((round(score * _AGAIN ** before[section.number], 4), section))
        before[section.number] += 1
    return sorted(spread, key=_best_first)


def _best_first(scored: tuple[float, GuidanceSection]) -> tuple[float, str, str]:
    score, section = scored
    return -score, section.edition.policy.id, section.section_id


def _omitted(candidate: Candidate) -> Omitted:
    section = candidate.section
    return Omitted(section.policy_id, section.section_id, "budget", tokens_of(candidate.size))


def _delivered(section: GuidanceSection, score: float) -> DeliveredSection:
    return DeliveredSection(
        policy_id=section.edition.policy.id,
        version=section.edition.version,
        section_id=section.section_id,
        title=section.title,
        text=section.text,
        why=f"relevance {score:.2f}",
        score=round(score, 2),
        etag=section.etag,
    )
