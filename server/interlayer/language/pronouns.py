"""Pronouns that stand for somebody who is not named in the same statement, and the name put in their place.

English only, and narrow: what is not certain is left as it is.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from interlayer.language.dates import MONTHS, QUARTERS, RELATIVE_DAYS, SHIFTS, UNITS, WEEKDAYS
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import STOP_WORDS

_SUBJECT: Final = re.compile(r"(?i)(he|she|they|it)(['’](?:s|re|ve|ll|d))?(?![\w'’/&-])")
_THIRD: Final = lexicon.words("third_person_pronouns")
_POINTING: Final = re.compile(
    rf"(?i)(?:{lexicon.pattern(_THIRD | lexicon.words('first_and_second_person_pronouns', 'demonstratives'))})"
    r"(?:['’](?:s|re|ve|ll|d|m))?(?![\w'’/&-])"
)
_PERSONAL: Final = re.compile(rf"(?i)(?<![\w'’-])(?:{lexicon.pattern(_THIRD)})(?![\w’-])")
# "It is expected that ...", "it seems likely to ...": the "it" stands for nobody.
_EXPLETIVE: Final = re.compile(
    r"(?i)it(?:['’]s| is| was| will be| has been| would be| seems?| appears?| remains?)\b"
    r"[^.;]{0,60}?\b(?:that|to|whether|if)\b"
)
_OF_TIME: Final = re.compile(
    r"(?i)(?:this|these|that|those) (?:past |coming |last |next )?"
    rf"(?:{lexicon.pattern({*UNITS, *WEEKDAYS} | lexicon.words('parts_of_time'))})s?\b"
)
# In German "das" before a noun is an article, and nouns are known by their capital.
_ARTICLE: Final = re.compile(
    rf"(?i:{lexicon.pattern(lexicon.words_by_language('articles')['de'])})\s+(?:[^\W\d_a-zäöüß]|\w+e[nrs]?\s+[^\W\d_a-zäöüß])"
)
_WORD: Final = re.compile(r"[^\W\d_][\w'’&.-]*")
_DETERMINERS: Final = lexicon.words("determiners")
_NO_ANTECEDENT: Final = frozenset(
    {*MONTHS, *WEEKDAYS, *RELATIVE_DAYS, *UNITS.values(), *SHIFTS, *QUARTERS, "time"}
) | lexicon.words("connectives")
_AGREEING: Final = {"are": "is", "were": "was", "have": "has", "do": "does", "aren't": "isn't", "weren't": "wasn't",
                    "haven't": "hasn't", "don't": "doesn't"}  # fmt: skip
_ENDINGS: Final = {"re": " is", "ve": " has", "ll": " will"}


def is_dangling(text: str, names: Collection[str] = ()) -> bool:
    """Return whether a statement leans on a pronoun that nothing in it explains; `names` are the entity's."""
    bare = text.lstrip(" \t\"'“‘(*_-")
    pointing = None if _ARTICLE.match(bare) else _POINTING.match(bare)
    if pointing and not _is_short(pointing[0]) and not _EXPLETIVE.match(bare) and not _OF_TIME.match(bare):
        return True
    found = _PERSONAL.search(bare)
    if found is None or _is_short(found[0]) or _EXPLETIVE.match(bare, found.start()):
        return False
    return not _has_antecedent(bare[: found.start()], names, bare[found.start() - 4 : found.start()])


def with_name(text: str, name: str, pronouns: Collection[str]) -> str | None:
    """Return the text with the name for the pronoun that it begins with, None if it begins with none of these."""
    found = _SUBJECT.match(text)
    if found is None or found[1].lower() not in pronouns or _is_short(found[1]) or _EXPLETIVE.match(text):
        return None
    ending, rest = (found[2] or "")[1:].lower(), text[found.end() :]
    if found[1].lower() == "they":
        rest = re.sub(
            r"^(\s+)(are|were|have|do)(n['’]t)?(?![\w'’])",
            lambda verb: verb[1] + _AGREEING[verb[2]] + (verb[3] or ""),
            rest,
        )
    return name + _ENDINGS.get(ending, found[2] or "") + rest


def names_nobody_else(sentence: str, names: Iterable[str], pronoun: str) -> bool:
    """Return whether a sentence is certainly about the entity: it names the entity and has no other capital.

    What follows with "it" or "they" may be about any thing in the sentence, so the name has to open it.
    """
    own = {word.casefold() for name in names for word in _WORD.findall(name)}
    capitals = [word for word in _WORD.findall(sentence) if word != word.lower() and word.lower() not in STOP_WORDS]
    folded = [re.sub(r"['’]s$", "", word.casefold()).rstrip(".") for word in capitals]
    own |= {word.rstrip(".") for word in own}
    if not folded or any(word not in own for word in folded):
        return False
    return pronoun.lower() in {"he", "she"} or sentence.startswith(capitals[0])


def leading_pronoun(text: str) -> str | None:
    """Return the subject pronoun that a text begins with, or None."""
    found = _SUBJECT.match(text)
    return found[1] if found else None


def _is_short(word: str) -> bool:
    """Whether it is an abbreviation, as in "IT budget" or "US law"."""
    return len(word) > 1 and word.isupper()


def _has_antecedent(before: str, names: Collection[str], link: str) -> bool:
    """Whether something that a pronoun may stand for is named before it: a name, "the customer", any other noun."""
    words = _WORD.findall(before)
    folded = [word.casefold() for word in words]
    own = {word for name in names for word in name.casefold().split()}
    if own.intersection(folded) or _DETERMINERS.intersection(folded):
        return True
    said = [
        word
        for word, low in zip(words, folded, strict=True)
        if low not in STOP_WORDS and low not in _NO_ANTECEDENT and not low.endswith("ly")
    ]
    if len(said) == 1 and folded and said[0].casefold() == folded[0] and link.strip().lower() != "and":
        return re.search(r"(?:s|ed|ing)$", folded[0]) is None  # "Prefers it", "Asked her": a verb opens
    return bool(said)
