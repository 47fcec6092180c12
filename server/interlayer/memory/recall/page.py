"""A page of a recall answer: which facts it holds, shaped to the caller's limit and budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlayer.answers import as_json, display_time
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log import cursor as paging
from interlayer.memory.log.properties import PropertyState
from interlayer.memory.log.records import Head, Memorized, interaction_of
from interlayer.memory.recall.answer import (
    KnownEntity,
    KnownFact,
    KnownProperty,
    KnownRelation,
    ObservedValue,
    Omitted,
    PendingSources,
    RecallAnswer,
    Withheld,
)
from interlayer.memory.recall.ranking import Ranked, rank, without_query
from interlayer.memory.reconciliation.outdated import outdated_in_part
from interlayer.memory.requests import RecallRequest
from interlayer.text.budget import CHARS_PER_TOKEN, json_bytes, json_tokens

_NEIGHBOURS_TOKENS: Final = 40  # for the list of them, and for how many were left out
_NEIGHBOUR_TOKENS: Final = 200  # for one with a few values and facts


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

    def after(self, marks: paging.Marks) -> str:
        """Return the cursor that goes on behind the facts of these marks."""
        return paging.encode([self.revision, self.query], np.concatenate([self.shown, marks]))


def rank_facts(
    view: EntityView,
    request: RecallRequest,
    vector: np.ndarray[Any, np.dtype[np.float32]],
    page: Page,
    names: Sequence[str],
) -> Ranked:
    """Return the facts of a page, best first and one more than it can hold."""
    if "facts" not in request.include:
        return Ranked.none()
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
    return ranked.only(np.isin(traits.marks, page.shown, invert=True))


def collapses(request: RecallRequest) -> bool:
    """Tell whether other words for the same are left to the last pages."""
    return "history" not in request.include


def frame_of(
    head: Head,
    view: EntityView,
    request: RecallRequest,
    relations: tuple[KnownRelation, ...],
    withheld: tuple[Withheld, ...],
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
        withheld=withheld or None,
        pending=PendingSources(sources=unread, why=unread_why) if unread else None,
        history=tuple(_history(view)) if "history" in request.include else None,
    )
    return _trim(answer, request.max_tokens, _most_with_relations(answer, request))


def _most_with_relations(answer: RecallAnswer, request: RecallRequest) -> int:
    """Return the tokens of an answer with relations, which leave room to what is looked for beside them.

    Half of it is for those that are followed; else facts have two thirds of what values leave.
    """
    if request.follow:
        return request.max_tokens // 2
    if "facts" not in request.include:
        return request.max_tokens
    bare = json_tokens(as_json(replace(answer, relations=())))
    return bare + max(request.max_tokens - bare, 0) // 3


def _trim(answer: RecallAnswer, max_tokens: int, with_relations: int) -> RecallAnswer:
    """Return the answer with what stands beside the facts cut, least needed first, until the budget holds."""
    most = {"history": max_tokens, "relations": with_relations, "properties": max_tokens}
    for part, tokens in most.items():
        entries: tuple[object, ...] = getattr(answer, part) or ()
        while entries and json_tokens(as_json(answer)) > tokens:
            entries = entries[: len(entries) // 2]
            omitted = replace(answer.omitted, **{part: "max_tokens"})
            answer = replace(answer, omitted=omitted, **{part: entries})
    return answer


def room_for_neighbours(frame: RecallAnswer, count: int, request: RecallRequest) -> int:
    """Return the tokens that facts of the entity itself leave to so many neighbours: up to two thirds of the room."""
    if not count:
        return 0
    left = max(request.max_tokens - json_tokens(as_json(frame)), 0)
    return min(left * 2 // 3, _NEIGHBOURS_TOKENS + count * _NEIGHBOUR_TOKENS)


def filled(
    frame: RecallAnswer,
    ranked: Ranked,
    request: RecallRequest,
    page: Page,
    view: EntityView,
    names: Sequence[str],
    kept: int = 0,
) -> tuple[RecallAnswer, Sequence[FactState]]:
    """Return the answer with facts until the limit or the budget; it says how many were left out, and why.

    So many tokens are `kept` for what else is to stand in it. Other words for the same begin a page of their own.
    What is outdated in a part is not shown as current.
    """
    superseded = view.traits.superseded.copy()
    superseded[list(outdated_in_part(ranked.best.tolist(), view, names))] = True
    left = request.max_tokens - kept - json_tokens(as_json(frame)) - paging.CURSOR_TOKENS
    left -= paging.MARK_TOKENS * len(page.shown)
    ends = {
        "the same in other words": _first_behind(ranked, view) if collapses(request) else None,
        "limit": request.limit,
        "max_tokens": max(int(np.searchsorted(np.cumsum(_tokens(ranked, view, superseded)), left, side="right")), 1),
    }
    count, why = min((end, why) for why, end in ends.items() if end is not None)
    best = ranked.best[:count]
    chosen = [view.ordered[number] for number in best.tolist()]
    missing = len(ranked.numbers) - len(chosen)
    reasons = [f"{why}: pass next_cursor for more"] if missing else []
    if ranked.off:
        reasons.append(f"{ranked.off} have nothing to do with the query: they come without one")
    return replace(
        frame,
        facts=tuple(_facts(chosen, ranked, view, superseded)),
        omitted=replace(frame.omitted, facts=missing + ranked.off, why="; ".join(reasons)),
        next_cursor=page.after(view.traits.marks[best]) if missing else None,
    ), chosen


def _first_behind(ranked: Ranked, view: EntityView) -> int | None:
    """Return the place of the first fact that begins a page of other words for the same, None if none does."""
    if not view.groups.behind:
        return None
    stands_behind = [number in view.groups.behind for number in ranked.best.tolist()]
    places = range(1, len(stands_behind))
    return next((place for place in places if stands_behind[place] and not stands_behind[place - 1]), None)


def _tokens(ranked: Ranked, view: EntityView, superseded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (n,) int64: the tokens that each of the best facts takes in an answer, with its mark in a cursor.

    The view knows the bytes of all but a few of their values: making the JSON of every fact only to count it would take
    as long as to rank them.
    """
    count = view.traits.written[ranked.best] + _keys_of(scored=ranked.scores is not None)
    count += (len("superseded") - len("current")) * superseded[ranked.best]
    if view.groups.newer or view.groups.like:
        links = [_links_of(number, view) for number in ranked.best.tolist()]
        count += np.array(links, dtype=count.dtype)  # of no facts as well
    return np.ceil(count / CHARS_PER_TOKEN).astype(np.int64) + 1 + paging.MARK_TOKENS


