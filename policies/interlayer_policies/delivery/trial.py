"""What rules and guidance in trial would do to a call: they reach nobody; receipts say what they would have done.

A set knows itself as it would be if its trials were promoted; a call is put to that set too, unless nothing in trial is
for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from interlayer_policies.delivery.compliance import check_text
from interlayer_policies.delivery.evidence.query import Query
from interlayer_policies.delivery.precedence import Governing, govern
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot
from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.policy import Situation

NOTED_MAX: Final = 50
"""Rules, sections and places in a draft that one receipt names."""


@dataclass(frozen=True, slots=True)
class TrialEffect:
    """What trials would have done to a call: what would have been delivered, displaced, and flagged in a draft.

    References are `policy#rule@version` and `policy#section@version`. `displaced` names a rule that would not have been
    delivered, and what would have displaced it; `flagged` a rule and the places where the draft breaks it.
    """

    rules: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    displaced: tuple[tuple[str, str], ...] = ()
    flagged: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()


def effect_body(effect: TrialEffect) -> dict[str, Any]:
    """Return an effect as a receipt keeps it, in bounds."""
    return {
        "rules": list(effect.rules[:NOTED_MAX]),
        "sections": list(effect.sections[:NOTED_MAX]),
        "displaced": [list(pair) for pair in effect.displaced[:NOTED_MAX]],
        "flagged": [[ref, [list(place) for place in places]] for ref, places in effect.flagged[:NOTED_MAX]],
    }


class Trials:
    """The trials of a set in a situation; false when nothing in trial is for it."""

    def __init__(self, snapshot: Snapshot, situation: Situation, now: datetime, waivers: Sequence[Waiver] = ()) -> None:
        self.promoted: Snapshot | None = None
        self._situation, self._now, self._waivers = situation, now, waivers
        promoted = snapshot.promoted
        if promoted is not None:
            met = snapshot.in_trial & promoted.scopes.in_scope(situation) & promoted.scopes.in_effect(now)
            self.promoted = promoted if bool(met.any()) else None
        self._snapshot = snapshot

    def __bool__(self) -> bool:
        return self.promoted is not None

    def on_task(self, delivered: Collection[str], query: Query) -> TrialEffect:
        """Return the effect of the trials on a delivery of these rules for a task."""
        if self.promoted is None:
            return TrialEffect()
        governing = self.governing(self.promoted)
        sections = (self.promoted.sections[number] for number in self.relevant(self.promoted, governing, query))
        return TrialEffect(
            rules=tuple(_named(rule) for rule in governing.rules if rule.ref not in self._snapshot.refs),
            sections=tuple(f"{one.edition.policy.id}#{one.section_id}@{one.edition.version}" for one in sections),
            displaced=_displaced(governing, delivered),
        )

    def on_draft(self, delivered: Collection[str], text: str) -> TrialEffect:
        """Return the effect of the trials on a check of a text against these rules."""
        if self.promoted is None:
            return TrialEffect()
        governing = self.governing(self.promoted)
        rules = tuple(rule for rule in governing.rules if rule.ref not in self._snapshot.refs)
        found = check_text(self.promoted, replace(governing, rules=rules), text, ()) if rules else None
        names = {rule.ref: _named(rule) for rule in rules}
        places: dict[str, list[tuple[int, int]]] = {}
        for one in found.violations if found else ():
            places.setdefault(names[f"{one.policy_id}#{one.rule_id}"], []).append((one.start, one.end))
        return TrialEffect(
            rules=tuple(names.values()),
            displaced=_displaced(governing, delivered),
            flagged=tuple((ref, tuple(where)) for ref, where in places.items()),
        )

    def governing(self, promoted: Snapshot) -> Governing:
        """Return the rules that would govern if everything in trial were promoted."""
        return govern(promoted, self._situation, self._now, self._waivers)

    def relevant(self, promoted: Snapshot, governing: Governing, query: Query) -> list[int]:
        """Return the numbers of the sections of policies in trial that the task would reach."""
        mine = self._snapshot.in_trial_whole & governing.in_force
        if not mine.any():
            return []
        numbers = np.flatnonzero(mine[promoted.section_policies])
        return numbers[promoted.index.relevance(query, numbers).passes].tolist() if len(numbers) else []


def _named(rule: BoundRule) -> str:
    return f"{rule.ref}@{rule.edition.version}"


def _displaced(governing: Governing, delivered: Collection[str]) -> tuple[tuple[str, str], ...]:
    by: Mapping[str, str] = {f"{one.policy_id}#{one.rule_id}": one.by for one in governing.overridden}
    return tuple((ref, by[ref]) for ref in delivered if ref in by)
