"""Numbers and amounts of money as values: the pattern by which one is found, and what a text that is one says.

What can be read in two ways is ambiguous: the reader says so and reads neither.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.quantities.numerals import Numeral, numerals
from interlayer.language.quantities.units import CODES, CURRENCIES, IN_THOUSANDTHS, PERCENT, SHARED, SIGNS
from interlayer.language.writing.conventions import UNKNOWN, Ambiguous, Conventions

_GROUPED: Final = r"\d{1,3}(?:[ '’\x{a0}\x{202f}]\d{3})+\b"
_DIGITS: Final = rf"(?:{_GROUPED}(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
_MULTIPLIED: Final = rf"(?:\s?(?:{pattern(words('magnitudes', 'magnitude_letters'))}))?"
_CODE: Final = rf"(?-i:{pattern(CODES)})"
_LEADING: Final = rf"{pattern(name for name in CURRENCIES if name in SIGNS or len(name) == 3)}|{_CODE}"
_TRAILING: Final = rf"{pattern(SIGNS)}|(?:{pattern(CURRENCIES.keys() - SIGNS)}|{_CODE}|{pattern(SHARED)})\b"

NUMBER: Final = rf"[-+−]?{_DIGITS}"
"""The pattern of a number in digits, for RE2."""

WHOLE_NUMBER: Final = rf"{_GROUPED}|\d{{1,3}}(?:[.,]\d{{3}})+\b|\d+"
"""The pattern of a whole number in digits, for RE2."""

SCALED: Final = rf"{_DIGITS}{_MULTIPLIED}\b"
"""The pattern of a number in digits with what multiplies it, for RE2, to be matched in any case."""

MONEY: Final = rf"(?:{_LEADING})\s?[-+−]?{SCALED}|[-+−]?{_DIGITS}{_MULTIPLIED}\s?(?:d['’]|de\s)?(?:{_TRAILING})"
"""The pattern of an amount of money with its currency, for RE2, to be matched in any case."""

_CURRENCY: Final = re.compile(
    rf"(?i)(?<![^\W\d_])(?:{pattern([*CURRENCIES, *SHARED])}|(?-i:{pattern(CODES)}))(?![^\W\d_])"
)
_TERM: Final = re.compile(rf"\b(?:{pattern(term.upper() for term in words('money_terms'))})\b")
_JOINED: Final = re.compile(r"(?i)\s*\b(?:d['’]|de)\s*$")  # 2 millions d'euros
_MINUS: Final = str.maketrans({"−": "-", "–": "-"})
_PERCENT_MOST: Final = 1_000  # beyond it three digits behind a point are decimals: an uptime of 99.999 %


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and the code of its currency (ISO 4217), None where none is stated."""

    amount: float
    currency: str | None


def number_of(text: str, conventions: Conventions = UNKNOWN, *, whole: bool = False) -> float | None:
    """Read a text that is one number, in digits or in words: 1,250.5, -3%, 450K, four hundred. None if it is not.

    `whole` says that only a whole number can be meant. Raises `Ambiguous`.
    """
    read = _read(text, UNKNOWN if whole else conventions)
    if read is None:
        return None
    said, sign, is_percent = read
    if said.other is None:
        return round(sign * said.value, 6)
    decimal, thousands = sorted((said.value, said.other))
    if whole:
        return sign * thousands
    if "," in text and said.magnitude == 1 and not is_percent:
        return sign * thousands
    if "." in text and is_percent and thousands > _PERCENT_MOST:
        return sign * decimal
    raise _two_ways(text, decimal, thousands)


def money_of(text: str, conventions: Conventions = UNKNOWN) -> Money | None:
    """Read a text that is one amount of money: $450,000, 1.200 €, USD 1.2M, about 450K. None if it is not.

    Raises `Ambiguous` also for a currency that several countries have by this name.
    """
    plain = unicodedata.normalize("NFKC", text)
    named = list(dict.fromkeys(one.casefold() for one in _CURRENCY.findall(plain)))
    codes = {CURRENCIES.get(one, one.upper()) for one in named if one not in SHARED}
    shared = [one for one in named if one in SHARED]
    if len(codes) > 1 or (shared and codes):
        return None
    bare = _JOINED.sub("", _TERM.sub(" ", _CURRENCY.sub(" ", plain)))
    read = _read(bare, conventions, money=bool(named))
    if read is None:
        return None
    said, sign, _ = read
    if shared:
        raise Ambiguous(f"{shared[0]!r} may be {SHARED[shared[0]]}; write the code of the currency")
    code = next(iter(codes), None)
    return Money(round(sign * _amount(text, said, code), 6), code)


def _amount(text: str, said: Numeral, code: str | None) -> float:
    """Decide between two readings of an amount: only rare currencies and round millions have three decimals."""
    if said.other is None:
        return said.value
    decimal, thousands = sorted((said.value, said.other))
    if code in IN_THOUSANDTHS or (said.magnitude > 1 and "," not in text) or (code is None and "," not in text):
        raise _two_ways(text, decimal, thousands)
    return thousands


def _read(text: str, conventions: Conventions, *, money: bool = False) -> tuple[Numeral, int, bool] | None:
    """Return the one numeral that a text is, its sign and whether it is a percentage; None if it is none."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS).casefold().strip()
    plain = plain.strip("~ ").removesuffix(",-").removesuffix(".-").rstrip(",")
    percent = max((name for name in PERCENT if plain.endswith(name)), key=len, default="")
    bare = plain.removesuffix(percent).strip().lstrip("+-").strip()
    said = numerals(bare, money=money, letters_apart=True, conventions=conventions)
    if len(said) != 1 or said[0].bound or (said[0].start, said[0].end) != (0, len(bare)):
        return None
    return said[0], -1 if plain.startswith("-") else 1, bool(percent)


def _two_ways(text: str, decimal: float, thousands: float) -> Ambiguous:
    return Ambiguous(f"{text.strip()!r} may be {decimal:.10g} or {thousands:.10g}; write one of these")
