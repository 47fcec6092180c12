"""A text against the rules that govern a situation: what it breaks, and what nobody looked at."""

from typing import Final

from interlayer_policies.checks.draft import Draft, Span
from interlayer_policies.checks.findings import Finding
from interlayer_policies.delivery.answers import CheckAnswer, Doubt, Violation
from interlayer_policies.delivery.precedence import Governing
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot
from interlayer_policies.document.policy import BINDING_LEVELS

VIOLATIONS_MAX: Final = 50


def check_text(
    snapshot: Snapshot, governing: Governing, text: str, degraded: tuple[str, ...], notes: tuple[str, ...] = ()
) -> CheckAnswer:
    """Return the answer, its receipt's id still empty; `notes` say which of the caller's values were not understood."""
    draft = Draft(text)
    violations: list[Violation] = []
    doubtful: list[Doubt] = []
    not_checked: list[str] = []
    for rule in governing.rules:
        checker = snapshot.checker(rule)
        if checker is None:
            not_checked.append(rule.ref)
            continue
        for one in checker.findings(draft):
            if one.why is None:
                violations.append(_violation(rule, draft, one))
            else:
                doubtful.append(Doubt(rule.edition.policy.id, rule.rule.id, one.start, one.end, one.why))
    violations.sort(key=lambda violation: (violation.start, violation.end, violation.policy_id, violation.rule_id))
    doubtful.sort(key=lambda doubt: (doubt.start, doubt.end, doubt.policy_id, doubt.rule_id))
    return CheckAnswer(
        compliant=not any(violation.level in BINDING_LEVELS for violation in violations),
        violations=tuple(violations[:VIOLATIONS_MAX]),
        more=max(0, len(violations) - VIOLATIONS_MAX),
        doubtful=tuple(doubtful[:VIOLATIONS_MAX]),
        not_checked=tuple(not_checked),
        assumed=(*governing.assumed, *governing.narrower, *notes),
        revision=snapshot.revision,
        degraded=degraded,
        receipt_id="",
    )


def _violation(rule: BoundRule, draft: Draft, found: Finding) -> Violation:
    policy = rule.edition.policy
    return Violation(
        policy_id=policy.id,
        version=rule.edition.version,
        rule_id=rule.rule.id,
        level=rule.rule.level,
        start=found.start,
        end=found.end,
        excerpt=draft.excerpt(Span(found.start, found.end)),
        remedy=rule.remedy,
    )
