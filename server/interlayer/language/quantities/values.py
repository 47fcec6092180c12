"""Numbers and amounts of money as values: the pattern by which one is found, and what a text that is one says."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.quantities.numerals import numerals
from interlayer.language.quantities.units import CURRENCIES, PERCENT, SIGNS

_GROUPED: Final = r"\d{1,3}(?:[ '\x{a0}\x{202f}]\d{3})+\b"
_DIGITS: Final = rf"(?:{_GROUPED}(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
_MULTIPLIED: Final = rf"(?:\s?(?:{pattern(words('magnitudes', 'magnitude_letters'))}))?"
_LEADING: Final = pattern(name for name in CURRENCIES if name in SIGNS or len(name) == 3)
_TRAILING: Final = rf"{pattern(SIGNS)}|(?:{pattern(CURRENCIES.keys() - SIGNS)})\b"

NUMBER: Final = rf"[-+]?{_DIGITS}"
"""The pattern of a number in digits, for RE2."""

WHOLE_NUMBER: Final = rf"{_GROUPED}|\d+(?:,\d{{3}})*"
"""The pattern of a whole number in digits, for RE2."""

SCALED: Final = rf"{_DIGITS}{_MULTIPLIED}\b"
"""The pattern of a number in digits with what multiplies it, for RE2, to be matched in any case."""

MONEY: Final = rf"(?:{_LEADING})\s?[-+]?{SCALED}|[-+]?{_DIGITS}{_MULTIPLIED}\s?(?:{_TRAILING})"
"""The pattern of an amount of money with its currency, for RE2, to be matched in any case."""

_CURRENCY: Final = re.compile(rf"(?i)(?<![^\W\d_])(?:{pattern(CURRENCIES)})(?![^\W\d_])")
_OTHER_CODE: Final = re.compile(r"\b[A-Z]{3}\b")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and the code of its currency (ISO 4217), None where none is stated."""

    amount: float
    currency: str | None


def number_of(text: str, *, money: bool = False) -> float | None:
    """Read a text that is one number, in digits or in words: 1,250.5, -3%, 450K, four hundred. None if it is not."""
    plain = unicodedata.normalize("NFKC", text).casefold().strip().rstrip(",")
    percent = max((name for name in PERCENT if plain.endswith(name)), key=len, default="")
    bare = plain.removesuffix(percent).lstrip("+-").strip()
    said = numerals(bare, money=money, letters_apart=True)
    if len(said) != 1 or said[0].bound or (said[0].start, said[0].end) != (0, len(bare)):
        return None
    return round(-said[0].value if plain.startswith("-") else said[0].value, 6)


def money_of(text: str) -> Money | None:
    """Read a text that is one amount of money: $450,000, 1.200 €, USD 1.2M, about 450K. None if it is not.

    A code in capitals that is no currency known here is passed over.
    """
    plain = unicodedata.normalize("NFKC", text)
    said = {CURRENCIES[one.casefold()] for one in _CURRENCY.findall(plain)}
    bare = _OTHER_CODE.sub(" ", _CURRENCY.sub(" ", plain)).strip(" ~")
    amount = number_of(bare, money=bool(said)) if len(said) <= 1 else None
    return None if amount is None else Money(amount, next(iter(said), None))
