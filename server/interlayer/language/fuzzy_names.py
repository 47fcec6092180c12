"""Which names look like one that nobody bears: typing errors, another order of words, initials, legal forms."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from interlayer.language.lexicon.reader import words

_CLOSE: Final = 0.7  # likeness of letters under which two names have nothing to do with each other
_BEGINS_ALIKE: Final = 0.72  # the same first word: "Acme Pumps", "Acme Seals"
_CONTAINED: Final = 0.8  # all words of one within the other
_INITIALS: Final = 0.85
_ORDERS_MAX: Final = 3  # words of a name whose every order is tried against initials
_INITIAL: Final = 0.5
_MISTYPED: Final = 0.88  # Jaro-Winkler
_SPOKEN: Final = 3  # letters of a word that is no accident in a mailbox
_SOUNDS: Final = {
    letter: code
    for code, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}
_WORD: Final = re.compile(r"[^\W_]+")
_ABBREVIATED: Final = re.compile(r"(?<=\b\w)\.(?=\w\b)")  # the inner dots of "s.r.l." and "I.B.M."
_LEGAL_FORMS: Final = words("legal_forms")


@dataclass(frozen=True, slots=True)
class _Form:
    """A name without case, accents, punctuation and legal form, its words in order."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> "_Form":
        plain = unicodedata.normalize("NFKD", name.casefold())
        plain = "".join(character for character in plain if not unicodedata.combining(character))
        found = _WORD.findall(_ABBREVIATED.sub("", plain))
        return cls(tuple(word for word in found if word not in _LEGAL_FORMS) or tuple(found))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def ordered(self) -> str:
        return " ".join(sorted(self.words))


def nearest(wanted: str, names: Iterable[str], most: int) -> list[str]:
    """Return the names most like the wanted one, best first."""
    form = _Form.of(wanted)
    scored = [(_likeness(form, _Form.of(name)), name) for name in dict.fromkeys(names)]
    close = sorted((pair for pair in scored if pair[0] >= _CLOSE), key=lambda pair: (-pair[0], pair[1]))
    return [name for _, name in close][:most]


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name as it is spoken: without accents and legal form, "Carter, Ben" as "Ben Carter"."""
    last, comma, first = name.partition(",")
    return _Form.of(f"{first} {last}" if comma else name).words


def words_lacking(one: str, other: str) -> int | None:
    """Return how many words the longer of two names has beside those of the shorter; None for two different names.

    A word may be written with a typing error, or as its initial; one at least has to be more than that.
    """
    short, long = sorted((words_of(one), words_of(other)), key=len)
    left, spoken = list(long), False
    for word in sorted(short, key=len, reverse=True):
        best = max(left, key=lambda known: _same_word(word, known), default="")
        if not best or not _same_word(word, best):
            return None
        left.remove(best)
        spoken = spoken or min(len(word), len(best)) > 1
    return len(left) if spoken else None


def stands_for(handle: str, name: str) -> bool:
    """Tell whether a mailbox or the label of a domain may be that of a name: bcarter, ben.c, ibm."""
    plain = "".join(words_of(handle))
    words = words_of(name)
    written = any(word in plain for word in words if len(word) >= _SPOKEN) or plain in "".join(words)
    return written or plain == "".join(word[0] for word in words)


def sound_of(word: str) -> str:
    """Return the Soundex code of a word, equal for words that sound alike; of another script its beginning."""
    if not (word.isascii() and word.isalpha()):
        return word[:4]
    codes = [_SOUNDS.get(letter, letter) for letter in word]
    heard = [code for place, code in enumerate(codes) if place and code.isdigit() and code != _before(codes, place)]
    return (word[0] + "".join(heard))[:4]


def _before(codes: list[str], place: int) -> str:
    """Return the code before a place; h and w are silent."""
    return next((code for code in reversed(codes[:place]) if code not in {"h", "w"}), "")


def _same_word(one: str, other: str) -> float:
    """Return 0 for two different words, else how sure it is that they are one."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) == 1:
        return _INITIAL if one[0] == other[0] else 0.0
    if not (one.isalpha() and other.isalpha()):
        return 0.0
    from rapidfuzz.distance import JaroWinkler

    alike = JaroWinkler.similarity(one, other)
    return alike if alike >= _MISTYPED else 0.0


def _likeness(one: _Form, other: _Form) -> float:
    """Return 0..1: how probable it is that two names mean one bearer."""
    if not one.words or not other.words:
        return 0.0
    likeness = max(_letters(one.text, other.text), _letters(one.ordered, other.ordered))
    if set(one.words) <= set(other.words) or set(other.words) <= set(one.words) or _within(one, other):
        likeness = max(likeness, _CONTAINED)
    if _abbreviates(one, other) or _abbreviates(other, one):
        likeness = max(likeness, _INITIALS)
    if one.words[0] == other.words[0] and len(one.words[0]) > 1:
        likeness = max(likeness, _BEGINS_ALIKE)
    return likeness


def _within(one: _Form, other: _Form) -> bool:
    """Whether a name is written within the other one: "techflow" in "techflow.io"."""
    return len(one.text) > 2 and one.text in other.text


def _letters(one: str, other: str) -> float:
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _CLOSE else 0.0


def _abbreviates(short: _Form, long: _Form) -> bool:
    """Whether a name is another one's initials ("IBM"), or has initials where the other one has words ("J Smith")."""
    if len(long.words) > 1 and "".join(short.words) == "".join(word[0] for word in long.words):
        return True
    if len(short.words) != len(long.words) or len(short.words) == 1:
        return False
    orders = permutations(short.words) if len(short.words) <= _ORDERS_MAX else [short.words]
    return any(_stands_for(order, long.words) for order in orders)


def _stands_for(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether each word is the other's or its initial, one at least the other's own."""
    pairs = list(zip(short, long, strict=True))
    return any(a == b and len(a) > 1 for a, b in pairs) and all(a == b or (len(a) == 1 and b[0] == a) for a, b in pairs)
