"""How well what was stored of a sample agrees with its labels: by content, not by count. Pure functions.

A stored fact says an expected one when it states every number of it and at least seven in ten of its content words
(stemmed; the words of the entity's name and of the sample's `company` do not count). Recall is the share of expected
facts that some stored fact says; precision the share of stored facts that say an expected one. A property is right when
its normal form is the expected one; a text when each of the two has seven in ten of the other's words; a list when four
in five entries of each are, in that sense, in the other.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from interlayer.language.pronouns import is_dangling
from interlayer.language.quantities.numbers import numbers
from interlayer.language.quantities.numerals import is_number_word
from interlayer.language.relative_time import anchor
from interlayer.language.terms import content_words, stem, terms
from interlayer.memory.schema.property import PropertySchema
from interlayer.memory.schema.types import ValueProblem

WORDS_MIN: Final = 0.7
ENTRIES_MIN: Final = 0.8
_CONTRACTED: Final = re.compile(r"(?i)['’](?:re|ve|ll|d|m|s)\b")  # "they've" is two function words


@dataclass(slots=True)
class Score:
    """Counts of one sample, or of several together."""

    samples: int = 0
    facts_expected: int = 0
    facts_found: int = 0
    facts_stored: int = 0
    facts_right: int = 0
    properties_expected: int = 0
    properties_stored: int = 0
    properties_right: int = 0
    dangling: int = 0
    unanchored: int = 0
    repeated: int = 0
    unquoted: int = 0
    pending: int = 0
    tokens: int = 0
    checked: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    stored: list["Stored"] = field(default_factory=list["Stored"])
    missed: list[str] = field(default_factory=list[str])
    """What was expected and not found, and properties that came out otherwise; for whoever looks into a score."""

    def add(self, other: "Score") -> None:
        """Count another one in."""
        for name in self.__slots__:
            if name in {"rejected", "stored", "missed"}:
                continue
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rejected.update(other.rejected)
        self.stored += other.stored
        self.missed += other.missed

    def shares(self) -> dict[str, float]:
        """Return recall and precision of facts and of properties; 1.0 of nothing."""
        return {
            "fact_recall": _share(self.facts_found, self.facts_expected),
            "fact_precision": _share(self.facts_right, self.facts_stored),
            "property_recall": _share(self.properties_right, self.properties_expected),
            "property_precision": _share(self.properties_right, self.properties_stored),
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """A fact or a property as it was stored: its words, and those of the content that it rests on, if there are any."""

    text: str
    quote: str | None
    observed_at: datetime


def score(
    expected_facts: Sequence[str],
    facts: Sequence[Stored],
    expected: Mapping[str, Any],
    properties: Mapping[str, Any],
    declared: Mapping[str, PropertySchema],
    names: Sequence[str],
) -> Score:
    """Return the score of one sample. Expected properties that the schema does not have are passed over."""
    own = {term for name in names for term in terms(name)}
    said_by = [[one for one in facts if says(one.text, wanted, own)] for wanted in expected_facts]
    right = {id(one) for found in said_by for one in found}
    wanted = {name: value for name, value in expected.items() if name in declared}
    agreeing = [
        name for name in wanted if name in properties and agrees(declared[name], properties[name], wanted[name])
    ]
    result = Score(
        samples=1,
        facts_expected=len(expected_facts),
        facts_found=sum(bool(found) for found in said_by),
        facts_stored=len(facts),
        facts_right=len(right),
        properties_expected=len(wanted),
        properties_stored=len(properties),
        properties_right=len(agreeing),
        dangling=sum(is_dangling(one.text, names) for one in facts),
        unanchored=sum(anchor(one.text, one.observed_at) != one.text for one in facts),
        repeated=sum(max(len(found) - 1, 0) for found in said_by),
        unquoted=sum(not one.quote for one in facts),
        stored=list(facts),
    )
    result.missed += [text for text, found in zip(expected_facts, said_by, strict=True) if not found]
    result.missed += [
        f"{name}: expected {wanted[name]!r}, stored {properties.get(name)!r}" for name in wanted if name not in agreeing
    ]
    return result


def says(stored: str, expected: str, own: set[str]) -> bool:
    """Return whether a stored fact says an expected one; `own` are terms that do not count."""
    figures = {one.low for one in numbers(expected)} | {one.high for one in numbers(expected)}
    if not figures <= {value for one in numbers(stored) for value in (one.low, one.high)}:
        return False
    wanted = _content(expected) - own or _content(expected)
    return len(wanted & _content(stored)) >= WORDS_MIN * len(wanted)


def agrees(declared: PropertySchema, stored: Any, expected: Any) -> bool:
    """Return whether a stored value is the expected one."""
    try:
        wanted = declared.normal(expected)
    except ValueProblem:
        return False
    if stored == wanted:
        return True
    if declared.type == "text":
        return _alike(str(stored), str(wanted))
    if declared.type == "list":
        return _covers(stored, wanted) and _covers(wanted, stored)
    return False


def _covers(entries: Sequence[str], others: Sequence[str]) -> bool:
    return sum(any(_alike(one, other) for other in others) for one in entries) >= ENTRIES_MIN * len(entries)


def _alike(one: str, other: str) -> bool:
    words, others = _content(one), _content(other)
    return bool(words) and len(words & others) >= WORDS_MIN * max(len(words), len(others))


def _content(text: str) -> set[str]:
    bare = _CONTRACTED.sub("", text)
    return {stem(word) for word in content_words(bare) if not word[0].isdigit() and not is_number_word(word)}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
