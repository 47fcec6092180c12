"""What a person is called by, and where that stands in a text: identifiers in every usual spelling, and names.

An identifier says for certain who is meant; a name is borne by others as well, so that it is only likely. A name of one
word is too common to be looked for, unless it is all that is known, or somebody asks for it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from interlayer.memory.erasure.subjects.answer import Certainty
from interlayer.memory.log.identifiers import NAME, fold_name
from interlayer.memory.log.records import Head

ERASED: Final = "[erased person]"
"""Stands where a name or an identifier was."""

BLOT: Final = "▒"
"""Stands for each character where places have to stay as they are."""

_SHORTEST: Final = 3  # characters of what is looked for
_DIGITS: Final = 7  # of a phone number, without which it may be any other one
_BETWEEN: Final = r"[\s().\-/]*"
_BEFORE: Final = r"(?<![\w])"
_AFTER: Final = r"(?![\w])"
_MAIL_BEFORE: Final = r"(?<![\w.+%-])"
_MAIL_AFTER: Final = r"(?![\w-])(?!\.\w)"


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a text names the person, in characters."""

    start: int
    end: int
    certainty: Certainty


@dataclass(frozen=True)
class SubjectNames:
    """The identifiers, by kind and value, and the names to look for; `passed_over` are names that are too common."""

    identifiers: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    passed_over: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, heads: Sequence[Head], names: Iterable[str] = (), identifiers: Iterable[tuple[str, str]] = ()
    ) -> "SubjectNames":
        """Gather what entities are called by, and what somebody asks for besides."""
        known = [(kind, value) for head in heads for kind, values in head.identifiers.items() for value in values]
        found = tuple(dict.fromkeys([*known, *identifiers]))
        spelled = {value for _, value in found}
        borne = dict.fromkeys(fold_name(one) for head in heads for one in (head.name, *head.names))
        borne = [one for one in borne if one and one not in spelled]
        asked = [fold_name(one) for one in names]
        several = [one for one in borne if " " in one]
        single = [one for one in borne if " " not in one and one not in asked]
        chosen = [*several, *asked] if several or asked or found else single
        long_enough = [one for one in dict.fromkeys(chosen) if len(one) >= _SHORTEST]
        return cls(found, tuple(long_enough), tuple(one for one in single if one not in long_enough))

    @property
    def told(self) -> tuple[str, ...]:
        """All that is looked for, as it is known."""
        return (*(value for _, value in self.identifiers), *self.names)

    def find(self, text: str) -> list[Hit]:
        """Return the places, in order, none over another; an identifier goes before a name."""
        folded = _fold(text)
        taken: list[Hit] = []
        for pattern, certainty in self._patterns:
            for match in pattern.finditer(folded.text):
                start, end = folded.place(match.start(), match.end())
                if all(end <= one.start or start >= one.end for one in taken):
                    taken.append(Hit(start, end, certainty))
        return sorted(taken, key=lambda hit: hit.start)

    def certainty(self, texts: Iterable[str]) -> Certainty | None:
        """Tell how sure it is that one of the texts names the person, None if none does."""
        found: Certainty | None = None
        for text in texts:
            for hit in self.find(text):
                if hit.certainty == "certain":
                    return "certain"
                found = hit.certainty
        return found

    def are_borne_by(self, head: Head) -> bool:
        """Tell whether an entity is called like the person, and by no identifier of it: it may be another one."""
        called = {fold_name(one) for one in (head.name, *head.names)}
        values = [one for known in head.identifiers.values() for one in known]
        return bool(called & set(self.names)) and self.certainty(values) != "certain"

    def redact(self, text: str) -> str:
        """Return a text with a marker in the place of the person's names and identifiers."""
        return self._replaced(text, lambda _: ERASED)

    def blot(self, text: str) -> str:
        """Return a text with them overwritten, so that every other character stays in its place."""
        return self._replaced(text, lambda words: BLOT * len(words))

    def redact_in(self, value: Any) -> Any:
        """Return JSON without them in any of its texts."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(name)): self.redact_in(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_in(one) for one in value]
        return value

    def _replaced(self, text: str, by: Callable[[str], str]) -> str:
        made, last = "", 0
        for hit in self.find(text):
            made += text[last : hit.start] + by(text[hit.start : hit.end])
            last = hit.end
        return made + text[last:]

    @cached_property
    def _patterns(self) -> Sequence[tuple[re.Pattern[str], Certainty]]:
        certain = [
            _pattern(kind, value) for kind, value in self.identifiers if kind != NAME and len(value) >= _SHORTEST
        ]
        likely = [spelled for name in self.names for spelled in _spellings(name)]
        groups: list[tuple[list[str], Certainty]] = [(certain, "certain"), (likely, "likely")]
        return [
            (re.compile("|".join(sorted(group, key=len, reverse=True))), certainty)
            for group, certainty in groups
            if group
        ]


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


def _pattern(kind: str, value: str) -> str:
    folded = _fold(value).text
    if kind == "email":
        return f"{_MAIL_BEFORE}{re.escape(folded)}{_MAIL_AFTER}"
    digits = re.sub(r"\D", "", folded)
    if kind == "phone" and len(digits) >= _DIGITS:
        return rf"(?<![\d+])(?:\+|00)?{_BETWEEN.join(digits)}(?!\d)"
    return f"{_BEFORE}{re.escape(folded)}{_AFTER}"


def _spellings(name: str) -> Iterator[str]:
    """Yield the patterns of a name, and of the way in which lists write it: the last word first."""
    words = [re.escape(word) for word in _fold(name).text.split()]
    yield _BEFORE + r"\s+".join(words) + _AFTER
    if len(words) > 1:
        yield _BEFORE + words[-1] + r",\s*" + r"\s+".join(words[:-1]) + _AFTER


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text in the form in which spellings are the same, and where each character of that stood; None: where it is."""

    text: str
    places: Sequence[tuple[int, int]] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of it stands in the text as it was."""
        if self.places is None:
            return start, end
        return self.places[start][0], self.places[end - 1][1]


def _fold(text: str) -> _Folded:
    if text.isascii():
        return _Folded(text.casefold())
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for character in unicodedata.normalize("NFKC", text[start:end]).casefold():
            folded.append(character)
            places.append((start, end))
        start = end
    return _Folded("".join(folded), places)
