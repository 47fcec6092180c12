"""What a statement says is over: the old value that it names beside the new one, a denial, an end."""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.comparison.content import Content, Row, Word
from interlayer.language.comparison.statement import BETWEEN_CLAUSES, Clause
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.comparison.vocabulary import Vocabulary

_VALUE_MAX: Final = 6  # content words
_HALF: Final = 0.5
_FEW: Final = 2


def judge_denial(newer: Clause, older: Clause) -> Verdict:
    """Judge a statement and its denial, whichever came first."""
    if newer.denied == older.denied:
        return Verdict.DISTINCT
    one, other = _affirmed(newer), _affirmed(older)
    ones, others = [word.key for word in one], [word.key for word in other]
    least = min(sum(word.content for word in row) for row in (one, other))
    if least and (ones == others or sorted(ones) == sorted(others)):
        return Verdict.REPLACED
    if least < _FEW:
        return Verdict.DISTINCT
    if _within(ones, others):
        left = [word for word in other if word.key not in ones and word.content]
        return (
            Verdict.REPLACED
            if len(left) <= _FEW and not any(word.kind == "number" for word in left)
            else Verdict.LIKELY
        )
    if _within(others, ones):
        left = [word for word in one if word.key not in others and word.content]
        return Verdict.REPLACED if not left else Verdict.LIKELY
    return Verdict.DISTINCT


def judge_correction(newer: Clause, older: Clause) -> Verdict:
    """Judge a statement that names the older one's value as over."""
    said, told = newer.content, older.content
    verdicts = [Verdict.DISTINCT]
    if older.denied:
        return Verdict.DISTINCT
    if any(all(map(told.says, words)) for words in _revoked(newer)):
        return Verdict.REPLACED
    for denied in old_values(newer, older):
        keys = {word.key for word in denied}
        if not denied or not all(told.says(word) for word in denied):
            continue
        rest = [word for word in told.words if not _among(word, keys)]
        met = said.share(rest)
        unmet = [word for word in rest if not said.says(word)]
        if met == 1 or (met >= _HALF and _says_less(newer, older, denied, unmet)):
            verdicts.append(Verdict.REPLACED)
        elif met >= _HALF:
            verdicts.append(Verdict.LIKELY)
    return Verdict.REPLACED if Verdict.REPLACED in verdicts else verdicts[-1]


def judge_end(newer: Clause, older: Clause) -> Verdict:
    """Judge a statement by which what the older one says comes to an end."""
    if not newer.ends or older.denied or older.ends or older.past:
        return Verdict.DISTINCT
    told = [word for word in older.content.words if not _intended(word, older.row)]
    after_verb = [word for word in told if word not in older.subject]
    if len(after_verb) >= _FEW and not newer.content.share(older.subject):
        told = after_verb  # what somebody planned is off, whoever he is
    said = newer.without(*newer.ends)
    enough = len(told) >= _FEW or (told and len(said.words) <= _FEW)
    return Verdict.REPLACED if enough and said.share(told) == 1 else Verdict.DISTINCT


def old_values(newer: Clause, older: Clause) -> Iterator[Sequence[Word]]:
    """Yield the content words of each value that a statement says is over."""
    known, texts = newer.known, newer.texts
    for start, end, _ in known.old_openers.find(texts):
        if any(text in known.denying for text in texts[start:end]) and not _set_off(newer.row, start, end, known):
            continue
        yield _value(_contrasted(newer.row[end:], known), known)
    if newer.changes:
        yield from _between(newer)
    yield from _replaced(newer, older)


def _revoked(clause: Clause) -> Iterator[Sequence[Word]]:
    """Yield the words of each former statement that a clause calls outdated: "two days only" is no longer true."""
    row = clause.row
    for start, _, _ in clause.known.outdating.revoking.find(clause.texts):
        first = next(
            (at + 1 for at in reversed(range(start)) if row[at].kind == "mark" or row[at].text in BETWEEN_CLAUSES), 0
        )
        words = [word for word in row[first:start] if word.kind != "mark" and not word.itself]
        if len(words) >= _FEW and any(word.content for word in words):
            yield [word for word in words if word.content]


