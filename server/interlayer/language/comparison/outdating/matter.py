"""Another value of one matter in other words: "the go-live has slipped to 3 May", "live by 1 April"."""

from collections.abc import Sequence
from typing import Final

from interlayer.language.comparison.content import Row, Word
from interlayer.language.comparison.statement import Clause
from interlayer.language.comparison.verdict import Verdict

_LEFT_MAX: Final = 3  # content words of the older statement beside the matter and the value


def share_matter(newer: Clause, older: Clause, *, loosely: bool = False) -> bool:
    """Whether two clauses speak of one matter, in whatever words, and neither of a kind of it of its own.

    Loosely, it is enough that one of them does not: "the budget" may be "the approved budget".
    """
    ones, others = newer.matters, older.matters
    for name in ones.keys() & others.keys():
        narrowed = _narrowed(newer, ones[name], older), _narrowed(older, others[name], newer)
        if not any(narrowed) or (loosely and not all(narrowed)):
            return True
    return False


def judge_matter(newer: Clause, older: Clause, *, now: bool) -> Verdict:
    """Judge another date or amount of one matter, which the newer statement says has changed."""
    if not (newer.changes or now) or newer.denied or newer.conditional or older.denied or older.past:
        return Verdict.DISTINCT
    if not share_matter(newer, older):
        return Verdict.DISTINCT
    start = min((end for _, end, _ in newer.changes), default=0)
    for read in (_date, _amount):
        is_now, was = read(newer.row[start:]), read(older.row)
        if is_now and was and len(is_now) == len(was) and is_now != was:
            return _weigh(newer, older, was)
    return Verdict.DISTINCT


def _date(row: Row) -> Sequence[str]:
    """Return the one date of a row, nothing where it has several or none."""
    found = [at for at, word in enumerate(row) if word.kind == "time"]
    together = bool(found) and found[-1] - found[0] < len(found) + 2
    months = [row[at].key for at in found if row[at].key.startswith("month ")]
    return [row[at].key for at in found] if together and len(months) == 1 else ()


def _amount(row: Row) -> Sequence[str]:
    """Return the one amount of money of a row."""
    found = [
        (row[at].key, row[at + 1].key)
        for at in range(len(row) - 1)
        if row[at].kind == "number" and row[at + 1].kind == "sign" and row[at + 1].key != "%"
    ]
    return found[0] if len(found) == 1 else ()


def _narrowed(clause: Clause, place: tuple[int, int], other: Clause) -> bool:
    """Whether a word right before or behind a matter says of which kind it is, and the other clause does not.

    Behind a verb only what stands before the matter's noun counts: "to have the module live".
    """
    row, (start, end) = clause.row, place
    at = start
    while at > 0 and not row[at].definite and row[at - 1].content and not row[at - 1].stative:
        at -= 1
    before = row[at:start] if all(not word.stative for word in row[:start]) or row[start].definite else ()
    changes = {row[place].text for first, last, _ in clause.changes for place in range(first, last)}
    around = [word for word in (*before, *_behind(row, end)) if word.kind == "word" and not word.itself]
    nouns = [word for word in around if word.text not in changes]
    return any(not other.content.says(word) for word in nouns)


def _behind(row: Row, end: int) -> Row:
    """Return the noun that goes on right behind a matter, or is joined to it: "launch party", "budget for travel"."""
    following = row[end : end + 2]
    if following and following[0].kind == "word" and following[0].content and not following[0].stative:
        return following[:1]
    if len(following) > 1 and following[0].function and not following[0].stative and following[1].content:
        return following[1:] if following[1].kind == "word" else ()
    return ()


def _weigh(newer: Clause, older: Clause, was: Sequence[str]) -> Verdict:
    said = newer.content
    left: list[Word] = [word for word in older.content.words if not said.says(word) and word.key not in was]
    named = [older.row[at].key for start, end in older.matters.values() for at in range(start, end)]
    left = [word for word in left if word.key not in named and word not in older.subject]
    return Verdict.REPLACED if len(left) <= _LEFT_MAX else Verdict.PARTLY
