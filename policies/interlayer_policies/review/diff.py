"""What publishing some policies would come to: what changes in words, for whom, and what calls of late would get."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.situation import read_situation
from interlayer_policies.delivery.sizes import tokens_of
from interlayer_policies.delivery.snapshot import Edition, Snapshot, bound
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.policy import (
    Effective,
    Parameter,
    Policy,
    Problem,
    Rule,
    Scope,
    filled,
    folded,
    written,
)
from interlayer_policies.document.vocabulary import VOCABULARY_FILE

Kind = Literal["same", "removed", "added"]
FrozenSituation = tuple[tuple[str, tuple[str, ...]], ...]
"""A situation as it can be counted."""

Words = tuple[tuple[Kind, str], ...]
"""A text as parts that stay, go and come."""

_TOKEN: Final = re.compile(r"\s+|[^\W_]+|[\W_]")
_CONTEXT: Final = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of a policy that changes: what it is, and its words before and after."""

    what: str
    words: Words


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """What becomes of a policy. `scopes` are those before and after; tokens are of the rules as delivered."""

    id: str
    outcome: Literal["added", "changed", "removed"]
    lines: tuple[Line, ...]
    scopes: tuple[str, ...]
    rule_tokens_before: int
    rule_tokens_after: int


@dataclass(frozen=True, slots=True)
class CallDifference:
    """How the rules of calls of late with these facets would differ; `calls` is how many there were."""

    agent: str
    facets: Mapping[str, tuple[str, ...]]
    calls: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The whole: policies by id, and calls, most frequent first. `replayed` counts all calls that were looked at.

    `approvals` are groups of each of whom one has to agree; `warnings` name prose that says former values.
    """

    policies: tuple[PolicyDifference, ...]
    calls: tuple[CallDifference, ...] = ()
    replayed: int = 0
    rule_tokens_before: int = 0
    rule_tokens_after: int = 0
    approvals: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[Problem, ...] = ()


def policy_differences(before: Mapping[str, Policy], after: Mapping[str, Policy]) -> Iterator[PolicyDifference]:
    """Yield what changes between two sets, by policy id; a policy that reads the same is left out."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        lines = tuple(_lines(old, new))
        if old and new and not lines:
            continue
        yield PolicyDifference(
            id=name,
            outcome="changed" if old and new else "added" if new else "removed",
            lines=lines,
            scopes=tuple(dict.fromkeys(scope_text(one.scope) for one in (old, new) if one)),
            rule_tokens_before=rule_tokens([old]),
            rule_tokens_after=rule_tokens([new]),
        )


def vocabulary_differences(before: Snapshot, after: Snapshot) -> Iterator[PolicyDifference]:
    """Yield what changes in the vocabulary that is published with the set, if anything."""
    old, new = _values(before), _values(after)
    lines = tuple(
        Line(what, words_changed(old.get(what, ""), new.get(what, "")))
        for what in dict.fromkeys([*old, *new])
        if old.get(what) != new.get(what)
    )
    if lines:
        yield PolicyDifference(VOCABULARY_FILE, "changed", lines, ("every call",), 0, 0)


def _values(snapshot: Snapshot) -> dict[str, str]:
    """Return the values of a set with their places in the vocabulary; a bare one that a scope names is left out."""
    named = {(facet, one) for scope in snapshot.scopes.scopes for facet, patterns in scope.limits for one in patterns}
    return {
        f"{facet} {value.name}": "; ".join(
            f"{what}: {', '.join(names)}"
            for what, names in (("in", value.parents), ("aliases", value.aliases))
            if names
        )
        or "declared"
        for facet, values in snapshot.vocabulary.values.items()
        for value in values
        if value.parents or value.aliases or (facet, folded(value.name)) not in named
    }


