"""Forbidden terms in a draft, in whatever form they stand there: inflected, with an article, without blanks.

A term of words is found by words, the last of which may be inflected. In scripts without blanks between words it is
found by its characters; in Arabic and Hebrew small words may be written together with it.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import words as words_of
from interlayer_policies.checks.draft import Draft, Word, base, bases

Place = tuple[int, int]
Finder = Callable[[Draft], Iterator[Place]]

_GAP: Final = re.compile(r"[\s\-‐‑–_]*")
_ONLY_WORDS: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?(?:[\s\-‐‑–]+[^\W_]+(?:['’][^\W\d_]+)?)*")
# Thai to Khmer, Hangul in parts (as a draft has it) and whole, kana, Chinese.
_UNSPACED: Final = re.compile("[\u0e00-\u0fff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")
_JOINED: Final = re.compile("[\u0590-\u06ff]")
# and, so; in, as, for, will; the: what Arabic, and Hebrew, write together with the word behind it.
_CLITICS: Final = (
    "(?:[\u0648\u0641]?[\u0628\u0643\u0644\u0633]?(?:\u0627\u0644|\u0644\u0644)?"
    "|[\u05d5\u05e9]?[\u05d1\u05db\u05dc\u05de]?\u05d4?)"
)
_SUFFIXES: Final = "[\u0590-\u06ff]{0,4}"
_STEM_MIN: Final = 5  # letters
_OTHER_ENDING_MAX: Final = 4
_VOWELS: Final = frozenset("aeiouy")
_INFINITIVES: Final = ("are", "ere", "ire", "era", "en", "er", "ir", "ar", "re")


def term(given: str) -> Finder:
    """Return a finder of one term, in places of the folded text. Raises `ValueError` if there is nothing to find."""
    wanted = Draft(given)
    text = wanted.lower.strip()
    if not text:
        raise ValueError(f"terms: {given!r} has no visible character")
    if _UNSPACED.search(text):
        return _by(re.compile(r"\s*".join(re.escape(part) for part in text.split())))
    if _JOINED.search(text):
        body = r"\s+".join(_CLITICS + re.escape(part) for part in text.split())
        return _by(re.compile(rf"(?<![^\W_]){body}{_SUFFIXES}(?![^\W_])"))
    return _words(wanted) if _ONLY_WORDS.fullmatch(text) else _literal(text)


def _by(pattern: "re.Pattern[str]") -> Finder:
    return lambda draft: (match.span() for match in pattern.finditer(draft.lower))


def _literal(text: str) -> Finder:
    body = r"\s+".join(re.escape(part) for part in text.split())
    head = r"(?<![^\W_])" if text[0].isalnum() else ""
    tail = r"(?![^\W_])" if text[-1].isalnum() else ""
    return _by(re.compile(head + body + tail))


def _words(wanted: Draft) -> Finder:
    words = [word.text for word in wanted.words]
    opening = base(words[0])

    def find(draft: Draft) -> Iterator[Place]:
        firsts = draft.positions.get(opening, ())
        if len(words) == 1 and len(words[0]) >= _STEM_MIN:
            alike = draft.worked_out(_by_beginning).get(words[0][: _STEM_MIN - 1], ())
            firsts = sorted({*firsts, *(at for at in alike if is_inflected(draft.words[at].text, words[0]))})
        for first in firsts:
            found = draft.words[first : first + len(words)]
            if len(words) == 1 or _is_phrase(draft, found, words):
                yield found[0].start, found[-1].end

    return find


def _by_beginning(draft: Draft) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, word in enumerate(draft.words):
        found.setdefault(word.text[: _STEM_MIN - 1], []).append(number)
    return found


def _is_phrase(draft: Draft, found: list[Word], words: list[str]) -> bool:
    """Whether these words stand next to each other; only the last one may be inflected."""
    if len(found) < len(words):
        return False
    if base(words[-1]) not in bases(found[-1].text) and not is_inflected(found[-1].text, words[-1]):
        return False
    return all(
        word.text == wanted and _GAP.fullmatch(draft.lower, word.end, after.start)
        for word, wanted, after in zip(found[:-1], words[:-1], found[1:], strict=True)
    )


def is_inflected(word: str, wanted: str) -> bool:
    """Return whether a folded word is another form of one, by the endings of languages that have many."""
    if len(wanted) < _STEM_MIN:
        return False
    if word.startswith(wanted) and word[len(wanted) :] in _endings():
        return True
    if wanted.isascii():
        return _ends_otherwise(word, wanted)
    stem = wanted[: max(_STEM_MIN - 1, len(wanted) - 2)]  # an alphabet of its own, such as Cyrillic or Greek
    return word.startswith(stem) and len(word) - len(stem) <= _OTHER_ENDING_MAX


def _ends_otherwise(word: str, wanted: str) -> bool:
    """Whether a word has another ending in the place of a final vowel, or of the ending of an infinitive."""
    if wanted[-1] in _VOWELS and word.startswith(wanted[:-1]):
        ending = word[len(wanted) - 1 :]
        return ending in _VOWELS or ending in _endings()
    infinitive = next((one for one in _INFINITIVES if wanted.endswith(one)), None)
    if infinitive is None or len(wanted) - len(infinitive) < _STEM_MIN:
        return False
    stem = wanted.removesuffix(infinitive)
    return word.startswith(stem) and word[len(stem) :] in _verb_endings()


@cache
def _endings() -> frozenset[str]:
    return words_of("inflections")


@cache
def _verb_endings() -> frozenset[str]:
    return words_of("inflections_of_verbs")
