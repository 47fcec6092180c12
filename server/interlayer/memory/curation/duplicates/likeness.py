"""How probable it is that two entities are one, by the model of Fellegi and Sunter (1969).

What two entities share counts as many bits as it is rare among all of the type, what they differ in counts against
them. The pair starts from the odds of any two of n entities being one, 1 to n.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from interlayer.memory.curation.duplicates.profile import NAME, Profile

_AGREE: Final = 0.9
"""How often two records of one thing have the same value in a field."""

_DIFFERS: Final = -math.log2(1 / (1 - _AGREE))
_CHANGES: Final = _DIFFERS / 2  # the value of what changes may be that of another time
_OTHER_NAME: Final = -40.0  # two given names are two people, whatever else they share: a family, colleagues
_ALIKE: Final = 0.85
_RELATED: Final = 0.7
_MARK_ALIKE: Final = 0.9
_MARK_LENGTH_MIN: Final = 5
_WEIGHT_MAX: Final = 16.0
_HOPELESS: Final = -4.0
"""The bits under which a pair needs no further look, if all that is not compared yet were the same and rare."""

_ASSUMED: Final = 50
"""As many entities are taken to be known beside those that are: of few, little can be told of what is rare."""

_RARE: Final = 0.002
"""Which share of these has a name or value in common with another one."""

_TYPO: Final = 0.7  # of the weight of a word that is written the same
_INITIAL: Final = 0.3
_MARK_TYPO: Final = 0.5


@dataclass(frozen=True, slots=True)
class Likeness:
    """The probability of 0..1 that two are one, and the fields that speak for it, the strongest first."""

    probability: float
    fields: tuple[str, ...]

    def with_more(self, bits: float, field: str) -> "Likeness":
        """Return the likeness with something more that speaks for it."""
        odds = self.probability / (1 - self.probability) * 2**bits if self.probability < 1 else math.inf
        return Likeness(1 - 1 / (1 + odds), (*self.fields, field))


class Population:
    """All entities of a type, by which what two of them share is rare or common."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.size = max(len(profiles), 2)
        self._start = math.log2(self.size)
        self._weights: dict[int, float] = {}
        self._words = Counter(word for one in profiles for word in set(one.words))
        self._marks = Counter(
            (field, value) for one in profiles for field, values in one.marks.items() for value in values
        )

    def likeness(self, one: Profile, other: Profile) -> Likeness:
        """Compare two entities."""
        named = bool(one.words and other.words)
        name = sum(self._words_alike(one.words, other.words)) if named else 0.0
        if name - self._start + _most(one, other) < _HOPELESS:
            return Likeness(0.0, ())
        weights = dict(self._fields(one, other))
        if named:
            weights[NAME] = name
        bits = sum(weights.values()) - self._start
        fields = sorted((field for field, weight in weights.items() if weight > 0), key=lambda field: -weights[field])
        return Likeness(_probability(bits), tuple(fields))

    def _words_alike(self, one: tuple[str, ...], other: tuple[str, ...]) -> Iterator[float]:
        """Yield the weights of the words of two names, each word held against the one that is most like it."""
        short, long = sorted((one, other), key=lambda words: (len(words), words))
        left = list(long)
        for word in short:
            best = word if word in left else max(left, key=lambda candidate: _alike(word, candidate), default="")
            alike = 1.0 if word == best else _alike(word, best)
            if alike >= _ALIKE:
                left.remove(best)
                weight = self._weight(max(self._words[word], self._words[best]))
                yield weight if word == best else weight * _TYPO
            elif initial := next((full for full in left if word[0] == full[0] and min(len(word), len(full)) == 1), ""):
                left.remove(initial)
                yield self._weight(self._words[initial]) * _INITIAL
            else:
                yield _DIFFERS if alike >= _RELATED or not left else _OTHER_NAME

    def _fields(self, one: Profile, other: Profile) -> Iterator[tuple[str, float]]:
        """Yield what two entities share or differ in, by field."""
        for field in one.marks.keys() & other.marks.keys():
            mine, theirs = one.marks[field], other.marks[field]
            if shared := mine & theirs:
                rarest = min(shared, key=lambda value: (self._marks[field, value], value))
                yield field, self._weight(self._marks[field, rarest])
                continue
            first, second = min(mine), min(theirs)
            free = field not in one.steady and min(len(first), len(second)) >= _MARK_LENGTH_MIN
            if free and _alike(first, second) >= _MARK_ALIKE and not _numbered(first, second):
                weight = self._weight(max(self._marks[field, first], self._marks[field, second]))
                yield field, weight * _MARK_TYPO
            else:
                yield field, _DIFFERS if field in one.steady else _CHANGES

    def _weight(self, bearers: int) -> float:
        """Return the bits of sharing what so many bear, the two not counted."""
        if bearers not in self._weights:
            chance = (max(bearers - 2, 0) + _ASSUMED * _RARE) / (self.size - 2 + _ASSUMED)
            self._weights[bearers] = min(math.log2(_AGREE / chance), _WEIGHT_MAX)
        return self._weights[bearers]


def _most(one: Profile, other: Profile) -> float:
    """Return more bits than the fields that two have in common can come to."""
    return sum(
        _WEIGHT_MAX * (_MARK_TYPO if values.isdisjoint(other.marks[field]) else 1.0)
        for field, values in one.marks.items()
        if field in other.marks
    )


def _probability(bits: float) -> float:
    return 1 / (1 + 2.0 ** -max(min(bits, 60.0), -60.0))


def _numbered(one: str, other: str) -> bool:
    """Tell whether two values are alike but for their numbers: 12 High Street and 14 High Street."""
    return _without_digits(one) == _without_digits(other)


def _without_digits(text: str) -> str:
    return "".join(character for character in text if not character.isdigit()) if not text.isdigit() else text


@lru_cache(maxsize=200_000)
def _alike(one: str, other: str) -> float:
    return 1.0 if one == other else _similarity()(one, other)


@cache
def _similarity() -> Callable[[str, str], float]:
    from rapidfuzz.distance import JaroWinkler

    return JaroWinkler.similarity
