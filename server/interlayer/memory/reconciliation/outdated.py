"""Current facts of which a part is surely outdated: nobody is shown that as current, and what they say beside it stays.

"They have 600 users on the Team plan" is followed by "They have 460 users, not 600", and a job title by the next one.
"""

from collections.abc import Collection, Iterable

from interlayer.language.comparison.judgement import compare
from interlayer.language.comparison.statement import Statement
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.terms import content_words, stem
from interlayer.memory.entities.fact_state import FactState
from interlayer.memory.entities.view import EntityView
from interlayer.memory.log.properties import PropertyState

_MEANT: float = 1.0  # in place of a cosine: the two are linked
_LATER_S: float = 86_400.0


def outdated_in_part(numbers: Iterable[int], view: EntityView, names: Collection[str]) -> frozenset[int]:
    """Return which facts, by number, say something that a newer fact or value takes the place of.

    `names` are the entity's.
    """
    own = frozenset(stem(word) for name in names for word in content_words(name))
    displaced = _displaced(view)
    return frozenset(
        number
        for number in numbers
        if (fact := view.ordered[number]).is_current
        and (_states(fact, displaced) or (number in view.groups.newer and _gives_way_in_part(fact, own)))
    )


def _displaced(view: EntityView) -> dict[str, list[tuple[int, int]]]:
    """Map memories to where in their content values stand that are displaced since."""
    found: dict[str, list[tuple[int, int]]] = {}
    for state in view.properties.values():
        for seen in () if isinstance(state.value, list) else state.history:
            said = seen.observation
            if said.span and said.value != state.value and not said.remove and _is_before(said.observed_at, state):
                found.setdefault(seen.memory_id, []).append(said.span)
    return found


def _is_before(observed_at: str, state: PropertyState) -> bool:
    return observed_at < state.basis.observation.observed_at


def _states(fact: FactState, displaced: dict[str, list[tuple[int, int]]]) -> bool:
    """Whether a displaced value was read from a fact."""
    span = fact.record.span
    return span is not None and any(
        start < span[1] and span[0] < end for start, end in displaced.get(fact.memory.id, ())
    )


def _gives_way_in_part(fact: FactState, own: frozenset[str]) -> bool:
    """Whether a newer fact surely takes the place of a part of one."""
    return any(
        other.is_current and other.seen_at > fact.seen_at and _replaces_part(other.record.text, fact.record.text, own)
        for other in fact.likely
    )


def _replaces_part(newer: str, older: str, own: frozenset[str]) -> bool:
    return compare(Statement.of(newer), Statement.of(older), _MEANT, _LATER_S, own) is Verdict.PARTLY
