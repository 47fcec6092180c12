"""Which rules govern a situation: scope, effective dates, then precedence among rules about the same key.

Pure. Two laws hold. Every rule in scope is either delivered or listed as overridden. And a rule is overridden only
by one that certainly applies wherever it does (or that carries its limit on, merged): what the caller left out of
the call can add rules, but never take one away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from interlayer_policies.delivery.answers import Clash, Overridden
from interlayer_policies.delivery.scope import Mask
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot, bound
from interlayer_policies.delivery.waivers import Waived, Waiver, waived
from interlayer_policies.document.policy import Merge, ParameterValue, Scope, Situation

_NONE_WAIVED: Final = Waived({}, frozenset(), None)
_DECIDED_BY: Final = ("level", "tier", "narrower scope", "later start", "id", "id")


@dataclass(frozen=True, slots=True)
class Governing:
    """What governs: rules in the order of delivery, and the policies whose guidance may be sent."""

    rules: tuple[BoundRule, ...]
    overridden: tuple[Overridden, ...]
    conflicts: tuple[Clash, ...]
    assumed: tuple[str, ...]
    in_scope: Mask
    in_force: Mask
    waivers_change_at: datetime | None = None


def govern(snapshot: Snapshot, situation: Situation, now: datetime, waivers: Sequence[Waiver] = ()) -> Governing:
    """Find what governs a situation at an instant."""
    exempt = waived(waivers, situation, now) if waivers else _NONE_WAIVED
    in_scope = snapshot.scopes.in_scope(situation)
    in_force = in_scope & snapshot.scopes.in_effect(now)
    unknown = snapshot.scopes.unknown(situation)
    with_rules = in_force & snapshot.has_rules
    assumed = tuple(facet for facet in unknown if bool((snapshot.scopes.limited[facet] & with_rules).any()))
    superseded_by = _mask_superseded(snapshot, in_force, unknown)
    in_force_rules = [snapshot.rules[n] for n in np.flatnonzero(in_force[snapshot.rule_policies])]
    overridden = [_supersede_rule(rule, superseded_by[rule.number]) for rule in in_force_rules
                  if rule.number in superseded_by]  # fmt: skip
    standing: list[BoundRule] = []
    for rule in in_force_rules:
        waiver = exempt.certain.get(rule.ref)
        if rule.number in superseded_by:
            continue
        if waiver and waiver.rule_etag == rule.etag:
            overridden.append(Overridden(rule.edition.policy.id, rule.rule.id, f"waiver {waiver.id}", waiver.why()))
        else:
            standing.append(rule)
    contested: dict[str, list[BoundRule]] = {}
    for rule in standing:
        if rule.rule.key in snapshot.contested:
            contested.setdefault(str(rule.rule.key), []).append(rule)
    replaced: dict[str, BoundRule | None] = {}
    conflicts: list[Clash] = []
    for key in sorted(contested):
        settled = _settle(key, contested[key], frozenset(unknown), exempt.possible)
        replaced |= settled.outcome
        overridden += settled.overridden
        conflicts += settled.conflicts
    rules = (replaced.get(rule.ref, rule) for rule in standing)
    return Governing(
        rules=tuple(rule for rule in rules if rule is not None),
        overridden=tuple(overridden),
        conflicts=tuple(conflicts),
        assumed=assumed,
        in_scope=in_scope,
        in_force=_without(in_force, superseded_by),
        waivers_change_at=exempt.changes_at,
    )


def clashing(first: BoundRule, second: BoundRule) -> bool:
    """Whether one rule requires what the other forbids, with nothing to say which of them goes first."""
    return {first.rule.level, second.rule.level} == {"must", "must_not"} and first.rank[1:3] == second.rank[1:3]


def _mask_superseded(snapshot: Snapshot, in_force: Mask, unknown: Iterable[str]) -> dict[int, str]:
    """Return policy number -> id of the policy that supersedes it wherever it applies."""
    found: dict[int, str] = {}
    for number in snapshot.superseding:
        policy = snapshot.editions[number].policy
        if not in_force[number]:
            continue
        for older in policy.supersedes:
            target = snapshot.numbers.get(older)
            if target is None or not in_force[target] or target in found:
                continue
            if _applies_wherever(policy.scope, snapshot.editions[target].policy.scope, unknown):
                found[target] = policy.id
    return found


def _supersede_rule(rule: BoundRule, by: str) -> Overridden:
    return Overridden(rule.edition.policy.id, rule.rule.id, by, f"superseded by {by}")


def _without(mask: Mask, numbers: Iterable[int]) -> Mask:
    rest = mask.copy()
    rest[list(numbers)] = False
    return rest


def _applies_wherever(scope: Scope, other: Scope, unknown: Iterable[str]) -> bool:
    """Whether every value of the unknown facets that the other scope admits is admitted by this one."""
    for facet in unknown:
        admitted = scope.patterns(facet)
        if admitted and "*" not in admitted and not (other.patterns(facet) and other.patterns(facet) <= admitted):
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Settled:
    """How the rules of one key end: reference -> the rule to deliver, or None when it is overridden."""

    outcome: Mapping[str, BoundRule | None]
    overridden: list[Overridden]
    conflicts: list[Clash]


def _settle(key: str, rules: list[BoundRule], unknown: frozenset[str], doubtful: frozenset[str]) -> _Settled:
    """Return how rules of one key end; one that may be waived (`doubtful`) does not certainly hold: it beats none."""
    ordered = sorted(rules, key=lambda rule: rule.rank)
    delivered: list[BoundRule] = []
    losers: dict[str, list[BoundRule]] = {}
    overridden: list[Overridden] = []
    for rule in ordered:
        winner = next(
            (other for other in delivered if other.ref not in doubtful and _covers(other, rule, unknown)), None
        )
        if winner is None:
            delivered.append(rule)
            continue
        losers.setdefault(winner.ref, []).append(rule)
        overridden.append(Overridden(rule.edition.policy.id, rule.rule.id, winner.ref, _why(winner, rule)))
    outcome: dict[str, BoundRule | None] = {rule.ref: None for rule in rules}
    outcome |= {rule.ref: _merge(rule, losers.get(rule.ref, [])) for rule in delivered}
    conflicts: list[Clash] = []
    if len(delivered) > 1:
        opposed = any(clashing(a, b) for a in delivered for b in delivered)
        why = "one requires what the other forbids" if opposed else "which of them applies depends on facets not given"
        conflicts.append(Clash(key, tuple(rule.ref for rule in delivered), why))
    return _Settled(outcome, overridden, conflicts)


def _covers(winner: BoundRule, loser: BoundRule, unknown: frozenset[str]) -> bool:
    """Whether the loser need not be delivered beside a winner of higher rank."""
    if clashing(winner, loser):
        return False
    if _carries_on(winner, loser):
        return True
    return _applies_wherever(winner.edition.policy.scope, loser.edition.policy.scope, unknown)


def _carries_on(winner: BoundRule, loser: BoundRule) -> bool:
    """Whether every parameter of the loser merges into the winner, so that nothing of it is lost."""
    names = loser.rule.placeholders
    return bool(names) and winner.rule.level == loser.rule.level and names <= _merging(winner, loser).keys()


def _merging(winner: BoundRule, loser: BoundRule) -> dict[str, Merge]:
    """Return the parameters that both rules use and that the winner's policy declares how to merge."""
    shared = winner.rule.placeholders & loser.rule.placeholders
    parameters = winner.edition.policy.parameters
    return {
        name: merge
        for name in shared
        if (merge := parameters[name].merge) and isinstance(loser.values[name], type(winner.values[name]))
    }


def _merge(winner: BoundRule, losers: list[BoundRule]) -> BoundRule:
    values = dict(winner.values)
    for loser in losers:
        if loser.rule.level == winner.rule.level:
            for name, merge in _merging(winner, loser).items():
                values[name] = merged_value(merge, values[name], loser.values[name])
    return winner if values == winner.values else bound(winner.number, winner.edition, winner.rule, values)


def merged_value(merge: Merge, first: ParameterValue, second: ParameterValue) -> ParameterValue:
    """Return two values of one parameter as one. Both are numbers (min, max) or both are lists."""
    if isinstance(first, float) and isinstance(second, float):
        return min(first, second) if merge == "min" else max(first, second)
    if isinstance(first, tuple) and isinstance(second, tuple):
        both = set(first) | set(second) if merge == "union" else set(first) & set(second)
        return tuple(sorted(both))
    return first


def _why(winner: BoundRule, loser: BoundRule) -> str:
    if _carries_on(winner, loser):
        return f"same key, merged: {', '.join(sorted(_merging(winner, loser)))}"
    decided = next(
        (name for name, a, b in zip(_DECIDED_BY, winner.rank, loser.rank, strict=True) if a != b), _DECIDED_BY[-1]
    )
    return f"same key, {decided}"
