"""A text against the rules that govern a situation: what it breaks, and what nobody looked at."""

from typing import Final

from interlayer_policies.checks.draft import Draft
from interlayer_policies.delivery.answers import CheckAnswer, Violation
from interlayer_policies.delivery.precedence import Governing
from interlayer_policies.delivery.snapshot import Snapshot
from interlayer_policies.document.policy import BINDING_LEVELS

VIOLATIONS_MAX: Final = 50


def check_text(
    snapshot: Snapshot, governing: Governing, text: str, degraded: tuple[str, ...], notes: tuple[str, ...] = ()
) -> CheckAnswer:
    """Return the answer, its receipt's id still empty; `notes` say which of the caller's values were not understood."""
    draft = Draft(text)
    violations: list[Violation] = []
    not_checked: list[str] = []
    for rule in governing.rules:
        checker = snapshot.checker(rule)
        if checker is None:
            not_checked.append(rule.ref)
            continue
        policy = rule.edition.policy
        violations += [
            Violation(
                policy_id=policy.id,
                version=rule.edition.version,
                rule_id=rule.rule.id,
                level=rule.rule.level,
                start=span.start,
                end=span.end,
                excerpt=draft.excerpt(span),
                remedy=rule.remedy,
            )
            for span in checker(draft)
        ]
    violations.sort(key=lambda violation: (violation.start, violation.end, violation.policy_id, violation.rule_id))
    return CheckAnswer(
        compliant=not any(violation.level in BINDING_LEVELS for violation in violations),
        violations=tuple(violations[:VIOLATIONS_MAX]),
        more=max(0, len(violations) - VIOLATIONS_MAX),
        not_checked=tuple(not_checked),
        assumed=(*governing.assumed, *governing.narrower, *notes),
        revision=snapshot.revision,
        degraded=degraded,
        receipt_id="",
    )
