"""Statements cut into tokens: words, numbers, signs and marks, each in one form however it is written.

What a search index leaves out counts here: a currency, a sign before a number, an emoji, a denying ending. Scripts
without blanks between words are cut into characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from interlayer.language.distinction import REMEMBERED
from interlayer.language.lexicon.reader import figures, meanings, words

Kind = Literal["word", "number", "sign", "mark"]

_CURRENCIES: Final = {name: code.casefold() for name, code in meanings("currencies").items()}
_PERCENT: Final = words("percent")
_NUMBER_WORDS: Final = {**figures("number_words"), **figures("counts")}
_ORDINALS: Final = figures("ordinals")
_THOUSANDS: Final = {"k": 1e3, "m": 1e6, "mio": 1e6, "bn": 1e9}
_UNSPACED: Final = r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
_COMBINING: Final = r"[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff]"
_TOKEN: Final = re.compile(
    r"(?P<number>(?:(?<![^\s(:$€£])[-\u2212])?\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?!\d)"
    r"|(?:(?<![^\s(:$€£])[-\u2212])?\d+(?:[.,:/-]\d+)*)"
    r"(?P<magnitude>(?i:k|m|mio|bn)(?![^\W_]))?(?:(?:st|nd|rd|th)(?![^\W_]))?(?![^\W\d_])"
    r"|(?P<contracted>[^\W\d_]+)n['’]t(?![^\W_])"
    rf"|(?P<unspaced>{_UNSPACED})"
    rf"|(?P<word>[^\W_](?:(?!{_UNSPACED})[^\W_]|{_COMBINING}|(?<=\w)[-&./](?=\w))*)"
    r"|(?P<apostrophe>['’](?=[^\W\d_]))"
    r"|(?P<mark>[:;,.!?…()\"。，、！？：；「」])|(?P<sign>\S)",
)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+")
_CONTRACTED: Final = {"re": "are", "ve": "have", "ll": "will", "m": "am", "d": "would"}
_AFTER_APOSTROPHE: Final = {"s", *_CONTRACTED}
_FULL: Final = {"wo": "will", "ca": "can", "sha": "shall"}


class Token(NamedTuple):  # made by the hundred for a note, which takes a dataclass three times as long
    """A piece of a statement in folded form; `name` says that it is written as names are."""

    text: str
    kind: Kind
    name: bool = False


@lru_cache(maxsize=REMEMBERED)
def tokens(text: str) -> tuple[Token, ...]:
    """Cut a statement into tokens, an amount before its currency."""
    found = list(_parts(unicodedata.normalize("NFKC", text)))
    for at in range(len(found) - 1):
        if found[at].kind == "sign" and found[at].text in _CURRENCIES.values() and found[at + 1].kind == "number":
            found[at], found[at + 1] = found[at + 1], found[at]
    return tuple(found)


def exact_form(text: str) -> str:
    """Return the words of a statement, folded, without marks but a question's: equal forms are one statement."""
    return " ".join(one.text for one in tokens(text) if one.kind != "mark" or one.text == "?")


def _parts(plain: str) -> Iterator[Token]:
    previous: Token | None = None
    for match in _TOKEN.finditer(plain):
        for token in _read(match, previous, first=previous is None):
            yield token
            previous = token


def _read(match: re.Match[str], previous: Token | None, *, first: bool) -> Iterable[Token]:
    said, kind = match.group(), match.lastgroup
    folded = said.casefold()
    if kind in {"word", "unspaced"}:
        return _word(said, folded, previous, apostrophe=_after_apostrophe(match), first=first)
    if match["number"]:
        return (Token(_number(match["number"], match["magnitude"]), "number"),)
    if kind == "apostrophe":
        return ()
    if match["contracted"]:
        base = match["contracted"].casefold()
        return Token(_FULL.get(base, base), "word"), Token("not", "word")
    if kind == "mark":
        return (Token(said, "mark"),)
    return (Token(_CURRENCIES.get(folded, folded), "sign"),)


def _word(said: str, folded: str, previous: Token | None, *, apostrophe: bool, first: bool) -> Iterable[Token]:
    if apostrophe and previous and folded in _AFTER_APOSTROPHE:
        return (Token(_CONTRACTED[folded], "word"),) if folded in _CONTRACTED else ()
    if folded in _CURRENCIES:
        return (Token(_CURRENCIES[folded], "sign"),)
    if folded in _PERCENT:
        return (Token("%", "sign"),)
    if folded in _NUMBER_WORDS and folded not in {"one", "once"}:
        return (Token(f"{_NUMBER_WORDS[folded]:g}", "number"),)
    if folded in _ORDINALS:
        return (Token(f"{_ORDINALS[folded]:g}", "number"),)
    inside = said[1:] != said[1:].lower()
    return (Token(folded, "word", name=inside or (said[0].isupper() and not first)),)


def _after_apostrophe(match: re.Match[str]) -> bool:
    return match.start() > 0 and match.string[match.start() - 1] in "'’"


def _number(said: str, magnitude: str | None) -> str:
    sign = "-" if said[0] in "-\u2212" else ""
    bare = said.lstrip("-\u2212")
    if _GROUPED.fullmatch(bare):
        bare = re.sub(r"\D", "", bare)
    elif re.fullmatch(r"\d+,\d+", bare):
        bare = bare.replace(",", ".")
    if magnitude and re.fullmatch(r"\d+(?:\.\d+)?", bare):
        bare = f"{float(bare) * _THOUSANDS[magnitude.casefold()]:.10g}"
    return sign + bare
