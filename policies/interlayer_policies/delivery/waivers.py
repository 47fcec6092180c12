"""Waivers: a rule that need not be obeyed in a scope until an instant, because somebody who may say so said why.

A waiver fails closed. It holds only where its scope certainly matches, so leaving a facet out of a call brings the rule
back; it is bound to the rule's content, so a changed rule needs a new one; and it always ends.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from interlayer.ids import timestamp
from interlayer_policies.document.policy import Situation
from interlayer_policies.document.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

WAIVERS_MAX: Final = 200
"""Of one organization at a time: they stand in the head, which every call reads."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule that need not be obeyed where every facet of `scope` matches, until `until` (exclusive)."""

    id: str
    rule: str
    rule_etag: str
    scope: Mapping[str, tuple[str, ...]]
    until: datetime
    approver: str
    reason: str
    granted_at: datetime

    def why(self) -> str:
        """Say it in an answer."""
        return f"waived until {timestamp(self.until)} by {self.approver}: {self.reason}"

    def is_certain(self, situation: Situation) -> bool:
        """Whether its scope matches, whatever the facets are that the situation does not hold."""
        return all(facet in situation and _matches(situation[facet], self.scope[facet]) for facet in self.scope)

    def is_possible(self, situation: Situation, vocabulary: Vocabulary) -> bool:
        """Whether its scope may match; a value that is given may mean what lies in it."""
        return all(
            _matches({*situation[facet], *vocabulary.narrower(facet, situation[facet])}, self.scope[facet])
            for facet in self.scope
            if facet in situation
        )


@dataclass(frozen=True, slots=True)
class Waived:
    """Which rules of a situation are waived, by reference, and which may be."""

    certain: Mapping[str, Waiver]
    possible: frozenset[str]
    changes_at: datetime | None


def waived(waivers: Iterable[Waiver], situation: Situation, now: datetime, vocabulary: Vocabulary) -> Waived:
    """Find the waivers that hold in a situation at an instant; of several for one rule the longest counts."""
    certain: dict[str, Waiver] = {}
    possible: set[str] = set()
    ends: list[datetime] = []
    for one in waivers:
        if one.until <= now or not one.is_possible(situation, vocabulary):
            continue
        possible.add(one.rule)
        if one.is_certain(situation):
            ends.append(one.until)
            if one.rule not in certain or certain[one.rule].until < one.until:
                certain[one.rule] = one
    return Waived(certain, frozenset(possible), min(ends, default=None))


def waivers_by_policy(waivers: Iterable[Waiver], now: datetime) -> dict[str, tuple[str, ...]]:
    """Return policy id -> ids of the waivers of its rules that have not ended."""
    found: dict[str, tuple[str, ...]] = {}
    for one in sorted(waivers, key=lambda waiver: waiver.id):
        if one.until > now:
            policy = one.rule.partition("#")[0]
            found[policy] = (*found.get(policy, ()), one.id)
    return found


def waivers_body(waivers: Sequence[Waiver], now: datetime) -> list[dict[str, Any]]:
    """Return those that have not ended as JSON, for the head."""
    return [
        {
            "id": one.id,
            "rule": one.rule,
            "rule_etag": one.rule_etag,
            "scope": {facet: list(values) for facet, values in one.scope.items()},
            "until": timestamp(one.until),
            "approver": one.approver,
            "reason": one.reason,
            "granted_at": timestamp(one.granted_at),
        }
        for one in waivers
        if one.until > now
    ]


def read_waivers(body: Any) -> tuple[tuple[Waiver, ...], bool]:
    """Return the waivers of a head, and whether some could not be read: those exempt nobody."""
    found: list[Waiver] = []
    entries = body if isinstance(body, list | tuple) else [body]
    for one in entries:
        try:
            found.append(_read(one))
        except (KeyError, TypeError, ValueError, AttributeError):
            logger.error("a waiver cannot be read and exempts nobody; grant it again")
    return tuple(found), len(found) < len(entries)


def _read(one: Mapping[str, Any]) -> Waiver:
    return Waiver(
        id=str(one["id"]),
        rule=str(one["rule"]),
        rule_etag=str(one["rule_etag"]),
        scope={str(facet): _values(values) for facet, values in one["scope"].items()},
        until=_instant(one["until"]),
        approver=str(one["approver"]),
        reason=str(one["reason"]),
        granted_at=_instant(one["granted_at"]),
    )


def _values(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not values:
        raise ValueError("no patterns")
    return tuple(str(value) for value in values)


def _matches(values: Iterable[str], patterns: Iterable[str]) -> bool:
    patterns = tuple(patterns)
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
