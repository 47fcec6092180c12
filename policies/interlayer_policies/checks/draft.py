"""A text to be checked, in a form that tricks of writing cannot hide in, with the way back to the original.

Folding undoes compatibility forms (full width, ligatures), accents, invisible characters, digits, dashes and quotes of
other scripts, and letters that look Latin. Every folded character knows which original character it came from. What
only a reader sees through (`gu@rantee`, `g u a r a n t e e`) is not undone.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from interlayer.language.terms import stem

EXCERPT_MAX: Final = 80

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


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the original text: `text[start:end]`, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the folded text and its place there."""

    text: str
    start: int
    end: int


class Draft:
    """A text, its folded forms and its words; each is worked out once, when a check first asks."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _folded(self) -> tuple[str, list[int] | None]:
        if self.text.isascii() and not _CONTROLS.search(self.text):
            return self.text, None
        characters: list[str] = []
        origins: list[int] = []
        for origin, character in enumerate(self.text):
            replacement = _fold(character)
            characters.append(replacement)
            origins.extend([origin] * len(replacement))
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
