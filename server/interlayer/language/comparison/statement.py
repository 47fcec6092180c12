"""A statement with what comparing it needs: read once in a language, compared often."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from interlayer.language.comparison.tokens import Token, tokens
from interlayer.language.comparison.vocabulary import Vocabulary, language_of, vocabulary
from interlayer.language.dates import MONTHS
from interlayer.language.distinction import REMEMBERED
from interlayer.language.lexicon.reader import words

Kind = Literal["word", "number", "time", "sign", "mark"]

_BETWEEN_CLAUSES: Final = words("clause_openers") | {";"}
_YEARS: Final = range(1900, 2100)
_DATE_PARTS: Final = 3  # 31/12/2026


@dataclass(frozen=True, slots=True)
class Word:
    """A token in its language.

    `key` is what it is compared by; `definite` says that an article or the like precedes it.
    """

    text: str
    key: str
    kind: Kind
    name: bool = False
    function: bool = False
    stative: bool = False
    definite: bool = False
    pronoun: bool = False

    @property
    def content(self) -> bool:
        """Whether it says something of its own."""
        return not self.function and self.kind not in {"mark", "sign"}


Row = Sequence[Word]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an entity, as it is written."""

    text: str

    @classmethod
    def of(cls, text: str) -> "Statement":
        """Take a text."""
        return cls(text.strip())


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement read in a language: its words, without articles and words for "now", and its clauses."""

    words: Row
    keys: frozenset[str]
    now: bool
    asks: bool
    clauses: Sequence[Row]
    vocabulary: Vocabulary

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str, language: str) -> "Reading":
        """Read a text in a language."""
        known = vocabulary(language)
        found, now = _without_idle(tokens(text), known)
        said = _without_articles(iter(_dated(list(_named(found, known)), known)), known)
        keys = frozenset(word.key for word in said if word.content or word.kind == "sign")
        return cls(said, keys, now, "?" in text, tuple(_clauses(said)), known)


def read_pair(newer: str, older: str) -> tuple[Reading, Reading]:
    """Read two statements in the language that both together are most probably in."""
    language = language_of(newer, older)
    return Reading.of(newer, language), Reading.of(older, language)


def is_denied(row: Row, known: Vocabulary) -> bool:
    """Return whether a row denies something."""
    texts = [word.text for word in row]
    skipped = {place for start, end, _ in known.undenying.find(texts) for place in range(start, end)}
    return any(text in known.denying for place, text in enumerate(texts) if place not in skipped)


def _without_idle(found: Sequence[Token], known: Vocabulary) -> tuple[list[Token], bool]:
    texts = [token.text for token in found]
    idle = {place for start, end, _ in known.idle.find(texts) for place in range(start, end)}
    now = bool(known.now.find(texts))
    return [token for place, token in enumerate(found) if place not in idle], now


def _named(found: Sequence[Token], known: Vocabulary) -> Iterator[Word]:
    """Yield words with one name for one attribute."""
    texts = [token.text for token in found]
    phrases = {start: (end, name) for start, end, name in known.attributes.find(texts)}
    place = 0
    while place < len(found):
        end, name = phrases.get(place, (place + 1, ""))
        word = _word(found[place], known)
        yield replace(word, text=name, key=known.stem(name), function=False) if name else word
        place = end


def _dated(found: list[Word], known: Vocabulary) -> Sequence[Word]:
    """Write every date in one way: day, month and year as values of time, a quarter by its number."""
    dated: list[Word] = []
    for word in found:
        before = dated[-1] if dated else None
        month = MONTHS.get(word.text) if word.kind == "time" else None
        if month:
            if (
                before
                and before.kind == "mark"
                and before.text == "."
                and len(dated) > 1
                and dated[-2].kind == "number"
            ):
                dated.pop()  # 12. Mai
                before = dated[-1]
            if before and _is_day(before):
                dated[-1] = replace(before, kind="time")
            dated.append(replace(word, key=f"month {month}"))
        elif _is_day(word) and before and _is_month(before) and not (len(dated) > 1 and _is_day(dated[-2])):
            dated.insert(len(dated) - 1, replace(word, kind="time"))  # June 4
        elif word.kind == "time" and before and before.text == "," and len(dated) > 1 and _is_month(dated[-2]):
            dated[-1] = word  # June 4, 2026
        elif word.kind == "time" and before and before.kind == "number" and word.key in known.quarters:
            dated[-1] = replace(word, text=f"q{before.text}", key=f"q{before.text}")
        else:
            dated.extend((_date_of(word.text) if word.kind == "time" else []) or [word])
    return dated


def _is_month(word: Word) -> bool:
    return word.key.startswith("month ")


def _is_day(word: Word) -> bool:
    return word.kind in {"number", "time"} and word.text.isdigit() and 1 <= int(word.text) <= 31


def _date_of(text: str) -> list[Word]:
    """Read a date in figures, if it can be read in one way only."""
    parts = [int(part) for part in text.replace("/", "-").replace(".", "-").split("-") if part.isdigit()]
    if len(parts) != _DATE_PARTS:
        return []
    year, month, day = parts if parts[0] in _YEARS else parts[::-1]
    if month > 12 and day <= 12:
        month, day = day, month
    if year not in _YEARS or not 1 <= month <= 12 or (day <= 12 and day != month and parts[0] not in _YEARS):
        return []
    said = ((str(day), str(day)), (str(month), f"month {month}"), (str(year), str(year)))
    return [Word(one, key, "time") for one, key in said]


def _word(token: Token, known: Vocabulary) -> Word:
    if token.kind != "word":
        dated = token.kind == "number" and (token.text.isdigit() and int(token.text) in _YEARS and len(token.text) == 4)
        dated = dated or (
            token.kind == "number" and len(token.text.replace("/", "-").replace(".", "-").split("-")) == _DATE_PARTS
        )
        return Word(token.text, token.text, "time" if dated or ":" in token.text[1:] else token.kind)
    text = token.text
    key = known.stem(text)
    month = text in known.months and (token.name or text not in known.function)
    timed = month or key in known.times or (text[0] in "qh" and text[1:].isdigit())
    return Word(
        text,
        key,
        "time" if timed else "word",
        name=token.name and not timed,
        function=not timed and text in known.function,
        stative=text in known.stative,
        pronoun=text in known.pronouns,
    )


def _without_articles(found: Iterator[Word], known: Vocabulary) -> Row:
    kept: list[Word] = []
    definite = False
    for word in found:
        if word.function and word.text in known.definite:
            definite = True
            if word.text in known.articles:
                continue
            kept.append(word)
            continue
        kept.append(replace(word, definite=definite) if definite else word)
        if not word.function:
            definite = False
    return tuple(kept)


def _clauses(row: Row) -> Iterator[Row]:
    """Yield the clauses of a row; one without a subject of its own takes that of the first."""
    parts: list[list[Word]] = [[]]
    for word in row:
        if word.text in _BETWEEN_CLAUSES:
            parts.append([])
        else:
            parts[-1].append(word)
    full = [part for part in parts if any(word.stative for word in part)]
    if len(full) < 2 or len(full) < len([part for part in parts if part]):
        return
    first = full[0]
    subject = first[: next(place for place, word in enumerate(first) if word.stative)]
    for part in full:
        yield (*subject, *part) if part[0].stative else tuple(part)
