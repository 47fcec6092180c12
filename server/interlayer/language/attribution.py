"""Of whom a text says something, as far as the names around it tell: the check of whoever claims to know.

A sentence is cut into the parts that may have a subject of their own. A word belongs to whoever its part names, else to
whom the part before it named. What stands only in parts of others is theirs. Where nobody of the kind is named, what is
said is of the speaker, of whom a pronoun may mean, or of whom the text is about. Doubt that none of it settles speaks
for nobody.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import STOP_WORDS, stem

_WORD: Final = re.compile(r"[^\W_]+")
_BREAK: Final = re.compile(r"[,;:()\n。、，]|\s[-–—]+\s|(?<=[.!?])\s")
_OPENERS: Final = lexicon.words("clause_openers")
_COORDINATORS: Final = lexicon.words("coordinators", "clause_openers")
_FIRST: Final = lexicon.words("pronouns_of_speakers")
_OF_SPEAKERS: Final = lexicon.words("pronouns_of_speakers", "first_and_second_person_pronouns")
_THIRD: Final = lexicon.words("pronouns_of_the_spoken_of")
_ANY: Final = lexicon.words("pronouns_of_the_spoken_of", "third_person_pronouns", "possessives")
_NO_NAME: Final = lexicon.words("titles", "legal_forms") | STOP_WORDS
_BEFORE: Final = 2  # sentences back that a pronoun may lean on
_LETTERS_MIN: Final = 3  # of a part of a name that stands for it
_TITLES_MAX: Final = 2  # words between "and" and a name: "and Mrs Lee"

MAIN: Final = 0
"""The number of whom a text is mainly about."""

Span = tuple[int, int]
Owners = frozenset[int]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence of a text, where it stands, and the name or address of who says it, if that is known."""

    start: int
    end: int
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int
    is_capital: bool


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    owners: Owners


@dataclass(frozen=True, slots=True)
class _Part:
    """Words that have one subject: `owners` are named in it, or before it; None where that may be anybody."""

    start: int
    end: int
    words: frozenset[str]
    owners: Owners | None


