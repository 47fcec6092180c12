"""One published set in memory, ready to answer: immutable, built once when the set changes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from interlayer.models.embedder import EmbeddingModel, Vectors
from interlayer.models.scale import REFERENCE
from interlayer.text.budget import compact_json
from interlayer_policies.checks.checks import Checker, compiled
from interlayer_policies.delivery.answers import DeliveredPolicy, DeliveredRule, DeliveredSection
from interlayer_policies.delivery.relevance import SectionIndex
from interlayer_policies.delivery.scope import ScopeIndex
from interlayer_policies.delivery.sizes import json_bytes
from interlayer_policies.document.policy import (
    LEVELS,
    TIERS,
    Check,
    ParameterValue,
    Policy,
    Rule,
    Section,
    filled,
    is_higher,
)
from interlayer_policies.document.vocabulary import Vocabulary, with_scopes

Rank = tuple[int, int, int, float, str, str]
"""Sorts rules of one key by precedence: tier, level, narrower scope, later start, policy id, rule id."""


def digest(*parts: object) -> str:
    """Return 12 hex characters that stand for this content."""
    return hashlib.sha256(compact_json(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Edition:
    """A policy at a version; `sha256` of its text where it was read from a store."""

    policy: Policy
    version: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule of a set with its parameters filled in.

    `number` is its policy's place in the set, `delivered` what is sent of it, `json_bytes` the size of that.
    """

    number: int
    edition: Edition
    rule: Rule
    values: Mapping[str, ParameterValue]
    text: str
    remedy: str
    etag: str
    rank: Rank
    delivered: DeliveredRule
    json_bytes: int

    @property
    def ref(self) -> str:
        """`policy#rule`."""
        return f"{self.edition.policy.id}#{self.rule.id}"


@dataclass(frozen=True, slots=True)
class GuidanceSection:
    """A section of a set. `number` is its policy's place in the set; `content` is the same for equal texts.

    `json_bytes` is its size in an answer, but for `why` and `score`.
    """

    number: int
    edition: Edition
    section_id: str
    title: str
    text: str
    indexed: str
    content: str
    etag: str
    json_bytes: int


class Snapshot:
    """A published set: its rules in the order they are delivered, its sections, its scopes.

    `vectors` are the sections' unit vectors in their order, None while there is no embedder; `model` is who made them.
    `vocabulary` is what was published with the set; the values of its scopes are added. What is in trial takes no part:
    `editions` are the policies without it, `published` all of them as they were written, `promoted` is the set as it
    would be if nothing were in trial any more, None where nothing is.
    """

    def __init__(
        self,
        revision: int,
        editions: Sequence[Edition],
        sections: Sequence[GuidanceSection],
        vectors: Vectors | None,
        model: EmbeddingModel | None = None,
        vocabulary: Vocabulary | None = None,
        promoted: "Snapshot | None" = None,
    ) -> None:
        self.revision = revision
        self.model = model
        self.published = tuple(editions)
        self.editions = tuple(_in_force(editions))
        self.numbers = {edition.policy.id: number for number, edition in enumerate(self.editions)}
        self.promoted = promoted
        policies = [edition.policy for edition in self.editions]
        self.vocabulary = with_scopes(vocabulary or Vocabulary(), policies)
        self.scopes = ScopeIndex([p.scope for p in policies], [p.effective for p in policies], self.vocabulary)
        self.rules = tuple(sorted(_bind_rules(self.editions), key=_delivery_order))
        self.rule_policies = np.array([rule.number for rule in self.rules], dtype=np.intp)
        self.has_rules = np.array([bool(p.rules or p.supersedes) for p in policies], dtype=np.bool_)
        keys = Counter(rule.rule.key for rule in self.rules if rule.rule.key is not None)
        self.contested = frozenset(key for key, count in keys.items() if count > 1)
        self.rivals = _find_rivals(self.rules)
        self.superseding = tuple(_superseding(policies, self.numbers))
        self.sections = tuple(sections)
        self.section_policies = np.array([section.number for section in self.sections], dtype=np.intp)
        self.section_order = _order(self.sections)
        self.index = SectionIndex(
            [section.indexed for section in self.sections],
            ["\n".join([policy.title, policy.description]) for policy in policies],
            self.section_policies,
            vectors,
            model.scale if model else REFERENCE,
        )
        self.policy_index = _index_policies(policies)
        self._checkers: dict[str, Checker | None] = {}
        self._heads = _heads(self.rules)

    @cached_property
    def refs(self) -> frozenset[str]:
        """The references of its rules."""
        return frozenset(rule.ref for rule in self.rules)

    @cached_property
    def in_trial(self) -> NDArray[np.bool_]:
        """(published,) which policies are in trial, or have a rule that is: nothing of `promoted` is left out."""
        return np.array([edition.policy.has_trial for edition in self.published], dtype=np.bool_)

    @cached_property
    def in_trial_whole(self) -> NDArray[np.bool_]:
        """(published,) which policies are in trial with everything."""
        return np.array([edition.policy.trial for edition in self.published], dtype=np.bool_)

    def head(self, number: int, rules: Sequence[BoundRule]) -> tuple[DeliveredPolicy, int]:
        """Return the head of a policy with these of its rules, in any order, and its bytes in JSON."""
        whole, head = self._heads[number]
        return head if whole == _etags(rules) else _head(rules)

    def head_bytes(self, number: int) -> int:
        """Return the bytes in JSON of what is sent of a policy besides its rules; 0 where none is in force."""
        return self._heads[number][1][1] if number in self._heads else 0

    def checker(self, rule: BoundRule) -> Checker | None:
        """Return the rule's check as a function, compiled at first use; None when it has none that can be run."""
        if rule.rule.check is None:
            return None
        if rule.etag not in self._checkers:
            self._checkers[rule.etag] = _checker(rule.rule.check, rule.values)
        return self._checkers[rule.etag]


