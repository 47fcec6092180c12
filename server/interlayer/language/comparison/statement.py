"""A statement with what comparing it needs: read once in a language, compared often."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from interlayer.language.change import announces_change
from interlayer.language.comparison.content import Content, Row, Word
from interlayer.language.comparison.opening import split_speaker, without_greeting, without_idle, without_new
from interlayer.language.comparison.opposition import State, find_states
from interlayer.language.comparison.tokens import Token, tokens
from interlayer.language.comparison.vocabulary import Span, Vocabulary, language_of, vocabulary
from interlayer.language.dates import MONTHS
from interlayer.language.distinction import REMEMBERED
from interlayer.language.lexicon.reader import words
from interlayer.language.terms import stem

BETWEEN_CLAUSES: Final = words("clause_openers") | {";"}
_YEARS: Final = range(1900, 2100)
ITSELF: Final = "°"
"""The key of the entity itself, by whatever name or pronoun."""
_DATE_PARTS: Final = 3  # 31/12/2026


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an entity, as it is written."""

    text: str

    @classmethod
    def of(cls, text: str) -> "Statement":
        """Take a text."""
        return cls(text.strip())


@dataclass(frozen=True)
class Clause:
    """A row with what is found in it, looked up once."""

    row: tuple[Word, ...]
    known: Vocabulary

    @cached_property
    def texts(self) -> Sequence[str]:
        """The folded text of each word."""
        return [word.text for word in self.row]

    @cached_property
    def bare(self) -> Row:
        """The row without marks, but for a colon within it."""
        kept = [word for word in self.row if word.kind != "mark" or word.text == ":"]
        return tuple(kept[1:] if kept and kept[0].text == ":" else kept)

    @cached_property
    def loose(self) -> frozenset[str]:
        """What has to be met where this is said, in the loosest form that may count as met."""
        return frozenset(
            word.text.replace("-", "").rstrip("s") if word.kind == "word" and not word.itself else word.key
            for word in self.row
            if (word.kind != "mark" or word.text == "?")
            and word.text not in self.known.possessives
            and (word.text not in self.known.copulas or word.text in self.known.past)
        )

    @cached_property
    def corrects(self) -> bool:
        """Whether it may name a former value."""
        return bool(self.changes or self.known.old_openers.find(self.texts) or self.known.replacing.find(self.texts))

    @cached_property
    def denied(self) -> bool:
        """Whether it denies something."""
        return is_denied(self.row, self.known)

    @cached_property
    def past(self) -> bool:
        """Whether it tells of what was."""
        return any(word.text in self.known.past for word in self.row)

    @cached_property
    def stative(self) -> bool:
        """Whether it tells how something stands."""
        return any(word.stative or word.text == ":" for word in self.row)

    @cached_property
    def stated(self) -> bool:
        """Whether it has a verb of state."""
        return any(word.stative for word in self.row)

    @cached_property
    def indefinite(self) -> bool:
        """Whether it speaks of one of several."""
        return any(word.text in self.known.indefinite for word in self.row)

    @cached_property
    def is_of_several(self) -> bool:
        """Whether what it speaks of is one of several: "an order of 200 units"."""
        verb = next((at for at, word in enumerate(self.row) if word.stative), len(self.row))
        return any(word.text in self.known.indefinite for word in self.row[:verb])

    @cached_property
    def is_single(self) -> bool:
        """Whether it says what or where something is, or what serves as something, of which there is one."""
        known = self.known
        joining = known.copulas | known.placing | known.scheduling | known.leading | known.roles | {":"}
        return any(word.text in joining or word.key in known.unique for word in self.row)

    def is_named_by(self, word: Word) -> bool:
        """Whether a word is a name, or opens the row and one: there every word has a capital."""
        opens = len(self.row) > 1 and word is self.row[0] and self.row[1].name and not word.function
        return word.name or opens

    @cached_property
    def subject(self) -> Sequence[Word]:
        """The content words before the first verb that tells how something stands."""
        verb = next((at for at, word in enumerate(self.row) if word.stative), 0)
        return [word for word in self.row[:verb] if word.content]

    @cached_property
    def speaking(self) -> bool:
        """Whether somebody speaks of himself or to somebody, as in a chat; "we" speaks for a house."""
        return any(word.text in self.known.speaking for word in self.row)

    @cached_property
    def conditional(self) -> bool:
        """Whether it holds only if something else does."""
        return any(word.text in self.known.conditions for word in self.row)

    @cached_property
    def changes(self) -> Sequence[Span]:
        """Where it says that something has changed."""
        return self.known.changing.find(self.texts)

    @cached_property
    def ends(self) -> Sequence[Span]:
        """Where it says that something is over."""
        return self.known.ending.find(self.texts)

    @cached_property
    def matters(self) -> Mapping[str, tuple[int, int]]:
        """Where it names each of its matters first: of a launch, of a payment."""
        found = self.known.outdating.matters.find([word.key for word in self.row])
        return {matter: (start, end) for start, end, matter in reversed(found)}

    @cached_property
    def parts(self) -> "Sequence[Clause]":
        """What stands between its commas and conjunctions, as far as it has a verb of state."""
        found: list[list[Word]] = [[]]
        for word in self.row:
            if word.text in BETWEEN_CLAUSES or word.text == ",":
                found.append([])
            else:
                found[-1].append(word)
        return [Clause(tuple(part), self.known) for part in found if any(word.stative for word in part)]

    @cached_property
    def goes_on(self) -> bool:
        """Whether it says the like of something else without a verb: "Ann is for HR, for finance Bo"."""
        verb = next((at for at, word in enumerate(self.row) if word.stative), len(self.row))
        for at in range(verb, len(self.row) - 1):
            rest = self.row[at + 1 :]
            if self.row[at].text == "," and rest[0].function and not rest[0].stative:
                return any(word.name for word in rest) and not any(word.stative for word in rest)
        return False

    @cached_property
    def states(self) -> Sequence[State]:
        """What it says on scales."""
        return find_states(self.row, self.known)

    @cached_property
    def content(self) -> Content:
        """What it says, whatever the order."""
        return Content(self.row)

    def without(self, *spans: Span) -> Content:
        """Return its content beside some phrases."""
        if not spans:
            return self.content
        return Content(
            [word for at, word in enumerate(self.row) if not any(start <= at < end for start, end, _ in spans)]
        )


