"""Deciding what a checked candidate adds to an entity: a new fact, or one more voice for a known one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from interlayer.memory.candidates import FactCandidate
from interlayer.memory.guard import distinguished
from interlayer.memory.view import EntityView, FactState, exact_form
from interlayer.models.embedder import Space, Vectors

# At or over this cosine two statements of one entity are taken for the same, unless the guard objects. It belongs to
# the space: WordLlama averages word vectors, so texts that share words score higher than with a sentence model.
_DUPLICATE: Final = {"wordllama-l2-supercat": 0.88}
_DUPLICATE_ELSEWHERE: Final = 0.9
_NEIGHBOURS: Final = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a candidate. `duplicate_of` is a fact id, or the number of an earlier candidate of the call."""

    candidate: FactCandidate
    outcome: Literal["added", "merged", "rejected"]
    similarity: float | None = None
    duplicate_of: str | int | None = None
    reason: str | None = None


def duplicate_threshold(space: Space) -> float:
    """Return the cosine at which two statements count as near duplicates in a space."""
    return _DUPLICATE.get(space.model, _DUPLICATE_ELSEWHERE)


def reconcile(
    candidates: Sequence[FactCandidate], vectors: Vectors, view: EntityView, threshold: float
) -> list[Decision]:
    """Return one decision a candidate, in order; `vectors` is (len(candidates), dims).

    Candidates are compared with the entity's facts and with those before them in the same call.
    """
    decisions: list[Decision] = []
    exact: dict[str, int] = {}
    added: list[int] = []
    known = vectors @ view.vectors.T if len(view.ordered) else np.zeros((len(candidates), 0), dtype=np.float32)
    among = vectors @ vectors.T
    for number, candidate in enumerate(candidates):
        found = _same_words(candidate, view, exact) or _near(
            candidate.text, _closest(known[number], view.ordered, threshold)
        )
        if not found:
            earlier = [(float(among[number, one]), one) for one in added if among[number, one] >= threshold]
            texts = [(score, candidates[one].text, one) for score, one in sorted(earlier, reverse=True)]
            found = _near(candidate.text, texts)
        if found:
            decisions.append(Decision(candidate, "merged", round(found[0], 3), found[1]))
            continue
        decisions.append(Decision(candidate, "added"))
        exact.setdefault(exact_form(candidate.text), number)
        added.append(number)
    return decisions


def _same_words(candidate: FactCandidate, view: EntityView, exact: dict[str, int]) -> tuple[float, str | int] | None:
    known = view.same_words(candidate.text)
    if known:
        return 1.0, known.record.id
    number = exact.get(exact_form(candidate.text))
    return None if number is None else (1.0, number)


def _closest(scores: Vectors, facts: Sequence[FactState], threshold: float) -> list[tuple[float, str, str | int]]:
    over = [int(number) for number in np.flatnonzero(scores >= threshold)]
    best = sorted(over, key=lambda number: -scores[number])[:_NEIGHBOURS]
    return [(float(scores[number]), facts[number].record.text, facts[number].record.id) for number in best]


def _near(text: str, close: Sequence[tuple[float, str, str | int]]) -> tuple[float, str | int] | None:
    for score, other, name in close:
        if distinguished(text, other) is None:
            return score, name
    return None
