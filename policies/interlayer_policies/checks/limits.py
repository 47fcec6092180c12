"""Limits: which figure of a draft is of a check's subject, and whether it is over or under what is allowed.

Of each figure it is asked what it is of (the nearest word for a subject in its clause, its cell's column and row), then
whether it is denied or quoted. What is offered and may be meant counts; what only stands near by does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from interlayer_policies.checks.belonging import Places
from interlayer_policies.checks.draft import Draft
from interlayer_policies.checks.figures import Figure, Figures
from interlayer_policies.checks.findings import SPANS_MAX, Finding, why_doubtful
from interlayer_policies.checks.subjects import Topic


@dataclass(frozen=True)
class Limit:
    """A limit on the figures of a subject; without a subject, on all."""

    figures: Figures
    breaks: Callable[[Figure], bool]
    topic: Topic | None

    def findings(self, draft: Draft) -> Iterator[Finding]:
        """Yield the figures that break the limit, and those that only look so."""
        found = self.figures.of(draft)
        if not any(one.foreign or self.breaks(one) for one in found):
            return
        place = Places(draft, found, self.topic, self.figures.kind) if self.topic else None
        broken = 0
        for number, one in enumerate(found):
            if broken >= SPANS_MAX:
                return
            if not one.foreign and not self.breaks(one):
                continue
            belongs = place.belongs(number) if place else "own"
            if belongs is None:
                continue
            span = draft.original(one.start, one.end)
            why = why_doubtful(draft, one.first, one.last)
            if why != "quoted" and (belongs == "other" or one.foreign):
                why = "other_subject"
            broken += why is None
            yield Finding(span.start, span.end, why)
