"""Numbers that a state or a bank gives to a person or an account, told by shape and, where they have one, by checksum.

National ids: US (SSN), UK (NINO), Germany (tax id), France (NIR), Italy (codice fiscale), Spain (DNI, NIE). Account
numbers: IBAN. Each finder takes a plain text and answers with places in it, `(start, end)` in characters.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

Place = tuple[int, int]

_SSN: Final = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_NINO: Final = re.compile(
    r"(?<![^\W_])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d{2}){3}[ -]?[A-D](?![^\W_])",
    re.IGNORECASE,
)
_GERMAN: Final = re.compile(r"(?<![\w.,+-])[1-9]\d(?: ?\d{3}){3}(?![\w-])")
_FRENCH: Final = re.compile(
    r"(?<![\w.,+-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-])", re.IGNORECASE
)
_ITALIAN: Final = re.compile(
    r"(?<![^\W_])[A-Z]{3} ?[A-Z]{3} ?[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2} ?[A-Z][\dL-NP-V]{3} ?[A-Z](?![^\W_])",
    re.IGNORECASE,
)
_SPANISH: Final = re.compile(
    r"(?<![^\W_])(?:[XYZ][ -]?\d{7}|\d{2}\.?\d{3}\.?\d{3})[ -]?[A-HJ-NP-TV-Z](?![^\W_])", re.IGNORECASE
)
_SPANISH_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_ITALIAN_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)

# Country -> characters of its IBANs (the registry of ISO 13616).
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL", 29: "BR EG PS QA UA",
        30: "JO KW MU", 31: "MT SC SV", 32: "LC",
    }.items()
    for country in countries.split()
}  # fmt: skip
_IBAN_HEAD: Final = re.compile(r"(?<![^\W_])([A-Z]{2})\d{2}", re.IGNORECASE)


def national_ids(text: str) -> Iterator[Place]:
    """Yield the national ids."""
    for pattern, valid in _KINDS:
        for match in pattern.finditer(text):
            compact = re.sub(r"[ .-]", "", match[0]).upper()
            if compact.isascii() and valid(compact):
                yield match.span()


def ibans(text: str) -> Iterator[Place]:
    """Yield the account numbers, written together or in groups: length by country, mod 97 (ISO 13616)."""
    for head in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(head[1].upper())
        match = _IBAN_BODIES[length].match(text, head.start()) if length else None
        if match:
            compact = re.sub(r"[ -]", "", match[0]).upper()
            if compact.isascii() and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1:
                yield match.span()


def _any(_: str) -> bool:
    return True


def _is_german(number: str) -> bool:
    """One digit of the first ten occurs two or three times, the others once; ISO 7064 mod 11,10."""
    counts = sorted(Counter(number[:10]).values(), reverse=True)
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return counts[0] in (2, 3) and counts[1:].count(1) == len(counts) - 1 and (11 - product) % 10 == int(number[10])


def _is_french(number: str) -> bool:
    """97 less the rest of the first thirteen; Corsica counts as 19 and 18."""
    whole = number[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(whole) % 97 == int(number[13:])


def _is_italian(code: str) -> bool:
    """Check letter over odd and even places (D.M. 23/12/1976)."""
    values = [ord(c) - ord("A") if c.isalpha() else int(c) for c in code]
    total = sum(_ITALIAN_ODD[value] if place % 2 == 0 else value for place, value in enumerate(values[:15]))
    return total % 26 == values[15]


def _is_spanish(code: str) -> bool:
    """Look the letter up that the number leaves modulo 23; X, Y, Z of a NIE count as 0, 1, 2."""
    number = code[:-1].translate(str.maketrans("XYZ", "012"))
    return _SPANISH_LETTERS[int(number) % 23] == code[-1]


_KINDS: Final[tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]] = (
    (_SSN, _any),
    (_NINO, _any),
    (_GERMAN, _is_german),
    (_FRENCH, _is_french),
    (_ITALIAN, _is_italian),
    (_SPANISH, _is_spanish),
)
_IBAN_BODIES: Final = {
    length: re.compile(rf"[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]){{{length - 4}}}(?![^\W_])", re.IGNORECASE)
    for length in set(_IBAN_LENGTHS.values())
}