class Attribution:
    """A text, its sentences in order, and all whom it may tell of: the names of each, who is known by a number.

    The first is whom the text is mainly about.
    """

    def __init__(self, content: str, called: Sequence[Sequence[str]], spoken: Sequence[Spoken]) -> None:
        self._called = called
        self._spoken = spoken
        self._sentence_starts = [one.start for one in spoken]
        self._tokens = [
            _Token(found[0].casefold(), found.start(), found.end(), not found[0][0].islower())
            for found in _WORD.finditer(content)
        ]
        self._token_starts = [token.start for token in self._tokens]
        self._breaks = [found.start() for found in _BREAK.finditer(content)]
        self._mentions = list(self._find_mentions())
        self._mention_starts = [one.start for one in self._mentions]

    def names(self, span: Span, who: int) -> bool:
        """Return whether a place of the text names somebody."""
        return who in _owners(self._mentions_in(span))

    def is_of_another(
        self, statement: str, span: Span, who: int, kin: Collection[int], *, is_near: bool = False
    ) -> str | None:
        """Return of whom the text says what a statement, which rests on a place of it, says of somebody; None of him.

        Only those of `kin` count as others. `is_near`: the text may be about him where it names nobody. The answer is
        empty where nothing there tells that it is of him.
        """
        sentences = self._sentences(span)
        place = (sentences[0].start, sentences[-1].end) if sentences else span
        others = frozenset(kin) - {who}
        parts = list(self._parts(place, others | {who}))
        mine, theirs, foreign, is_last_mine = _weigh(self._said(statement), parts, who)
        if not mine and not theirs:
            quoted = [part for part in parts if part.start < span[1] and span[0] < part.end]
            mine = sum(who in (part.owners or ()) for part in quoted)
            foreign = {one for part in quoted for one in part.owners or ()} - {who}
            theirs = int(bool(quoted) and not mine and all(part.owners for part in quoted))
        said_of = self._named_in(statement) if theirs else frozenset[int]()
        if foreign & said_of:  # it says something of both
            return None if mine or self.names(place, who) else self._unnamed(place, who, others, _ANY, is_near=is_near)
        if theirs > mine or (theirs and theirs == mine and not is_last_mine):
            return self._name_of(foreign)
        if mine or self.names(place, who):
            return None
        return self._unnamed(place, who, others, _THIRD, is_near=is_near)

    def _unnamed(
        self, place: Span, who: int, others: Owners, pronouns: Collection[str], *, is_near: bool
    ) -> str | None:
        """Judge what stands where he is not named: by who speaks, and by whom a pronoun may mean."""
        words = {token.word for token in self._between(place)}
        speakers = frozenset(one for said in self._sentences(place) for one in self._bearers(said.speaker))
        here = _owners(self._mentions_in(place)) & others
        has_pronoun, is_of_speaker = not words.isdisjoint(pronouns), not words.isdisjoint(_OF_SPEAKERS)
        if who in speakers and (is_of_speaker or not here):
            return None
        if is_of_speaker and speakers & others:
            return self._name_of(speakers & others)
        if here and not has_pronoun and not is_of_speaker:
            return self._name_of(here)
        near = self._last_named(place[0], others | {who})
        if has_pronoun and near:
            return None if who in near else self._name_of(near)
        return None if is_near else ""

    def _last_named(self, end: int, kin: Owners) -> Owners:
        """Return who of a kind is named in the last sentence before a place that names any, if it is near."""
        at = bisect_left(self._sentence_starts, end)
        for one in reversed(self._spoken[max(at - _BEFORE, 0) : at]):
            if named := _owners(self._mentions_in((one.start, min(one.end, end)))) & kin:
                return named
        return frozenset()

    def _said(self, statement: str) -> list[str]:
        """Return the stems of a statement that are of nobody's name."""
        found = [word for word in _words(statement) if word not in STOP_WORDS and word not in self._name_words]
        return [stem(word) for word in dict.fromkeys(found) if word not in _FIRST and word not in _THIRD]

    @cached_property
    def _name_words(self) -> set[str]:
        return {word for called in self._called for name in called for word in _words(name)}

    @cached_property
    def _own_words(self) -> list[set[str]]:
        """Of each the words of his names that nobody else bears."""
        bearing: dict[str, set[int]] = {}
        for number, called in enumerate(self._called):
            for name in called:
                for word in _words(name):
                    bearing.setdefault(word, set()).add(number)
        own: list[set[str]] = [set() for _ in self._called]
        for word, numbers in bearing.items():
            if len(numbers) == 1 and word not in _NO_NAME:
                own[min(numbers)].add(word)
        return own

    def _named_in(self, statement: str) -> set[int]:
        said = set(_words(statement))
        return {number for number, own in enumerate(self._own_words) if own & said}

    def _name_of(self, numbers: Collection[int]) -> str:
        return next(iter(self._called[min(numbers)]), "") if numbers else ""

    def _bearers(self, speaker: str) -> Owners:
        """Return who is called as a speaker is, by name or address; else whose name or address stands in it."""
        said = _words(speaker)
        exact: set[int] = set()
        within: set[int] = set()
        for number, called in enumerate(self._called if said else ()):
            for words in map(_words, called):
                exact.update([number] if words == said else ())
                within.update([number] if len(words) > 1 and set(words) <= set(said) else ())
        return frozenset(exact or within)

    def _sentences(self, span: Span) -> Sequence[Spoken]:
        first = max(bisect_right(self._sentence_starts, span[0]) - 1, 0)
        end = bisect_left(self._sentence_starts, span[1])
        return [one for one in self._spoken[first:end] if span[0] < one.end]

    def _between(self, place: Span) -> Sequence[_Token]:
        return self._tokens[bisect_left(self._token_starts, place[0]) : bisect_left(self._token_starts, place[1])]

    def _mentions_in(self, place: Span) -> Sequence[_Mention]:
        return self._mentions[bisect_left(self._mention_starts, place[0]) : bisect_left(self._mention_starts, place[1])]

    def _parts(self, place: Span, kin: Owners) -> Iterator[_Part]:
        """Yield the parts of a place; one that only names somebody goes with the next."""
        mentions = {one.start: one for one in self._mentions_in(place) if one.owners & kin}
        owners: Owners | None = None
        named: set[int] = set()
        words: set[str] = set()
        start, has_pronoun, inside = place[0], False, place[0]
        tokens = self._between(place)
        for at, token in enumerate(tokens):
            if words and self._opens(tokens, at, mentions):
                owners = _owner(named, owners, has_pronoun=has_pronoun)
                yield _Part(start, token.start, frozenset(words), owners)
                start, named, words, has_pronoun = token.start, set(), set(), False
            if token.start in mentions:
                named |= mentions[token.start].owners & kin
                inside = mentions[token.start].end
            elif token.start >= inside:
                if token.word in _FIRST or token.word in _THIRD:
                    has_pronoun = has_pronoun or not named
                elif token.word not in _NO_NAME:
                    words.add(stem(token.word))
        yield _Part(start, place[1], frozenset(words), _owner(named, owners, has_pronoun=has_pronoun))

    def _opens(self, tokens: Sequence[_Token], at: int, mentions: Collection[int]) -> bool:
        """Return whether a part with a subject of its own begins at a word."""
        token = tokens[at]
        if bisect_left(self._breaks, tokens[at - 1].end) < bisect_left(self._breaks, token.start):
            return True
        if token.word not in _COORDINATORS:
            return token.word in _OPENERS
        return any(one.start in mentions for one in tokens[at + 1 : at + 2 + _TITLES_MAX])

    def _find_mentions(self) -> Iterator[_Mention]:
        """Yield all places that name somebody, the longest names first taken."""
        phrases: dict[tuple[str, ...], set[int]] = {}
        for number, called in enumerate(self._called):
            for name in called:
                words = _words(name)
                phrases.setdefault(tuple(words), set()).add(number)
                for word in words if "." not in name else ():  # an address is no name
                    if len(word) >= _LETTERS_MIN and word not in _NO_NAME:
                        phrases.setdefault((word,), set()).add(number)
        phrases.pop((), None)
        longest = max(map(len, phrases), default=0)
        at = 0
        while at < len(self._tokens):
            for size in range(min(longest, len(self._tokens) - at), 0, -1):
                taken = self._tokens[at : at + size]
                owners = phrases.get(tuple(token.word for token in taken))
                if owners and (size > 1 or taken[0].is_capital):
                    yield _Mention(taken[0].start, taken[-1].end, frozenset(owners))
                    at += size
                    break
            else:
                at += 1


def _weigh(said: Sequence[str], parts: Sequence[_Part], who: int) -> tuple[int, int, set[int], bool]:
    """Return how many words stand in parts of his, how many in others', whose those are, and if the last is his.

    A word in parts of both tells nothing. What parts have in common is said once and first ("A owns sales, B finance"),
    so that the last word tells.
    """
    mine, theirs, last, is_last_mine = 0, 0, -1, True
    foreign: set[int] = set()
    for word in said:
        holding = [part for part in parts if word in part.words]
        if not holding or not all(part.owners for part in holding):
            continue
        his = [part for part in holding if who in (part.owners or ())]
        if 0 < len(his) < len(holding):
            continue
        mine, theirs = mine + bool(his), theirs + (not his)
        if not his:
            foreign.update(*(part.owners or () for part in holding))
        if holding[-1].start > last:
            last, is_last_mine = holding[-1].start, bool(his)
    return mine, theirs, foreign, is_last_mine


def _owner(named: Collection[int], before: Owners | None, *, has_pronoun: bool) -> Owners | None:
    if has_pronoun:
        return None
    return frozenset(named) if named else before


def _owners(mentions: Sequence[_Mention]) -> Owners:
    return frozenset(owner for one in mentions for owner in one.owners)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
