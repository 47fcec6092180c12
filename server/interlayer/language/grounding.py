"""Whether what a model says about a text is in the text: every number, date and name, in any form people write it.

"$450K" is grounded in "four hundred fifty thousand dollars", "New York" in "NYC", "2026-Q3" in "next quarter" of a text
that was written in the second quarter of 2026.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from interlayer.language.dates import StatedDate, find_dates
from interlayer.language.distinction import names
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.quantities.units import CURRENCIES
from interlayer.language.relative_time import anchor
from interlayer.language.terms import STOP_WORDS, stem
from interlayer.text.quotes import Quotable
from interlayer.text.sentences import Sentence, sentences

_WORD: Final = re.compile(r"[^\W_]+(?:[.&'’][^\W_]+)*")
_OPENING: Final = re.compile(r"\W*([^\W\d_][^\W_]*)\s+(?=[^\W\d_a-z])")
_LONG_DIGITS: Final = re.compile(r"\+?\(?\d[\d\s().-]{5,20}\d")
_WEEKDAYS: Final = {
    entry.forms[0].casefold(): {form.casefold() for form in entry.forms} for entry in lexicon.entries("weekdays")
}
_MORE_NUMBERS: Final = {**lexicon.figures("ordinals"), **lexicon.figures("counting_words"), "one": 1.0}
_HUMPS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # the parts of a compound such as TypeScript or Node.js
_HEAD_MIN: Final = 4
_UNSPACED: Final = re.compile(  # Thai to Khmer, kana, Han, Hangul: scripts in which words are not set apart
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]+"
)
_KATAKANA: Final = re.compile(r"[\u30a1-\u30ff]{3,}")  # names and loanwords
_INFLECTED: Final = re.compile(r"[\u0400-\u04ff]{5,}")
_ENDING: Final = 2  # letters by which a Cyrillic word changes with its case
_IN_GROUPS: Final = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")  # 450 000


class Ground:
    """A text that statements are held against. `known` are names that may be said of it without standing in it."""

    def __init__(self, content: str, known: Iterable[str], observed_at: datetime) -> None:
        self.content = content
        self._quotable = Quotable(content)
        self._known = Quotable("\n".join(known))
        self._year = observed_at.year
        text = anchor(_apart(content), observed_at)  # what "next quarter" means there may be said outright
        self._dates = find_dates(text)
        self._digits = re.sub(r"\D", "", text)
        self._in_order = _WORD.findall(text)
        self._words = _word_forms([text, *map(_apart, known)])
        self._initials = _initials(self._in_order)
        self._numbers = _values(text)
        self._numbers |= {_MORE_NUMBERS[word] for word in self._words & _MORE_NUMBERS.keys()}
        self._words |= {code.casefold() for name, code in CURRENCIES.items() if name in text.casefold()}

    def locate(self, quote: str) -> tuple[int, int] | None:
        """Return where a quotation stands in the text, or None."""
        return self._quotable.locate(quote)

    def around(self, span: tuple[int, int], more: int = 0) -> str:
        """Return the whole sentences that a place of the text is part of, with their label, and `more` on each side."""
        touched = [at for at, one in enumerate(self._sentences) if one.start < span[1] and span[0] < one.end]
        if not touched:
            return self.content[slice(*span)]
        wanted = self._sentences[max(touched[0] - more, 0) : touched[-1] + 1 + more]
        return " ".join(f"{one.label}: {one.text}" if one.label else one.text for one in wanted)

    @cached_property
    def _sentences(self) -> list[Sentence]:
        return list(sentences(self.content))

    def missing(self, statement: str) -> str | None:
        """Return the first number, date or name of a statement that the text does not hold, or None."""
        statement = _apart(statement)
        dates = find_dates(statement)
        for _, readings in _by_place(dates):
            if not any(one.says(reading, self._year) for reading in readings for one in self._dates):
                return statement[readings[0].start : readings[0].end]
        rest = _blank(statement, [(one.start, one.end) for one in dates])
        phones = [match.span() for match in _LONG_DIGITS.finditer(rest) if self._has_digits(match[0])]
        rest = _blank(rest, phones)
        unknown = min((sorted(values - self._numbers) for values in _readings(rest)), key=len)
        if unknown:
            return f"{unknown[0]:g}"
        return self._missing_name(rest) or self._swap(rest) or self._unwritten(_KATAKANA.findall(statement))

    def missing_value(self, value: str) -> str | None:
        """Return the first number, date or name of a value that the text does not hold, or None.

        In a script that sets no words apart, a value stands in the text as it is.
        """
        return self._unwritten(_UNSPACED.findall(value)) or self.missing(value)

    def _unwritten(self, runs: Iterable[str]) -> str | None:
        return next((run for run in runs if not self.locate(run) and not self._known.locate(run)), None)

    def _missing_name(self, statement: str) -> str | None:
        found = set(names(statement))
        opening = _OPENING.match(statement)
        if opening and opening[1][0].isupper() and opening[1].casefold() not in STOP_WORDS:
            found.add(opening[1].casefold())  # "Ann Lee": two capitals at the start are a name
        in_order = _WORD.findall(statement)
        together = _runs_of(in_order, found)
        for name in sorted(found, key=statement.casefold().find):
            if self._knows(name) or any(name in run and _short(run) in self._words for run in together):
                continue
            if not any(self._shortens(word) for word in in_order if name == word.casefold()):
                return name
        return None

    def _shortens(self, compound: str) -> bool:
        """Whether the text has a short form of a compound: TS for TypeScript, Mongo for MongoDB, Node for Node.js."""
        parts = _HUMPS.findall(compound)
        if len(parts) < 2:
            return False
        if "".join(part[0] for part in parts).upper() in self._in_order:
            return True
        head, rest = parts[0].casefold(), "".join(parts[1:])
        if len(head) < _HEAD_MIN or not (rest.isupper() or len(rest) <= 2):
            return False
        return any(word[0].isupper() and stem(word.casefold()) == stem(head) for word in self._in_order)

    def _swap(self, statement: str) -> str | None:
        """Return the opening word if the text says the same of somebody else: "Globex will buy" for "Acme will buy"."""
        opening, *rest = _WORD.findall(statement)[:3] or [""]
        if len(rest) < 2 or not opening[0].isupper() or opening.endswith("ly") or self._knows(opening.casefold()):
            return None  # "Currently", "Recently": no name
        after = [word.casefold() for word in rest]
        for at, word in enumerate(self._in_order[:-2]):
            same = [one.casefold() for one in self._in_order[at + 1 : at + 3]] == after
            if same and word[0].isupper() and word.casefold() not in STOP_WORDS:
                return opening
        return None

    def _knows(self, name: str) -> bool:
        if name in _WEEKDAYS:
            return not self._words.isdisjoint(_WEEKDAYS[name])
        parts = [part for part in re.split(r"[-/&.'’]", name) if part not in {"", "s"}]
        compact = re.sub(r"[-/&.'’]", "", name)
        if compact in self._words or stem(compact) in self._words:
            return True
        if 2 <= len(compact) <= 5 and compact in self._initials:
            return True
        return all(part in self._words or stem(part) in self._words or self._inflects(part) for part in parts)

    def _inflects(self, word: str) -> bool:
        """Whether the text has a Cyrillic word with another ending."""
        if not _INFLECTED.fullmatch(word):
            return False
        near = (one for one in self._words if abs(len(one) - len(word)) <= _ENDING)
        return any(one.startswith(word[:-_ENDING]) for one in near)

    def _has_digits(self, text: str) -> bool:
        digits = re.sub(r"\D", "", text)
        return len(digits) >= 7 and digits in self._digits


def _apart(text: str) -> str:
    """Return a text with composed accents, and with blanks around what stands in a script without spaces."""
    return _UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFC", text))


def _values(text: str) -> set[float]:
    return set[float]().union(*_readings(text))


def _readings(text: str) -> list[set[float]]:
    """Return the numbers of a text, and once more with digits in groups ("450 000") read as numbers of their own."""
    forms = text, _IN_GROUPS.sub("  ", text)
    return [{value for one in numbers(form) for value in (one.low, one.high)} for form in forms]


def _word_forms(texts: Iterable[str]) -> set[str]:
    """Return the words of texts folded, with their stems and their parts."""
    forms: set[str] = set()
    for text in texts:
        for word in _WORD.findall(text.casefold()):
            bare = re.sub(r"['’]s$", "", word)
            for form in (bare, re.sub(r"[.'’]", "", bare), *re.split(r"[.&'’]", bare)):
                forms |= {form, stem(form)}
    return forms


def _initials(words: Sequence[str]) -> set[str]:
    """Return the initials of two to five words in a row: what an abbreviation of them may look like."""
    first = [word[0].casefold() for word in words]
    return {"".join(first[at : at + size]) for size in range(2, 6) for at in range(len(first) - size + 1)}


def _runs_of(words: Sequence[str], found: set[str]) -> list[list[str]]:
    """Return the names of a statement that stand in a row, folded."""
    runs: list[list[str]] = [[]]
    for word in words:
        if word.casefold() in found:
            runs[-1].append(word.casefold())
        else:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _short(run: Sequence[str]) -> str:
    return "".join(word[0] for word in run)


def _by_place(dates: Sequence[StatedDate]) -> list[tuple[int, list[StatedDate]]]:
    """Return the readings of each place."""
    places: dict[int, list[StatedDate]] = {}
    for one in dates:
        places.setdefault(one.start, []).append(one)
    return list(places.items())


def _blank(text: str, places: Iterable[tuple[int, int]]) -> str:
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
