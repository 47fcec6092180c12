"""What a check finds in a text: a place that breaks the rule, or one that only looks so, and why."""

from dataclasses import dataclass
from typing import Literal

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
