"""The policies' own tests, run and told one by one: each rule's good and bad examples, and each of `tests:`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from interlayer_policies.checks.checks import compiled
from interlayer_policies.checks.draft import Draft
from interlayer_policies.delivery.relevance import Query
from interlayer_policies.delivery.selection import Request, select
from interlayer_policies.delivery.snapshot import Edition, Snapshot, bound
from interlayer_policies.document.policy import Expectation, Policy, Rule
from interlayer_policies.document.sections import whole_section

DEFAULT_TOKENS = 2_000
"""The budget that `tests:` are run with: that of a call that names none."""


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One test: where it stands, what it says, and what is wrong, or nothing."""

    file: str
    line: int
    name: str
    failure: str = ""
    rule: str = ""

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return not self.failure


def examples(policy: Policy) -> Iterator[Case]:
    """Yield a case for each good and bad example of the rules of a policy whose checks compile."""
    for rule in policy.rules:
        yield from _examples(policy, rule)


def _examples(policy: Policy, rule: Rule) -> Iterator[Case]:
    if rule.check is None:
        return
    values = bound(0, Edition(policy, 0), rule, policy.values).values
    try:
        check = compiled(rule.check.kind, rule.check.filled(values).options)
    except ValueError as error:
        yield Case(policy.file, rule.line, f"rule {rule.id}: check", f"check: {error}", rule.id)
        return
    for text in rule.good:
        failure = "" if not check(Draft(text)) else f"its check flags the good example {text!r}"
        yield Case(policy.file, rule.line, f"rule {rule.id} allows {text!r}", failure, rule.id)
    for text in rule.bad:
        failure = "" if check(Draft(text)) else f"its check does not flag the bad example {text!r}"
        yield Case(policy.file, rule.line, f"rule {rule.id} flags {text!r}", failure, rule.id)


def expectations(snapshot: Snapshot, queries: Mapping[str, Query], now: datetime) -> Iterator[Case]:
    """Yield a case for each expected rule and section. `queries` holds each test's task."""
    for edition in snapshot.editions:
        for expectation in edition.policy.expectations:
            request = Request(queries[expectation.task], expectation.situation, now, DEFAULT_TOKENS)
            yield from _expect(snapshot, edition.policy, expectation, request)


def failures(cases: Sequence[Case]) -> list[Case]:
    """Return those that do not hold."""
    return [case for case in cases if not case.passed]


def _expect(snapshot: Snapshot, policy: Policy, expectation: Expectation, request: Request) -> Iterator[Case]:
    answer = select(snapshot, request).whole
    rules = {f"{rule.policy_id}#{rule.rule_id}" for rule in answer.rules}
    sections = {f"{section.policy_id}#{whole_section(section.section_id)}" for section in answer.sections}
    sections |= {f"{section.policy_id}#{section.section_id}" for section in answer.sections}  # of a long one, any part
    for kind, wanted, given in (("rule", expectation.rules, rules), ("section", expectation.sections, sections)):
        for name in wanted:
            ref = name if "#" in name else f"{policy.id}#{name}"
            failure = "" if ref in given else f"test fails: {expectation.task!r} is not given {kind} {ref}"
            yield Case(policy.file, expectation.line, f"{expectation.task!r} gets {kind} {ref}", failure)
