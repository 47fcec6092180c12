"""Guidance into a token budget: best first, whole sections only, equal texts once; what is left out is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer_policies.delivery.answers import DeliveredSection, Omitted
from interlayer_policies.delivery.precedence import Governing
from interlayer_policies.delivery.relevance import Relevance
from interlayer_policies.delivery.sizes import json_bytes, tokens_of
from interlayer_policies.delivery.snapshot import GuidanceSection, Snapshot

CANDIDATES_MAX: Final = 64
"""More sections than this fit into no budget that may be asked for, short of trivial ones."""

# What each better section of the same policy leaves of a score: a task rests on many policies, and the third section
# of one would take the room of the first of another.
_AGAIN: Final = 0.8

# Sections left out that are worth room in the answer: they name what to ask for with a larger budget.
_LISTED_IN_BUDGET: Final = 3


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


def candidates(snapshot: Snapshot, governing: Governing, relevance: Relevance) -> list[Candidate]:
    """Return the most relevant sections of the policies in force, best first, none with the text of another."""
    in_force = governing.in_force[snapshot.section_policies[relevance.among]]
    passing = relevance.passes[in_force]
    numbers = relevance.among[in_force][passing]
    seen: set[str] = set()
    found: list[Candidate] = []
    for number, score in _spread(snapshot, numbers, relevance.scores(in_force)[passing]):
        section = snapshot.sections[number]
        if section.content not in seen:
            seen.add(section.content)
            found.append(_candidate(section, score))
            if len(found) == CANDIDATES_MAX:
                break
    return found


def packed(found: Sequence[Candidate], room: float, floor: float) -> Packed:
    """Return which of the sections fit into `room` bytes of compact JSON, or into `floor`, which is theirs anyway."""
    if sum(candidate.size for candidate in found) <= max(room, floor):
        return Packed(tuple(candidate.section for candidate in found), ())
    note = max(json_bytes(_omit(candidate)) + 1 for candidate in found)
    rest = max(room - _LISTED_IN_BUDGET * note, floor)
    taken: list[DeliveredSection] = []
    left: list[Candidate] = []
    for candidate in found:
        if candidate.size <= rest:
            taken.append(candidate.section)
            rest -= candidate.size
        else:
            left.append(candidate)
    # Rules alone can fill the budget; naming what else there is must not be what exceeds it.
    listed = left[: max(1, min(_LISTED_IN_BUDGET, int(room // note)))]
    return Packed(tuple(taken), tuple(_omit(candidate) for candidate in listed))


def _spread(snapshot: Snapshot, numbers: NDArray[np.intp], scores: NDArray[np.float32]) -> Iterator[tuple[int, float]]:
    """Yield sections best first, where each counts for less by the better ones of its policy."""
    rounded = np.round(scores.astype(np.float64), 4)
    spread = np.round(rounded * _AGAIN ** _better_ones(snapshot, numbers, rounded), 4)
    order = np.lexsort((snapshot.section_order[numbers], -spread))
    yield from zip(numbers[order].tolist(), spread[order].tolist(), strict=True)


def _better_ones(snapshot: Snapshot, numbers: NDArray[np.intp], scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return (n,): how many sections of the same policy come before each one."""
    policies = snapshot.section_policies[numbers]
    order = np.lexsort((snapshot.section_order[numbers], -scores, policies))
    places = np.arange(len(order))
    first = np.append(True, policies[order][1:] != policies[order][:-1])[: len(order)]
    better = np.empty(len(order), dtype=np.intp)
    better[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return better


def _omit(candidate: Candidate) -> Omitted:
    section = candidate.section
    return Omitted(section.policy_id, section.section_id, "budget", tokens_of(candidate.size))


def _candidate(section: GuidanceSection, score: float) -> Candidate:
    why, shown = f"relevance {score:.2f}", round(score, 2)
    delivered = DeliveredSection(
        policy_id=section.edition.policy.id,
        version=section.edition.version,
        section_id=section.section_id,
        title=section.title,
        text=section.text,
        why=why,
        score=shown,
        etag=section.etag,
    )
    return Candidate(delivered, section.json_bytes + len(f'"{why}"{shown},'))  # plain ASCII, as JSON writes it
