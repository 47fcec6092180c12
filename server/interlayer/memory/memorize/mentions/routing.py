"""About whom each passage is: its grammatical subject, or who carries on from the passage before.

"I" is whoever writes or speaks, "we" his house; a pronoun goes on with the last person or house. A part that somebody
plays ("our contact is Ann Lee") is the house's to say. What has no such subject, where the content is of a person, is
about the house unless it is a private matter; in doubt it is about the main entity.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from interlayer.language.lexicon.reader import words
from interlayer.language.terms import STOP_WORDS
from interlayer.memory.memorize.mentions.actors import Actor
from interlayer.memory.memorize.mentions.scene import Mention, Scene
from interlayer.memory.memorize.mentions.surface import Passage, Token
from interlayer.memory.memorize.mentions.words import HONORIFICS

_LABEL: Final = re.compile(r"[^:.!?\"“„]{1,60}?:\s")
_QUOTE: Final = re.compile(r"[^\"“„«]{0,60}[\"“„«]\s?")
_QUOTE_MARK: Final = 3  # characters from a label to behind the mark that opens what somebody says
_FIELD_WORDS: Final = 3
_INVERTED: Final = 2  # the place of a subject behind its verb
_ENDS: Final = frozenset({"", ",", ".", ";"})
_MARK: Final = re.compile(r"[A-Z]{3,}")
_MARK_WORDS: Final = 2
_BESIDE_WORDS: Final = 7
_PLURAL_VERB: Final = re.compile(r"\w+en|sind|tun")


@dataclass(frozen=True, slots=True)
class Route:
    """A passage and those it is about, the grammatical subject first. `stays` says that it goes to the main entity."""

    passage: Passage
    about: tuple[Actor, ...]


class Router:
    """Reads the passages of a scene in order."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._cast = scene.cast
        self._person = scene.cast.types.person
        self._company = scene.cast.types.company
        self._last_person: Actor | None = None
        self._last_house: Actor | None = None
        self._last: Actor | None = None

    def routes(self) -> list[Route]:
        """Return whom each passage is about."""
        return [self._route(passage) for passage in self._scene.passages]

    def _route(self, passage: Passage) -> Route:
        if self._scene.is_own(passage):
            return Route(passage, self._beside(passage, self._main))
        subject = self._subject(passage)
        self._carry(passage, subject)
        return Route(passage, self._beside(passage, subject or self._main))

    @property
    def _main(self) -> Actor | None:
        return self._cast.main

    def _carry(self, passage: Passage, subject: Actor | None) -> None:
        """Note who may be meant by the pronouns of the next passage."""
        self._last = subject or self._last
        mentions = self._scene.mentions(passage)
        people = [one.actor for one in mentions if one.actor is None or one.actor.type == self._person]
        houses = list(dict.fromkeys(one.actor for one in mentions if one.actor and one.actor.type == self._company))
        if subject and subject.type == self._person:
            self._last_person = subject
            self._last_house = self._cast.house_of(subject) or self._last_house
        elif people:
            self._last_person = people[0] if len(set(people)) == 1 else None
        if subject and subject.type == self._company:
            self._last_house = subject
        elif len(houses) == 1:
            self._last_house = houses[0]

    def _subject(self, passage: Passage) -> Actor | None:
        """Return whom a passage is about, None for the main entity."""
        start, holder, speaker = 0, None, self._scene.writer(passage)
        if label := _LABEL.match(passage.text):
            start, holder = self._label(passage, label.end())
            if start and holder is None and self._is_field(passage, start, label.end()):
                return self._labelled()
            quote = _QUOTE.match(passage.text, label.end())
            speaker = holder if holder and quote and quote.end() - label.end() < _QUOTE_MARK else speaker
        found = self._clause(passage, start, speaker)
        if found is not _NOBODY:
            return found if found is not _MAIN else None
        return self._house_or(holder, passage) if holder else self._unsaid(passage, speaker)

    def _label(self, passage: Passage, end: int) -> tuple[int, Actor | None]:
        """Return the word behind a label, and whom the label names; the first word where it is a sentence itself."""
        tokens = passage.tokens
        start = sum(token.end <= end for token in tokens)
        named = self._named_before(passage, end)
        holder = named[0].actor if named and named[0].first == self._first_place(passage) else None
        if holder and passage.words.he.isdisjoint(token.folded for token in tokens[start:]):
            self._last_house = self._house(holder) or self._last_house  # "Ann Lee called: they need ..."
        said = passage.words.plural | passage.words.singular
        is_sentence = any(
            token.folded in said for token in tokens[:start]
        )  # "Our office moved: the new address is ..."
        return 0 if is_sentence else start, holder

    def _named_before(self, passage: Passage, end: int) -> list[Mention]:
        return [m for m in self._scene.mentions(passage) if m.actor and passage.tokens[m.last - 1].end <= end]

    def _is_field(self, passage: Passage, start: int, end: int) -> bool:
        """Whether a label is that of a field of a form: it names nobody, and opens no sentence."""
        is_short = start <= _FIELD_WORDS and not self._named_before(passage, end)
        return is_short and not _opens(passage.tokens[:start])

    def _hold(self, passage: Passage, holder: Actor, start: int) -> None:
        """Note whom "they" may mean behind what somebody is said to have told: "Ann Lee called: they need ..."."""
        if passage.words.he.isdisjoint(token.folded for token in passage.tokens[start:]):
            self._last_house = self._house(holder) or self._last_house

    def _first_place(self, passage: Passage) -> int:
        place = 0
        while place < len(passage.tokens) and (
            passage.tokens[place].folded in HONORIFICS
            or passage.tokens[place].folded in self._cast.types.numbered.values()
        ):
            place += 1
        return place

    def _labelled(self) -> Actor | None:
        """Return whom a field of a form is about: whoever the one before it is about, where that is a thing."""
        return self._last if self._last and self._last.type not in {self._person, self._company} else None

    def _clause(self, passage: Passage, start: int, speaker: Actor | None) -> Actor:
        """Return the subject of a passage from a word on: `_MAIN` for the main entity, `_NOBODY` where it has none."""
        tokens = passage.tokens
        mentions = {one.first: one for one in self._scene.mentions(passage) if one.first >= start}
        start = _behind_mark(tokens, start, mentions)
        if start < len(tokens) and passage.words.requests.match(passage.text, tokens[start].start):
            return self._asked(passage, speaker)
        meets = self._opens_meeting(passage, start, next(iter(mentions.values()), None))
        place, is_open = start, True
        if beside := self._beside_named(passage, start, mentions):
            return beside
        while place < len(tokens):
            told = self._first_person(passage, place, speaker)
            if told is None and is_open:
                told = self._pronoun(passage, place)
            if told is not None:
                return told
            mention = mentions.get(place)
            if mention and is_open and (meets or place == start or not self._is_behind_preposition(passage, place)):
                return self._named(passage, mention)
            is_open = is_open and (meets or mention is not None or self._is_before_subject(passage, place))
            place = mention.last if mention else place + 1
        return _NOBODY

    def _beside_named(self, passage: Passage, start: int, mentions: Mapping[int, Mention]) -> Actor | None:
        """Return whom a passage is about that begins with who he is: "Her deputy, NAME, ...", "Ann's boss NAME ..."."""
        tokens, said = passage.tokens, passage.words
        for place in range(start + 1, min(start + _BESIDE_WORDS, len(tokens))):
            word = tokens[place]
            if word.folded in said.copulas | said.prepositions or word.folded in said.coordinators:
                return None
            if (one := mentions.get(place)) is None:
                continue
            before = tokens[place - 1]
            is_named = (id(passage), place) in self._scene.introduced or before.folded in said.beside
            if one.actor and one.actor.type == self._person and is_named:
                begins = tokens[start].folded
                whose = begins in said.first | said.he | said.they | said.any_number
                is_own = passage.text[tokens[start].start : before.start].rstrip().endswith(("'s", "’s"))
                return one.actor if whose or is_own else None
            if place > start + 1 or not passage.text[: word.end].endswith(("'s", "’s")):
                return None
        return None

    def _first_person(self, passage: Passage, place: int, speaker: Actor | None) -> Actor | None:
        """Return whom a word of the first person means, None where it is none."""
        said, folded = passage.words, passage.tokens[place].folded
        if folded in said.plural or said.speaking.get(folded) == "several":
            return self._we(speaker)
        if folded in said.singular or said.speaking.get(folded) == "one":
            return speaker or _MAIN
        return None

    def _is_behind_preposition(self, passage: Passage, place: int) -> bool:
        return passage.tokens[place - 1].folded in passage.words.prepositions

    def _is_before_subject(self, passage: Passage, place: int) -> bool:
        """Whether a word may stand before the subject of a sentence: a greeting, an adverb, a preposition."""
        folded, prepositions = passage.tokens[place].folded, passage.words.prepositions
        return (
            folded in passage.words.openers
            or folded in HONORIFICS
            or folded in self._cast.types.numbered.values()
            or (folded in prepositions and place == 0)
            or (place > 0 and passage.tokens[place - 1].folded in prepositions and place <= 3)
            or passage.text[passage.tokens[place].end : passage.tokens[place].end + 1] == ","
        )

    def _opens_meeting(self, passage: Passage, start: int, mention: Mention | None) -> bool:
        """Whether somebody stands behind the noun for a meeting: "Call with Ann Lee"."""
        if mention is None or mention.first - start > 4 or mention.first <= start:
            return False
        place = mention.first - 1
        while place > start and passage.tokens[place].folded in HONORIFICS:
            place -= 1
        return passage.tokens[place].folded in passage.words.companions

    def _pronoun(self, passage: Passage, place: int) -> Actor | None:
        """Return whom a pronoun means, None where a word is none."""
        said, folded = passage.words, passage.tokens[place].folded
        if passage.tokens[place].text.isupper() and len(folded) > 1:
            return None
        if folded in said.he:
            return self._last_person or _MAIN
        if folded in said.they:
            return self._last_house or _MAIN
        if folded in said.any_number:
            behind = passage.tokens[place + 1].folded if place + 1 < len(passage.tokens) else ""
            if _PLURAL_VERB.fullmatch(behind):
                return self._last_house or _MAIN
            return self._last_person or self._last or _MAIN
        return None

    def _named(self, passage: Passage, mention: Mention) -> Actor:
        """Return whom a passage is about that has a name for its subject."""
        if mention.actor is None:
            before = passage.tokens[mention.first - 1].folded if mention.first else ""
            name, main = passage.tokens[mention.last - 1].folded, self._main
            if main and main.type == self._person and before in HONORIFICS and name not in main.words:
                return self._we(main)  # "Mr Lee", of whom nothing is known, is not the main person
            return _MAIN
        if mention.actor.type == self._person and self._speaks_for_house(passage, mention):
            return self._cast.house_of(mention.actor) or mention.actor
        others = [one for one in self._scene.mentions(passage) if one.first >= mention.last]
        if others and others[0].actor is not mention.actor:
            end = passage.tokens[mention.last - 1].end
            link = passage.text[end : passage.tokens[others[0].first].start].strip().casefold()
            if link == "&" or link in passage.words.coordinators:
                return _MAIN  # it is about both
        return mention.actor

    def _speaks_for_house(self, passage: Passage, mention: Mention) -> bool:
        """Whether somebody says something of "them", his house: "Ann said they need two weeks"."""
        said = passage.words
        behind = [token.folded for token in passage.tokens[mention.last :]]
        return (
            bool(behind) and behind[0] in said.verbs and not said.they.isdisjoint(behind) and said.he.isdisjoint(behind)
        )

    def _we(self, speaker: Actor | None) -> Actor:
        if speaker is None:
            return _MAIN
        return self._house(speaker) or speaker

    def _asked(self, passage: Passage, speaker: Actor | None) -> Actor:
        """Return whom a request is of: who asks for something for himself, else the house of whoever asks."""
        if speaker is None:
            return _MAIN
        if any(token.folded in passage.words.singular for token in passage.tokens):
            return speaker
        return self._last if self._last in {speaker, self._house(speaker)} and self._last else self._we(speaker)

    def _unsaid(self, passage: Passage, speaker: Actor | None) -> Actor | None:
        """Return whom a passage is about that names nobody as its subject."""
        if _leaves_subject_out(passage):
            return self._last_person or (self._main if self._main and self._main.type == self._person else None)
        if passage.tokens and passage.tokens[0].folded in passage.words.meeting:
            people = {one.actor for one in self._scene.mentions(passage)}
            return people.pop() if len(people) == 1 else None
        if self._last_person and self._speaks_of_him(passage):
            return self._last_person
        if self._plays_part(passage):
            return self._house_or(speaker or self._last_person or self._main, passage)
        is_thing = self._main and self._main.type not in {self._person, self._company}
        is_stranger = speaker and speaker is not self._main and self._house(speaker) is None
        # A note that names nobody is on the main entity: nothing in it tells of a house.
        if is_thing or is_stranger or (speaker is None and not self._scene.names_somebody):
            return None
        return self._house_or(speaker or self._main, passage)

    def _speaks_of_him(self, passage: Passage) -> bool:
        """Whether a passage without a name tells of somebody all the same: "Bad for her; ...", "Heute ist er krank"."""
        said, tokens, text = passage.words, passage.tokens, passage.text
        if any(one.actor for one in self._scene.mentions(passage)):
            return False
        if len(tokens) > _INVERTED and tokens[_INVERTED].folded in said.either | said.one:
            return tokens[_INVERTED - 1].folded.endswith("t")
        return any(
            token.folded in said.he and text[token.end : token.end + 1] in _ENDS and before.folded in said.prepositions
            for before, token in pairwise(tokens)
        )

    def _plays_part(self, passage: Passage) -> bool:
        return bool(passage.words.parts.search(passage.text))

    def _house_or(self, actor: Actor | None, passage: Passage) -> Actor | None:
        """Return the house of somebody for what is its matter, himself for what is his own."""
        if actor is None or actor.type != self._person:
            return actor
        if passage.words.private.search(passage.text) or passage.piece.kind in {"fragment", "signature"}:
            return actor
        return self._cast.house_of(actor) or actor

    def _house(self, actor: Actor) -> Actor | None:
        return actor if actor.type == self._company else self._cast.house_of(actor)

    def _beside(self, passage: Passage, subject: Actor | None) -> tuple[Actor, ...]:
        """Return a subject with those of other types of whom a value in the passage may be."""
        found: list[Actor] = [subject] if subject else []
        mentions = [one.actor for one in self._scene.mentions(passage) if one.actor]
        houses = list(dict.fromkeys(one for one in mentions if one.type == self._company))
        if subject and subject.type == self._person:
            own = self._cast.house_of(subject)
            if not houses or houses == [own]:
                found += [own] if own else []
            elif len(houses) == 1 and own is None:
                found += houses
        elif subject and subject.type == self._company:
            people = list(dict.fromkeys(one for one in mentions if one.type == self._person))
            speaker = self._scene.writer(passage)
            if speaker and any(token.folded in passage.words.singular for token in passage.tokens):
                found.append(speaker)
            elif len(people) == 1:
                found += people
        things = [one for one in self._cast.actors if one.type not in {self._person, self._company}]
        if len(things) == 1:
            found += things
        return tuple(dict.fromkeys(found))


def _behind_mark(tokens: Sequence[Token], start: int, mentions: Mapping[int, Mention]) -> int:
    """Return the first word behind what an entry of a log begins with: its time, and a mark in capitals."""
    place = start
    while place < len(tokens) and not any(map(str.isalpha, tokens[place].text)):
        place += 1
    end = place + _MARK_WORDS
    while place < min(end, len(tokens)) and place not in mentions and _MARK.fullmatch(tokens[place].text):
        place += 1
    return place


def _leaves_subject_out(passage: Passage) -> bool:
    """Whether a passage begins with a verb whose subject is left out: "Prefers calls in the morning."."""
    return bool(passage.tokens) and passage.tokens[0].folded in _VERBS


def _opens(tokens: Sequence[Token]) -> bool:
    """Whether words before a colon only open a sentence: "Good news: I was promoted"."""
    return any(token.folded in _OPENERS for token in tokens)


_OPENERS: Final = words("correction_openers", "salutations", "connectives") | frozenset({"news", "note"})
_VERBS: Final = words("preferring_verbs", "placing_verbs", "state_verbs", "role_verbs") - STOP_WORDS
_MAIN: Final = Actor("", "", [])
_NOBODY: Final = Actor("", "", [])
