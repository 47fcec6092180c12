"""What is wrong with a proposed set of policies before it is published: each file, and the files together.

`lint` needs nothing but the files. `failing_expectations` runs the policies' own tests on a snapshot of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from interlayer_policies.checks.checks import bare_terms
from interlayer_policies.delivery.evidence.query import Query
from interlayer_policies.delivery.snapshot import BoundRule, Edition, Snapshot, bound, clashing
from interlayer_policies.document.days import first_said
from interlayer_policies.document.frontmatter import nearest
from interlayer_policies.document.names import fold_id, unify_references
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import (
    Check,
    Expectation,
    ParameterValue,
    Policy,
    PolicyFile,
    Problem,
    Rule,
    Severity,
)
from interlayer_policies.document.vocabulary import VOCABULARY_FILE, Vocabulary
from interlayer_policies.document.wording import wording_problems
from interlayer_policies.review.hidden_text import hidden_problems
from interlayer_policies.review.owners import owner_problems
from interlayer_policies.review.policy_tests import examples, expectations, failures
from interlayer_policies.review.reach import reach_problems
from interlayer_policies.review.rule_budget import Crowd, crowded
from interlayer_policies.review.scopes import EntityTypes, scope_problems
from interlayer_policies.starter import vocabulary_of

_TERMS_NAMED = 5


def lint(files: Sequence[PolicyFile], types: EntityTypes | None = None, zone: tzinfo = UTC) -> list[Problem]:
    """Return the problems of these files as one set, errors and warnings, by file and line.

    With the entity types of a schema, scopes are held against it too. Dates are days of the zone.
    """
    return parsed(files, types, zone)[1]


def parsed(
    files: Sequence[PolicyFile], types: EntityTypes | None = None, zone: tzinfo = UTC
) -> tuple[list[Policy], list[Problem]]:
    """Return the policies that could be read, by id, and the problems of all the files."""
    policies: list[Policy] = []
    problems: list[Problem] = []
    for file in files:
        if file.path == VOCABULARY_FILE:
            continue
        problems += hidden_problems(file)
        result = parse(file, zone)
        if isinstance(result, Policy):
            policies.append(result)
            problems += _policy_problems(result)
        else:
            problems += result
    policies = sorted(unify_references(policies), key=lambda policy: (policy.id, policy.file))
    problems += _set_problems(policies)
    vocabulary = vocabulary_of(files)
    if isinstance(vocabulary, Vocabulary):
        own = any(file.path == VOCABULARY_FILE for file in files)
        problems += scope_problems(policies, vocabulary, types, own=own)
        problems += _over_cap(policies, vocabulary)
    else:
        problems += vocabulary
    return policies, sorted(problems)


def failing_expectations(snapshot: Snapshot, queries: dict[str, Query], now: datetime) -> list[Problem]:
    """Return the policies' tests that fail on the set of this snapshot. `queries` holds each test's task."""
    return sorted(
        Problem(case.file, case.line, case.failure) for case in failures([*expectations(snapshot, queries, now)])
    )


def _policy_problems(policy: Policy) -> Iterator[Problem]:
    for rule in policy.rules:
        for message in _check_warnings(rule, policy.values):
            yield Problem(policy.file, rule.line, f"rule {rule.id}: {message}", "warning")
    yield from _example_problems(policy)


def _example_problems(policy: Policy) -> Iterator[Problem]:
    """Yield what is wrong with the rules' checks: their options, or an example that one judges wrongly."""
    for case in failures([*examples(policy)]):
        yield Problem(case.file, case.line, f"rule {case.rule}: {case.failure}")
    for rule in policy.rules:
        if rule.check is None and (rule.good or rule.bad):
            message = f"rule {rule.id}: good and bad examples need a check that judges them"
            yield Problem(policy.file, rule.line, message)


def _check_warnings(rule: Rule, values: Mapping[str, ParameterValue]) -> Iterator[str]:
    check: Check | None = rule.check
    if check is None:
        return
    if not rule.bad:
        yield "its check has no bad example, so nothing shows that it finds anything"
    bare = bare_terms(check.kind, check.filled(values).options)
    if bare and not rule.good:
        named = ", ".join(repr(term) for term in bare[:_TERMS_NAMED]) + (
            " and more" if len(bare) > _TERMS_NAMED else ""
        )
        yield (
            f"its check forbids single words ({named}), which ordinary texts use too; add good examples that show "
            "what has to stay allowed, or forbid a phrase"
        )


