"""From a set, a situation and a task to an answer. Pure: the same input on the same set gives the same bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from interlayer.ids import timestamp
from interlayer_policies.delivery.answers import Budget, ContextAnswer
from interlayer_policies.delivery.evidence.query import Query
from interlayer_policies.delivery.packing import candidates, packed
from interlayer_policies.delivery.precedence import Governing, govern
from interlayer_policies.delivery.relevance import Relevance
from interlayer_policies.delivery.rules import SentRules, by_concern, sent_rules
from interlayer_policies.delivery.sizes import bytes_of, json_bytes, tokens_of
from interlayer_policies.delivery.snapshot import Snapshot, digest
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.policy import Situation

ALGORITHM: Final = "5"
"""Part of every answer's etag; goes up when the same set may be selected from differently."""

GUIDANCE_SHARE: Final = 1 / 3
"""Of the caller's maximum: what guidance that is relevant may take, however much the rules take."""

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
            whole,
            unchanged=True,
            policies=(),
            rules=(),
            sections=(),
            omitted=(),
            overridden=(),
            conflicts=(),
            assumed=(),
        )
    else:
        answer = _without_held(whole, request.have)
    return Selection(whole, _with_budget(answer, request.max_tokens, sized))


@dataclass(frozen=True, slots=True)
class _Sized:
    """An answer, its rules, and the bytes of its sections by etag."""

    answer: ContextAnswer
    rules: SentRules
    sections: Mapping[str, int]


def _whole_answer(snapshot: Snapshot, governing: Governing, request: Request) -> _Sized:
    """Return the answer to a caller that holds nothing yet, and the bytes of its parts."""
    in_scope = np.flatnonzero(governing.in_scope[snapshot.section_policies])
    relevance = snapshot.index.relevance(request.task, in_scope)
    rules = by_concern(snapshot, governing, request.task, relevance)
    sent = sent_rules(snapshot, rules, request.situation)
    bare = ContextAnswer(
        etag="0" * 12,
        revision=snapshot.revision,
        unchanged=False,
        policies=(),
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
    most = bytes_of(request.max_tokens)
    choice = packed(found, most - json_bytes(bare) - sent.size, most * GUIDANCE_SHARE)
    etag = digest(
        ALGORITHM,
        sorted(policy.etag for policy in sent.policies),
        sorted(section.etag for section in choice.sections),
        bare.overridden,
        bare.conflicts,
        bare.assumed,
    )
    answer = replace(
        bare, etag=etag, policies=sent.policies, rules=sent.rules, sections=choice.sections, omitted=choice.omitted
    )
    return _Sized(answer, sent, {c.section.etag: c.size for c in found})


def _without_held(answer: ContextAnswer, have: frozenset[str]) -> ContextAnswer:
    if not have:
        return answer
    everything = [*answer.policies, *answer.sections]
    policies = tuple(policy for policy in answer.policies if policy.etag not in have)
    ids = {policy.policy_id for policy in policies}
    return replace(
        answer,
        policies=policies,
        rules=tuple(rule for rule in answer.rules if rule.policy_id in ids),
        sections=tuple(section for section in answer.sections if section.etag not in have),
        held=tuple(entry.etag for entry in everything if entry.etag in have),
    )


def _with_budget(answer: ContextAnswer, maximum: int, sized: _Sized) -> ContextAnswer:
    heads = sum(sized.rules.head_bytes[policy.etag] for policy in answer.policies)
    rules = sum(sized.rules.rule_bytes[policy.etag] for policy in answer.policies)
    sections = sum(sized.sections[section.etag] for section in answer.sections)
    rest = json_bytes(replace(answer, policies=(), rules=(), sections=()))
    used = tokens_of(rest + heads + rules + sections)
    return replace(answer, budget=Budget(maximum, used, tokens_of(rules), max(0, used - maximum)))


def _valid_until(snapshot: Snapshot, governing: Governing, relevance: Relevance, now: datetime) -> str | None:
    """Return when time alone next changes this selection: a policy in scope with rules, or with relevant sections."""
    matters = governing.in_scope & snapshot.has_rules
    matters[snapshot.section_policies[relevance.among[relevance.passes]]] = True
    ends, boundary = governing.waivers_change_at, snapshot.scopes.next_boundary(matters, now)
    soonest = min((at for at in (boundary, ends) if at), default=None)
    return timestamp(soonest) if soonest else None
