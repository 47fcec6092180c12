"""Calls that would be given so many rules that little of their budget is left for guidance.

Rules are never trimmed, so what a scope collects is seen before it is published. Leaving a facet out never makes the
rules fewer, so the call that gives no facet is the upper bound of all, and a call that gives one value of one facet is
the upper bound of every call with this value: where that is within the cap nothing below it is looked at. What remains
is followed from each scope that the set declares, adding those that can hold with it, the heaviest first; so the work
grows with the scopes that there are, and never with the combinations that there could be. A facet has one value here:
a call that gives several tags at once can hold more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice, product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.rules import sent_rules
from interlayer_policies.delivery.sizes import DEFAULT_TOKENS, tokens_of
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.document.policy import Policy, Scope
from interlayer_policies.document.vocabulary import Vocabulary

SCOPE_TOKENS_CAP: Final = 1_200
"""For a call that gives every facet: it leaves 800 of the default budget of 2,000, room for three or four sections."""

OPEN_TOKENS_CAP: Final = 1_500
"""For a call that gives none, and is given the rules of every scope: a quarter stays for guidance."""

_ELSEWHERE: Final = "·"  # a value that no pattern matches but one that matches everything
_SHOWN: Final = 5
_CONTRIBUTORS: Final = 3
_VALUES_OF_A_SCOPE: Final = 50
_STARTS: Final = 50

_Known = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The rules of a situation in tokens as delivered, at the instant when they are most, and who brings them.

    `situation` holds the facets that make the difference, none for the call that gives no facet; `rules` are the etags
    of the policies, which stand for their rules, `count` is how many rules these are. `contributors` are policies with
    their tokens, the heaviest first.
    """

    situation: Mapping[str, tuple[str, ...]]
    is_open: bool
    tokens: int
    since: datetime | None
    rules: frozenset[str]
    count: int
    contributors: tuple[tuple[str, int], ...]

    @property
    def cap(self) -> int:
        """The tokens above which it is too much."""
        return OPEN_TOKENS_CAP if self.is_open else SCOPE_TOKENS_CAP


def crowded(policies: Sequence[Policy], vocabulary: Vocabulary) -> list[Crowd]:
    """Return the calls over their cap: the open one first, then the heaviest, at most `_SHOWN`, in a fixed order."""
    with_rules = sorted((policy for policy in policies if policy.rules_in_force), key=lambda policy: policy.id)
    if not with_rules:
        return []
    loads = _Loads(with_rules, vocabulary)
    open_call = loads.crowd({}, is_open=True)
    found = [open_call] if open_call.tokens > open_call.cap else []
    if open_call.tokens <= SCOPE_TOKENS_CAP:
        return found
    everywhere = loads.crowd(loads.given({}), is_open=False)
    if everywhere.tokens > everywhere.cap:
        return [*found, everywhere]  # every other call holds these rules too
    crowds = [loads.crowd(loads.given(known), is_open=False) for known in loads.heaviest()]
    over = sorted(
        (crowd for crowd in crowds if crowd.tokens > crowd.cap),
        key=lambda crowd: (-crowd.tokens, _frozen(crowd.situation)),
    )
    told = {crowd.rules: crowd for crowd in reversed(over)}  # several values of a facet may come to the same rules
    return [*found, *[crowd for crowd in over if told[crowd.rules] is crowd][:_SHOWN]]


@dataclass(frozen=True, slots=True)
class ScopeCost:
    """What a call with these facets is given, at the instant when that is most: rules, their tokens, who brings most.

    `call` is `open` for one that gives no facet and is given the rules of every scope, `elsewhere` for one whose facets
    no scope names, `scope` for one in a declared scope. `left` are tokens of the default budget beside the rules.
    """

    call: Literal["open", "elsewhere", "scope"]
    facets: Mapping[str, tuple[str, ...]]
    policies: int
    rules: int
    tokens: int
    left: int
    since: datetime | None
    most: tuple[tuple[str, int], ...]


def scope_costs(policies: Sequence[Policy], vocabulary: Vocabulary) -> tuple[ScopeCost, ...]:
    """Return the cost of calls: without facets, outside all scopes, then one in each declared scope, heaviest first.

    Of calls that are given the same rules only the one with the fewest facets is named.
    """
    with_rules = sorted((policy for policy in policies if policy.rules_in_force), key=lambda policy: policy.id)
    if not with_rules:
        return ()
    loads = _Loads(with_rules, vocabulary)
    everything, everybody = loads.crowd({}, is_open=True), loads.crowd(loads.given({}), is_open=False)
    costs = [_cost("open", everything), _cost("elsewhere", everybody)]
    told = {everything.rules, everybody.rules}
    scoped = [loads.crowd(loads.given(known), is_open=False) for known in loads.declared()]
    for one in sorted(scoped, key=lambda crowd: (-crowd.tokens, len(crowd.situation), _frozen(crowd.situation))):
        if one.rules not in told:
            told.add(one.rules)
            costs.append(_cost("scope", one))
    return tuple(costs)


def _cost(call: Literal["open", "elsewhere", "scope"], crowd: Crowd) -> ScopeCost:
    left = max(0, DEFAULT_TOKENS - crowd.tokens)
    policies = len(crowd.rules)
    return ScopeCost(call, crowd.situation, policies, crowd.count, crowd.tokens, left, crowd.since, crowd.contributors)


