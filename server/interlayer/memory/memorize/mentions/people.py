"""People whom a content brings in: a name that looks like a person's, and stands where only a person's does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.stated.job_titles import job_titles
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.memorize.mentions.surface import Passage, Token
from interlayer.memory.memorize.mentions.words import HONORIFICS, NOT_NAMES, PARTICLES_OF_PEOPLE, TITLES

_NAME_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*")
_BEHIND: Final = re.compile(
    r"(?:,[^.;()<>]{1,80})?\s?[(<\[]\s?(?:[\w-]+:\s?)?(?P<address>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)\s?[)>\]]"
)
_HOUSE_BEHIND: Final = re.compile(r"\s\((?P<house>[^()@]{2,60})\)")
_TITLE_BEFORE: Final = re.compile(
    rf"(?P<whose>[^\W\d_]+\s)?(?:(?i:{pattern(words('words_before_job_titles'))})\s){{0,2}}"
    r"(?P<title>[^\W\d_][\w&/-]*(?:\s[\w&/-]+)?),\s$"
)
_BEFORE_MAX: Final = 4
_WORDS_BEFORE_TITLE: Final = 2

Evidence = Literal["named", "met", "said"]
"""How surely a name is that of somebody who is brought in: by title, part or address, by a meeting, by a verb."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """Somebody who is brought in: the words of his name [first, last) in a passage, and what is said beside them.

    `title` is the title that they give him. `of_speaker` says that he is "our" buyer.
    """

    passage: Passage
    first: int
    last: int
    evidence: Evidence
    address: str = ""
    house: str = ""
    title: str = ""
    of_speaker: bool = False

    @property
    def name(self) -> str:
        """His name, as it is written."""
        return self.passage.said(self.first, self.last)


def looks_like_person(tokens: Sequence[Token]) -> bool:
    """Return whether words may be the first names and the surname of somebody."""
    own = [token for token in tokens if token.folded not in PARTICLES_OF_PEOPLE]
    return (
        2 <= len(own) <= 4
        and tokens[0] in own
        and tokens[-1] in own
        and all(_is_name_word(token, is_last=token is own[-1]) for token in own)
    )


def _is_name_word(token: Token, *, is_last: bool) -> bool:
    word, folded = token.text, token.folded
    if not _NAME_WORD.fullmatch(word) or not word[0].isupper():
        return False
    if len(word) == 1:
        return not is_last and folded not in HONORIFICS
    has_form = any(map(str.islower, word[1:])) or not word.isascii()
    return has_form and folded not in NOT_NAMES


def introductions(passage: Passage) -> Iterator[Introduction]:
    """Yield whom a passage brings in, each once."""
    names = [(first, last) for first, last, _ in passage.runs if looks_like_person(passage.tokens[first:last])]
    taken: set[int] = set()
    met: set[int] = set()
    for first, last in names:
        if not taken & set(range(first, last)) and (found := _introduction(passage, first, last)):
            taken |= set(range(first, last))
            met |= {last} if found.evidence == "met" else set()
            yield found
    for first, last in names:  # "Call with Ann Lee and Tom Burke"
        is_next = first - 1 in met and passage.tokens[first - 1].folded in passage.words.coordinators
        if is_next and not taken & set(range(first, last)):
            taken |= set(range(first, last))
            yield Introduction(passage, first, last, "met")


def _introduction(passage: Passage, first: int, last: int) -> Introduction | None:
    tokens, text, said = passage.tokens, passage.text, passage.words
    start, end = tokens[first].start, tokens[last - 1].end
    before, after = text[:start], text[end:]
    address = _BEHIND.match(after)
    house = _HOUSE_BEHIND.match(after)
    title, between = _title(passage, first, last)
    plays_part = _plays_part(passage, first, last)
    whose = [token.folded for token in tokens[:first]] if plays_part else between.casefold().split()
    beside = _beside(passage, first, last)
    of_speaker = any(word.strip(",") in said.plural for word in whose) or any(one in said.first for one in beside)
    if address or title or plays_part or beside or _is_titled(passage, first):
        return Introduction(
            passage, first, last, "named", address["address"].lower() if address else "", "", title, of_speaker
        )
    if house and house["house"][0].isupper():
        return Introduction(passage, first, last, "named", house=house["house"])
    is_superior = any(found.end() == len(before.rstrip()) for found in said.reporting.finditer(before))
    if is_superior or _succeeds(passage, first, last):
        return Introduction(passage, first, last, "named")
    if _is_met(passage, first):
        return Introduction(passage, first, last, "met")
    if first == 0 and last < len(tokens) and tokens[last].folded in said.verbs and after[:1] == " ":
        return Introduction(passage, first, last, "said")
    return None


def _before(passage: Passage, first: int) -> int:
    """Return the place of the word before a name and its forms of address, -1 where there is none."""
    place = first - 1
    while place >= 0 and passage.tokens[place].folded in HONORIFICS:
        place -= 1
    return place


def _is_met(passage: Passage, first: int) -> bool:
    """Whether a note begins with a meeting, and a name says with whom: "Call with NAME", "Anruf von NAME"."""
    tokens, said, place = passage.tokens, passage.words, _before(passage, first)
    if not 0 <= place < _BEFORE_MAX:
        return False
    word, opening = tokens[place].folded, [token.folded for token in tokens[:place]]
    if word in said.companions:
        return not said.meeting.isdisjoint(opening)
    if word in said.agents | said.houses | PARTICLES_OF_PEOPLE or word.rstrip("'’") == "d":
        return bool(opening) and opening[-1] in said.meeting
    return word in said.meeting and place <= 1


def _beside(passage: Passage, first: int, last: int) -> Sequence[str]:
    """Return the words that say beside whom a name stands at work, empty where it is not said.

    That is "her deputy, NAME", "Ann's assistant NAME", "NAME, my colleague".
    """
    tokens, said, text, place = passage.tokens, passage.words, passage.text, _before(passage, first)
    whose = said.first | said.he | said.any_number
    if place > 0 and tokens[place].folded in said.beside:
        gap = text[tokens[place].end : tokens[place + 1].start]
        before = tokens[max(place - 3, 0) : place]
        is_own = any(one.folded in whose or text[one.start : one.end].endswith(("'s", "’s")) for one in before)
        return [one.folded for one in before] if gap in {" ", ", "} and is_own else ()
    behind = [one.folded for one in tokens[last : last + 4]]
    if not behind or behind[0] not in whose or text[tokens[last - 1].end : tokens[last].start] != ", ":
        return ()
    return behind if not said.beside.isdisjoint(behind) or said.parts.search(" ".join(behind)) else ()


def _succeeds(passage: Passage, first: int, last: int) -> bool:
    """Whether a person follows on a name, or stands in for it: "She takes over sales from NAME"."""
    tokens, said, text, place = passage.tokens, passage.words, passage.text, _before(passage, first)
    found = said.succession.search(text, 0, tokens[first].start)
    if place < 0 or not found or re.search(r"[,;:()]", text[found.start() : tokens[first].start]):
        return False
    is_person = tokens[0].folded in said.he | said.either | HONORIFICS or any(
        begin == 0 and looks_like_person(tokens[:end]) for begin, end, _ in passage.runs if end < first
    )
    word = tokens[place]
    is_object = word.end == found.end() and text[tokens[last - 1].end :].strip() in {"", "."}
    is_behind = word.start > found.end() and word.folded in (said.houses - said.companions) | PARTICLES_OF_PEOPLE
    return is_person and (is_object or is_behind)


def _title(passage: Passage, first: int, last: int) -> tuple[str, str]:
    """Return the title that stands beside a name, and the words between the two: "Ann Lee, our buyer"."""
    text, start, end = passage.text, passage.tokens[first].start, passage.tokens[last - 1].end
    form = passage.form(first, last)
    behind = [one for one in job_titles(text) if f" {fold_name(one.holder)}".endswith(f" {form}")]
    if behind:
        last_one = behind[-1]
        if last_one.start < start:
            return last_one.text, " ".join(text[: last_one.start].split()[-_WORDS_BEFORE_TITLE:])
        return last_one.text, text[end : last_one.start]
    before = _TITLE_BEFORE.search(text, 0, start)
    if before and before["title"].split()[-1].casefold() in TITLES:
        return before["title"], before["whose"] or ""
    return "", ""


def _is_titled(passage: Passage, first: int) -> bool:
    """Whether a form of address, a title or a part stands right before a name: Frau, CFO, Ansprechpartner."""
    if not first:
        return False
    before = passage.tokens[first - 1]
    gap = passage.text[before.end : passage.tokens[first].start]
    if gap not in {" ", ". "}:
        return False
    return before.folded in HONORIFICS | TITLES or bool(passage.words.parts.fullmatch(before.text))


def _plays_part(passage: Passage, first: int, last: int) -> bool:
    """Whether a passage says of a name that it plays a part: "our contact is NAME", "NAME is our contact"."""
    words, text, tokens = passage.words, passage.text, passage.tokens
    place = first - 1
    while place >= 0 and tokens[place].folded in HONORIFICS:
        place -= 1
    if place > 0 and tokens[place].folded in words.copulas:
        return bool(words.parts.search(text[: tokens[place].start]))
    if last >= len(tokens) or tokens[last].folded not in words.copulas:
        return False
    end = next((text.index(mark, tokens[last].end) for mark in ",;(" if mark in text[tokens[last].end :]), len(text))
    behind = [token for token in tokens[last + 1 : last + 5] if token.start < end]
    return any(words.parts.match(text, token.start) for token in behind)
