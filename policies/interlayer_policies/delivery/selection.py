"""From a set, a situation and a task to an answer. Pure: the same input on the same set gives the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from interlayer.ids import timestamp
from interlayer_policies.delivery.answers import Budget, ContextAnswer, DeliveredRule
from interlayer_policies.delivery.packing import bytes_of, candidates, json_bytes, packed, tokens_of
from interlayer_policies.delivery.precedence import Governing, govern
from interlayer_policies.delivery.relevance import Query, Relevance
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot, digest
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.policy import Scope, Situation

ALGORITHM: Final = "4"
"""Part of every answer's etag; goes up when the same set may be selected from differently."""

_RECEIPT_ID: Final = "rc_0000000000000000"


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks for. `max_tokens` bounds the whole answer, rules excepted.

    `notes` say which of the caller's values were not understood.
    """

    task: Query
    situation: Situation
    now: datetime
    max_tokens: int
    have: frozenset[str] = frozenset()
    if_etag: str | None = None
    degraded: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What governs, whole, and what of it the caller is sent."""

    whole: ContextAnswer
    answer: ContextAnswer


def select(snapshot: Snapshot, request: Request) -> Selection:
    """Return the selection; the answers have a placeholder where the receipt's id belongs."""
    governing = govern(snapshot, request.situation, request.now, request.waivers)
    sized = _whole_answer(snapshot, governing, request)
    whole = sized.answer
    if request.if_etag is not None and request.if_etag == whole.etag:
        answer = replace(
            whole, unchanged=True, rules=(), sections=(), omitted=(), overridden=(), conflicts=(), assumed=()
        )
    else:
        answer = _without_held(whole, request.have)
    return Selection(whole, _with_budget(answer, request.max_tokens, sized.sizes))


def rule_bytes(rules: Sequence[BoundRule], situation: Situation) -> dict[str, int]:
    """Return etag -> bytes of each rule in the answer to this situation."""
    return _deliver(rules, situation)[1]


@dataclass(frozen=True, slots=True)
class _Sized:
    """An answer and, by etag, the bytes of its rules and sections."""

    answer: ContextAnswer
    sizes: Mapping[str, int]


def _whole_answer(snapshot: Snapshot, governing: Governing, request: Request) -> _Sized:
    """Return the answer to a caller that holds nothing yet, and the bytes of its parts."""
    rules, rule_sizes = _deliver(governing.rules, request.situation)
    in_scope = np.flatnonzero(governing.in_scope[snapshot.section_policies])
    relevance = snapshot.index.relevance(request.task, in_scope)
    bare = ContextAnswer(
        etag="0" * 12,
        revision=snapshot.revision,
        unchanged=False,
        rules=(),
        sections=(),
        held=(),
        omitted=(),
        overridden=governing.overridden,
        conflicts=governing.conflicts,
        assumed=(*governing.assumed, *governing.narrower, *request.notes),
        budget=Budget(request.max_tokens, request.max_tokens, request.max_tokens, 0),
        valid_until=_valid_until(snapshot, governing, relevance, request.now),
        degraded=request.degraded,
        receipt_id=_RECEIPT_ID,
    )
    found = candidates(snapshot, governing, relevance)
    taken = json_bytes(bare) + sum(rule_sizes.values())
    choice = packed(found, bytes_of(request.max_tokens) - taken)
    etag = digest(
        ALGORITHM,
        [rule.etag for rule in rules],
        sorted(section.etag for section in choice.sections),
        bare.overridden,
        bare.conflicts,
        bare.assumed,
    )
    answer = replace(bare, etag=etag, rules=rules, sections=choice.sections, omitted=choice.omitted)
    return _Sized(answer, rule_sizes | {c.section.etag: c.size for c in found})


def _without_held(answer: ContextAnswer, have: frozenset[str]) -> ContextAnswer:
    if not have:
        return answer
    everything = [*answer.rules, *answer.sections]
    return replace(
        answer,
        rules=tuple(rule for rule in answer.rules if rule.etag not in have),
        sections=tuple(section for section in answer.sections if section.etag not in have),
        held=tuple(entry.etag for entry in everything if entry.etag in have),
    )


def _with_budget(answer: ContextAnswer, maximum: int, sizes: Mapping[str, int]) -> ContextAnswer:
    rules = sum(sizes[rule.etag] for rule in answer.rules)
    sections = sum(sizes[section.etag] for section in answer.sections)
    used = tokens_of(json_bytes(replace(answer, rules=(), sections=())) + rules + sections)
    return replace(answer, budget=Budget(maximum, used, tokens_of(rules), max(0, used - maximum)))


def _deliver(rules: Sequence[BoundRule], situation: Situation) -> tuple[tuple[DeliveredRule, ...], dict[str, int]]:
    """Return the rules as they are sent, and etag -> bytes in the answer with the comma that parts them."""
    reasons: dict[Scope, tuple[str, int]] = {}
    delivered: list[DeliveredRule] = []
    sizes: dict[str, int] = {}
    for bound in rules:
        policy = bound.edition.policy
        if policy.scope not in reasons:
            reason = _reason(policy.scope, situation)
            reasons[policy.scope] = reason, json_bytes(reason)
        why, why_bytes = reasons[policy.scope]
        delivered.append(
            DeliveredRule(
                policy.id, bound.edition.version, bound.rule.id, bound.rule.level, bound.text, why, bound.etag
            )
        )
        sizes[bound.etag] = bound.json_bytes + why_bytes - 1  # the quotes of `why` were counted, the comma was not
    return tuple(delivered), sizes


def _reason(scope: Scope, situation: Situation) -> str:
    if not scope.limits:
        return "scope: all"
    known = [f"{facet}={'/'.join(situation[facet])}" for facet, _ in scope.limits if facet in situation]
    assumed = [f"{facet} assumed" for facet, _ in scope.limits if facet not in situation]
    return "scope: " + ", ".join([*known, *assumed])


def _valid_until(snapshot: Snapshot, governing: Governing, relevance: Relevance, now: datetime) -> str | None:
    """Return when time alone next changes this selection: a policy in scope with rules, or with relevant sections."""
    matters = governing.in_scope & snapshot.has_rules
    matters[snapshot.section_policies[relevance.among[relevance.passes]]] = True
    ends, boundary = governing.waivers_change_at, snapshot.scopes.next_boundary(matters, now)
    soonest = min((at for at in (boundary, ends) if at), default=None)
    return timestamp(soonest) if soonest else None
