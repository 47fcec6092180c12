"""A page of a recall answer: which facts it holds, shaped to the caller's limit and budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from interlayer.answers import as_json, display_time
from interlayer.memory.entities.fact_groups import FactGroups
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import cursor as paging
from interlayer.memory.log.properties import PropertyState
from interlayer.memory.log.records import Head, Memorized
from interlayer.memory.recall.answer import (
    KnownEntity,
    KnownFact,
    KnownProperty,
    KnownRelation,
    ObservedValue,
    Omitted,
    PendingSources,
    RecallAnswer,
)
from interlayer.memory.recall.ranking import Ranked, rank, without_query
from interlayer.memory.requests import RecallRequest
from interlayer.text.budget import json_tokens


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What earlier pages have shown. Facts newer than the first page's revision stay out: a walk comes to its end."""

    revision: int
    shown: paging.Marks
    query: str

    @classmethod
    def of(cls, request: RecallRequest, revision: int) -> "Page":
        """Return where a call stands. Raises `InvalidInput` for a cursor of another question."""
        digest = paging.digest_of(
            request.entity, request.query, tuple(request.also), request.min_confidence, request.as_of, request.known_at
        )
        if request.cursor is None:
            return cls(revision, np.empty(0, dtype=np.uint64), digest)
        (first_revision, query), shown = paging.decode(request.cursor, int, str)
        paging.check_same(query, digest)
        return cls(first_revision, shown, digest)

    def after(self, chosen: Sequence[FactState]) -> str:
        """Return the cursor that goes on behind these facts."""
        marks = [*self.shown.tolist(), *(paging.mark(fact.record.id) for fact in chosen)]
        return paging.encode([self.revision, self.query], marks)


def rank_facts(
    view: EntityView,
    request: RecallRequest,
    vector: np.ndarray[Any, np.dtype[np.float32]],
    page: Page,
    names: Sequence[str],
) -> Ranked:
    """Return the facts of a page, best first and one more than it can hold."""
    if "facts" not in request.include:
        return Ranked((), np.empty(0, dtype=np.int64))
    superseded_too = "history" in request.include or request.as_of is not None
    traits = view.traits
    eligible = (traits.confidence >= np.float32(request.min_confidence)) & (traits.revisions <= page.revision)
    if not superseded_too:
        eligible &= ~traits.superseded
    numbers = np.flatnonzero(eligible)
    end = len(page.shown) + request.limit + 1
    collapse = collapses(request)
    if request.query:
        ranked = rank(view, request.query, vector, numbers, end, names, also=request.also, collapse=collapse)
    else:
        ranked = without_query(view, numbers, end, collapse=collapse)
    if not len(page.shown):
        return ranked
    left = np.isin(traits.marks, page.shown, invert=True)
    facts = [one for one in ranked.facts if left[one[0].number]]
    return replace(ranked, facts=facts, numbers=ranked.numbers[left[ranked.numbers]])


def collapses(request: RecallRequest) -> bool:
    """Tell whether other words for the same are left to the last pages."""
    return "history" not in request.include


def frame_of(
    head: Head, view: EntityView, request: RecallRequest, relations: tuple[KnownRelation, ...]
) -> RecallAnswer:
    """Return the answer without its facts."""
    properties = (
        _property(name, state)
        for name, state in sorted(view.properties.items())
        if state.confidence >= request.min_confidence
    )
    unread = sum(isinstance(one, Memorized) and bool(one.pending) for one in view.memories.values())
    unread_why = "a model has still to read them; shown is what they say plainly"
    answer = RecallAnswer(
        found=True,
        entity=KnownEntity(
            ref=head.entity.ref,
            type=head.entity.type,
            id=head.entity.id,
            name=head.name,
            identifiers=head.identifiers,
        ),
        revision=head.revision,
        properties=tuple(properties) if "properties" in request.include else (),
        facts=(),
        relations=relations,
        omitted=Omitted(facts=0, why=""),
        pending=PendingSources(sources=unread, why=unread_why) if unread else None,
        history=tuple(_history(view)) if "history" in request.include else None,
    )
    return _trim(answer, request.max_tokens)


def _trim(answer: RecallAnswer, max_tokens: int) -> RecallAnswer:
    """Return the answer with what stands beside the facts cut, least needed first, until the budget holds."""
    for part in ("history", "relations", "properties"):
        entries: tuple[object, ...] = getattr(answer, part) or ()
        while entries and json_tokens(as_json(answer)) > max_tokens:
            entries = entries[: len(entries) // 2]
            omitted = replace(answer.omitted, **{part: "max_tokens"})
            answer = replace(answer, omitted=omitted, **{part: entries})
    return answer


def filled(
    frame: RecallAnswer,
    ranked: Ranked,
    request: RecallRequest,
    page: Page,
    groups: FactGroups,
) -> tuple[RecallAnswer, Sequence[FactState]]:
    """Return the answer with facts until the limit or the budget; it says how many were left out, and why.

    Other words for the same begin a page of their own.
    """
    behind = groups.behind if collapses(request) else {}
    left = request.max_tokens - json_tokens(as_json(frame)) - paging.CURSOR_TOKENS
    left -= paging.MARK_TOKENS * len(page.shown)
    chosen: list[FactState] = []
    facts: list[KnownFact] = []
    why = ""
    for fact, score in ranked.facts:
        if chosen and fact.number in behind and chosen[-1].number not in behind:
            why = "the same in other words"
            break
        entry = _fact(fact, score, groups)
        left -= json_tokens(as_json(entry)) + 1 + paging.MARK_TOKENS
        if len(chosen) == request.limit or (left < 0 and chosen):
            why = "limit" if len(chosen) == request.limit else "max_tokens"
            break
        facts.append(entry)
        chosen.append(fact)
    missing = len(ranked.numbers) - len(chosen)
    reasons = [f"{why}: pass next_cursor for more"] if missing else []
    if ranked.off:
        reasons.append(f"{ranked.off} have nothing to do with the query: they come without one")
    omitted = replace(frame.omitted, facts=missing + ranked.off, why="; ".join(reasons))
    cursor = page.after(chosen) if missing else None
    return replace(frame, facts=tuple(facts), omitted=omitted, next_cursor=cursor), chosen


def _fact(fact: FactState, score: float | None, groups: FactGroups) -> KnownFact:
    newer = groups.newer.get(fact.number)
    return KnownFact(
        fact_id=fact.record.id,
        text=fact.record.text,
        confidence=fact.confidence,
        score=score,
        observed_at=display_time(fact.record.observed_at),
        status="current" if fact.is_current else "superseded",
        newer=newer.record.id if newer else None,
        like=groups.like.get(fact.number),
        memory_id=fact.memory.id,
        source=fact.memory.source or "",
    )


def _property(name: str, state: PropertyState) -> KnownProperty:
    return KnownProperty(
        name=name,
        value=state.value,
        confidence=state.confidence,
        observed_at=display_time(state.observed_at),
        memory_id=state.basis.memory_id,
        source=state.basis.source or "",
    )


def _history(view: EntityView) -> Iterator[ObservedValue]:
    newest_first = sorted(view.observations(), key=lambda seen: seen.observation.observed_at, reverse=True)
    for one in sorted(newest_first, key=lambda seen: seen.observation.name):
        yield ObservedValue(
            name=one.observation.name,
            value=one.observation.value,
            observed_at=display_time(one.observation.observed_at),
            recorded_at=display_time(one.recorded_at),
            memory_id=one.memory_id,
            agent=one.agent,
            removed=one.observation.remove or None,
        )
