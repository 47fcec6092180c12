"""Words of the lists, found in a draft: single words in their inflections, phrases, beginnings and ends of words."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final, Generic, TypeVar

from interlayer.language.lexicon.reader import entries
from interlayer_policies.checks.draft import Draft, Word, base

Meaning = TypeVar("Meaning")

_INFLECTED_MIN: Final = 4  # letters from which on a word may be told by its stem
_KEPT: Final = 20_000


class Forms(Generic[Meaning]):
    """Forms and what they mean. `*` at an end of a form is any ending or beginning.

    A single word is also found by its stem where `inflected` says so; of two phrases at one place the longer counts.
    """

    def __init__(self, known: Mapping[str, Meaning], *, inflected: bool = False) -> None:
        self._exact: dict[str, Meaning] = {}
        self._stems: dict[str, Meaning] = {}
        self._beginnings: dict[str, Meaning] = {}
        self._endings: dict[str, Meaning] = {}
        self._middles: dict[str, Meaning] = {}
        self._phrases: dict[str, list[tuple[list[str], Meaning]]] = {}
        for form, meaning in known.items():
            self._add(form, meaning, inflected=inflected)
        for phrases in self._phrases.values():
            phrases.sort(key=lambda phrase: -len(phrase[0]))
        self._opens: dict[str, bool] = {}
        self._one = lru_cache(maxsize=_KEPT)(self._look_up)

    def one(self, word: str) -> Meaning | None:
        """Return what a single folded word means."""
        return self._one(word)

    def at(self, words: Sequence[Word], first: int) -> tuple[int, Meaning] | None:
        """Return how many words from one on are a form, and what it means."""
        for phrase, meaning in self._phrases.get(words[first].text, ()):
            if [word.text for word in words[first : first + len(phrase)]] == phrase:
                return len(phrase), meaning
        meaning = self._one(words[first].text)
        return None if meaning is None else (1, meaning)

    def scan(self, words: Sequence[Word]) -> Iterator[tuple[int, int, Meaning]]:
        """Yield the forms in a row of words, in order and apart: the first word, how many they are, what they mean."""
        opens, free = self._opens, 0
        for at, word in enumerate(words):
            may_open = opens.get(word.text)
            if may_open is None:
                may_open = self._remember(word.text)
            if may_open and at >= free and (found := self.at(words, at)):
                yield at, *found
                free = at + found[0]

    def _remember(self, word: str) -> bool:
        """Return whether a form may begin with a word, and keep it."""
        if len(self._opens) >= _KEPT:
            self._opens.clear()
        self._opens[word] = word in self._phrases or self._one(word) is not None
        return self._opens[word]

    def opened_by(self, word: str) -> list[Meaning]:
        """Return what the phrases mean that a folded word opens."""
        return [meaning for _, meaning in self._phrases.get(word, ())]

    def found(self, words: Sequence[Word], first: int, last: int) -> bool:
        """Whether one of the forms stands among the words [first, last)."""
        for at in range(first, last):
            known = self.at(words, at)
            if known and at + known[0] <= last:
                return True
        return False

    def _add(self, form: str, meaning: Meaning, *, inflected: bool) -> None:
        words = [word.text for word in Draft(form.strip("*")).words]
        if not words:
            return  # a sign
        if len(words) != 1:
            self._phrases.setdefault(words[0], []).append((words, meaning))
            return
        bare = Draft(form.strip("*")).lower  # with the apostrophe at its end: n'*
        starred = (form.startswith("*"), form.endswith("*"))
        kept = {
            (False, False): self._exact,
            (False, True): self._beginnings,
            (True, False): self._endings,
            (True, True): self._middles,
        }[starred]
        kept.setdefault(bare, meaning)
        if inflected and starred == (False, False) and len(bare) >= _INFLECTED_MIN:
            self._stems.setdefault(base(bare), meaning)

    def _look_up(self, word: str) -> Meaning | None:
        for form in (word, word.removesuffix("'s"), word.partition("'")[2]):
            if form and (meaning := self._exact.get(form)) is not None:
                return meaning
        if (meaning := self._stems.get(base(word))) is not None:
            return meaning
        for known, told in (
            (self._beginnings, word.startswith), (self._endings, word.endswith), (self._middles, word.__contains__)
        ):  # fmt: skip
            for part, meaning in known.items():
                if told(part):
                    return meaning
        return None


@cache
def listed(*names: str, inflected: bool = False) -> Forms[str]:
    """Return the forms of some lists in all languages; each means the usual form of its entry."""
    known = {form.casefold(): entry.forms[0] for name in names for entry in entries(name) for form in entry.forms}
    return Forms(known, inflected=inflected)


@cache
def meant(name: str, *, inflected: bool = False) -> Forms[str]:
    """Return the forms of a list whose entries have a meaning; of a form in two languages the first one counts."""
    known: dict[str, str] = {}
    for entry in entries(name):
        for form in entry.forms:
            known.setdefault(form.casefold(), entry.meaning)
    return Forms(known, inflected=inflected)
