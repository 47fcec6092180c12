"""What a text says under a disguise: other letters that look alike, digits for letters, codes, words from behind.

Each disguise is undone only where the text has signs of it, so that an ordinary text costs a search or two.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import re2

from interlayer.language.lexicon.reader import words

Span = tuple[int, int]

_DECODED_MAX: Final = 20_000
_READABLE_MIN: Final = 0.9  # of the characters: what was decoded by chance has all kinds

_LATIN: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u0410\u0412\u0415\u041a\u041c\u041d\u041e"
    "\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c4\u0391\u0392\u0395\u0396"
    "\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0131\u0261",
    "aeopcyxijsdhABEKMHOPCTXIJSaopvikutABEZHIKMNOPTYXig",
)
_ALIEN: Final = re.compile("[\u0131\u0261\u0370-\u0530]")
_WIDE: Final = re.compile("[\u2460-\u24ff\uff01-\uff5e\U0001d400-\U0001d7ff\U0001f130-\U0001f189\u2100-\u214f]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_LEET: Final = re2.compile(r"[A-Za-z0-9@$]*(?:[a-zA-Z][013457@$]|[013457@$][a-zA-Z])[A-Za-z0-9@$]*")
_ROLES: Final = frozenset({"assistant", "system", "agent", "agents"})
_AS_I: Final = str.maketrans("013457@$", "oieastas")
_AS_L: Final = str.maketrans("013457@$", "oleastas")
_SPACED: Final = re2.compile(r"\b\pL(?:[ .*_-]{1,3}\pL\b){7,}")
# Without one of these a text has nothing that `decoded` or `turned` would look for.
_SIGNS: Final = re2.compile(
    r"[A-Za-z0-9+/_-]{20}|%[0-9a-fA-F]{2}|\\[ux][0-9a-fA-F]|&#|[01]{8}|(?:[0-9a-fA-F]{2}[ :]){11}"
    r"|\b\pL(?:[ .*_-]{1,3}\pL\b){7}|(?i:vtaber|qvfertneq|biveevqr|sbetrg|vafgehpgvba|nffvfgnag|cebzcg)"
    r"|(?i:erongi|dragersid|edirrevo|snoitcurtsni|tnatsissa|tpmorp)"
)
_ROTATED: Final = re.compile(r"(?i)vtaber|qvfertneq|biveevqr|sbetrg|vafgehpgvba|nffvfgnag|cebzcg")
_REVERSED: Final = re.compile(r"(?i)erongi|dragersid|edirrevo|snoitcurtsni|tnatsissa|tpmorp")


def may_be_coded(text: str) -> bool:
    """Return whether a text has signs of a code; where it says no, `decoded` and `turned` find nothing."""
    return _SIGNS.search(text) is not None


def spelled(text: str) -> Iterator[str]:
    """Yield a text as it reads with other letters for some, each of the same length as the text."""
    plain = text
    if not text.isascii():
        if _WIDE.search(plain):
            plain = _WIDE.sub(lambda match: _narrow(match[0]), plain)
        if _ALIEN.search(plain):
            plain = _WORD.sub(lambda match: _in_latin(match[0]), plain)
        if plain != text:
            yield plain
    if _LEET.search(plain):
        for table in (_AS_I, _AS_L):
            if (read := _translate(plain, table)) != plain:
                yield read


def decoded(text: str) -> Iterator[tuple[Span, str]]:
    """Yield what stands in a text in a code: its place, and what it says in plain letters."""
    for code, decode in _CODED:
        for match in code.finditer(text):
            try:
                said = decode(text[slice(*match.span())][:_DECODED_MAX])
            except (ValueError, binascii.Error):
                continue
            if _is_readable(said):
                yield match.span(), said
    for match in _SPACED.finditer(text):
        yield match.span(), _closed_up(text[slice(*match.span())])


def turned(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text with its letters rotated or from behind, where words of an order show then; and which of both."""
    if _ROTATED.search(text):
        yield codecs.encode(text, "rot13"), False
    if _REVERSED.search(text):
        yield text[::-1], True


def _translate(text: str, table: dict[int, int]) -> str:
    """Return a text with letters for digits in the words that mix both, if one is a word of orders then."""
    parts: list[str] = []
    last, is_order = 0, False
    for match in _LEET.finditer(text):
        start, end = match.span()
        word = text[start:end].translate(table)
        is_order = is_order or word.casefold() in _words_of_orders()
        parts += text[last:start], word
        last = end
    return "".join([*parts, text[last:]]) if is_order else text


@cache
def _words_of_orders() -> frozenset[str]:
    return words("orders_to_ignore", "words_for_earlier", "words_for_instructions", "verbs_of_orders") | _ROLES


def _narrow(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _in_latin(word: str) -> str:
    """Return a word in Latin letters if it mixes them with others that look like them."""
    return word.translate(_LATIN) if any(one.isascii() for one in word) else word


def _closed_up(text: str) -> str:
    """Return words from letters that stand apart; a longer gap parts words."""
    gaps = re.findall(r"[ .*_-]+", text)
    shortest = min(map(len, gaps))
    return re.sub(r"[ .*_-]+", lambda match: "" if len(match[0]) == shortest else " ", text)


def _is_readable(text: str) -> bool:
    usual = sum(one.isalpha() or one in " .,:;!?'\"\n@/-" for one in text)
    return " " in text.strip() and usual >= _READABLE_MIN * len(text)


def _from_base64(text: str) -> str:
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    start = base64.b64decode(plain[: min(len(plain), 40) // 4 * 4])
    if not _begins_as_text(start):  # an image, a key, a digest
        raise ValueError(text[:20])
    return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()


def _begins_as_text(start: bytes) -> bool:
    return sum(one in b"\t\n\r" or one >= 0x20 for one in start) == len(start)


def _from_escapes(text: str) -> str:
    return re.sub(r"\\[ux]([0-9a-fA-F]+)\s?", lambda match: chr(int(match[1], 16)), text)


def _from_bits(text: str) -> str:
    return bytes(int(one, 2) for one in re.findall("[01]{8}", text)).decode()


def _from_hex(text: str) -> str:
    return bytes.fromhex(re.sub("[ :]", "", text)).decode()


_CODED: Final[tuple[tuple[Any, Callable[[str], str]], ...]] = (
    (re2.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}"), _from_hex),
    (re2.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}"), _from_base64),
    (re2.compile(r"[^\s%]*(?:%[0-9a-fA-F]{2}[^\s%]{0,40}){3,}"), urllib.parse.unquote),
    (re2.compile(r"(?:\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})\s?){6,}"), _from_escapes),
    (re2.compile(r"(?:&#(?:\d{2,6}|x[0-9a-fA-F]{2,5});\s?){6,}"), html.unescape),
    (re2.compile(r"(?:[01]{8}\s?){8,}"), _from_bits),
)