def call_differences(
    before: Snapshot, after: Snapshot, calls: Counter[FrozenSituation], now: datetime, waivers: Sequence[Waiver]
) -> Iterator[CallDifference]:
    """Yield how the rules delivered in these situations would change, the most frequent situation first."""
    for situation, count in calls.most_common():
        known = dict(situation)
        then, soon = (
            {rule.ref: rule.etag for rule in govern(one, read_situation(known, one.vocabulary), now, waivers).rules}
            for one in (before, after)
        )
        gained, lost = sorted(soon.keys() - then.keys()), sorted(then.keys() - soon.keys())
        changed = sorted(ref for ref in then.keys() & soon.keys() if then[ref] != soon[ref])
        if gained or lost or changed:
            agent = "/".join(known.pop("agent", ("",)))
            yield CallDifference(agent, known, count, tuple(gained), tuple(lost), tuple(changed))


def rule_tokens(policies: Iterable[Policy | None]) -> int:
    """Return the estimated tokens of all rules of these policies as they are delivered."""
    editions = [Edition(policy, 1) for policy in policies if policy]
    return tokens_of(
        sum(bound(0, e, rule, e.policy.values).json_bytes for e in editions for rule in e.policy.rules_in_force)
    )


def scope_text(scope: Scope) -> str:
    """Return a scope in words."""
    return ", ".join(f"{facet}={'|'.join(patterns)}" for facet, patterns in scope.limits) or "every call"


def words_changed(before: str, after: str) -> Words:
    """Return a word diff; equal stretches between changes are cut to what is needed to find the place."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    parts: list[tuple[Kind, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(("same", "".join(old[i:j])))
            continue
        if j > i:
            parts.append(("removed", "".join(old[i:j])))
        if m > k:
            parts.append(("added", "".join(new[k:m])))
    last = len(parts) - 1
    return tuple(
        (kind, _shorten(text, number == 0, number == last)) if kind == "same" else (kind, text)
        for number, (kind, text) in enumerate(parts)
    )


def _shorten(text: str, first: bool, last: bool) -> str:
    if len(text) <= 2 * _CONTEXT:
        return text
    head = "" if first else text[:_CONTEXT]
    return f"{head}…{'' if last else text[-_CONTEXT:]}"


def _lines(old: Policy | None, new: Policy | None) -> Iterator[Line]:
    before, after = _describe(old), _describe(new)
    for what in dict.fromkeys([*before, *after]):
        was, now = before.get(what, ""), after.get(what, "")
        if was != now:
            yield Line(what, words_changed(was, now))


def _describe(policy: Policy | None) -> dict[str, str]:
    """Return everything of a policy that says something, by what it is."""
    if policy is None:
        return {}
    found = {
        "title": policy.title,
        "description": policy.description,
        "owner": policy.owner,
        "tier": policy.tier,
        "trial": "in trial: delivered to nobody" if policy.trial else "",
        "scope": scope_text(policy.scope),
        "effective": _span(policy),
        "supersedes": ", ".join(policy.supersedes),
        "approvers": str(policy.approvers),
        "tier_approvers": "; ".join(f"{tier}: {who}" for tier, who in policy.tier_approvers.items()),
        "params": "; ".join(_parameter(name, one) for name, one in policy.parameters.items()),
    }
    found |= {f"rule {rule.id}": _rule(rule, policy) for rule in policy.rules}
    found |= {f"section {section.id}": f"{section.title}\n{section.text}" for section in policy.sections}
    return {what: text for what, text in found.items() if text}


def _rule(rule: Rule, policy: Policy) -> str:
    check = f" [check {rule.check.kind}{_options(rule.check.filled(policy.values).options)}]" if rule.check else ""
    key = f" [key {rule.key}]" if rule.key else ""
    remedy = f" [remedy: {filled(rule.remedy, policy.values)}]" if rule.remedy else ""
    overrides = f" [overrides {', '.join(rule.overrides)}]" if rule.overrides else ""
    trial = " [in trial]" if rule.trial else ""
    return f"{rule.level}: {filled(rule.text, policy.values)}{key}{overrides}{check}{remedy}{trial}"


def _parameter(name: str, one: Parameter) -> str:
    return f"{name} = {written(one.value)}" + (f" ({one.merge})" if one.merge else "")


def _options(options: Mapping[str, Any]) -> str:
    return "".join(
        f"; {name}: {written(tuple(map(str, value)) if isinstance(value, list) else value)}"
        for name, value in options.items()
    )


def _span(policy: Policy) -> str:
    return str(policy.effective) if policy.effective != Effective() else ""
