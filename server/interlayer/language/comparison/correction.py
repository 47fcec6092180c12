"""What a statement says is over: the old value that it names beside the new one, a denial, an end."""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.comparison.content import Content, past
from interlayer.language.comparison.statement import Row, Word, is_denied
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.comparison.vocabulary import Vocabulary

_VALUE_MAX: Final = 6  # content words
_HALF: Final = 0.5
_FEW: Final = 2


def judge_denial(newer: Row, older: Row, known: Vocabulary) -> Verdict:
    """Judge a statement and its denial, whichever came first."""
    if is_denied(newer, known) == is_denied(older, known):
        return Verdict.DISTINCT
    one, other = _affirmed(newer, known), _affirmed(older, known)
    ones, others = [word.key for word in one], [word.key for word in other]
    if not any(word.content for word in one):
        return Verdict.DISTINCT
    if ones == others or sorted(ones) == sorted(others):
        return Verdict.REPLACED
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


def judge_correction(newer: Row, older: Row, known: Vocabulary) -> Verdict:
    """Judge a statement that names the older one's value as over."""
    said, told = Content(newer), Content(older)
    verdicts = [Verdict.DISTINCT]
    if is_denied(older, known):
        return Verdict.DISTINCT
    for denied in old_values(newer, older, known):
        keys = {word.key for word in denied}
        if not denied or not all(told.says(word) for word in denied):
            continue
        rest = [word for word in told.words if not _among(word, keys)]
        met = said.share(rest)
        if met == 1:
            verdicts.append(Verdict.REPLACED)
        elif met >= _HALF:
            verdicts.append(Verdict.LIKELY)
    return Verdict.REPLACED if Verdict.REPLACED in verdicts else verdicts[-1]


def judge_end(newer: Row, older: Row, known: Vocabulary) -> Verdict:
    """Judge a statement by which what the older one says comes to an end."""
    texts = [word.text for word in newer]
    ends = known.ending.find(texts)
    if not ends or is_denied(older, known) or known.ending.find([word.text for word in older]):
        return Verdict.DISTINCT
    told = [word for word in Content(older).words if not _intended(word, older, known)]
    if not told or past(older, known):
        return Verdict.DISTINCT
    said = Content([word for at, word in enumerate(newer) if not any(start <= at < end for start, end, _ in ends)])
    return Verdict.REPLACED if said.share(told) == 1 else Verdict.DISTINCT


def old_values(newer: Row, older: Row, known: Vocabulary) -> Iterator[Sequence[Word]]:
    """Yield the content words of each value that a statement says is over."""
    texts = [word.text for word in newer]
    for start, end, _ in known.old_openers.find(texts):
        if (
            texts[start:end]
            and any(text in known.denying for text in texts[start:end])
            and not _set_off(newer, start, end, known)
        ):
            continue
        yield _value(newer[end:], known)
    if known.changing.find(texts):
        yield from _between(newer, known)
    yield from _replaced(newer, older, known)


def _affirmed(row: Row, known: Vocabulary) -> Row:
    """Leave out what denies and what goes along with it."""
    texts = [word.text for word in row]
    idle = {at for start, end, _ in known.afterthoughts.find(texts) for at in range(start, end)}
    return [
        word
        for at, word in enumerate(row)
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


def _between(row: Row, known: Vocabulary) -> Iterator[Sequence[Word]]:
    """Yield what stands between the word for from and the word for to."""
    for _, start, _ in known.former.find([word.text for word in row]):
        for end in range(start + 1, len(row)):
            if row[end].text in known.latter:
                yield [word for word in row[start:end] if word.content]


def _replaced(newer: Row, older: Row, known: Vocabulary) -> Iterator[Sequence[Word]]:
    """Yield the name that a verb of replacing has as its object, if the older statement has it."""
    verbs = known.replacing.find([word.text for word in newer])
    if not verbs:
        return
    told = Content(older)
    passive = any(word.text in known.agents for word in newer[verbs[0][1] :]) or any(
        word.text in known.agents for word in newer[: verbs[0][0]]
    )
    shared = [at for at, word in enumerate(newer) if word.name and told.says(word)]
    fresh = [at for at, word in enumerate(newer) if word.name and not told.says(word)]
    opening = newer[0] if newer else None
    if opening and opening.content and not told.says(opening):
        fresh.insert(0, 0)
    if shared and fresh and (min(fresh) < min(shared)) != passive:
        yield [newer[at] for at in shared]


def _intended(word: Word, row: Row, known: Vocabulary) -> bool:
    """Whether a word is the deed that a plan is of: "plan to open an office"."""
    at = next(at for at, one in enumerate(row) if one is word)
    return at > 1 and row[at - 1].text == "to" and row[at - 2].stative and word.kind == "word" and known.known
