"""What two statements have in common and what each says alone, whatever the order of their words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

_ROOT_MIN: Final = 4  # letters in common at the beginning, for words of one family: hold, holder
_ENDING_MAX: Final = 4  # letters


Kind = Literal["word", "number", "time", "sign", "mark"]


class Word(NamedTuple):  # made by the hundred for a note, which takes a dataclass three times as long
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
    itself: bool = False

    @property
    def content(self) -> bool:
        """Whether it says something of its own."""
        return not self.function and self.kind not in {"mark", "sign"}


Row = Sequence[Word]


@dataclass(frozen=True)
class Content:
    """The words of a row that say something, without the verbs that only join."""

    row: Row

    @cached_property
    def words(self) -> Sequence[Word]:
        """What it says: content words but for verbs of state."""
        return [word for word in self.row if word.content and not (word.stative and word.kind == "word")]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of every content word, verbs of state with them."""
        return frozenset(word.key for word in self.row if word.content)

    def says(self, word: Word) -> bool:
        """Whether a word, or one of its family, stands in here."""
        if word.key in self.keys:
            return True
        if word.kind != "word" or word.name:
            return False
        head = _head(word.key)
        return head in self.keys or word.key in self._heads or self._has_family_of(word.key)

    def _has_family_of(self, key: str) -> bool:
        """Whether a word in here begins with a key, or a key with one: hold, holder."""
        if key in self._begun and key.isalpha():
            return True
        for end in range(max(len(key) - _ENDING_MAX, _ROOT_MIN), len(key)):
            if key[:end] in self._roots and key[:end].isalpha():
                return True
        return False

    @cached_property
    def _heads(self) -> frozenset[str]:
        """The last parts of its words with a hyphen: "tax-records" speaks of records."""
        return frozenset(head for key in self._roots if (head := _head(key)))

    @cached_property
    def _roots(self) -> frozenset[str]:
        return frozenset(word.key for word in self.row if word.content and word.kind == "word" and not word.name)

    @cached_property
    def _begun(self) -> frozenset[str]:
        """What the words of it begin with that may be a word of their family."""
        return frozenset(
            key[:end] for key in self._roots for end in range(max(len(key) - _ENDING_MAX, _ROOT_MIN), len(key) + 1)
        )

    def share(self, words: Collection[Word]) -> float:
        """Return the share of some words that stand in here; 1 of none."""
        return sum(map(self.says, words)) / len(words) if words else 1.0

    def beside(self, other: "Content") -> Sequence[Word]:
        """Return the words that the other one does not have."""
        return [word for word in self.words if not other.says(word)]

    def in_a_row(self, words: Sequence[Word]) -> bool:
        """Whether some words of it stand side by side, but for function words."""
        places = [at for at, word in enumerate(self.row) if any(word is one for one in words)]
        between = self.row[places[0] : places[-1] + 1] if places else ()
        return bool(places) and all(
            any(word is one for one in words) or (word.function and not word.stative) or word.kind in {"sign", "mark"}
            for word in between
        )


def _head(key: str) -> str:
    """Return the last part of a word with a hyphen, both parts long enough to be words; else nothing."""
    first, _, last = key.rpartition("-")
    return last if len(first) >= _ROOT_MIN and len(last) >= _ROOT_MIN else ""
