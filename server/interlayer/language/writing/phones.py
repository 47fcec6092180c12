"""The one reader of telephone numbers: what international ones say, in the form E.164 with an extension behind `x`."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

PHONE: Final = (
    r"(?:\+|\b00)?\s?\(?\d[\d\s().\x{2010}-\x{2013}/-]{5,22}\d(?:\s?(?:ext\.?|x|extension|durchwahl|poste)\s?\d{1,6})?"
)
"""The pattern of a telephone number in a text, for RE2, to be matched in any case."""

_PREFIX: Final = re.compile(r"^\s*\(?\s*(?:\+|00(?=\s?[1-9]))")
_LABEL: Final = re.compile(r"(?i)^\s*tel:")
_EXTENSION: Final = re.compile(r"(?i)(?<=\d)[\s,;]*(?:ext(?:ension)?\.?|durchwahl|poste|x|#)[\s:=]*(?=\d)")
_NATIONAL: Final = re.compile(r"[\d\s().\u2010-\u2015/-]+")
_DATED: Final = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}")
_DIGITS_MIN, _DIGITS_MAX = 7, 15


@lru_cache(maxsize=4_096)
def phone_of(text: str) -> str | None:
    """Return the normal form of a text that is one number: +493012345x12. None if it is none.

    A number with its country's code has to be one that the country could give out; one without stays as it is dialled.
    """
    plain = _LABEL.sub("", "".join(map(_ascii, unicodedata.normalize("NFKC", text)))).strip()
    number, *extension = _EXTENSION.split(plain, maxsplit=1)
    further = f"x{extension[0]}" if extension else ""
    if extension and not extension[0].isdecimal():
        return None
    if _PREFIX.match(number):
        whole = _international(_PREFIX.sub("+", number))
    else:
        digits = re.sub(r"\D", "", number)
        is_number = _NATIONAL.fullmatch(number) and not _DATED.fullmatch(number)
        whole = digits if is_number and _DIGITS_MIN <= len(digits) <= _DIGITS_MAX else None
    return whole and whole + further


def _ascii(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _international(number: str) -> str | None:
    import phonenumbers  # 0.1 s of tables, and needed only where a number is

    if re.search(r"[^\W\d_]", number):
        return None
    try:
        read = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(read):
        return None
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
