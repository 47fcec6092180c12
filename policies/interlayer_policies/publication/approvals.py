"""Who has to approve a change: the approvers of what it edits, and of what it makes give way or reach fewer calls.

The second is told from what decides where the rules of a policy are delivered: the scope, as the vocabulary reads it,
and whatever may displace them. The approvers are those in force and, of the edited policies, those proposed as well.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from interlayer_policies.delivery.precedence import merging
from interlayer_policies.delivery.snapshot import BoundRule, Edition, Snapshot
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.approvers import Approvers
from interlayer_policies.document.names import fold_id, unify_references
from interlayer_policies.document.policy import Policy
from interlayer_policies.document.vocabulary import Vocabulary

Group = tuple[str, ...]
"""Names of approvers, one of whom has to agree; where it is listed twice, two different people have to."""


def asked(
    before: Snapshot, after: Snapshot, changed: Iterable[str], waivers: Sequence[Waiver] = ()
) -> dict[str, tuple[Approvers, ...]]:
    """Return policy id -> who has to agree to what becomes of it when one set follows another; nobody is left out."""
    edited = set(map(fold_id, changed))
    sets = [_policies(before), _policies(after)]
    guarded = {name for name in sets[0].keys() & sets[1].keys() - edited if _guards(sets, name)}
    touched = sorted(edited | _narrowed(before, after, guarded, waivers))
    found = {name: (*_guards(sets, name), *_resigning(sets, name)) for name in touched}
    ids = {fold_id(name): policy.id for policies in sets for name, policy in policies.items()}
    return {ids.get(name, name): tuple(dict.fromkeys(who)) for name, who in found.items() if who}


def approvers_of(snapshot: Snapshot, policy_id: str) -> tuple[Approvers, ...]:
    """Return who has to agree to a change of a policy in force."""
    return _guards([_policies(snapshot)], fold_id(policy_id))


def groups_of(approvers: Iterable[Approvers]) -> tuple[Group, ...]:
    """Return the groups of each of whom one has to agree; a group from whom several have to is there as often."""
    most: Counter[Group] = Counter()
    for one in approvers:
        group = tuple(sorted(set(one.names)))
        most[group] = max(most[group], one.quorum)
    return tuple(most.elements())


def set_of(policies: Iterable[Policy], vocabulary: Vocabulary) -> Snapshot:
    """Return the set that these policies would be, as far as its rules go."""
    ordered = sorted(unify_references(list(policies)), key=lambda policy: policy.id)
    return Snapshot(0, [Edition(policy, 0) for policy in ordered], (), None, vocabulary=vocabulary)


def _policies(snapshot: Snapshot) -> dict[str, Policy]:
    return {fold_id(edition.policy.id): edition.policy for edition in snapshot.published}


def _guards(sets: Sequence[Mapping[str, Policy]], name: str) -> tuple[Approvers, ...]:
    """Return the approvers of a policy and of its tier, as each of the sets names them."""
    of_tiers = [policy.tier_approvers for policies in sets for policy in policies.values() if policy.tier_approvers]
    found: list[Approvers] = []
    for policy in (policies[name] for policies in sets if name in policies):
        found += [policy.approvers, *(named[policy.tier] for named in of_tiers if policy.tier in named)]
    return tuple(one for one in found if one.names)


def _resigning(sets: Sequence[Mapping[str, Policy]], name: str) -> tuple[Approvers, ...]:
    """Return those whom a policy names for a tier, and would name no more as it does."""
    before, after = ({} if name not in policies else policies[name].tier_approvers for policies in sets)
    return tuple(who for tier, who in before.items() if who.names and after.get(tier) != who)


def _narrowed(before: Snapshot, after: Snapshot, names: Iterable[str], waivers: Sequence[Waiver]) -> set[str]:
    """Return the policies of whose rules one may be delivered to fewer calls than before, or say something else."""
    then, soon = _Influences(before, waivers), _Influences(after, waivers)

    def is_narrowed(name: str) -> bool:
        known = then.on(name)
        return any(threat not in known or known[threat] - shields for threat, shields in soon.on(name).items())

    return {name for name in names if is_narrowed(name)}


class _Influences:
    """What decides where the rules of a set's policies are delivered, and what they say there."""

    def __init__(self, snapshot: Snapshot, waivers: Sequence[Waiver]) -> None:
        self._snapshot = snapshot
        self._waivers = waivers
        self._numbers = {fold_id(edition.policy.id): number for number, edition in enumerate(snapshot.editions)}
        self._rules: dict[int, list[BoundRule]] = {}
        for rule in snapshot.rules:
            self._rules.setdefault(rule.number, []).append(rule)
        self._superseding: dict[int, list[int]] = {}
        for number, target in snapshot.superseding:
            self._superseding.setdefault(target, []).append(number)
        self._beaten: dict[str, list[BoundRule]] = {}
        for rule in snapshot.rules:
            for winner in snapshot.rivals.get(rule.ref, ()):
                self._beaten.setdefault(winner.ref, []).append(rule)

    def on(self, name: str) -> dict[Hashable, frozenset[Hashable]]:
        """Return each thing that takes rules of a policy out or changes them, with what keeps it from that."""
        number = self._numbers.get(name)
        if number is None:
            return {}  # all of it is in trial
        found: dict[Hashable, frozenset[Hashable]] = {("reaches", *self._reach(number)): frozenset()}
        for by in self._superseding.get(number, ()):
            says = tuple(sorted(rule.etag for rule in self._rules.get(by, ())))
            found["superseded", self._id(by), says, *self._reach(by)] = self._doubts(by)
        for rule in self._rules.get(number, ()):
            found |= self._on_rule(rule)
        return found

    def _on_rule(self, rule: BoundRule) -> dict[Hashable, frozenset[Hashable]]:
        ref = fold_id(rule.ref)
        rivals = self._snapshot.rivals.get(rule.ref, ())
        found: dict[Hashable, frozenset[Hashable]] = {}
        for rival in rivals:
            kept = tuple(sorted(merging(rival, rule).items()))
            threat = ("displaced", ref, fold_id(rival.ref), rival.etag, kept, *self._reach(rival.number))
            found[threat] = self._shields(rival, {one.ref for one in rivals})
        for winner in (rule, *rivals):
            found |= {("merges", ref, *one): frozenset() for one in self._merged(winner)}
        for waiver in self._waivers:
            if waiver.rule == rule.ref:
                found["waived", waiver.id, self._words(waiver.scope)] = frozenset()
        return found

    def _merged(self, winner: BoundRule) -> Iterator[tuple[Hashable, ...]]:
        """Yield what changes the limits that a rule says where it displaces another one."""
        for loser in self._beaten.get(winner.ref, ()):
            if loser.rule.level == winner.rule.level and (merges := merging(winner, loser)):
                values = tuple((name, merge, loser.values[name]) for name, merge in sorted(merges.items()))
                yield fold_id(winner.ref), fold_id(loser.ref), values, *self._reach(loser.number)

    def _shields(self, rival: BoundRule, against: set[str]) -> frozenset[Hashable]:
        """Return what keeps a rule from displacing another one: what displaces it and not the other, and doubt."""
        of_it = (one for one in self._snapshot.rivals.get(rival.ref, ()) if one.ref not in against)
        holding = {(fold_id(one.ref), *self._reach(one.number), self._out(one.number)) for one in of_it}
        return frozenset(holding) | self._out(rival.number) | self._doubts(rival.number)

    def _out(self, number: int) -> frozenset[Hashable]:
        """Return what takes a whole policy out."""
        return frozenset((self._id(by), *self._reach(by)) for by in self._superseding.get(number, ()))

    def _id(self, number: int) -> str:
        return fold_id(self._snapshot.editions[number].policy.id)

    def _doubts(self, number: int) -> frozenset[Hashable]:
        """Return what makes it doubtful that a policy applies: others that ask more exactly for what limits it."""
        facets = {facet for facet, _ in self._snapshot.scopes.scopes[number].limits}
        limits = {limit for scope in self._snapshot.scopes.scopes for limit in scope.limits}
        return frozenset((facet, one) for facet, patterns in limits if facet in facets for one in patterns)

    def _reach(self, number: int) -> tuple[Hashable, ...]:
        """Return which calls a policy is for, and when."""
        scope = self._snapshot.scopes.scopes[number]
        return scope, self._snapshot.editions[number].policy.effective, self._words(dict(scope.limits))

    def _words(self, facets: Iterable[str]) -> Hashable:
        """Return what words of calls mean in these facets."""
        values = self._snapshot.vocabulary.values
        return frozenset((facet, frozenset(values.get(facet, ()))) for facet in facets)
