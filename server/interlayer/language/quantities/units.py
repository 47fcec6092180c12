"""What numbers are counted in: currencies, percentages, and any other word; and how each is written beside one."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from interlayer.language.lexicon.reader import meanings, pattern, words

CURRENCIES: Final[Mapping[str, str]] = meanings("currencies")
"""Folded sign, code or name of a currency -> its code in ISO 4217."""

CODES: Final = frozenset(code.upper() for code in words("currency_codes"))
"""Codes of currencies; some are words in small letters, so they are codes in capitals only."""

SHARED: Final[Mapping[str, str]] = meanings("currencies_of_several")
"""Folded name of several currencies -> the codes that it may stand for, in words."""

IN_THOUSANDTHS: Final = frozenset(code.upper() for code in words("currencies_in_thousandths"))
"""Codes of the currencies that have three decimals."""

SIGNS: Final = frozenset(name for name in CURRENCIES if not name[-1].isalnum())
"""Signs of currencies, such as € and US$."""

PERCENT: Final = words("percent")
"""How percentages are written."""

_PLURAL: Final = "(?:e?s)?"
_ADJECTIVE: Final = rf"(?:(?:{pattern(words('unit_adjectives'))})[\s-]+)?"


@lru_cache(maxsize=256)
def names_of(unit: str) -> frozenset[str]:
    """Return every name of a unit, folded: of a currency and of percent all that they have, else itself."""
    name = unit.casefold()
    if name in PERCENT:
        return PERCENT
    code = CURRENCIES.get(name)
    return frozenset(one for one, its in CURRENCIES.items() if its == code) if code else frozenset({name})


def is_money(unit: str) -> bool:
    """Whether a unit is a currency that is known by its name."""
    return unit.casefold() in CURRENCIES


def behind(names: Collection[str]) -> "re.Pattern[str]":
    """Return the pattern of a unit that stands behind its number in a folded text."""
    return _compiled_behind(frozenset(names))


@lru_cache(maxsize=256)
def _compiled_behind(names: frozenset[str]) -> "re.Pattern[str]":
    return re.compile(r"[\s-]*" + _ADJECTIVE + f"(?:{'|'.join(map(_behind, sorted(names, key=_longest_first)))})")


def before(names: Collection[str]) -> "re.Pattern[str]":
    """Return the pattern of a currency that stands before its number, to be searched at the end of a folded text."""
    return _compiled_before(frozenset(names))


@lru_cache(maxsize=256)
def _compiled_before(names: frozenset[str]) -> "re.Pattern[str]":
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(_before, sorted(names, key=_longest_first)))})\s?$")


def currency_of(name: str) -> str | None:
    """Return the code of a currency by its sign, code or name; None of anything else."""
    return CURRENCIES.get(name.casefold()) or (name.upper() if name.upper() in CODES else None)


def _longest_first(name: str) -> tuple[int, str]:
    return -len(name), name


def _behind(name: str) -> str:
    words = [re.escape(word) for word in name.split()]
    if not name[-1:].isalpha():
        return r"\s+".join(words)
    if name not in PERCENT:
        words[-1] = words[-1].removesuffix("s") + _PLURAL
    return r"\s+".join(words) + r"(?![^\W_])"


def _before(name: str) -> str:
    return re.escape(name) if name[:1].isalpha() else f"[a-z]{{0,3}}{re.escape(name)}"  # US$, A$
