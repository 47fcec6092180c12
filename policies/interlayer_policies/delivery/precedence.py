"""Which rules govern a situation: scope, effective dates, then precedence among rules about the same thing.

Pure. Two laws hold. Every rule in scope is either delivered or listed as overridden. And a rule is overridden only
by one that certainly stands wherever it does: what the caller left out of the call can add rules, but never take one
away. So what is only perhaps out displaces nothing, and what is only perhaps in lifts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from interlayer_policies.delivery.answers import Clash, Overridden
from interlayer_policies.delivery.scope import Mask
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot, bound, opposite
from interlayer_policies.delivery.waivers import Waived, Waiver, waived
from interlayer_policies.document.policy import Merge, ParameterValue, Situation

_NAMED: Final = 5  # policies in a note
_NONE_WAIVED: Final = Waived({}, frozenset(), None)
_DECIDED_BY: Final = ("tier", "level", "narrower scope", "later start", "id", "id")


@dataclass(frozen=True, slots=True)
class Governing:
    """What governs: rules in the order of delivery, and the policies whose guidance may be sent.

    `assumed` are facets of which too little is known; `narrower` says whose rules apply if a given value means a
    narrower one.
    """

    rules: tuple[BoundRule, ...]
    overridden: tuple[Overridden, ...]
    conflicts: tuple[Clash, ...]
    assumed: tuple[str, ...]
    narrower: tuple[str, ...]
    in_scope: Mask
    in_force: Mask
    waivers_change_at: datetime | None = None


def govern(snapshot: Snapshot, situation: Situation, now: datetime, waivers: Sequence[Waiver] = ()) -> Governing:
    """Find what governs a situation at an instant."""
    exempt = waived(waivers, situation, now, snapshot.vocabulary) if waivers else _NONE_WAIVED
    in_scope = snapshot.scopes.in_scope(situation)
    in_force = in_scope & snapshot.scopes.in_effect(now)
    doubts = snapshot.scopes.doubts(situation)
    unknown = frozenset(doubts)
    with_rules = in_force & snapshot.has_rules
    assumed = tuple(facet for facet, mask in doubts.items() if bool((mask & with_rules).any()))
    superseded = _supersede(snapshot, in_force, unknown)
    overridden: list[Overridden] = []
    unwaived: dict[str, BoundRule] = {}
    excused: set[str] = set()
    for number in np.flatnonzero(in_force[snapshot.rule_policies]):
        rule = snapshot.rules[number]
        if rule.number in superseded.certain:
            by = superseded.certain[rule.number]
            overridden.append(_lose(rule, by, f"superseded by {by}"))
            continue
        unwaived[rule.ref] = rule
        waiver = exempt.certain.get(rule.ref)
        if waiver and waiver.rule_etag == rule.etag:
            excused.add(rule.ref)
            overridden.append(_lose(rule, f"waiver {waiver.id}", waiver.why()))
    doubtful = frozenset(rule.ref for rule in unwaived.values() if rule.number in superseded.possible)
    standing, kept = unwaived, frozenset[str]()
    if exempt.possible:
        kept = frozenset(unwaived) - _settle(snapshot, unwaived, unknown, doubtful).lost
        standing = {ref: rule for ref, rule in unwaived.items() if ref not in excused}
    settled = _settle(snapshot, standing, unknown, doubtful | exempt.possible, kept)
    return Governing(
        rules=tuple(settled.merged.get(ref, rule) for ref, rule in standing.items() if ref not in settled.lost),
        overridden=(*overridden, *settled.overridden),
        conflicts=settled.conflicts,
        assumed=assumed,
        narrower=_narrower(snapshot, situation, {facet: mask & with_rules for facet, mask in doubts.items()}),
        in_scope=in_scope,
        in_force=_without(in_force, superseded.certain),
        waivers_change_at=exempt.changes_at,
    )


def _narrower(snapshot: Snapshot, situation: Situation, doubts: Mapping[str, Mask]) -> tuple[str, ...]:
    """Say of each given value that perhaps means a narrower one which policies apply if it does."""
    found: list[str] = []
    for facet, mask in doubts.items():
        if facet in situation and mask.any():
            ids = [snapshot.editions[number].policy.id for number in np.flatnonzero(mask)]
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            found.append(
                f"{facet}: {'/'.join(situation[facet])} may mean what is in it: {', '.join(ids[:_NAMED])}{more}"
            )
    return tuple(found)


def _lose(rule: BoundRule, by: str, why: str) -> Overridden:
    return Overridden(rule.edition.policy.id, rule.rule.id, by, why)


@dataclass(frozen=True, slots=True)
class _Superseded:
    """Policy number -> id of the policy that supersedes it wherever it applies; and those that may be superseded."""

    certain: Mapping[int, str]
    possible: frozenset[int]


def _supersede(snapshot: Snapshot, in_force: Mask, unknown: Iterable[str]) -> _Superseded:
    certain: dict[int, str] = {}
    possible: set[int] = set()
    for number, target in snapshot.superseding:
        if not (in_force[number] and in_force[target]):
            continue
        if snapshot.scopes.applies_wherever(number, target, unknown):
            certain.setdefault(target, snapshot.editions[number].policy.id)
        else:
            possible.add(target)
    return _Superseded(certain, frozenset(possible))


def _without(mask: Mask, numbers: Iterable[int]) -> Mask:
    rest = mask.copy()
    rest[list(numbers)] = False
    return rest


@dataclass(frozen=True, slots=True)
class _Settled:
    """How contests end: who lost, winners with the values of those whom they override, and what is left open."""

    lost: frozenset[str]
    merged: Mapping[str, BoundRule]
    overridden: tuple[Overridden, ...]
    conflicts: tuple[Clash, ...]


def _settle(
    snapshot: Snapshot,
    standing: Mapping[str, BoundRule],
    unknown: frozenset[str],
    doubtful: frozenset[str],
    kept: frozenset[str] = frozenset(),
) -> _Settled:
    """Decide between the rules that stand; one that may be out itself (`doubtful`) displaces none.

    Those `kept` were delivered before waivers let others stand, and are delivered beside these.
    """
    rivals = {
        ref: present
        for ref in standing
        if ref in snapshot.rivals and (present := [one for one in snapshot.rivals[ref] if one.ref in standing])
    }

    def displaces(winner: BoundRule, loser: BoundRule) -> bool:
        """Whether a rival surely holds wherever the loser does, or else gives way to what overrides the loser too.

        Adding a facet makes fewer rules stand, and fewer of them doubtful: this never turns from true to false.
        """
        if winner.ref in doubtful or not snapshot.scopes.applies_wherever(winner.number, loser.number, unknown):
            return False
        against = {one.ref for one in rivals[loser.ref]}
        return all(one.ref in against for one in rivals.get(winner.ref, ()))

    displaced = {ref for ref, present in rivals.items() if any(displaces(one, standing[ref]) for one in present)}
    lost = displaced - kept
    losers: dict[str, list[BoundRule]] = {}
    overridden: list[Overridden] = []
    for ref in sorted(lost):
        rule = standing[ref]
        winner = next(one for one in rivals[ref] if one.ref not in lost and displaces(one, rule))
        losers.setdefault(winner.ref, []).append(rule)
        overridden.append(_lose(rule, winner.ref, _why(winner, rule)))
    return _Settled(
        lost=frozenset(lost),
        merged={ref: _merge(standing[ref], beaten) for ref, beaten in losers.items()},
        overridden=tuple(overridden),
        conflicts=_conflicts(
            snapshot,
            {ref: rule for ref, rule in standing.items() if ref not in lost},
            {ref: present for ref, present in rivals.items() if ref not in displaced & kept},
        ),
    )


def _conflicts(
    snapshot: Snapshot, delivered: Mapping[str, BoundRule], rivals: Mapping[str, Sequence[BoundRule]]
) -> tuple[Clash, ...]:
    """List what is delivered by key although one of the rules requires what another forbids, or may override it."""
    by_key: dict[str, list[BoundRule]] = {}
    for rule in delivered.values():
        if rule.rule.key in snapshot.contested:
            by_key.setdefault(str(rule.rule.key), []).append(rule)
    found: list[Clash] = []
    for key, rules in sorted(by_key.items()):
        ordered = sorted(rules, key=lambda rule: rule.rank)
        refs = {rule.ref for rule in ordered}
        opposed = [one for one in ordered if any(opposite(one, other) for other in ordered)]
        open_ = {ref: [one.ref for one in rivals.get(ref, ()) if one.ref in refs] for ref in refs}
        undecided = {
            *(ref for ref, others in open_.items() if others),
            *(one for many in open_.values() for one in many),
        }
        if opposed:
            found.append(Clash(key, tuple(rule.ref for rule in opposed), "one requires what the other forbids"))
        elif undecided:
            why = "which of them applies depends on facets not given"
            found.append(Clash(key, tuple(rule.ref for rule in ordered if rule.ref in undecided), why))
    return tuple(found)


def merging(winner: BoundRule, loser: BoundRule) -> dict[str, Merge]:
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
            for name, merge in merging(winner, loser).items():
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
    if loser.ref in winner.rule.overrides:
        return "overrides it by name"
    if loser.rule.level == winner.rule.level and (names := merging(winner, loser)):
        return f"same key, merged: {', '.join(sorted(names))}"
    decided = next(
        (name for name, a, b in zip(_DECIDED_BY, winner.rank, loser.rank, strict=True) if a != b), _DECIDED_BY[-1]
    )
    return f"same key, {decided}"
