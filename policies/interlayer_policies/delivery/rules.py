"""The rules of an answer as they are sent: each policy's head once, and first what the task itself is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from pydantic_core import to_json

from interlayer_policies.checks.draft import Draft
from interlayer_policies.delivery.answers import DeliveredPolicy, DeliveredRule
from interlayer_policies.delivery.evidence.query import Query
from interlayer_policies.delivery.precedence import Governing
from interlayer_policies.delivery.relevance import Relevance
from interlayer_policies.delivery.sizes import json_bytes
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot
from interlayer_policies.document.policy import Scope, Situation

BROKEN: Final = "the task as told breaks it"

_BROKEN_BYTES: Final = json_bytes({"why": BROKEN}) - 1

# A check that asks for words says nothing about a task, which is no draft yet.
_CHECKS_OF_DRAFTS: Final = frozenset({"require_text"})


@dataclass(frozen=True, slots=True)
class SentRules:
    """Rules as they are sent, and the heads of their policies; their bytes in the answer by the policy's etag."""

    policies: tuple[DeliveredPolicy, ...]
    rules: tuple[DeliveredRule, ...]
    head_bytes: Mapping[str, int]
    rule_bytes: Mapping[str, int]

    def size_of(self, etag: str) -> int:
        """Return the bytes of a policy with its rules."""
        return self.head_bytes[etag] + self.rule_bytes[etag]

    @property
    def size(self) -> int:
        """The bytes of everything."""
        return sum(self.head_bytes.values()) + sum(self.rule_bytes.values())


def sent_rules(snapshot: Snapshot, rules: Sequence[BoundRule], situation: Situation) -> SentRules:
    """Return rules in the order given, with the heads of their policies in the order of their first rules."""
    by_policy: dict[int, list[BoundRule]] = {}
    for rule in rules:
        by_policy.setdefault(rule.number, []).append(rule)
    reasons: dict[Scope, tuple[str | None, int]] = {}
    policies: list[DeliveredPolicy] = []
    head_bytes: dict[str, int] = {}
    rule_bytes: dict[str, int] = {}
    for number, own in by_policy.items():
        scope = snapshot.editions[number].policy.scope
        if scope not in reasons:
            reason = _reason(scope, situation)
            reasons[scope] = reason, len(to_json(reason)) + len('"why":,') if reason else 0
        why, why_bytes = reasons[scope]
        head, size = snapshot.head(number, own)
        policies.append(
            DeliveredPolicy(head.policy_id, head.version, head.title, head.tier, head.etag, why) if why else head
        )
        head_bytes[head.etag] = size + why_bytes
        rule_bytes[head.etag] = sum(rule.json_bytes for rule in own)
    return SentRules(tuple(policies), tuple(rule.delivered for rule in rules), head_bytes, rule_bytes)


def by_concern(snapshot: Snapshot, governing: Governing, task: Query, guidance: Relevance) -> list[BoundRule]:
    """Return the rules that govern: first those that the task as told breaks, then those of policies that it concerns.

    It concerns a policy whose own words or whose guidance have enough of it. Within each of the three the order stays
    as it was, so that a prompt cache keeps what it can of it.
    """
    broken = _broken(snapshot, governing.rules, task.text)
    numbers = np.unique(np.array([rule.number for rule in governing.rules], dtype=np.intp))
    concerned = {
        *numbers[snapshot.policy_index.has_words_of(task, numbers)].tolist(),
        *snapshot.section_policies[guidance.among[guidance.passes]].tolist(),
        *(rule.number for rule in governing.rules if rule.ref in broken),
    }
    marked = [
        replace(rule, delivered=replace(rule.delivered, why=BROKEN), json_bytes=rule.json_bytes + _BROKEN_BYTES)
        if rule.ref in broken
        else rule
        for rule in governing.rules
    ]
    return sorted(marked, key=lambda rule: 0 if rule.ref in broken else 1 if rule.number in concerned else 2)


def _broken(snapshot: Snapshot, rules: Sequence[BoundRule], task: str) -> frozenset[str]:
    checked = [rule for rule in rules if rule.rule.check and rule.rule.check.kind not in _CHECKS_OF_DRAFTS]
    if not checked:
        return frozenset()
    draft = Draft(task)
    return frozenset(rule.ref for rule in checked if (checker := snapshot.checker(rule)) and checker(draft))


def _reason(scope: Scope, situation: Situation) -> str | None:
    """Say why a scope holds, None for one that holds for everybody."""
    if not scope.limits:
        return None
    known = [f"{facet}={'/'.join(situation[facet])}" for facet, _ in scope.limits if facet in situation]
    assumed = [f"{facet} assumed" for facet, _ in scope.limits if facet not in situation]
    return ", ".join([*known, *assumed])