def _set_problems(policies: Sequence[Policy]) -> Iterator[Problem]:
    ids: dict[str, Policy] = {}
    for policy in policies:
        name = fold_id(policy.id)
        if name in ids:
            other = (
                "" if ids[name].id == policy.id else f" as {ids[name].id!r}; ids that differ only by case are one id"
            )
            yield Problem(policy.file, 1, f"policy id {policy.id!r} is already used by {ids[name].file}{other}")
        if policy.file in (one.file for one in ids.values()):
            yield Problem(policy.file, 1, "two files have this path")
        ids.setdefault(name, policy)
    by_id = {policy.id: policy for policy in policies}
    yield from _reference_problems(policies, by_id)
    yield from _clashes(policies)
    if len(ids) == len(policies):
        yield from reach_problems(policies)
    yield from wording_problems(policies)
    yield from owner_problems(policies)


def _reference_problems(policies: Sequence[Policy], by_id: dict[str, Policy]) -> Iterator[Problem]:
    for policy in policies:
        for older in policy.supersedes:
            if older in by_id and _leads_back(older, policy.id, by_id):
                yield Problem(policy.file, 1, f"supersedes: {policy.id} and {older} supersede each other")
        for expectation in policy.expectations:
            yield from _unknown_references(policy, expectation, by_id)


def _leads_back(start: str, goal: str, by_id: dict[str, Policy]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name in by_id and name not in seen:
            seen.add(name)
            waiting += by_id[name].supersedes
    return False


def _unknown_references(policy: Policy, expectation: Expectation, by_id: dict[str, Policy]) -> Iterator[Problem]:
    for kind, names in (
        ("rule", (*expectation.rules, *expectation.violations)),
        ("section", expectation.sections),
        ("rule or section", expectation.absent),
    ):
        for name in names:
            owner, _, local = name.rpartition("#")
            target = by_id.get(owner or policy.id)
            rules = [one.id for one in target.rules] if target and "rule" in kind else []
            known = [*rules, *([one.id for one in target.sections] if target and "section" in kind else [])]
            if local not in known:
                hint = nearest(local, known) if known else f"no policy {owner!r}"
                yield Problem(policy.file, expectation.line, f"test: no {kind} {name!r}; {hint}")


def _clashes(policies: Sequence[Policy]) -> Iterator[Problem]:
    by_key: dict[str, list[BoundRule]] = {}
    for policy in policies:
        for rule in policy.rules:
            if rule.key is not None and rule.level in {"must", "must_not"}:
                by_key.setdefault(rule.key, []).append(bound(0, Edition(policy, 0), rule, policy.values))
    for key, rules in sorted(by_key.items()):
        for number, rule in enumerate(rules):
            for other in rules[:number]:
                if clashing(rule, other) and _may_meet(rule.edition.policy, other.edition.policy):
                    message = f"rule {rule.rule.id} is incompatible with {other.ref}: same key {key}, same rank, one"
                    message += " requires what the other forbids; change a level, a tier or a scope"
                    tried = any(one.rule not in one.edition.policy.rules_in_force for one in (rule, other))
                    severity: Severity = "warning" if tried else "error"  # until it is promoted, one reaches nobody
                    yield Problem(rule.edition.policy.file, rule.rule.line, message, severity)


def _may_meet(first: Policy, second: Policy) -> bool:
    """Whether both policies can hold in one situation: neither their times nor their scopes exclude each other."""
    replaced = first.id in second.supersedes or second.id in first.supersedes
    meet = first.effective.overlap(second.effective) is not None and not first.scope.excludes(second.scope)
    return meet and not replaced


def _over_cap(policies: Sequence[Policy], vocabulary: Vocabulary) -> Iterator[Problem]:
    """Warn of calls that would be given more rules than leaves room for guidance, at the policy that brings most."""
    files = {policy.id: policy.file for policy in policies}
    for crowd in crowded(policies, vocabulary):
        yield Problem(files[crowd.contributors[0][0]], 1, _crowd_message(crowd), "warning")


def _crowd_message(crowd: Crowd) -> str:
    facets = ", ".join(f"{facet}={'/'.join(values)}" for facet, values in sorted(crowd.situation.items()))
    if crowd.is_open:
        who, remedy = "a call that gives no facet", "shorten rules, or make sure that agents give their facets"
    elif facets:
        who, remedy = f"a call with {facets}", "narrow scopes, shorten rules, or make guidance of what is no obligation"
    else:
        who, remedy = "every call", "give rules a scope, shorten them, or make guidance of what is no obligation"
    since = f" from {first_said(crowd.since)} on" if crowd.since else ""
    most = ", ".join(f"{name} ({tokens})" for name, tokens in crowd.contributors)
    return f"{who} is given some {crowd.tokens} tokens of rules{since}, over {crowd.cap}; most by {most}; {remedy}"
