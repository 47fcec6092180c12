"""The policies' own tests, run and told one by one: each rule's good and bad examples, and each of `tests:`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from interlayer_policies.checks.checks import compiled
from interlayer_policies.checks.draft import Draft
from interlayer_policies.delivery.compliance import check_text
from interlayer_policies.delivery.evidence.query import Query
from interlayer_policies.delivery.explanation import SectionVerdict, Verdict, explain
from interlayer_policies.delivery.precedence import govern
from interlayer_policies.delivery.selection import Request
from interlayer_policies.delivery.situation import read_situation
from interlayer_policies.delivery.sizes import DEFAULT_TOKENS
from interlayer_policies.delivery.snapshot import Edition, Snapshot, bound
from interlayer_policies.document.policy import Expectation, Policy, Rule
from interlayer_policies.document.sections import whole_section

"""The budget that `tests:` are run with: that of a call that names none."""

_SHOWN: Final = 80
_ABOVE_SHOWN: Final = 3

# Of a section whose policy holds in the situation.
_HOLDING: Final[frozenset[Verdict]] = frozenset({"delivered", "not_relevant", "over_budget", "duplicate"})


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


def tasks_of(policies: Iterable[Policy]) -> list[str]:
    """Return the tasks that the tests of policies ask with."""
    return [one.task for policy in policies for one in policy.expectations if one.task]


def expectations(snapshot: Snapshot, queries: Mapping[str, Query], now: datetime) -> Iterator[Case]:
    """Yield a case for everything that a test expects. `queries` holds each test's task.

    Tests of a policy in trial, or with a rule in trial, hold for the set with its trials promoted.
    """
    for edition in snapshot.published:
        for expectation in edition.policy.expectations:
            asked = snapshot.promoted or snapshot if edition.policy.has_trial else snapshot
            test = _Test(asked, edition.policy, expectation, expectation.at or now)
            if expectation.task:
                yield from test.delivery(queries[expectation.task])
            if expectation.draft is not None:
                yield from test.violations(expectation.draft)


def failures(cases: Sequence[Case]) -> list[Case]:
    """Return those that do not hold."""
    return [case for case in cases if not case.passed]


class _Test:
    """A test at an instant, its situation in the values of the vocabulary."""

    def __init__(self, snapshot: Snapshot, policy: Policy, expectation: Expectation, at: datetime) -> None:
        self._snapshot = snapshot
        self._policy = policy
        self._expected = expectation
        self._at = at
        self._situation = read_situation(expectation.situation, snapshot.vocabulary)

    def delivery(self, query: Query) -> Iterator[Case]:
        """Yield a case for each rule and section that the task has to be given, or must not be."""
        explained = explain(self._snapshot, Request(query, self._situation, self._at, DEFAULT_TOKENS))
        answer, verdicts = explained.answer, {one.ref: one for one in explained.sections}
        relevant = self._relevant(query, verdicts)
        rules = {f"{rule.policy_id}#{rule.rule_id}" for rule in answer.rules}
        sections = {f"{section.policy_id}#{section.section_id}" for section in answer.sections}
        sections |= {whole_section(ref) for ref in sections}  # of a long one, any part
        task, expected = self._expected.task, self._expected
        for ref in map(self._ref, expected.rules):
            failure = "" if ref in rules else f"test fails: {task!r} is not given rule {ref}"
            yield self._case(f"{task!r} gets rule {ref}", failure)
        for ref in map(self._ref, expected.sections):
            failure = ""
            if ref not in sections | relevant:
                failure = f"test fails: {task!r} is not given section {ref}{_explain(verdicts, ref)}"
            yield self._case(f"{task!r} gets section {ref}", failure)
        for ref in map(self._ref, expected.absent):
            failure = f"test fails: {task!r} is given {ref}" if ref in rules | sections else ""
            yield self._case(f"{task!r} does not get {ref}", failure)

    def _relevant(self, query: Query, verdicts: Mapping[str, SectionVerdict]) -> set[str]:
        """Return the sections that hold here and that the task would be given, whatever other policies there are."""
        sections = self._snapshot.sections
        if not sections:
            return set()
        alone = self._snapshot.index.evidence(query, np.arange(len(sections))).alone
        found = [
            section
            for section, own in zip(sections, alone.tolist(), strict=True)
            if own and verdicts[f"{section.edition.policy.id}#{section.section_id}"].verdict in _HOLDING
        ]
        return {
            f"{section.edition.policy.id}#{name}"
            for section in found
            for name in (section.section_id, whole_section(section.section_id))
        }

    def violations(self, draft: str) -> Iterator[Case]:
        """Yield a case for each rule that the draft has to break, and for each of this policy's that it must not."""
        governing = govern(self._snapshot, self._situation, self._at)
        found = check_text(self._snapshot, governing, draft, ())
        broken = {f"{one.policy_id}#{one.rule_id}" for one in found.violations}
        wanted = [*map(self._ref, self._expected.violations)]
        own = sorted(ref for ref in broken if ref.startswith(f"{self._policy.id}#"))
        said = draft if len(draft) <= _SHOWN else draft[: _SHOWN - 1] + "…"
        for ref in wanted:
            failure = "" if ref in broken else f"test fails: {said!r} does not break {ref}"
            yield self._case(f"{said!r} breaks {ref}", failure)
        more = [ref for ref in own if ref not in wanted]
        failure = f"test fails: {said!r} breaks {', '.join(more)}" if more else ""
        if more or not wanted:
            yield self._case(f"{said!r} breaks {'nothing else' if wanted else 'no rule of this policy'}", failure)

    def _ref(self, name: str) -> str:
        return name if "#" in name else f"{self._policy.id}#{name}"

    def _case(self, name: str, failure: str) -> Case:
        return Case(self._policy.file, self._expected.line, name, failure)


def _explain(verdicts: Mapping[str, SectionVerdict], ref: str) -> str:
    """Say of a section what `interlayer policy explain` says of it, and which ranked above."""
    parts = [one for one in verdicts.values() if ref in (one.ref, whole_section(one.ref))]
    if not parts:
        return ""
    one = min(parts, key=_by_relevance)
    above = sorted((other for other in verdicts.values() if other.relevance > one.relevance), key=_by_relevance)
    said = f": {one.why} (relevance {one.relevance}, cosine {one.cosine}, coverage {one.coverage})"
    listed = ", ".join(f"{other.ref} {other.relevance} {other.verdict}" for other in above[:_ABOVE_SHOWN])
    return f"{said}; above it: {listed}" if listed else said


def _by_relevance(verdict: SectionVerdict) -> tuple[float, str]:
    return -verdict.relevance, verdict.ref
