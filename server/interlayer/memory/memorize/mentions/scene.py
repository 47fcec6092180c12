"""A content with its cast: who writes and who speaks each passage, and who stands where in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.memorize.mentions.actors import Actor, domain_of
from interlayer.memory.memorize.mentions.cast import Cast
from interlayer.memory.memorize.mentions.correspondence import Correspondence
from interlayer.memory.memorize.mentions.people import Introduction, looks_like_person
from interlayer.memory.memorize.mentions.surface import Passage, Surface
from interlayer.memory.memorize.mentions.words import (
    ARTICLES,
    HONORIFICS,
    HOUSES,
    LEGAL_FORMS,
    NO_NAMES,
    OWN_ROLES,
    PARTICLES_OF_PEOPLE,
    TITLES,
)

_BETWEEN: Final = re.compile(r"[^.;:!?]{0,60}")
_LINK_WORDS: Final = 8
_DEFINING_WORDS: Final = 9


@dataclass(frozen=True, slots=True)
class Mention:
    """The words [first, last) of a passage that name somebody; without an actor it cannot be told whom."""

    first: int
    last: int
    actor: Actor | None


class Scene:
    """Reads a content for who takes part. `met` says that somebody may be brought in by a meeting or a verb alone."""

    def __init__(self, surface: Surface, cast: Cast, introduced: Mapping[int, Sequence[Introduction]]) -> None:
        self._surface = surface
        self._introductions = introduced
        self.addresses = frozenset(surface.addresses())
        self.cast = cast
        self._speakers: dict[str, Actor | None] = {}
        self._parts: dict[tuple[str, bool], Mention | None] = {}
        self._found: dict[int, list[Mention]] = {}
        self.introduced: dict[tuple[int, int], Actor] = {}
        self.linked: list[tuple[Actor, Passage]] = []
        self.titled: list[tuple[Introduction, Actor]] = []
        self.is_letter = False  # as long as nobody is known
        mail = Correspondence(surface, cast)
        self._writers, self._strangers, self.recipients = mail.writers, mail.strangers, mail.recipients
        self._define()
        self.houses = self._principal_houses()
        self._introduce()
        self._mark()
        self._link()
        self._speakers.clear()  # who was brought in may speak
        self.is_letter = self._is_letter()

    @property
    def passages(self) -> Sequence[Passage]:
        """The passages in order."""
        return self._surface.passages

    def mentions(self, passage: Passage) -> Sequence[Mention]:
        """Return who is named in a passage, in order."""
        return self._found.get(id(passage), ())

    @property
    def names_somebody(self) -> bool:
        """Whether anybody writes, or is named anywhere."""
        return bool(self._writers or self.recipients or any(one.actor for some in self._found.values() for one in some))

    def writer(self, passage: Passage) -> Actor | None:
        """Return who says "I" in a passage, None where it cannot be told."""
        label = passage.piece.label
        if label:
            return self._speaker(label)
        if passage.piece.writer:
            return self._writers.get(passage.piece.writer)
        return self.cast.main if self.is_letter else None

    def is_own(self, passage: Passage) -> bool:
        """Tell whether a passage is said by the organization's own side."""
        label = fold_name(passage.piece.label.strip("@"))
        if label in OWN_ROLES or label.split("(")[0].strip() in OWN_ROLES:
            return True
        writer = passage.piece.writer
        return bool(self.cast.own_domain) and domain_of(writer) == self.cast.own_domain

    def _speaker(self, label: str) -> Actor | None:
        if label not in self._speakers:
            self._speakers[label] = self._find_speaker(label)
        return self._speakers[label]

    def _find_speaker(self, label: str) -> Actor | None:
        form = fold_name(label.strip("@").split("(")[0])
        whole = [one for one in self.cast.actors if one.bears(form)]
        if whole:
            return whole[0] if len(whole) == 1 else None
        try:
            found = self.cast.short(form, titled=True)
        except LookupError:
            return None
        return found if found and found.type == self.cast.types.person else None

    def _principal_houses(self) -> list[Actor]:
        """Return the houses that the content is of: that of the main entity, those of the writers, those it names."""
        cast, found = self.cast, list[Actor | None]()
        if cast.main:
            found.append(cast.main if cast.main.type == cast.types.company else cast.house_of(cast.main))
        found += [cast.house_of(one) for one in self._writers.values() if one]
        named: list[Actor | None] = []
        for passage in self.passages:
            for _, _, form in passage.runs:
                heads = [h for h in cast.known.named.get(form, ()) if h.entity.type == cast.types.company]
                if len(heads) == 1:
                    named.append(cast.of_head(heads[0]))
        return [one for one in dict.fromkeys([*found, *named]) if one]

    def _define(self) -> None:
        """Take in a house that a content says what it is, where nobody else can be whom it is about."""
        cast = self.cast
        if cast.main or any(self._writers.values()) or not cast.types.company:
            return
        for passage in self.passages:
            runs = [(last, form) for first, last, form in passage.runs if first == 0]
            if not runs or any(form in cast.known.named for _, form in runs):
                continue
            last = runs[0][0]
            behind = [token.folded for token in passage.tokens[last:]]
            is_kind = behind[:1] and behind[0] in passage.words.copulas
            if is_kind and not passage.words.kinds.isdisjoint(behind[1:_DEFINING_WORDS]):
                cast.new(cast.types.company, passage.said(0, last))
                return

    def _introduce(self) -> None:
        is_open = self.cast.main is None and not any(self._writers.values())
        for passage in self.passages if self.cast.types.person else ():
            for found in self._introductions.get(id(passage), ()):
                one = self._trimmed(found)
                form = fold_name(one.name)
                if form in self._strangers:
                    continue  # somebody of another house, likely the organization's own, who tells who he is
                is_known = form in self.cast.known.named or any(actor.bears(form) for actor in self.cast.actors)
                if not one.address and not is_known and self.cast.is_main(one.name):
                    self.cast.learn(one.name)
                    continue
                if one.evidence != "named" and not is_known and not self._may_be_met(one, is_open=is_open):
                    continue
                try:
                    actor = self.cast.meet(one, self.houses)
                except LookupError:
                    continue
                if actor:
                    self.cast.present.append(actor)
                    self.introduced[id(passage), one.first] = actor
                    self._settle(actor, one)

    def _may_be_met(self, one: Introduction, *, is_open: bool) -> bool:
        """Whether a meeting or a verb alone brings somebody in.

        That is where nobody else is named, where one has his address, where his house stands behind his name, and
        where the next sentence says "he" or "she".
        """
        if is_open or self.cast.by_address(one.name, self.houses) is not None:
            return True
        return self._house_behind(one) is not None or self._is_spoken_of(one)

    def _is_spoken_of(self, one: Introduction) -> bool:
        """Whether a content speaks of a name as of a person: "NAME, who", "Ms Lee", "she" in the sentence behind."""
        passage, surname = one.passage, one.name.split()[-1]
        if any(token.folded in {"who", "whose"} for token in passage.tokens[one.last : one.last + 1]):
            return True
        for other in self.passages:
            for token, after in pairwise(other.tokens):
                if token.folded in HONORIFICS and token.is_capital and after.text == surname:
                    return True
        place = next(place for place, one in enumerate(self.passages) if one is passage) + 1
        following = self.passages[place] if place < len(self.passages) else None
        if following is None or not following.tokens:
            return False
        said, first = following.words, following.tokens[0].folded
        behind = following.tokens[1].folded if len(following.tokens) > 1 else ""
        return first in said.he or (first in said.either and behind.endswith("t"))

    def _trimmed(self, one: Introduction) -> Introduction:
        """Return an introduction without the house behind the name: "Ute Lang von Acme" is Ute Lang."""
        passage = one.passage
        for place in range(one.first + 2, one.last - 1):
            if passage.tokens[place].folded not in PARTICLES_OF_PEOPLE | passage.words.houses:
                continue
            ends = [(last, form) for begin, last, form in passage.runs if begin == place + 1 and last >= one.last]
            if any(
                passage.tokens[last - 1].folded in HOUSES or self._house_called(form, self.houses)
                for last, form in ends
            ):
                return replace(one, last=place)
        return one

    def _house_behind(self, one: Introduction) -> Actor | None:
        """Return the house behind somebody who was met: "Call with NAME from Acme", "Met NAME and NAME at Acme"."""
        passage, place = one.passage, one.last
        tokens, said = passage.tokens, passage.words
        beside = {other.first: other.last for other in self._introductions.get(id(passage), ())}
        while place + 1 in beside and tokens[place].folded in said.coordinators:
            place = beside[place + 1]
        if place >= len(tokens) or passage.text[tokens[place - 1].end : tokens[place].start] != " ":
            return None
        if tokens[place].folded not in (said.houses - said.companions) | {"of"} | PARTICLES_OF_PEOPLE:
            return None
        place += 1
        while place < len(tokens) and (not tokens[place].is_capital or tokens[place].folded in said.kinds):
            if tokens[place].folded not in ARTICLES | said.kinds | said.houses:
                return None
            place += 1
        runs = [(last, form) for begin, last, form in passage.runs if begin == place]
        found = next(filter(None, (self._house_called(form, self.houses) for _, form in runs)), None)
        return found or (self._house(passage.said(place, runs[0][0])) if runs else None)

    def _settle(self, actor: Actor, one: Introduction) -> None:
        """Note where somebody works who is brought in with a title or a house."""
        if one.title:
            self.titled.append((one, actor))
        if one.house:
            house = self._house(one.house)
        elif one.of_speaker:
            writer = self.writer(one.passage)
            house = self._house_of(writer) if writer else None
        else:
            house = self._house_behind(one)
        if house:
            self._tie(actor, house, one.passage)

    def _house(self, said: str) -> Actor | None:
        form = fold_name(said)
        known = [h for h in self.cast.known.named.get(form, ()) if h.entity.type == self.cast.types.company]
        if len(known) == 1:
            return self.cast.of_head(known[0])
        named = [one for one in self.cast.actors if one.type == self.cast.types.company and one.bears(form)]
        if named or known or not self.cast.types.company:
            return named[0] if len(named) == 1 else None
        words = form.split()
        is_house = len(words) <= 5 and (words[-1].strip(".") in HOUSES or words[0] in HOUSES)
        return self.cast.new(self.cast.types.company, said) if is_house else None

    def _house_of(self, actor: Actor) -> Actor | None:
        return actor if actor.type == self.cast.types.company else self.cast.house_of(actor)

    def _tie(self, actor: Actor, house: Actor, passage: Passage) -> None:
        actor.company, actor.is_linked = house, True
        self.linked.append((actor, passage))

    def _mark(self) -> None:
        """Find who is named in each passage: whole names first, then parts of names."""
        for passage in self.passages:
            found: list[Mention] = []
            taken: set[int] = set()
            for first, last, form in passage.runs:
                if taken & set(range(first, last)):
                    continue
                mention = self._whole(passage, first, last, form)
                if mention:
                    found.append(mention)
                    taken |= set(range(first, last))
            self._found[id(passage)] = found
        for passage in self.passages:
            found = self._found[id(passage)]
            taken = {place for one in found for place in range(one.first, one.last)}
            for first, last, form in passage.runs:
                if not taken & set(range(first, last)) and (mention := self._part(passage, first, last, form)):
                    found.append(mention)
                    taken |= set(range(first, last))
            found.sort(key=lambda one: one.first)

    def _whole(self, passage: Passage, first: int, last: int, form: str) -> Mention | None:
        actor = self.introduced.get((id(passage), first))
        if actor and actor.bears(form):
            return Mention(first, last, actor)
        beside = self._house_beside(passage, last, form) if form in self.cast.known.named else None
        try:
            if actor := self.cast.named(form, passage.said(first, last), [beside] if beside else self.houses):
                return Mention(first, last, None if self._goes_on(passage, last, actor) else actor)
            if numbered := self._numbered(passage, first, last):
                return Mention(first, last, numbered)
        except LookupError:
            return Mention(first, last, None)
        is_person = last - first > 1 and looks_like_person(passage.tokens[first:last])
        return Mention(first, last, None) if is_person and not self._holds_known(passage, first, last) else None

    def _holds_known(self, passage: Passage, first: int, last: int) -> bool:
        """Whether a run begins with a name that somebody bears: "Ann Lee de Acme" is no name of its own."""
        if (id(passage), first) in self.introduced:
            return True
        known = self.cast.known.named
        return any(begin == first and end < last and form in known for begin, end, form in passage.runs)

    def _house_beside(self, passage: Passage, last: int, name: str) -> Actor | None:
        """Return the house that stands right behind a name: "Ann Lee of Acme", "Ann Lee (Acme)"."""
        tokens = passage.tokens
        if last >= len(tokens):
            return None
        gap = passage.text[tokens[last - 1].end : tokens[last].start]
        first = last + 1 if gap == " " and tokens[last].folded in passage.words.houses | {"of"} else last
        if (first == last and gap != " (") or first >= len(tokens):
            return None
        bearers = [self.cast.of_head(head) for head in self.cast.known.named.get(name, ())]
        at = [*self.houses, *filter(None, map(self.cast.house_of, bearers))]
        found = [self._house_called(form, at) for begin, _, form in passage.runs if begin == first]
        return next(filter(None, found), None)

    def _house_called(self, form: str, at: Sequence[Actor]) -> Actor | None:
        heads = [one for one in self.cast.known.named.get(form, ()) if one.entity.type == self.cast.types.company]
        if len(heads) == 1:
            return self.cast.of_head(heads[0])
        houses = {one for one in at if one.begins_with(form) or one.bears(form)}
        return houses.pop() if len(houses) == 1 else None

    def _goes_on(self, passage: Passage, last: int, actor: Actor) -> bool:
        """Whether a name is only the beginning of another one: "Acme Labs Group" is not "Acme Labs"."""
        if last >= len(passage.tokens) or actor is self.cast.main:
            return False
        token = passage.tokens[last]
        is_next = passage.text[passage.tokens[last - 1].end : token.start] == " " and token.is_capital
        return is_next and token.text[0].isalpha() and token.folded not in LEGAL_FORMS | TITLES | NO_NAMES

    def _numbered(self, passage: Passage, first: int, last: int) -> Actor | None:
        """Return whose number a word is."""
        if last - first != 1:
            return None
        word = passage.tokens[first].text
        main = self.cast.main
        if main and main.given and fold_name(main.given.entity.key) == fold_name(word):
            return main
        for identifier, kind in self.cast.types.numbered.items():
            if found := self.cast.holder(kind, identifier, fold_name(word)):
                return found
            before = passage.tokens[first - 1].folded if first else ""
            shape = self.cast.types.shapes.get(identifier)
            if shape and shape.fullmatch(word) and before == kind:
                return self.cast.new(kind, word)
        return None

    def _part(self, passage: Passage, first: int, last: int, form: str) -> Mention | None:
        titled = first > 0 and passage.tokens[first - 1].folded in HONORIFICS
        try:
            actor = self.cast.short(form, titled=titled)
        except LookupError:
            return Mention(first, last, None)
        if actor:
            return Mention(first, last, actor)
        return Mention(first, last, None) if titled and passage.tokens[first].folded not in HONORIFICS else None

    def _link(self) -> None:
        """Tie people to the houses that stand beside them: "Ann Lee (Acme)", "Ann Lee, buyer at Acme"."""
        person, company = self.cast.types.person, self.cast.types.company
        for passage in self.passages:
            found = self.mentions(passage)
            for one, other in pairwise(found):
                if not (one.actor and other.actor and one.actor.type == person and other.actor.type == company):
                    continue
                between = passage.text[passage.tokens[one.last - 1].end : passage.tokens[other.first].start]
                if self._ties(passage, between, other):
                    self._tie(one.actor, other.actor, passage)

    def _ties(self, passage: Passage, between: str, house: Mention) -> bool:
        """Whether words between a person and a house say that he works there."""
        end = passage.tokens[house.last - 1].end
        if between.strip() == "(" or (between.strip(" ,").endswith(")") and "@" in between and len(between) < 80):
            return passage.text[end : end + 1] == ")" or "@" in between
        said = between.replace(",", " ").split()
        if not said or len(said) > _LINK_WORDS or not _BETWEEN.fullmatch(between):
            return False
        is_title = between.startswith(",") and said[-1].casefold() in passage.words.houses | {"of", "von", "der", "de"}
        return is_title or (len(said) == 1 and said[0].casefold() in passage.words.houses)

    def _is_letter(self) -> bool:
        """Whether a content without a head is a letter of the main person: it says "I" or "we", and never names him."""
        main = self.cast.main
        if main is None or main.type != self.cast.types.person or self._surface.document.participants:
            return False
        told = [p for p in self.passages if p.piece.kind in {"statement", "question", "fragment"}]
        if any(one.actor is main for passage in told for one in self.mentions(passage)):
            return False
        speaking = (token.folded in p.words.singular | p.words.plural for p in told for token in p.tokens)
        return any(speaking)