@dataclass(frozen=True)
class Reading:
    """A statement read in a language, without articles and words for "now": in full, as one clause, and by clauses.

    All have one sign for the entity's names; `whole` and `clauses` do without who speaks.
    """

    text: str
    speaker: str
    full: Clause
    whole: Clause
    clauses: Sequence[Clause]
    keys: frozenset[str]
    now: bool
    asks: bool
    exclaims: bool
    announces: bool
    known: Vocabulary

    @classmethod
    @lru_cache(maxsize=REMEMBERED)
    def of(cls, text: str, language: str, own: frozenset[str]) -> "Reading":
        """Read a text in a language; `own` are the stems of the entity's names."""
        known = vocabulary(language)
        found, now = without_idle(without_greeting(tokens(text), known), known)
        found, is_new = without_new(found, known)
        said = _without_articles(_dated(list(_named(found, known)), known), known)
        speaker, rest = split_speaker(said, known)
        row = _mask(rest, own)
        keys = frozenset(word.key for word in row if (word.content or word.kind == "sign") and not word.stative)
        clauses = tuple(Clause(one, known) for one in _clauses(row, known))
        return cls(
            text,
            speaker,
            Clause(_mask(said, own), known),
            Clause(row, known),
            clauses,
            keys,
            now or is_new,
            "?" in text,
            "!" in text,
            announces_change(text),
            known,
        )


def read_pair(newer: str, older: str, own: frozenset[str]) -> tuple[Reading, Reading]:
    """Read two statements in the language that both together are most probably in."""
    language = language_of(newer, older)
    return Reading.of(newer, language, own), Reading.of(older, language, own)


