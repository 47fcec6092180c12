"""Whether the sentences that a candidate's quote stands in carry it: they do not deny it, and say part of what it says.

A quote may be one true word of a text. So a statement is held against the whole sentences around it, clause by clause
where they deny something ("not Oracle, but Postgres"). Doubt is settled for the statement: a clause that shares little
with it says nothing against it, and a text in another language than the statement is only asked whether it denies.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from interlayer.language.distinction import after_negation, names, negated, without_negation
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.numbers import numbers
from interlayer.language.terms import STOP_WORDS, content_words, stem, words

_CLAUSE: Final = re.compile(
    r"[,;()\n。、，]|:\s(?=\S+\s+\S+\s+\S)|\s[-–—]+\s|(?<=[.!?])\s"  # a colon before three words
    rf"|\b(?:{lexicon.pattern(lexicon.words('clause_openers'))})\b",
    re.IGNORECASE,
)
# What denies without a word of negation, or takes it back: beside one of these, polarity is not judged.
_DENIES_SOFTLY: Final = re.compile(
    r"(?i)\b(?:un|in|dis|non-?|mis)\w{4,}|\b\w+less\b|\bn/?a\b"
    rf"|\b(?:{lexicon.pattern(lexicon.words('soft_denials'))})"
)
_ELIDED: Final = re.compile(r"(?i)\b(?:[cdjlmnst]|qu)['’](?=[^\W\d_]{2})")
_KANA: Final = re.compile(r"[\u3040-\u309f]+")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]|[\u30a0-\u30ff]+|[A-Za-z]+(?=[\u3040-\u9fff])|(?<=[\u3040-\u9fff])[A-Za-z]+")
_ENDED: Final = re.compile(
    r"(?i)\b(?:stopped|quit|ceased|discontinued)\s+\w+ing\b|\b(?:failed|refused|declined)\s+to\b"
)
_LIMIT: Final = re.compile(r"(?i)\b(?:no|not)\s+(?:more|less|fewer|later|earlier|longer|shorter)\s+than\b")
_MAY_BE_IT: Final = lexicon.words("third_person_pronouns", "first_and_second_person_pronouns") | {"who"}
_ALIKE: Final = 0.6  # share of a statement's words in a clause, from which on the clause is about the same
_BEGINNING: Final = 5  # letters that words in common have where their stems differ: "decision", "decide"
_ENGLISH: Final = 0.2  # share of English function words in an English text


def denied(statement: str, around: str, known: Iterable[str]) -> bool:
    """Return whether the sentences around a quote say the opposite of a statement, by a negation."""
    own = _own(known)
    clauses = list(_clauses(around))
    parts = [part for part in _clauses(statement) if len(_predicate(part, own)) > 1] or [statement]
    return any(_is_opposite(part, own, clauses) for part in parts)


def denies_value(values: Iterable[str], around: str) -> bool:
    """Return whether one of these figures stands in the sentences around a quote only where they deny it."""
    clauses = list(_clauses(around))
    for value in values:
        holding = [clause for clause in clauses if _holds(clause, value)]
        if holding and all(_is_denied_in(clause, value) for clause in holding):
            return True
    return False


def unsupported(statement: str, around: str, content: str, known: Iterable[str]) -> bool:
    """Return whether nothing of what a statement says of its subject is in the sentences around its quote."""
    opening = statement.partition(" ")[0].casefold().removesuffix("'s")
    is_word = re.search(rf"\b{re.escape(opening)}\b", content) is not None  # "budget": no name
    said = _predicate(statement if is_word else _without_subject(statement), _own(known))
    if not said or not statement.isascii() or not _is_english(content):
        return False
    there = set(_stems(around))
    if said & there or {word for word in said if _has_beginning(word, there)}:
        return False
    return not (_figures(statement) & _figures(around))


def replaced(statement: str, around: str, content: str, known: Iterable[str]) -> str | None:
    """Return who it is of whom the sentences around a quote say what a statement says of the entity, or None.

    "Globex uses Snowflake" for "Acme uses Snowflake". Only where the text calls the entity by name, but not in these
    sentences, which also have no pronoun that may stand for it: else the other name may be one of its own.
    """
    own = _own(known)
    said = words(statement)
    opening = next((at for at, word in enumerate(said) if word.removesuffix("'s") not in own), len(said))
    there = around.split()
    bare = [word.strip("\"'(),.:;").casefold() for word in there]
    if not opening or not own & set(words(content)) or set(words(around)) & (own | _MAY_BE_IT):
        return None
    what = said[opening : opening + 2]
    for at in range(len(there) - 2):
        if len(what) > 1 and there[at][0].isupper() and bare[at + 1 : at + 3] == what and bare[at] not in STOP_WORDS:
            return there[at]
    return None


def _is_opposite(part: str, own: set[str], clauses: Sequence[str]) -> bool:
    said, denies = _predicate(part, own), _denies(part)
    shared = [len(said & set(_stems(without_negation(clause)))) for clause in clauses]
    most = max(shared, default=0)
    if not said or most < _ALIKE * len(said):
        return False
    nearest = [clause for clause, count in zip(clauses, shared, strict=True) if count == most]
    if any(_denies(clause) == denies or not _is_about(clause, said) for clause in nearest):
        return False
    softly, other = (" ".join(clauses), part) if denies else (part, " ".join(clauses))
    return not any(stem(one.casefold()) not in _stems(other) for one in _DENIES_SOFTLY.findall(softly))


def _is_about(clause: str, said: set[str]) -> bool:
    """Whether what a clause denies is what is said, and not another thing: "Slack is in use, without a contract"."""
    after = set(_stems(after_negation(clause)))
    return not after or bool(after & said)


def _holds(clause: str, value: str) -> bool:
    return bool(_figures(value) & _figures(clause))


def _is_denied_in(clause: str, value: str) -> bool:
    if not _denies(clause) or _LIMIT.search(clause) or _DENIES_SOFTLY.search(clause):
        return False
    return _holds(after_negation(clause), value)


def _denies(clause: str) -> bool:
    return negated(clause) != bool(_ENDED.search(clause))


def _clauses(text: str) -> Iterator[str]:
    return (part for part in _CLAUSE.split(text) if part.strip())


def _own(known: Iterable[str]) -> set[str]:
    return {form for name in known for word in words(name) for form in (word, stem(word))}


def _predicate(statement: str, own: set[str]) -> set[str]:
    """Return the stems of a statement that are neither the entity's name nor a negation."""
    return {word for word in _stems(statement) if word not in own and not negated(word)}


def _without_subject(statement: str) -> str:
    """Return a statement without the name that it opens with: "left Acme" of "Dana Smith left Acme"."""
    found = names(statement)
    parts = statement.split()
    for at, word in enumerate(parts[:5]):
        bare = word.strip("\"'(),.:").removesuffix("'s").casefold()
        if at and bare not in found:
            return " ".join(parts[at:])
    return statement


def _stems(text: str) -> list[str]:
    """Return the stems of a text without elisions (n'utilise); of one without blanks, what is written between kana."""
    bare = _ELIDED.sub(" ", text)
    return [stem(word) for word in content_words(_HAN.sub(r" \g<0> ", _KANA.sub(" ", bare)))]


def _has_beginning(word: str, there: set[str]) -> bool:
    return len(word) >= _BEGINNING and any(one.startswith(word[:_BEGINNING]) for one in there)


def _figures(text: str) -> set[float]:
    return {value for one in numbers(text) for value in (one.low, one.high)}


def _is_english(text: str) -> bool:
    found = words(text)
    return sum(word in STOP_WORDS for word in found) > _ENGLISH * len(found)