class _Loads:
    """The rules of a set by situation; sums of bytes for the search, what is delivered for the verdict."""

    def __init__(self, policies: Sequence[Policy], vocabulary: Vocabulary) -> None:
        self._snapshot = Snapshot(0, [Edition(policy, 1) for policy in policies], (), None, vocabulary=vocabulary)
        self._facets = sorted(self._snapshot.scopes.limited)
        self._bytes: NDArray[np.int64] = np.zeros(len(policies), dtype=np.int64)
        for rule in self._snapshot.rules:
            self._bytes[rule.number] += rule.json_bytes
        for number, policy in enumerate(policies):
            self._bytes[number] += self._snapshot.head_bytes(number) + _why_bytes_max(policy.scope)
        weights: Counter[Scope] = Counter()
        for policy, size in zip(policies, self._bytes.tolist(), strict=True):
            weights[policy.scope] += size
        declared = sorted(weights.items(), key=lambda one: (-one[1], one[0].limits))
        self._scopes = [scope for scope, _ in declared if scope.limits]
        starts = {policy.effective.start for policy in policies}
        self._instants = sorted(start or datetime.min.replace(tzinfo=UTC) for start in starts | {None})

    def given(self, known: Mapping[str, tuple[str, ...]]) -> _Known:
        """Return a situation that holds every facet of the set: these with what they lie in, elsewhere for the rest."""
        ancestors = self._snapshot.vocabulary.ancestors
        return {
            facet: tuple(dict.fromkeys([*values, *(above for one in values for above in ancestors(facet, one))]))
            for facet in self._facets
            for values in [known.get(facet, (_ELSEWHERE,))]
        }

    def crowd(self, situation: Mapping[str, tuple[str, ...]], *, is_open: bool) -> Crowd:
        """Find what a situation is given at the instant when that is most, the earliest of several."""
        best = Crowd({}, is_open, 0, None, frozenset(), 0, ())
        for instant in self._instants:
            governing = govern(self._snapshot, situation, instant)
            sent = sent_rules(self._snapshot, governing.rules, situation)
            by_policy = {policy.policy_id: sent.size_of(policy.etag) for policy in sent.policies}
            heaviest = sorted(by_policy.items(), key=lambda one: (-one[1], one[0]))[:_CONTRIBUTORS]
            shown = {facet: values for facet, values in situation.items() if values != (_ELSEWHERE,)}
            tokens = tokens_of(sent.size)
            if tokens > best.tokens:
                since = instant if instant.year > 1 else None
                named = tuple((name, tokens_of(size)) for name, size in heaviest)
                best = Crowd(shown, is_open, tokens, since, frozenset(sent.head_bytes), len(sent.rules), named)
        return best

    def declared(self) -> list[_Known]:
        """Return the calls that give each facet of a declared scope one of its values."""
        return [known for scope in self._scopes for known in islice(_values(scope), _VALUES_OF_A_SCOPE)]

    def heaviest(self) -> Iterator[_Known]:
        """Yield, from the heaviest declared scopes that may be over the cap, the call that each can grow to."""
        declared = self.declared()
        # What the other facets could add at most is in the tokens of a call that leaves them out.
        possible = [known for known in declared if self._tokens(known) > SCOPE_TOKENS_CAP]
        possible.sort(key=lambda known: (-self._tokens(self.given(known)), _frozen(known)))
        for known in possible[:_STARTS]:
            yield self._grow(known)

    def _grow(self, known: _Known) -> _Known:
        """Return these facets with those of further scopes that can hold as well, as long as the call gets heavier."""
        tokens = self._tokens(self.given(known))
        for scope in self._scopes:
            more = _joining(scope, known)
            if more and (wider := self._tokens(self.given({**known, **more}))) > tokens:
                known, tokens = {**known, **more}, wider
        return known

    def _tokens(self, situation: Mapping[str, tuple[str, ...]]) -> int:
        """Return an upper bound: all policies in scope, whenever they are in effect, nothing overridden."""
        return tokens_of(int(self._bytes[self._snapshot.scopes.in_scope(situation)].sum()))


def _why_bytes_max(scope: Scope) -> int:
    """Bound the bytes of `why` of a policy with this scope, given the values that are looked at here."""
    names = (len(facet.encode()) + max(len(one.encode()) for one in patterns) for facet, patterns in scope.limits)
    return len('"why":"",') + sum(size + len(" assumed, ") for size in names)


def _values(scope: Scope) -> Iterator[_Known]:
    """Yield the situations that give each facet of a scope one of its values; a pattern stands for itself.

    A facet that may have any value is left open: another scope may decide on it.
    """
    for values in product(*(patterns for _, patterns in scope.limits)):
        yield {facet: (one,) for (facet, _), one in zip(scope.limits, values, strict=True) if one != "*"}


def _joining(scope: Scope, known: _Known) -> _Known | None:
    """Find what a situation has to hold besides to fall under a scope too; None where it contradicts or does."""
    more: _Known = {}
    for facet, patterns in scope.limits:
        if facet not in known:
            more |= {} if "*" in patterns else {facet: patterns[:1]}
        elif not any(fnmatchcase(value, pattern) for value in known[facet] for pattern in patterns):
            return None
    return more or None


def _frozen(situation: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(situation.items()))
