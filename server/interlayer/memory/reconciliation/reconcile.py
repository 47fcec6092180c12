"""What a checked candidate adds to an entity: a new fact, or one more voice for a known one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from interlayer.language.contradiction import NEAR, Claim, contradict
from interlayer.language.distinction import find_distinction
from interlayer.language.restatement import MEANING_MIN, TOGETHER_MIN, Pinned
from interlayer.language.terms import content_words, stem
from interlayer.memory.entities.view import EntityView, exact_form
from interlayer.memory.log.records import Confirmation, FactId, FactRecord
from interlayer.memory.requests import FactCandidate
from interlayer.models.embedder import Vectors
from interlayer.models.scale import Scale

# At or over this cosine, on the common scale, two statements of one entity are the same, unless the guard objects.
_DUPLICATE: Final = 0.88
_NEIGHBOURS: Final = 8
_OPPOSED: Final = 12
_ROWS: Final = 256  # candidates compared at a time: bounds the memory that a long document takes


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a candidate. Other facts are named by id, or by their number in the call.

    `supersedes` are older facts that cannot be so any more, `superseded_by` newer ones that the candidate comes too
    late for, `opposed` those observed at the very same time, of which both stand; closest first. `likely` are facts that
    probably cannot be so beside it, `alike` those that say nearly the same; all of them stand.
    """

    candidate: FactCandidate
    outcome: Literal["added", "merged"]
    similarity: float | None = None
    duplicate_of: str | int | None = None
    supersedes: tuple[str | int, ...] = ()
    superseded_by: tuple[str | int, ...] = ()
    opposed: tuple[str | int, ...] = ()
    likely: tuple[str | int, ...] = ()
    alike: tuple[str | int, ...] = ()


def reconcile(
    candidates: Sequence[FactCandidate],
    vectors: Vectors,
    view: EntityView,
    known_vectors: Vectors,
    scale: Scale,
    names: Collection[str] = (),
    observed_at: str = "",
) -> list[Decision]:
    """Return one decision a candidate, in order; `vectors` is (len(candidates), dims), `known_vectors` the view's.

    Candidates are compared with the entity's facts and with those before them in the same call. `names` are the
    entity's; `observed_at` is the time of candidates that carry none of their own.
    """
    compared = _Compared(view, len(known_vectors) if vectors.shape[1] else 0)
    own = frozenset(stem(word) for name in names for word in content_words(name))
    decisions: list[Decision] = []
    for first in range(0, len(candidates), _ROWS):
        rows = vectors[first : first + _ROWS]
        known = scale.read(rows @ known_vectors[: compared.known].T)
        among = scale.read(rows @ vectors.T)
        for row, candidate in enumerate(candidates[first : first + _ROWS]):
            added = np.array(compared.added, dtype=np.int64)
            scores = np.concatenate([known[row], among[row][added]])
            found = compared.same_words(candidate) or compared.near(candidate.text, scores)
            if found:
                decisions.append(Decision(candidate, "merged", round(found[0], 3), found[1]))
                continue
            seen = candidate.observed_at or observed_at
            older, newer, same = compared.against(candidate.text, seen, scores, own)
            decisions.append(Decision(candidate, "added", supersedes=older, superseded_by=newer, opposed=same))
            compared.add(candidate, first + row, seen)
    return decisions


