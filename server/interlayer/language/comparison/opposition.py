"""States that take the place of each other: two places on one scale, or a word and what its prefix turns it into."""

from collections.abc import Sequence
from typing import Final

from interlayer.language.comparison.content import Row, Word
from interlayer.language.comparison.vocabulary import Place, Vocabulary, places

State = tuple[int, int, frozenset[Place]]
"""Start and end of a phrase in a row, and its places on scales."""

_ROOT_MIN: Final = 4  # letters


def find_states(row: Row, known: Vocabulary) -> Sequence[State]:
    """Return start, end and places of what a row says on scales."""
    return [
        (start, end, meaning)
        for start, end, meaning in _scaled(row, known)
        if not (end == start + 1 and row[start].function) or _predicated(row, start, known)
    ]


def are_opposed(before: Row, newer: Row, older: Row, after: Row, known: Vocabulary) -> bool:
    """Return whether two values in one place turn each other round; words beside it may belong to them."""
    one, other = ([word for word in row if not word.function or _alone(row)] for row in (newer, older))
    if len(one) == len(other) == 1 and are_turned(one[0], other[0], known):
        return True
    ones, others = (_states_over(before, row, after, known) for row in (newer, older))
    return any(exclude(now, was) for now in ones for was in others)


def _states_over(before: Row, value: Row, after: Row, known: Vocabulary) -> Sequence[frozenset[Place]]:
    """Return the states that the value is, or a phrase over it."""
    first, last = len(before), len(before) + len(value)
    row = [*before, *value, *after]
    return [
        meaning
        for start, end, meaning in _scaled(row, known)
        if start < last and end > first and not any(word.content for word in [*row[first:start], *row[end:last]])
    ]


def _scaled(row: Row, known: Vocabulary) -> Sequence[State]:
    """Return the states of a row by the words' texts, and where these are not known by their stems."""
    found = known.scales.find([word.text for word in row])
    taken = {at for start, end, _ in found for at in range(start, end)}
    stemmed = known.scale_stems.find([word.key for word in row])
    more = [span for span in stemmed if span[0] not in taken and row[span[0]].content]
    return [(start, end, places(meaning)) for start, end, meaning in (*found, *more)]


def exclude(newer: frozenset[Place], older: frozenset[Place]) -> bool:
    """Return whether two sets of places are apart on a scale that both are on."""
    for scale in {scale for scale, _ in newer} & {scale for scale, _ in older}:
        one = {place for name, place in newer if name == scale}
        other = {place for name, place in older if name == scale}
        if not one & other:
            return True
    return False


def are_turned(one: Word, other: Word, known: Vocabulary) -> bool:
    """Return whether a prefix turns one word into the other: stable, unstable."""
    short, long = sorted((one.text, other.text), key=len)
    if len(short) < _ROOT_MIN or one.kind != "word" or other.kind != "word":
        return False
    return any(long == prefix + short or long == prefix + "s" + short for prefix in known.prefixes)


def _alone(row: Row) -> bool:
    return all(word.function for word in row)


def _predicated(row: Row, place: int, known: Vocabulary) -> bool:
    """Whether a short word that is a preposition as often says here how something is: "is over", "is down"."""
    return place > 0 and row[place - 1].text in known.copulas