def _affirmed(clause: Clause) -> Row:
    """Leave out what denies and what goes along with it."""
    known = clause.known
    idle = {at for start, end, _ in known.afterthoughts.find(clause.texts) for at in range(start, end)}
    return [
        word
        for at, word in enumerate(clause.row)
        if at not in idle
        and word.text not in known.denying
        and word.text not in known.indefinite
        and word.kind != "mark"
        and not (word.text in known.past and word.function and word.text not in known.copulas)
    ]


def _within(some: Sequence[str], all_of: Sequence[str]) -> bool:
    rest = iter(all_of)
    return all(any(one == other for other in rest) for one in some)


def _among(word: Word, keys: set[str]) -> bool:
    return word.key in keys or Content([word]).keys <= keys


def _set_off(row: Row, start: int, end: int, known: Vocabulary) -> bool:
    """Whether a denial is one of a value and not of the whole clause: ", not 600", "nicht 600, sondern ..."."""
    before = row[start - 1] if start else None
    if before and before.kind == "mark" and before.text == ",":
        return True
    if end - start > 1 and not all(word.text in known.denying for word in row[start:end]):
        return True  # "no longer", "ya no", "n'est plus"
    return any(word.text in known.new_openers for word in row[end:])


def _says_less(newer: Clause, older: Clause, denied: Sequence[Word], unmet: Sequence[Word]) -> bool:
    """Whether a statement says the same in fewer words but for a figure or a date: "leave" for "parental leave"."""
    idle = newer.known.denying | newer.known.new_openers
    fresh = [word for word in newer.content.beside(older.content) if word.text not in idle]
    kinds = {word.kind for word in denied}
    figures = kinds <= {"number", "time"} and all(word.kind in kinds for word in fresh)
    return figures and all(word.kind == "word" and not word.name for word in unmet)


def _contrasted(row: Row, known: Vocabulary) -> Row:
    """Leave out what comes before the old value in "not on leave from March but from May"."""
    but = next((at for at, word in enumerate(row) if word.text in known.new_openers), len(row) - 1)
    following = row[but + 1] if but + 1 < len(row) else None
    if following is None or not following.function:
        return row
    return row[next((at + 1 for at in reversed(range(but)) if row[at].text == following.text), 0) :]


def _value(row: Row, known: Vocabulary) -> Sequence[Word]:
    found: list[Word] = []
    for word in row:
        if word.kind == "mark" or word.text in known.new_openers or len(found) == _VALUE_MAX:
            break
        if word.text in known.roles and found:
            break
        if word.content and not (word.stative and word.kind == "word"):
            found.append(word)
    return found


def _between(clause: Clause) -> Iterator[Sequence[Word]]:
    """Yield what stands between the word for from and the word for to."""
    row = clause.row
    for _, start, _ in clause.known.former.find(clause.texts):
        ends = [end for end in range(start + 1, len(row)) if row[end].text in clause.known.latter]
        for end in ends or [len(row)]:
            yield [word for word in row[start:end] if word.content]


def _replaced(newer: Clause, older: Clause) -> Iterator[Sequence[Word]]:
    """Yield the name that a verb of replacing has as its object, if the older statement has it."""
    known, row, told = newer.known, newer.row, older.content
    verbs = known.replacing.find(newer.texts)
    if not verbs:
        return
    passive = any(word.text in known.agents for word in row)
    shared = [at for at, word in enumerate(row) if word.name and told.says(word)]
    fresh = [at for at, word in enumerate(row) if (word.name or at == 0) and word.content and not told.says(word)]
    if shared and fresh and (min(fresh) < min(shared)) != passive:
        yield [row[at] for at in shared]


def _intended(word: Word, row: Row) -> bool:
    """Whether a word is the deed that a plan is of: "plan to open an office"."""
    at = next(at for at, one in enumerate(row) if one is word)
    return at > 1 and row[at - 1].text == "to" and row[at - 2].stative and word.kind == "word"
