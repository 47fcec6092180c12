"""Whether a sentence announces a change: general English for "what was so before is no longer so"."""

import re
from functools import lru_cache
from typing import Final

from interlayer.language.lexicon.reader import pattern, words
from interlayer.language.sieve import sieve

_CHANGE: Final = re.compile(rf"(?i)\b(?:{pattern(words('change_announcements'))}|now [a-z]+s)\b")
_MAY_CHANGE: Final = sieve(_CHANGE.pattern)


@lru_cache(maxsize=8_192)
def announces_change(text: str) -> bool:
    """Return whether a text says that something is not as it was."""
    return _MAY_CHANGE(text) and _CHANGE.search(text) is not None
