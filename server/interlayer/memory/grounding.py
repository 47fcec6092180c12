"""Whether what a model extracted rests on the content: its quote, its details, whom and when it speaks of."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

import re2

from interlayer.errors import InvalidInput
from interlayer.ids import parse_instant, timestamp
from interlayer.memory.extraction import ExtractedFact, Reading
from interlayer.memory.guard import names
from interlayer.memory.requests import FactCandidate
from interlayer.text.numbers import numbers
from interlayer.text.relative_time import anchor
from interlayer.text.terms import words

_TYPOGRAPHY: Final = str.maketrans("’‘“”–—\u00a0", "''\"\"-- ")
_PRONOUN: Final = re.compile(
    r"(?i)^(?P<pronoun>he|she|they|it|this|that|these|those)(?P<contracted>['’](?:s|re|ve|ll|d))?"
    r"(?=\s+(?:\w+(?:s|ed|ly)|are|were|have|had|will|would|can|could|may|might|should|did|do|need|want|plan|use|run|sell)\b"
    r"|['’]|\s+(?:\w+['’]t)\b)"
)
_CONTRACTED: Final = {"s": "'s", "re": " are", "ve": " have", "ll": " will", "d": " had"}


class Turned(Exception):
    """A candidate is turned down; the first argument is the reason code."""


def examined(fact: ExtractedFact, reading: Reading, own: Collection[str], off: Collection[str]) -> FactCandidate:
    """Return an extracted fact as a candidate: grounded, standing on its own, anchored in time.

    `own` are the entity's names and identifiers, `off` the gates that are switched off. Raises `Turned`.
    """
    span = quoted(fact.quote, reading.content)
    if "ungrounded" not in off and (span is None or _invented(fact.text, reading)):
        raise Turned("ungrounded")
    if "other_entity" not in off and fact.subject and not _is_own(fact.subject, own):
        raise Turned("other_entity")
    text = _settled(fact.text, reading)
    if text is None:
        if "dangling" not in off:
            raise Turned("dangling")
        text = fact.text
    at = _observed(fact, off)
    text = anchor(text, datetime.fromisoformat(at or reading.observed_at))
    return FactCandidate(text, fact.confidence, at, span)


def quoted(quote: str, content: str) -> tuple[int, int] | None:
    """Return where a quote stands in the content, whatever its spacing, case and typography; None if it does not."""
    parts = quote.translate(_TYPOGRAPHY).split()
    if not parts:
        return None
    found = re2.search("(?i)" + r"\s+".join(re2.escape(part) for part in parts), content.translate(_TYPOGRAPHY))
    return (int(found.start()), int(found.end())) if found else None


def _invented(text: str, reading: Reading) -> bool:
    """Whether a text holds a number or a name that the content does not."""
    stated = numbers(reading.content)
    if any(not any(known.says(number) or number.says(known) for known in stated) for number in numbers(text)):
        return True
    known_words = {*words(reading.content), *words(reading.name)}
    return any(not set(words(name)) <= known_words for name in names(text))


def _is_own(subject: str, own: Collection[str]) -> bool:
    said = set(words(subject))
    return not said or any(said <= set(words(name)) or set(words(name)) <= said for name in own if name)


def _settled(text: str, reading: Reading) -> str | None:
    """Return a text that names whom it is about; None if it depends on something before it."""
    found = _PRONOUN.match(text)
    if not found:
        return text
    if found["pronoun"].casefold() not in reading.schema.pronouns:
        return None
    rest = text[found.end() :]
    contracted = found["contracted"]
    return reading.name + (_CONTRACTED[contracted[1:].casefold()] if contracted else "") + rest


def _observed(fact: ExtractedFact, off: Collection[str]) -> str | None:
    if fact.observed_at is None:
        return None
    try:
        return timestamp(parse_instant(fact.observed_at, "observed_at"))
    except InvalidInput:
        if "unanchored" in off:
            return None
        raise Turned("unanchored") from None
