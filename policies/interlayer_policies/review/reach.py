"""Rules that are never delivered, or never in some scope, because another one takes their place there.

Looked at before a publish, from the policies alone: whoever writes a rule is told who displaces it, where and when.
"""

from collections.abc import Iterator, Sequence

from interlayer_policies.delivery.snapshot import BoundRule, Edition, Snapshot
from interlayer_policies.document.days import first_said, last_said
from interlayer_policies.document.frontmatter import nearest
from interlayer_policies.document.policy import Policy, Problem, is_higher


def reach_problems(policies: Sequence[Policy]) -> Iterator[Problem]:
    """Yield what keeps rules from being delivered, and what claims to displace a rule and may not.

    The ids of the policies are unique.
    """
    by_id = {policy.id: policy for policy in policies}
    for policy in policies:
        yield from _supersedes(policy, by_id)
        yield from _overrides(policy, by_id)
    snapshot = Snapshot(0, [Edition(policy, 1) for policy in policies], (), None)
    for rule in snapshot.rules:
        for winner in snapshot.rivals.get(rule.ref, ()):
            if where := _displaced_where(snapshot, winner, rule):
                message = f"rule {rule.rule.id} is never delivered {where}: {winner.ref} takes its place"
                message += f" ({_how(winner, rule)})"
                yield Problem(rule.edition.policy.file, rule.rule.line, message, "warning")


def _supersedes(policy: Policy, by_id: dict[str, Policy]) -> Iterator[Problem]:
    for name in policy.supersedes:
        older = by_id.get(name)
        if older and is_higher(older.tier, policy.tier):
            message = (
                f"supersedes: {name} is of the tier {older.tier}, which one of the tier {policy.tier} never removes"
            )
            yield Problem(policy.file, 1, f"{message}; raise the tier, or change {name} itself")


def _overrides(policy: Policy, by_id: dict[str, Policy]) -> Iterator[Problem]:
    known = [f"{owner.id}#{rule.id}" for owner in by_id.values() for rule in owner.rules]
    for rule in policy.rules:
        for name in rule.overrides:
            target = by_id.get(name.partition("#")[0])
            if name not in known:
                message = f"overrides: there is no rule {name!r}; {nearest(name, known) if known else 'no rule at all'}"
            elif target and is_higher(target.tier, policy.tier):
                message = f"overrides: {name} is of the tier {target.tier}, which one of the tier {policy.tier} never "
                message += "overrides; raise the tier, or change that rule itself"
            elif name == f"{policy.id}#{rule.id}":
                message = "overrides: a rule cannot override itself"
            else:
                continue
            yield Problem(policy.file, rule.line, f"rule {rule.id}: {message}")


def _how(winner: BoundRule, rule: BoundRule) -> str:
    return "overrides it by name" if rule.ref in winner.rule.overrides else f"same key {rule.rule.key}, same parameter"


def _displaced_where(snapshot: Snapshot, by: BoundRule, rule: BoundRule) -> str:
    """Say where and when a rule displaces another one; empty where the two never meet."""
    winner, loser = by.edition.policy, rule.edition.policy
    times = winner.effective.overlap(loser.effective)
    if times is None or winner.scope.excludes(loser.scope):
        return ""
    limits = winner.scope.limits
    meeting = [(facet, values) for facet, values in limits if frozenset(values) != loser.scope.patterns(facet)]
    everywhere = snapshot.scopes.applies_wherever(by.number, rule.number, [facet for facet, _ in winner.scope.limits])
    always = times == loser.effective
    parts = [] if everywhere else ["where " + ", ".join(f"{facet}={'|'.join(values)}" for facet, values in meeting)]
    if not always:
        start = [f"from {first_said(times.start)}"] if times.start else []
        end = [f"until {last_said(times.end)}"] if times.end else []
        parts.append(" ".join([*start, *end]))
    return " ".join(parts) or "anywhere"
