"""Characters that look alike: two texts of one skeleton can hardly be told apart by eye (Unicode UTS 39)."""

import unicodedata
from functools import cache
from typing import Any, Final, cast

_PLAIN: Final = {"rn": "m", "vv": "w", "0": "o", "1": "l", "|": "l"}
"""Those of ASCII in UTS 39, by which no data have to be read; a capital I is a small one already."""


def skeleton(text: str) -> str:
    """Return the skeleton of a text, equal for texts that look alike: small letters of ASCII, where there are any."""
    plain = without_accents(text)
    if not plain.isascii():
        plain = "".join(one if one.isascii() else _latin(one) for one in plain)
    for lookalike, meant in _PLAIN.items():
        plain = plain.replace(lookalike, meant)
    return plain


def look_alike(one: str, other: str) -> bool:
    """Tell whether two texts differ, beside case and accents, in nothing but characters that look alike."""
    return skeleton(one) == skeleton(other) and without_accents(one) != without_accents(other)


def without_accents(text: str) -> str:
    """Return a text in small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one))


@cache
def _latin(character: str) -> str:
    """Return the letter or digit of ASCII that a character looks like, the character where there is none."""
    likes: list[dict[str, str]] = _data().get(character, [])
    found = (one["c"].casefold() for one in likes if one["c"].isascii() and one["c"].isalnum())
    return next(found, character)


@cache
def _data() -> dict[str, Any]:
    from confusable_homoglyphs.confusables import confusables_data

    return cast("dict[str, Any]", confusables_data)
