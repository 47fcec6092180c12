"""Why each rule and section is in or out of an answer: what a steward asks when an agent was, or was not, told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np

from interlayer_policies.checks.checks import subjects
from interlayer_policies.delivery.answers import ContextAnswer
from interlayer_policies.delivery.packing import candidates
from interlayer_policies.delivery.precedence import Governing, govern
from interlayer_policies.delivery.relevance import Evidence
from interlayer_policies.delivery.selection import Request, select
from interlayer_policies.delivery.snapshot import BoundRule, GuidanceSection, Snapshot
from interlayer_policies.delivery.trial import Trials
from interlayer_policies.document.policy import Policy, Situation

Verdict = Literal[
    "delivered", "overridden", "waived", "out_of_scope", "not_in_effect", "superseded", "over_budget", "duplicate",
    "not_relevant", "trial",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What became of a rule."""

    ref: str
    version: int
    level: str
    text: str
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class SectionVerdict:
    """What became of a section.

    `relevance` is its fused score. `score` is what the answer says and packs by: the same, less what a section loses
    beside better ones of its policy; None for one that never competed. `cosine` is the highest of the task with it,
    `coverage` the share of the task's words in it.
    """

    ref: str
    version: int
    title: str
    verdict: Verdict
    why: str
    score: float | None
    relevance: float
    cosine: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, and why it is what it is: rules in the order of delivery, sections by score."""

    answer: ContextAnswer
    situation: Situation
    rules: tuple[RuleVerdict, ...]
    sections: tuple[SectionVerdict, ...]


def explain(snapshot: Snapshot, request: Request) -> Explanation:
    """Return the answer of a call with these facets, and the verdict on everything in the set."""
    governing = govern(snapshot, request.situation, request.now, request.waivers)
    answer = select(snapshot, request).answer
    rules = (*_rules(snapshot, governing, request), *_rules_in_trial(snapshot, request))
    sections = [*_sections(snapshot, governing, answer, request), *_sections_in_trial(snapshot, request)]
    return Explanation(answer, request.situation, rules, tuple(sorted(sections, key=_best_first)))


def _rules(snapshot: Snapshot, governing: Governing, request: Request) -> Iterator[RuleVerdict]:
    delivered = {rule.ref: rule for rule in governing.rules}
    lost = {f"{one.policy_id}#{one.rule_id}": one for one in governing.overridden}
    for rule in snapshot.rules:
        verdict, why = _of_policy(snapshot, governing, rule.number, request)
        if rule.ref in delivered:
            verdict, why = "delivered", _assume(rule.edition.policy, request.situation) + _seen(delivered[rule.ref])
        elif rule.ref in lost:
            one = lost[rule.ref]
            verdict = "waived" if one.by.startswith("waiver ") else "overridden"
            why = one.why if verdict == "waived" else f"by {one.by}: {one.why}"
        shown: BoundRule = delivered.get(rule.ref, rule)
        yield RuleVerdict(rule.ref, rule.edition.version, rule.rule.level, shown.text, verdict, why)


def _rules_in_trial(snapshot: Snapshot, request: Request) -> Iterator[RuleVerdict]:
    promoted = snapshot.promoted
    if promoted is None:
        return
    governing = govern(promoted, request.situation, request.now, request.waivers)
    for one in _rules(promoted, governing, request):
        if one.ref not in snapshot.refs:
            would = "would be delivered" if one.verdict == "delivered" else f"would be {one.verdict} {one.why}"
            met = one.verdict in ("delivered", "overridden", "waived", "superseded")
            yield replace(one, verdict="trial", why=f"in trial: {would}") if met else one


def _sections_in_trial(snapshot: Snapshot, request: Request) -> Iterator[SectionVerdict]:
    trials = Trials(snapshot, request.situation, request.now, request.waivers)
    if trials.promoted is None:
        return
    relevant = frozenset(trials.relevant(trials.promoted, trials.governing(trials.promoted), request.task))
    for number, section in enumerate(trials.promoted.sections):
        if snapshot.in_trial_whole[section.number]:
            would = "would reach the task" if number in relevant else "would not reach the task"
            ref = f"{section.edition.policy.id}#{section.section_id}"
            why = f"in trial: {would}"
            yield SectionVerdict(ref, section.edition.version, section.title, "trial", why, None, 0, 0, 0)


def _sections(
    snapshot: Snapshot, governing: Governing, answer: ContextAnswer, request: Request
) -> Iterator[SectionVerdict]:
    sent = {(one.policy_id, one.section_id) for one in answer.sections}
    contents = {one.content for one in snapshot.sections if (one.edition.policy.id, one.section_id) in sent}
    numbers = np.arange(len(snapshot.sections))
    if not len(numbers):
        return
    relevance = snapshot.index.relevance(request.task, numbers)
    scores = relevance.scores()
    delivered_scores = {
        (one.section.policy_id, one.section.section_id): one.section.score
        for one in candidates(snapshot, governing, relevance)
    }
    evidence = snapshot.index.evidence(request.task, numbers)
    for number, section in enumerate(snapshot.sections):
        verdict, why = _of_policy(snapshot, governing, section.number, request)
        if (section.edition.policy.id, section.section_id) in sent:
            verdict, why = "delivered", "relevant, and within the budget"
        elif verdict == "delivered":
            short = "" if relevance.passes[number] else _fall_short(evidence, number)
            verdict, why = _count_left_out(section, contents, short)
        yield SectionVerdict(
            f"{section.edition.policy.id}#{section.section_id}",
            section.edition.version,
            section.title,
            verdict,
            why,
            delivered_scores.get((section.edition.policy.id, section.section_id)),
            round(float(scores[number]), 2),
            round(float(evidence.cosines[number]), 2),
            round(float(evidence.coverage[number]), 2),
        )


def _fall_short(evidence: Evidence, number: int) -> str:
    """Say why a section does not pass the floor."""
    if not evidence.least:
        return "too little of the task is in it: only words were compared"
    found = float(evidence.evidence[number])
    if found >= evidence.least:
        return f"others are nearer to the task: evidence {found:.2f}"
    return f"too little of the task is in it: evidence {found:.2f}, the floor is {evidence.least:.2f}"


def _count_left_out(section: GuidanceSection, sent: set[str], short: str) -> tuple[Verdict, str]:
    if short:
        return "not_relevant", short
    if section.content in sent:
        return "duplicate", "the same text was sent already"
    return "over_budget", "more relevant sections took the room"


def _of_policy(snapshot: Snapshot, governing: Governing, number: int, request: Request) -> tuple[Verdict, str]:
    """Say what keeps a whole policy out, or `delivered`."""
    policy = snapshot.editions[number].policy
    if not governing.in_scope[number]:
        return "out_of_scope", _mismatch(policy, request.situation)
    if not snapshot.scopes.in_effect(request.now)[number]:
        return "not_in_effect", str(policy.effective)
    if not governing.in_force[number]:
        return "superseded", "a policy that supersedes it applies"
    return "delivered", ""


def _mismatch(policy: Policy, situation: Mapping[str, tuple[str, ...]]) -> str:
    for facet, patterns in policy.scope.limits:
        values = situation.get(facet)
        if values and not any(fnmatchcase(value, pattern) for value in values for pattern in patterns):
            return f"{facet} is {'/'.join(values)}, it is for {'|'.join(patterns)}"
    return ""


def _assume(policy: Policy, situation: Situation) -> str:
    missing = [facet for facet, _ in policy.scope.limits if facet not in situation]
    return f"assumed: {', '.join(missing)}" if missing else "in scope"


def _seen(rule: BoundRule) -> str:
    """Say which subjects of the word lists its check sees by words that it does not name itself."""
    check = rule.rule.check
    concepts = subjects(check.kind, check.filled(rule.values).options) if check else []
    return f"; its check knows every word for {', '.join(concepts)}" if concepts else ""


def _best_first(verdict: SectionVerdict) -> tuple[bool, float, float, str]:
    return verdict.verdict != "delivered", -(verdict.score or 0), -verdict.relevance, verdict.ref