def _in_force(editions: Iterable[Edition]) -> Iterator[Edition]:
    """Yield the policies without what is in trial."""
    for edition in editions:
        if not edition.policy.has_trial:
            yield edition
        elif not edition.policy.trial:
            yield replace(edition, policy=replace(edition.policy, rules=edition.policy.rules_in_force))


def _superseding(policies: Sequence[Policy], numbers: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of a policy and of one that it supersedes; one of a lower tier does not."""
    for number, policy in enumerate(policies):
        for older in policy.supersedes:
            if older in numbers and not is_higher(policies[numbers[older]].tier, policy.tier):
                yield number, numbers[older]


def _index_policies(policies: Sequence[Policy]) -> SectionIndex:
    """Index what policies and their rules are about, for policies that have nothing but rules as well."""
    texts = [
        "\n".join([policy.title, policy.description, *(rule.text for rule in policy.rules)]) for policy in policies
    ]
    return SectionIndex(texts, [policy.title for policy in policies], np.arange(len(policies), dtype=np.intp), None)


def _checker(check: Check, values: Mapping[str, ParameterValue]) -> Checker | None:
    try:
        return compiled(check.kind, check.filled(values).options)
    except ValueError:
        # Lint refuses such a check, but values merged with another policy's can leave nothing to look for.
        return None


def sections_of(editions: Sequence[Edition]) -> list[GuidanceSection]:
    """Return the sections of a set but those in trial; `indexed` is what is searched and embedded."""
    return [
        _section(number, edition, section)
        for number, edition in enumerate(_in_force(editions))
        for section in edition.policy.sections
    ]


def _section(number: int, edition: Edition, section: Section) -> GuidanceSection:
    policy = edition.policy
    title, text = filled(section.title, policy.values), filled(section.text, policy.values)
    etag = digest(policy.id, section.id, title, text)
    delivered = DeliveredSection(policy.id, edition.version, section.id, title, text, "", 0, etag)
    return GuidanceSection(
        number=number,
        edition=edition,
        section_id=section.id,
        title=title,
        text=text,
        indexed=_index(policy, title, text),
        content=digest(title, text),
        etag=etag,
        json_bytes=json_bytes(delivered) - len('""0'),
    )


def _order(sections: Sequence[GuidanceSection]) -> NDArray[np.intp]:
    """Return (sections,) each one's place when they are sorted by policy id and section id."""
    by_id = sorted(range(len(sections)), key=lambda n: (sections[n].edition.policy.id, sections[n].section_id))
    places = np.empty(len(sections), dtype=np.intp)
    places[by_id] = np.arange(len(sections))
    return places


def bound(number: int, edition: Edition, rule: Rule, values: Mapping[str, ParameterValue]) -> BoundRule:
    """Return a rule with these parameter values in its text, remedy and check."""
    policy = edition.policy
    text, remedy = filled(rule.text, values), filled(rule.remedy, values)
    check = [rule.check.kind, rule.check.filled(values).options] if rule.check else None
    start = policy.effective.start
    etag = digest(policy.id, rule.id, rule.level, rule.key, text, remedy, check)
    delivered = DeliveredRule(policy.id, rule.id, rule.level, text)
    return BoundRule(
        number=number,
        edition=edition,
        rule=rule,
        values=values,
        text=text,
        remedy=remedy,
        etag=etag,
        delivered=delivered,
        json_bytes=json_bytes(delivered) + 1,
        rank=(
            TIERS.index(policy.tier),
            LEVELS.index(rule.level),
            -policy.scope.specificity,
            -start.timestamp() if start else float("inf"),
            policy.id,
            rule.id,
        ),
    )


def _heads(rules: Sequence[BoundRule]) -> Mapping[int, tuple[list[str], tuple[DeliveredPolicy, int]]]:
    """Return number of a policy -> the etags of its rules, and what is sent of it when all of them are."""
    whole: dict[int, list[BoundRule]] = {}
    for rule in rules:
        whole.setdefault(rule.number, []).append(rule)
    return {number: (_etags(own), _head(own)) for number, own in whole.items()}


def _etags(rules: Iterable[BoundRule]) -> list[str]:
    return sorted(rule.etag for rule in rules)


def _head(rules: Sequence[BoundRule]) -> tuple[DeliveredPolicy, int]:
    edition = rules[0].edition
    policy = edition.policy
    etag = digest(policy.id, policy.title, policy.tier, _etags(rules))
    delivered = DeliveredPolicy(policy.id, edition.version, policy.title, policy.tier, etag)
    return delivered, json_bytes(delivered) + 1


def _bind_rules(editions: Sequence[Edition]) -> Iterator[BoundRule]:
    for number, edition in enumerate(editions):
        values = edition.policy.values
        for rule in edition.policy.rules:
            yield bound(number, edition, rule, values)


def _delivery_order(rule: BoundRule) -> tuple[int, str, int]:
    """Strongest level first; within it a stable order, so that a prompt cache keeps its prefix."""
    return LEVELS.index(rule.rule.level), rule.edition.policy.id, rule.edition.policy.rules.index(rule.rule)


def may_override(winner: BoundRule, loser: BoundRule) -> bool:
    """Return whether a rule takes the place of another one where both hold.

    Never one of a higher tier. By name (`overrides`), or under the same key where both use the same parameter and the
    winner is at least as strict: rules that only share a key say different things, and both are delivered.
    """
    if winner.ref == loser.ref or is_higher(loser.edition.policy.tier, winner.edition.policy.tier):
        return False
    named, back = loser.ref in winner.rule.overrides, winner.ref in loser.rule.overrides
    same_tier = winner.edition.policy.tier == loser.edition.policy.tier
    if named or (back and same_tier):
        return named and not (back and same_tier and loser.rank < winner.rank)
    return (
        winner.rule.key is not None
        and winner.rule.key == loser.rule.key
        and winner.rank < loser.rank
        and LEVELS.index(winner.rule.level) <= LEVELS.index(loser.rule.level)
        and not clashing(winner, loser)
        and bool(winner.rule.placeholders & loser.rule.placeholders)
    )


def opposite(first: BoundRule, second: BoundRule) -> bool:
    """Return whether one rule requires what the other forbids."""
    return {first.rule.level, second.rule.level} == {"must", "must_not"}


def clashing(first: BoundRule, second: BoundRule) -> bool:
    """Return whether one rule requires what the other forbids, with nothing to say which of them goes first."""
    one, other = first.edition.policy, second.edition.policy
    return opposite(first, second) and (one.tier, one.scope.specificity) == (other.tier, other.scope.specificity)


def _find_rivals(rules: Sequence[BoundRule]) -> Mapping[str, tuple[BoundRule, ...]]:
    """Return reference -> the rules that take its place where they hold, by precedence; rules without any left out."""
    by_key: dict[str, list[BoundRule]] = {}
    by_ref: dict[str, BoundRule] = {}
    for rule in rules:
        by_ref[rule.ref] = rule
        if rule.rule.key is not None:
            by_key.setdefault(rule.rule.key, []).append(rule)
    pairs = {
        (loser.ref, winner.ref)
        for together in by_key.values()
        for loser in together
        for winner in together
        if may_override(winner, loser)
    }
    pairs |= {
        (name, rule.ref)
        for rule in rules
        for name in rule.rule.overrides
        if name in by_ref and may_override(rule, by_ref[name])
    }
    found: dict[str, list[BoundRule]] = {}
    for loser, winner in pairs:
        found.setdefault(loser, []).append(by_ref[winner])
    return {ref: tuple(sorted(winners, key=lambda rule: rule.rank)) for ref, winners in found.items()}


def _index(policy: Policy, title: str, text: str) -> str:
    heads = dict.fromkeys(head for head in (policy.title, policy.description, title) if head)
    return "\n".join([*heads, text])
