"""A figure that a newer statement gives anew, found in an older one by what both count: "150 seats instead of 200"."""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.comparison.content import Content, Row, Word
from interlayer.language.comparison.correction import old_values
from interlayer.language.comparison.outdating.matter import share_matter
from interlayer.language.comparison.statement import Clause
from interlayer.language.comparison.verdict import Verdict

_SURE: Final = {False: Verdict.REPLACED, True: Verdict.LIKELY}
_COUNTED: Final = 2  # words behind a figure, the last of which it counts: 24 field engineers
_LARGE: Final = 4  # digits of an amount that two things hardly have in common
_BESIDE_MAX: Final = 1  # words of the older statement beside a figure that has grown or fallen


def judge_figure(newer: Clause, older: Clause) -> Verdict:
    """Judge a figure that the newer statement names as over, and the older one states of the same kind of thing."""
    if older.denied or older.past or newer.conditional:
        return Verdict.DISTINCT
    for denied in old_values(newer, older):
        for old in (word for word in denied if word.kind == "number"):
            at = next((at for at, word in enumerate(newer.row) if word is old), 0)
            places = [at, *(at for at, word in enumerate(newer.row) if word.kind == "number" and word is not old)]
            counted = {word.key for place in places for word in _counted(newer.row, place)}
            for place, _ in (figure for figure in _figures(older.row) if figure[1].key == old.key):
                shared = [one for one in _counted(older.row, place) if one.key in counted]
                is_price = not shared and any(map(newer.content.says, _priced(older.row, place)))
                is_same = bool(shared) and share_matter(newer, older, loosely=True)
                is_same = is_same or _is_amount(newer, at, older, place)
                if is_same and not _are_apart(newer, older, (*denied, *shared)):
                    return Verdict.PARTLY
                if (shared or is_price) and not _is_of_another(newer, older, (*denied, *shared)):
                    return Verdict.PARTLY if _says_more(older, place) else _SURE[is_price]
    return Verdict.DISTINCT


def judge_growth(newer: Clause, older: Clause) -> Verdict:
    """Judge a figure that is said to have changed, of what the older statement does nothing but count."""
    if not newer.changes or newer.denied or older.denied or older.past or newer.conditional or older.indefinite:
        return Verdict.DISTINCT
    [*counts], [*now] = _figures(older.row), _figures(newer.row)
    if len(counts) != 1 or len(now) != 1 or counts[0][1].key == now[0][1].key:
        return Verdict.DISTINCT
    (was_at, was), (is_at, _) = counts[0], now[0]
    counted = [one for one in _counted(older.row, was_at) if one.kind == "word"]
    is_changed = {word.key for start, end, _ in newer.changes for word in newer.row[start:end]}
    is_counted = {word.key for word in _counted(newer.row, is_at)}
    shared = [one for one in counted if one.key in is_counted]
    beside = [word for word in older.content.words if word is not was and word not in shared]
    if not shared or len(beside) > _BESIDE_MAX or _set_apart(older, newer, counted):
        return Verdict.DISTINCT
    behind = Content(
        [word for word in newer.row[is_at + 1 :] if not (older.content.says(word) or word.key in is_changed)]
    )
    return Verdict.DISTINCT if behind.words else Verdict.REPLACED


def _figures(row: Row) -> Iterator[tuple[int, Word]]:
    return ((at, word) for at, word in enumerate(row) if word.kind == "number")


def _counted(row: Row, at: int) -> Sequence[Word]:
    """Return the words that a figure counts: those right behind it, but for the sign of a currency."""
    found: list[Word] = []
    for word in row[at + 1 : at + 1 + _COUNTED]:
        if word.kind != "word" or not word.content or word.stative:
            break
        found.append(word)
    return found


def _priced(row: Row, at: int) -> Sequence[Word]:
    """Return the thing that an amount is the price of: "$39 per seat"."""
    behind = row[at + 1 : at + 4]
    if len(behind) < 3 or behind[0].kind != "sign" or not behind[1].function:
        return ()
    return [behind[2]] if behind[2].kind == "word" and behind[2].content else ()


def _is_of_another(newer: Clause, older: Clause, said: Sequence[Word]) -> bool:
    """Whether each statement has a name or a subject of its own: the rooms in Berlin are not those in Munich."""
    own, told = _set_apart(newer, older, said), _set_apart(older, newer, said)
    return bool(own and told) or bool(_beside(newer.subject, older) and _beside(older.subject, newer))


def _set_apart(clause: Clause, other: Clause, said: Sequence[Word]) -> Sequence[Word]:
    keys = {word.key for word in said}
    return [word for word in _beside(clause.content.words, other) if word.name and word.key not in keys]


def _beside(words: Sequence[Word], other: Clause) -> Sequence[Word]:
    return [word for word in words if not other.content.says(word)]


def _is_amount(newer: Clause, at: int, older: Clause, place: int) -> bool:
    """Whether the two figures are one large amount of money, of which neither says that it is for something else."""
    sign = next((word.key for word in older.row[place + 1 : place + 2] if word.kind == "sign"), "%")
    large = len(newer.row[at].key.split(".")[0].strip("-")) >= _LARGE
    if not large or sign == "%" or all(word.key != sign for word in newer.row if word.kind == "sign"):
        return False
    return not newer.matters.keys() & older.matters.keys() or share_matter(newer, older, loosely=True)


def _are_apart(newer: Clause, older: Clause, said: Sequence[Word]) -> bool:
    return bool(_set_apart(newer, older, said) and _set_apart(older, newer, said))


def _says_more(older: Clause, place: int) -> bool:
    """Whether a statement has another figure, or another verb behind the one: it is outdated in a part only."""
    others = [word for at, word in _figures(older.row) if at != place]
    return bool(others) or any(word.stative for word in older.row[place + 1 :])