def _links_of(number: int, view: EntityView) -> int:
    """Return the bytes of what an answer says of other facts beside one."""
    newer, like = view.groups.newer.get(number), view.groups.like.get(number)
    links = {"newer": newer.record.id if newer else None, "like": like}
    held = {name: one for name, one in links.items() if one is not None}
    return json_bytes(held) - len("{}") + len(",") if held else 0


@cache
def _keys_of(*, scored: bool) -> int:
    """Return the bytes of the keys of a current fact, of the time and of a score, which are always as long."""
    bare = KnownFact(
        fact_id="",
        text="",
        confidence=0,
        score=0.1234 if scored else None,
        observed_at=display_time("0" * 19),
        status="current",
        memory_id="",
        source="",
    )
    return json_bytes(as_json(bare)) - 4 * len('""') - len("0")


def _facts(
    chosen: Sequence[FactState], ranked: Ranked, view: EntityView, superseded: NDArray[np.bool_]
) -> Iterator[KnownFact]:
    """Yield what an answer shows of the best facts."""
    newer, like = view.groups.newer, view.groups.like
    scores = ranked.scores if ranked.scores is not None else [None] * len(chosen)
    for fact, score in zip(chosen, scores, strict=False):  # there are scores of those that found no room too
        record, memory, over = fact.record, fact.memory, newer.get(fact.number)
        yield KnownFact(
            fact_id=record.id,
            text=record.text,
            confidence=fact.confidence,
            score=score,
            observed_at=display_time(record.observed_at),
            status="superseded" if superseded[fact.number] else "current",
            newer=over.record.id if over else None,
            like=like.get(fact.number),
            memory_id=memory.interaction,
            source=memory.source or "",
        )


def _property(name: str, state: PropertyState) -> KnownProperty:
    return KnownProperty(
        name=name,
        value=state.value,
        confidence=state.confidence,
        observed_at=display_time(state.observed_at),
        memory_id=interaction_of(state.basis.memory_id),
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
            memory_id=interaction_of(one.memory_id),
            agent=one.agent,
            removed=one.observation.remove or None,
        )
