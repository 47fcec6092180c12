"""What a checked candidate adds to an entity: a new fact, or one more voice for a known one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from interlayer.language.comparison.judgement import compare
from interlayer.language.comparison.restatement import restate_in_parts
from interlayer.language.comparison.statement import Statement
from interlayer.language.comparison.tokens import exact_form
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.terms import content_words, stem
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.records import Confirmation, FactId, FactRecord
from interlayer.memory.requests import FactCandidate
from interlayer.models.embedder import Vectors
from interlayer.models.scale import Scale

_NEAR: Final = 0.3  # cosine under which meaning proposes nobody to be compared
_TOGETHER: Final = 0.6  # cosine of statements that may say together what a line of several claims does
_NEIGHBOURS: Final = 8  # proposed by meaning
_SHARING: Final = 4  # proposed by their words, where the meaning of a language is hardly known to the model
_ROWS: Final = 256  # candidates compared at a time: bounds the memory that a long document takes


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a candidate. Other facts are named by id, or by their number in the call.

    `supersedes` are older facts that cannot be so any more, `superseded_by` newer ones that the candidate comes too
    late for, `opposed` those observed at the very same time, of which both stand. `likely` are facts that it probably
    replaces or is replaced by, `alike` those that say much the same: with both, all stay current. Closest first.

    `replaces` are facts that it takes the place of because somebody said so. `ended` says that it is over, `closes`
    names other words for the same. `note` is what its caller should know, `meant` what he may have meant.
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
    replaces: tuple[str | int, ...] = ()
    ended: bool = False
    closes: tuple[str | int, ...] = ()
    note: str = ""
    meant: tuple[str | int, ...] = ()


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
            seen = candidate.observed_at or observed_at
            decision = compared.same_words(candidate) or compared.judge(candidate, seen, scores, own)
            decisions.append(decision)
            if decision.outcome == "merged":
                continue
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

    def same_words(self, candidate: FactCandidate) -> Decision | None:
        """Merge a candidate into the statement in the same words, if there is one."""
        form = exact_form(candidate.text)
        fact = self._view.in_form(form)
        name = fact.record.id if fact else self._exact.get(form)
        return None if name is None else Decision(candidate, "merged", 1.0, name)

    def judge(self, candidate: FactCandidate, seen: str, scores: Vectors, own: frozenset[str]) -> Decision:
        """Decide by the closest statements, whichever of the two was observed later."""
        found: dict[Verdict, list[str | int]] = {verdict: [] for verdict in Verdict}
        older, newer, beside = list[str | int](), list[str | int](), list[str | int]()
        said, now = Statement.of(candidate.text), datetime.fromisoformat(seen)
        superseded = self._mask_superseded(len(scores))
        proposed = self._propose(candidate.text, scores, superseded)
        for place in proposed:
            cosine, at, name = float(scores[place]), self._seen[place], self._names[place]
            later_s = abs((now - datetime.fromisoformat(at)).total_seconds())
            known = Statement.of(self._texts[place])
            verdict = compare(said, known, cosine, later_s, own)
            if verdict is Verdict.SAME and not superseded[place]:
                return Decision(candidate, "merged", round(cosine, 3), name)
            if at > seen:
                verdict = compare(known, said, cosine, later_s, own)
            found[verdict].append(name)
            if verdict is Verdict.REPLACED:
                (older if at < seen else newer if at > seen else beside).append(name)
        near = [place for place in proposed if scores[place] >= _TOGETHER and not superseded[place]]
        if near and restate_in_parts(said, [Statement.of(self._texts[place]) for place in near]):
            return Decision(candidate, "merged", round(float(scores[near[0]]), 3), self._names[near[0]])
        return Decision(
            candidate,
            "added",
            supersedes=tuple(older),
            superseded_by=tuple(newer),
            opposed=tuple(beside),
            likely=(*found[Verdict.PARTLY], *found[Verdict.LIKELY]),
            alike=(*found[Verdict.ALIKE], *found[Verdict.SAME]),  # a late comer that says more than what is known
        )

    def _propose(self, text: str, scores: Vectors, superseded: NDArray[np.bool_]) -> list[int]:
        """Return the places of the statements to compare with, closest first: near in meaning, or sharing words."""
        # Those in force on their own: however often a figure has changed, its last word is among the closest of them.
        places = {*_highest(scores, _NEAR, _NEIGHBOURS)}
        if superseded.any():
            places.update(_highest(np.where(superseded, -1, scores), _NEAR, _NEIGHBOURS))
        places.update(place for place in self._view.words.sharing(text, _SHARING) if place < self.known)
        return sorted(places, key=lambda one: (-scores[one], one))

    def _mask_superseded(self, count: int) -> NDArray[np.bool_]:
        """Return (count,) bool: which statements were superseded before this call."""
        known = self._was_superseded[: self.known]
        return np.concatenate([known, np.zeros(count - len(known), dtype=np.bool_)])


def _highest(scores: Vectors, least: float, most: int) -> list[int]:
    """Return the places of the highest scores that reach the least, highest first."""
    over = np.flatnonzero(scores >= least)
    if len(over) > most:  # of thousands, only those are sorted that may be among them
        over = over[scores[over] >= np.partition(scores[over], -most)[-most]]
    return over[np.argsort(-scores[over], kind="stable")][:most].tolist()


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
            replaces=_names(one.replaces, memory_id),
            ended=one.ended,
        )
        for number, one in enumerate(decisions)
        if one.outcome == "added"
    )


def confirmations_of(
    decisions: Sequence[Decision], observed_at: str, *, beside: bool, memory_id: str
) -> Iterator[Confirmation]:
    """Yield the facts of other memories that a memory confirms, or says to be over."""
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
                replaces=_names(one.replaces, memory_id),
                ended=one.ended,
            )


def closed_by(decisions: Sequence[Decision]) -> tuple[str, ...]:
    """Return the facts that are over, beside those that decisions name themselves."""
    return tuple(dict.fromkeys(name for one in decisions for name in one.closes if isinstance(name, str)))


def _names(others: Sequence[str | int], memory_id: str) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else str(FactId.of(memory_id, one)) for one in others)
