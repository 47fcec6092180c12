"""A text to be checked, in a form that tricks of writing cannot hide in, with the way back to the original.

Folding undoes compatibility forms (full width, ligatures), accents, invisible characters, digits, dashes and quotes of
other scripts, and letters that look Latin. Every folded character knows which original character it came from. What
only a reader sees through (`gu@rantee`, `g u a r a n t e e`) is not undone.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from interlayer.language.terms import stem

EXCERPT_MAX: Final = 80

Read = TypeVar("Read")

_MARKS: Final = frozenset({"Mn", "Me"})
_UNSEEN: Final = _MARKS | {"Cf"}
_NUMBERED: Final = re.compile(r"([^\W\d_]{2,})\d+")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")

# Letters that are drawn like a Latin one (Unicode's confusables), capitals by how the capital looks: Cyrillic, Greek,
# Armenian, Cherokee, small capitals, letters with a stroke.
_LOOK_ALIKES: Final = str.maketrans(
    "АВЕКМНОРСТУХІЈЅԚԜҺавекмнорстухіјѕԛԝһԁѵӏӀҮүҽԍΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχγηωıɡɑ"
    "աոսհօցզԼՏՍՕᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᏒᏚᎢᏙᏔᏃᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢłŁøØđĐħĦŧŦƀɨɩʋⱭҼꞮƦ",
    "ABEKMHOPCTYXIJSQWHabekmhopctyxijsqwhdvlIYyegABEZHIKMNOPTYXaeikvoptuxynwiga"
    "wnuhogqLSUOABCDEGHiJKLMPRSTVWZabcdefghijklmnoprstuvwyzlLoOdDhHtTbiivAEIR",
)
# Letters on a ground of their own, which no normal form undoes: negative circled, negative squared, regional.
_ON_GROUND: Final = {first + n: chr(ord("A") + n) for first in (0x1F150, 0x1F170, 0x1F1E6) for n in range(26)}
_SIGNS: Final = str.maketrans("٪٫٬−‘’‚‛′“”„‟″«»", "%.,-" + "'" * 5 + '"' * 7)
# Drawn as nothing, though Unicode does not class them as format characters.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_TO_FOLD: Final = re.compile(r"[^\x09-\x0d\x1c-\x7e]+")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the original text: `text[start:end]`, in characters."""

    start: int
    end: int


class Word(NamedTuple):
    """A word of the folded text and its place there."""

    text: str
    start: int
    end: int


class Draft:
    """A text, its folded forms and its words; each is worked out once, when a check first asks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._readings: dict[Any, Any] = {}

    @cached_property
    def _folded(self) -> tuple[str, list[int] | None]:
        if self.text.isascii() and not _CONTROLS.search(self.text):
            return self.text, None
        characters: list[str] = []
        origins: list[int] = []
        last = 0
        for match in _TO_FOLD.finditer(self.text):
            characters.append(self.text[last : match.start()])
            origins.extend(range(last, match.start()))
            last = match.end()
            for origin in range(*match.span()):
                replacement = _fold(self.text[origin])
                characters.append(replacement)
                origins.extend([origin] * len(replacement))
        characters.append(self.text[last:])
        origins.extend(range(last, len(self.text)))
        return "".join(characters), origins

    @property
    def plain(self) -> str:
        """The folded text with its case kept."""
        return self._folded[0]

    @cached_property
    def lower(self) -> str:
        """The folded text in lower case, character for character."""
        lowered = self.plain.lower()
        if len(lowered) == len(self.plain):
            return lowered
        return "".join(c.lower() if len(c.lower()) == 1 else c for c in self.plain)

    @cached_property
    def words(self) -> list[Word]:
        """The words of the folded text in lower case, in order."""
        return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(self.lower)]

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Stem -> numbers of the words that have it."""
        found: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            found.setdefault(base(word.text), []).append(number)
        return found

    def worked_out(self, reading: "Callable[[Draft], Read]") -> "Read":
        """Return what a reading of this text gives; each is worked out once, however many checks ask for it."""
        if reading not in self._readings:
            self._readings[reading] = reading(self)
        return self._readings[reading]

    def word_at(self, place: int) -> int:
        """Return the number of the word that a place of the folded text is in, else of the next one."""
        return bisect_right(self._ends, place)

    def words_until(self, place: int) -> int:
        """Return how many words begin before a place of the folded text."""
        return bisect_left(self._starts, place)

    @cached_property
    def _starts(self) -> list[int]:
        return [word.start for word in self.words]

    @cached_property
    def _ends(self) -> list[int]:
        return [word.end for word in self.words]

    def original(self, start: int, end: int) -> Span:
        """Return the span of the original text that a span of the folded text came from."""
        origins = self._folded[1]
        if origins is None:
            return Span(start, end)
        last = origins[end - 1] + 1
        while last < len(self.text) and unicodedata.category(self.text[last]) in _MARKS:
            last += 1  # an accent belongs to the letter before it
        return Span(origins[start], last)

    def excerpt(self, span: Span) -> str:
        """Quote a span, cut to `EXCERPT_MAX` characters."""
        found = self.text[span.start : span.end]
        return found if len(found) <= EXCERPT_MAX else found[: EXCERPT_MAX - 1] + "…"


def base(word: str) -> str:
    """Cut a folded, lower-case word down to what its inflected forms have in common."""
    return stem(word.removesuffix("'s").removesuffix("’s"))


def bases(word: str) -> tuple[str, ...]:
    """Return the forms of the last word of a phrase: itself, and the letters before a number ("IBAN DE89 ...")."""
    letters = _NUMBERED.fullmatch(word)
    return (base(word), base(letters[1])) if letters else (base(word),)


@lru_cache(maxsize=20_000)
def _fold(character: str) -> str:
    if character.isascii():
        return "" if _CONTROLS.match(character) else character
    kind = unicodedata.category(character)
    if kind == "Pd":
        return "-"
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    visible = (
        part
        for part in unicodedata.normalize("NFKD", character)
        if unicodedata.category(part) not in _UNSEEN and part not in _INVISIBLE
    )
    folded = "".join(visible).translate(_ON_GROUND).translate(_LOOK_ALIKES).translate(_SIGNS)
    return folded.replace("ß", "ss")
