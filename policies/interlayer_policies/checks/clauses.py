"""The clauses of a draft: how its words belong together, by marks, by line breaks and by the words that open a clause.

Linear in the length of the text. A number with its marks (1,250.5) and a range (between 10 and 30) are never cut.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import forms
from interlayer.language.quantities.numerals import is_number_word
from interlayer_policies.checks.draft import Draft, Word
from interlayer_policies.checks.lexicon import listed

_ENDED: Final = re.compile(r"[.!?\u3002\uff01\uff1f\u2026][\"')\]*_]*\s|[\u3002\uff01\uff1f]")
_MARKED: Final = re.compile(r"[!?\u3002\uff01\uff1f]")
_MARK: Final = re.compile(r"[,;:()|\t\uff0c\uff1b\uff1a]|\s-+\s|--")
_STRONG: Final = re.compile(r"[:;\uff1b\uff1a]")
_ITEM: Final = re.compile(r"\n\s*[-*\u2022]\s+[^\w\n]*$")
_OPENS: Final = re.compile(r"\n\s*[>|]|\n\s*\n")
_WRAPPED: Final = 48  # characters from which on a line is taken to go on in the next one
_SHORT: Final = frozenset(form.casefold().rstrip(".") for form in forms("abbreviations", "titles", "legal_forms"))
_JOINING: Final = frozenset({"and", "or", "und", "oder", "et", "ou", "y", "e"})
_LISTED: Final = 60  # clauses of a list that are gone back over
END: Final = "."
ITEM: Final = "-"


@dataclass(frozen=True, slots=True)
class Clause:
    """The words [first, last), the mark before them and the word that opens them.

    The mark is `.` where a sentence or a line begins, and `-` where an item of a list does.

    `opener` is a link such as "but" or "or", folded; empty if none opens it.
    """

    first: int
    last: int
    mark: str
    opener: str = ""

    @property
    def begins(self) -> bool:
        """Whether a sentence, a row or a line begins with it."""
        return self.mark in {END, ITEM}


@dataclass(frozen=True)
class Clauses:
    """The clauses of a draft in order; `of` has the number of the clause that each word is in."""

    all: Sequence[Clause]
    of: Sequence[int]

    def lead_in(self, number: int) -> int | None:
        """Return the clause before the list that a clause is an item of, or a part of one; None if there is no list."""
        is_item = False
        for at in range(number, max(-1, number - _LISTED), -1):
            if is_item and self.all[at].mark == END:
                return at
            is_item = is_item or self.all[at].mark == ITEM
            if self.all[at].mark == END:
                return None
        return None

    def sentence(self, number: int) -> tuple[int, int]:
        """Return the numbers [first, last) of the clauses of a clause's sentence, at most ten to either side."""
        first = number
        while first > max(0, number - 10) and not self.all[first].begins:
            first -= 1
        last = number + 1
        while last < min(len(self.all), number + 10) and not self.all[last].begins:
            last += 1
        return first, last


def clauses(draft: Draft) -> Clauses:
    """Cut a draft into its clauses."""
    links = {at for at, _, _ in listed("clause_links").scan(draft.words) if _is_plain(draft, draft.words[at])}
    words, lower = draft.words, draft.lower
    found: list[Clause] = []
    of: list[int] = []
    first, mark, last_end = 0, END, 0
    for at, word in enumerate(words):
        gap = lower[last_end : word.start]
        last_end = word.end
        if at:
            broken = "" if gap == " " else _break_before(draft, at, gap)
            if not broken and at in links and not _joins_numbers(words, at):
                broken = ","
            if broken:
                found.append(Clause(first, at, mark, words[first].text if first in links else ""))
                first, mark = at, broken
        of.append(len(found))
    if words:
        found.append(Clause(first, len(words), mark, words[first].text if first in links else ""))
    return Clauses(found, of)


def _is_plain(draft: Draft, word: Word) -> bool:
    """Whether a word is written as it is folded: "e" is and, "è" is a verb."""
    if len(word.text) > 1:
        return True
    span = draft.original(word.start, word.end)
    return draft.text[span.start : span.end].isascii()


def _break_before(draft: Draft, at: int, gap: str) -> str:
    """Return the mark that parts a word from the one before it; empty if none does."""
    before, word = draft.words[at - 1], draft.words[at]
    if "\n" in gap and _ITEM.search(gap):
        return ITEM
    if "\n" in gap and (_OPENS.search(gap) or _ends_a_line(draft, before, gap)):
        return END
    ended = _ENDED.search(gap)
    if ended and _is_end(draft, before, word, gap):
        return END
    mark = _STRONG.search(gap) or _MARK.search(gap)
    if mark is None or (
        before.text[-1].isdigit() and word.text[0].isdigit() and not gap.strip(" -,") and "," not in gap
    ):
        return ""
    if gap in {",", ":", "-"} and before.text[-1].isdigit() and word.text[0].isdigit():
        return ""
    return mark[0].strip()[:1] or "|"


def _ends_a_line(draft: Draft, before: Word, gap: str) -> bool:
    """Whether a line ends what is said: a short one that no mark of a clause ends."""
    begin = draft.lower.rfind("\n", max(0, before.end - _WRAPPED), before.end)
    return begin >= 0 or before.end < _WRAPPED or gap.lstrip(' )*_"').startswith(".")


def _is_end(draft: Draft, before: Word, word: Word, gap: str) -> bool:
    """Whether a point ends a sentence, and not a short form or an ordinal."""
    if _MARKED.search(gap):
        return True
    if draft.plain[word.start].islower() or before.text in _SHORT:
        return False
    return not (before.text.isdigit() and len(before.text) <= 2 and gap == ". " and word.text[0].isalpha()) or (
        draft.lower[before.start - 1 : before.start] in {"$", "\u20ac"}
    )


def _joins_numbers(words: Sequence[Word], at: int) -> bool:
    """Whether a link stands between two numbers: between 10 and 30."""
    if words[at].text not in _JOINING or at + 1 >= len(words):
        return False
    return _is_number(words[at + 1].text) and any(_is_number(word.text) for word in words[max(0, at - 2) : at])


def _is_number(word: str) -> bool:
    return word[0].isdigit() or is_number_word(word)