class _Compared:
    """The statements that candidates are compared with: the entity's facts first, then what the call has added."""

    def __init__(self, view: EntityView, known: int) -> None:
        # Taken once: this may run in a thread while a reader brings the view up to date.
        facts = list(view.ordered)
        self.known = min(len(facts), known)
        self.added: list[int] = []
        self._view = view
        self._names: list[str | int] = [fact.record.id for fact in facts]
        self._texts = [fact.record.text for fact in facts]
        self._seen = [fact.seen_at for fact in facts]
        self._exact: dict[str, int] = {}
        self._was_superseded = view.traits.superseded

    def add(self, candidate: FactCandidate, number: int, seen: str) -> None:
        """Append a candidate of the call, by its number in it."""
        self.added.append(number)
        self._names.append(number)
        self._texts.append(candidate.text)
        self._seen.append(seen)
        self._exact.setdefault(exact_form(candidate.text), number)

    def same_words(self, candidate: FactCandidate) -> tuple[float, str | int] | None:
        """Return the statement in the same words, with the cosine 1."""
        fact = self._view.same_words(candidate.text)
        if fact:
            return 1.0, fact.record.id
        number = self._exact.get(exact_form(candidate.text))
        return None if number is None else (1.0, number)

    def near(self, text: str, scores: Vectors) -> tuple[float, str | int] | None:
        """Return cosine and name of the closest statement that nothing distinguishes from this one, or that says it."""
        pinned = Pinned.of(text)
        closest = _highest(scores, MEANING_MIN if pinned else _DUPLICATE, _NEIGHBOURS)
        for place in closest:
            known = self._texts[place]
            same = scores[place] >= _DUPLICATE and find_distinction(text, known) is None
            if same or (pinned and pinned.stands_in(known)):
                return float(scores[place]), self._names[place]
        together = [self._texts[place] for place in closest if scores[place] >= TOGETHER_MIN]
        if pinned and together and pinned.stands_in_parts(together):
            return float(scores[closest[0]]), self._names[closest[0]]
        return None

    def against(
        self, text: str, seen: str, scores: Vectors, own: frozenset[str]
    ) -> tuple[tuple[str | int, ...], tuple[str | int, ...], tuple[str | int, ...]]:
        """Find what cannot be so at one time: the older, the newer, and those of the same time, closest first."""
        found: dict[int, list[str | int]] = {-1: [], 1: [], 0: []}
        claim, now = Claim.of(text), datetime.fromisoformat(seen)
        # Those in force on their own: however often a figure has changed, its last word is among the closest of them.
        in_force = np.where(self._mask_superseded(len(scores)), -1, scores)
        places = dict.fromkeys([*_highest(in_force, NEAR, _OPPOSED), *_highest(scores, NEAR, _OPPOSED)])
        for place in sorted(places, key=lambda one: (-scores[one], one)):
            at = self._seen[place]
            later_s = abs((now - datetime.fromisoformat(at)).total_seconds())
            known = Claim.of(self._texts[place])
            pair = (claim, known) if seen >= at else (known, claim)
            if contradict(*pair, float(scores[place]), later_s, own):
                found[(at > seen) - (at < seen)].append(self._names[place])
        return tuple(found[-1]), tuple(found[1]), tuple(found[0])

    def _mask_superseded(self, count: int) -> NDArray[np.bool_]:
        """Return (count,) bool: which statements were superseded before this call."""
        known = self._was_superseded[: self.known]
        return np.concatenate([known, np.zeros(count - len(known), dtype=np.bool_)])


def _highest(scores: Vectors, least: float, most: int) -> list[int]:
    """Return the places of the highest scores that reach the least, highest first."""
    over = np.flatnonzero(scores >= least)
    return [int(place) for place in over[np.argsort(-scores[over], kind="stable")][:most]]


def facts_of(
    decisions: Sequence[Decision], memory_id: str, observed_at: str, *, beside: bool
) -> tuple[FactRecord, ...]:
    """Return the facts that a memory adds; `beside` says that it has content beside what the caller states."""
    return tuple(
        FactRecord(
            str(FactId.of(memory_id, number)),
            one.candidate.text,
            one.candidate.confidence,
            one.candidate.observed_at or observed_at,
            one.candidate.span,
            _names((*one.supersedes, *one.superseded_by, *one.opposed), memory_id),
            given=beside and one.candidate.origin == "caller",
            likely=_names(one.likely, memory_id),
            alike=_names(one.alike, memory_id),
        )
        for number, one in enumerate(decisions)
        if one.outcome == "added"
    )


def confirmations_of(decisions: Sequence[Decision], observed_at: str, *, beside: bool) -> Iterator[Confirmation]:
    """Yield the facts of other memories that a memory confirms."""
    for one in decisions:
        if isinstance(one.duplicate_of, str):
            said = one.candidate
            yield Confirmation(
                one.duplicate_of,
                one.similarity or 0.0,
                said.text,
                said.confidence,
                said.observed_at or observed_at,
                said.span,
                given=beside and said.origin == "caller",
            )


def _names(others: Sequence[str | int], memory_id: str) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else str(FactId.of(memory_id, one)) for one in others)
