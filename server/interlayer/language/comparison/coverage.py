"""Whether a statement says nothing that another one does not: what justifies merging.

Every word, number and sign has to be met, in the same order. What the other one says beside it may not turn what is
said: no denial, condition or bound, no name or number between. A language without lists gets no such leave.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.comparison.content import Row, Word
from interlayer.language.comparison.statement import Reading
from interlayer.language.comparison.vocabulary import Vocabulary
from interlayer.language.lexicon.reader import words

_DENYING: Final = words("negations")  # in any language: which one a short text is in is a guess
_BESIDE: Final = 4  # words that the other one may say more


def covers(older: Reading, newer: Reading) -> bool:
    """Return whether the older statement says all that the newer one does."""
    if not newer.full.loose <= older.full.loose:
        return False
    known = newer.known
    said = _telling(newer.full.row, known)
    others = [_telling(clause.row, known) for clause in (older.full, *older.clauses)]
    if _joins(newer) and not _joins(older):
        return False  # "is on leave" is not met in "has returned from leave"
    forms = [said, *_appositions(newer.full.row, known)]
    return bool(said) and any(_met(form, other, newer, known) for other in others for form in forms)


def _joins(reading: Reading) -> bool:
    return any(word.text in reading.known.copulas or word.text == ":" for word in reading.full.row)


def _telling(row: Row, known: Vocabulary) -> Row:
    """Leave out what says nothing: marks but a question's, copulas of the present, pronouns for the entity."""
    return [
        word
        for word in row
        if (word.kind != "mark" or word.text == "?")
        and word.text not in known.possessives
        and (word.text not in known.copulas or word.text in known.past)
    ]


def _met(said: Row, other: Row, newer: Reading, known: Vocabulary) -> bool:
    places = _places(said, other)
    if places is None:
        return False
    left = [(place, word) for place, word in enumerate(other) if place not in places]
    if not left:
        return True
    if places[0] and said[0].function and not said[0].itself:
        return False  # "that is great" says of what it points at, whatever else is great
    if not known.known or len(said) < 2 or sum(word.content for word in said) < 2 or len(left) > 2 * _BESIDE:
        return False
    between = [word for place, word in left if place < places[-1]]
    after = [word for place, word in left if place > places[-1]]
    return _leaves(between, known) and (_leaves(after, known) or _is_house(after, newer, known))


def _places(said: Row, other: Row) -> list[int] | None:
    """Return where the words are met in order, None if one is not."""
    found: list[int] = []
    start = 0
    for word in said:
        place = next((at for at in range(start, len(other)) if _same(word, other[at])), None)
        if place is None:
            return None
        found.append(place)
        start = place + 1
    return found


def _same(one: Word, other: Word) -> bool:
    if one.key == other.key and (one.kind != "word" or one.text == other.text or one.itself):
        return True
    if one.kind != "word" or other.kind != "word":
        return False
    one_bare, other_bare = one.text.replace("-", ""), other.text.replace("-", "")
    return one_bare == other_bare or (
        one.key == other.key and {one_bare + "s", other_bare + "s"} & {one_bare, other_bare} != set()
    )


def _leaves(left: Sequence[Word], known: Vocabulary) -> bool:
    """Whether what is left over turns nothing of what is said."""
    return (
        sum(word.content for word in left) <= _BESIDE
        and not any(
            word.name
            or word.kind != "word"
            or word.text in known.turning
            or word.text in known.denying
            or word.text in _DENYING
            or word.text in known.indefinite
            for word in left
        )
        and not any(
            phrases.find([word.text for word in left]) for phrases in (known.scales, known.ending, known.changing)
        )
    )


def _is_house(left: Sequence[Word], newer: Reading, known: Vocabulary) -> bool:
    """Whether it is only where somebody holds the post that a line without a verb names."""
    line = not any(word.stative or word.kind == "number" for word in newer.full.row)
    return line and left[0].text in known.affiliations and _leaves([word for word in left if not word.name], known)


def _appositions(row: Row, known: Vocabulary) -> Iterator[Row]:
    """Yield the row with a name and what its bearer is in the other order: the CFO, Ada Berg; Ada Berg, the CFO."""
    for place, word in enumerate(row):
        if word.text != ",":
            continue
        end = next((at for at in range(place + 1, len(row)) if row[at].kind == "mark"), len(row))
        right = row[place + 1 : end]
        for size in (1, 2, 3):
            left = row[max(place - size, 0) : place]
            if (
                len(left) == size
                and right
                and _is_name(left) != _is_name(right)
                and (left[0].definite or right[0].definite)
            ):
                yield _telling([*row[: place - size], *right, *left, *row[end:]], known)


def _is_name(row: Row) -> bool:
    return all(word.name and not word.definite for word in row)