def is_denied(row: Row, known: Vocabulary) -> bool:
    """Return whether a row denies something."""
    texts = [word.text for word in row]
    skipped = {place for start, end, _ in known.outdating.undenying.find(texts) for place in range(start, end)}
    return any(text in known.denying for place, text in enumerate(texts) if place not in skipped)


def _mask(row: Row, own: frozenset[str]) -> tuple[Word, ...]:
    """Put one sign for the entity's own names and the pronouns that it goes by."""
    masked: list[Word] = []
    for word in row:
        itself = word.kind == "word" and (word.pronoun or stem(word.text) in own)
        if not itself:
            masked.append(word)
        elif not (masked and masked[-1].key == ITSELF):
            masked.append(word._replace(key=ITSELF, name=False, function=True, itself=True))
    return tuple(masked)


def _named(found: Sequence[Token], known: Vocabulary) -> Iterator[Word]:
    """Yield words with one name for one attribute."""
    texts = [token.text for token in found]
    phrases = {start: (end, name) for start, end, name in known.attributes.find(texts)}
    place = 0
    while place < len(found):
        end, name = phrases.get(place, (place + 1, ""))
        following = found[end] if end < len(found) else None
        word = _word(found[place], known, named=bool(following and following.name and following.kind == "word"))
        yield word._replace(text=name, key=known.stem(name), function=False, name=False) if name else word
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
                dated[-1] = before._replace(kind="time")
            dated.append(word._replace(key=f"month {month}"))
        elif _is_day(word) and before and _is_month(before) and not (len(dated) > 1 and _is_day(dated[-2])):
            dated.insert(len(dated) - 1, word._replace(kind="time"))  # June 4
        elif word.kind == "time" and before and before.text == "," and len(dated) > 1 and _is_month(dated[-2]):
            dated[-1] = word  # June 4, 2026
        elif word.kind == "time" and before and before.kind == "number" and word.key in known.quarters:
            dated[-1] = word._replace(text=f"q{before.text}", key=f"q{before.text}")
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


def _word(token: Token, known: Vocabulary, *, named: bool) -> Word:
    if token.kind != "word":
        dated = token.kind == "number" and (token.text.isdigit() and int(token.text) in _YEARS and len(token.text) == 4)
        dated = dated or (
            token.kind == "number" and len(token.text.replace("/", "-").replace(".", "-").split("-")) == _DATE_PARTS
        )
        return Word(token.text, token.text, "time" if dated or ":" in token.text[1:] else token.kind)
    text = token.text
    key = known.stem(text)
    # A month's name before another name is somebody's: Jan Sato.
    month = (
        text in known.months and (token.name or text not in known.function) and not (named and known.language == "en")
    )
    timed = month or (key in known.times and text not in known.function) or (text[0] in "qh" and text[1:].isdigit())
    return Word(
        text,
        key,
        "time" if timed else "word",
        name=token.name and not timed,
        function=not timed and text in known.function,
        stative=text in known.stative,
        pronoun=text in known.pronouns,
    )


def _without_articles(found: Sequence[Word], known: Vocabulary) -> tuple[Word, ...]:
    kept: list[Word] = []
    definite = False
    for word in found:
        if word.function and word.text in known.definite:
            definite = True
            if word.text in known.articles:
                continue
            kept.append(word)
            continue
        kept.append(word._replace(definite=definite) if definite else word)
        if not word.function:
            definite = False
    return tuple(kept)


def _is_contrast(row: Row, at: int, known: Vocabulary) -> bool:
    """Whether a word stands between two values and not between two clauses: "not from March but from May"."""
    end = next((place for place in range(at + 1, len(row)) if row[place].text in BETWEEN_CLAUSES), len(row))
    return any(word.text in known.denying for word in row[:at]) and not any(word.stative for word in row[at:end])


def _clauses(row: Row, known: Vocabulary) -> Iterator[tuple[Word, ...]]:
    """Yield the clauses of a row; one without a subject of its own takes that of the first."""
    parts: list[list[Word]] = [[]]
    for at, word in enumerate(row):
        if word.text in BETWEEN_CLAUSES and not (word.text in known.new_openers and _is_contrast(row, at, known)):
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
