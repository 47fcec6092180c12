"""Deciding what a checked candidate adds to an entity: a new fact, or one more voice for a known one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from interlayer.memory.guard import distinguished
from interlayer.memory.requests import FactCandidate
from interlayer.memory.view import EntityView, exact_form
from interlayer.models.embedder import Space, Vectors

# At or over this cosine two statements of one entity are taken for the same, unless the guard objects. It belongs to
# the space: WordLlama averages word vectors, so texts that share words score higher than with a sentence model.
_DUPLICATE: Final = {"wordllama-l2-supercat": 0.88}
_DUPLICATE_ELSEWHERE: Final = 0.9
_NEIGHBOURS: Final = 5
_ROWS: Final = 256  # candidates compared at a time: bounds the memory that a long document takes


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
    added = np.zeros(len(candidates), dtype=bool)
    new_texts = [candidate.text for candidate in candidates]
    # Taken once: this may run in a thread while a reader brings the view up to date.
    known_facts, known_vectors = list(view.ordered), view.vectors
    known_texts = [fact.record.text for fact in known_facts]
    known_vectors = known_vectors[: len(known_facts)]
    for first in range(0, len(candidates), _ROWS):
        known = vectors[first : first + _ROWS] @ known_vectors.T
        among = vectors[first : first + _ROWS] @ vectors.T
        for row, candidate in enumerate(candidates[first : first + _ROWS]):
            found = _same_words(candidate, view, exact)
            if not found:
                near = _near(candidate.text, known[row], known_texts, threshold)
                found = near and (near[0], known_facts[near[1]].record.id)
            found = found or _near(candidate.text, np.where(added, among[row], -1), new_texts, threshold)
            if found:
                decisions.append(Decision(candidate, "merged", round(found[0], 3), found[1]))
                continue
            number = first + row
            decisions.append(Decision(candidate, "added"))
            exact.setdefault(exact_form(candidate.text), number)
            added[number] = True
    return decisions


def _same_words(candidate: FactCandidate, view: EntityView, exact: dict[str, int]) -> tuple[float, str | int] | None:
    known = view.same_words(candidate.text)
    if known:
        return 1.0, known.record.id
    number = exact.get(exact_form(candidate.text))
    return None if number is None else (1.0, number)


def _near(text: str, scores: Vectors, others: Sequence[str], threshold: float) -> tuple[float, int] | None:
    """Return cosine and number of the closest other text that nothing distinguishes from this one."""
    over = np.flatnonzero(scores >= threshold)
    for number in over[np.argsort(-scores[over], kind="stable")][:_NEIGHBOURS]:
        if distinguished(text, others[int(number)]) is None:
            return float(scores[number]), int(number)
    return None
