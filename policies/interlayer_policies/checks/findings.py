"""What a check finds in a text: a place that breaks the rule, or one that only looks so, and why."""

from dataclasses import dataclass
from typing import Final, Literal

from interlayer_policies.checks.denials import denied
from interlayer_policies.checks.draft import Draft
from interlayer_policies.checks.quotations import quoted

SPANS_MAX: Final = 50
"""Violations that a check lists at most."""

Why = Literal["denied", "quoted", "other_subject"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place of the original text, `text[start:end]` in characters.

    `why` says what makes it doubtful: it is denied, said by somebody else, or of another subject; None if it breaks
    the rule.
    """

    start: int
    end: int
    why: Why | None = None


def why_doubtful(draft: Draft, first: int, last: int) -> Why | None:
    """Return why the words [first, last) are not said by the writer as they stand; None if they are."""
    if first >= len(draft.words):
        return None
    if quoted(draft, first, last):
        return "quoted"
    return "denied" if denied(draft, first, last) else None
