"""Finds the phrases that oblige, forbid, advise or allow in English, German, French and Spanish, and what they mean."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import entries_of, words_by_language
from interlayer.language.lexicon.reader import pattern as alternatives

LANGUAGES: Final = ("en", "de", "fr", "es")

_PART: Final = re.compile(r"\w+")
_SPANISH: Final = re.compile(r"[áéíóúñ¿¡]|^\W*no\s+(?:(?:se|le|les|lo|la)\s+)?\w+(?:zca[ns]?|[aei]r)\b", re.IGNORECASE)
_MAY_BE: Final = re.compile(r"\s+be\s+\w+(?:ble|ject)\b")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A phrase, where it stands, what its list says that it means, and its language."""

    start: int
    end: int
    meaning: str
    language: str


def find_marks(text: str, openings: Sequence[int]) -> Iterator[Mark]:
    """Yield the phrases in order, of two that begin together the longer; orders only at these openings."""
    said = frozenset(_PART.findall(text.casefold()))
    found = [mark for language in LANGUAGES for mark in _of_language(text, said, openings, language)]
    if not _is_spanish_order(text, said):  # "no approval is required" is no Spanish
        found = [mark for mark in found if not (mark.language == "es" and mark.end - mark.start == len("no"))]
    taken = 0
    for mark in sorted(found, key=lambda mark: (mark.start, -mark.end)):
        if mark.start >= taken:
            taken = mark.end
            yield mark


def find_orders(text: str) -> Iterator[Mark]:
    """Yield the words that open an order wherever they stand."""
    for language in LANGUAGES:
        table = phrases_of(language, "obliging_openers")
        yield from (Mark(found.start(), found.end(), table.meaning(found), language) for found in table.find(text))


def _of_language(text: str, said: frozenset[str], openings: Sequence[int], language: str) -> Iterator[Mark]:
    for name in ("obliging_phrases", "turning_modals"):
        table = phrases_of(language, name)
        for match in table.find(text) if table.may_stand_in(said) else ():
            month = match[0] == "May" and match.start() > 0
            if not month and not (language == "en" and _MAY_BE.match(text, match.end())):
                yield Mark(match.start(), match.end(), table.meaning(match), language)
    table = phrases_of(language, "obliging_openers")
    for place in openings:
        match = table.match(text, place)
        if match and not (language == "en" and _tells_of_a_third(text[match.end() :])):
            yield Mark(match.start(), match.end(), table.meaning(match), language)


def _is_spanish_order(text: str, said: frozenset[str]) -> bool:
    """Whether a text that may begin with a Spanish no is Spanish: by its commonest words, letters or verbs."""
    markers = words_by_language("language_markers")
    spanish = len(said & markers["es"])
    if spanish or len(said & markers["en"]):
        return spanish > len(said & markers["en"])
    return bool(_SPANISH.search(text))


def _tells_of_a_third(rest: str) -> bool:
    """Whether an English verb is of the third person, so that never and always before it describe: `never changes`."""
    word = _WORD.search(rest)
    return word is not None and bool(re.search(r"^has$|\w{2}[^sui]s$", word[0].casefold()))


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list of one language: what its forms mean, the longest first, and the pattern that finds them."""

    meanings: dict[str, str]
    pattern: re.Pattern[str] | None
    first_words: frozenset[str] = frozenset()
    begins_open: bool = False

    def may_stand_in(self, said: frozenset[str]) -> bool:
        """Return whether a text with these words, folded, begins to say one of them; it saves the search."""
        return self.begins_open or not self.first_words.isdisjoint(said)

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every place where one of them stands."""
        return self.pattern.finditer(text) if self.pattern else iter(())

    def match(self, text: str, place: int) -> re.Match[str] | None:
        """Return the one that stands at a place."""
        return self.pattern.match(text, place) if self.pattern else None

    def meaning(self, found: re.Match[str]) -> str:
        """Return what a form means that was found, whatever its ending and the words between its parts."""
        said = " ".join(found[0].casefold().split())
        return self.meanings.get(said) or next(
            meaning for form, meaning in self.meanings.items() if _is_form(form, said)
        )


def _is_form(form: str, said: str) -> bool:
    rest = said
    for part in form.removesuffix("*").split():
        _, found, rest = rest.partition(part)
        if not found:
            return False
    return True


@cache
def phrases_of(language: str, name: str) -> Phrases:
    """Return a list of a language; of one that it does not have, an empty one."""
    meanings = {form.casefold(): entry.meaning for entry in entries_of(language, name) for form in entry.forms}
    if not meanings:
        return Phrases({}, None)
    ordered = dict(sorted(meanings.items(), key=lambda one: -len(one[0])))
    between = alternatives(form for entry in entries_of(language, "words_within_obligations") for form in entry.forms)
    gap = rf"\s+(?:(?:{between}|\w+(?:ly|ment|mente))\s+)?"
    body = alternatives(ordered).replace(r"\s+", gap)
    found = re.compile(rf"(?<![\w'])(?:{body})(?!\w)", re.IGNORECASE)
    first = [(form.split()[0], parts[0]) for form in ordered if (parts := _PART.findall(form))]
    return Phrases(ordered, found, frozenset(part for _, part in first), any("*" in word for word, _ in first))
