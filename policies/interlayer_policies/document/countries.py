"""Countries by their codes and by their names in the languages that callers write."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from interlayer_policies.document.spelling import key_of

_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
_CODE: Final = 2  # letters of ISO 3166-1 alpha-2; other territories of CLDR are no countries


@lru_cache(maxsize=1)
def country_codes() -> Mapping[str, str]:
    """Return a name or code, written as values of facets are compared -> ISO 3166-1 alpha-2 (data: Unicode CLDR).

    `DE`, `DEU`, `de-DE`, `Germany`, `Deutschland` and `Allemagne` are one country. It takes some 0.3 s, once.
    """
    from babel import Locale
    from babel.core import get_global
    from babel.localedata import locale_identifiers

    found: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == _CODE and code.isalpha():
                found.setdefault(key_of(name), code)
                found.setdefault(key_of(code), code)
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1 and alias.isalpha() and codes[0] in found.values():
            found.setdefault(key_of(alias), codes[0])
    for tag in locale_identifiers():
        parts = tag.split("_")
        if len(parts) == len(("de", "DE")) and len(parts[1]) == _CODE:
            found.setdefault(key_of(tag.replace("_", "-")), parts[1])
    return found
