"""Telling quickly that a pattern finds nothing: most sentences have none of the words of a long list.

`re` tries every word of a list at every place of a text. RE2 takes all of them at once, but has no look-around and
takes a letter with an accent for the end of a word. So it is asked first with all that left out, and lets through more.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import re2

_AROUND: Final = re.compile(r"\(\?<?[!=](?:[^()\[\]\\]|\\.|\[(?:[^\]\\]|\\.)*\])*\)|\\b")
_WIDER: Final = {r"[^\W\d_]": r"\pL", r"\w": r"[\pL\pM\pN_]", r"\s": r"[\s\pZ\x{1c}-\x{1f}\x{85}\v]", r"\d": r"\p{Nd}"}
_MEMORY: Final = 64 << 20  # bytes at most, for the states of a pattern of many words


def sieve(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a pattern for `re` may find something in a text; where it says no, it does not.

    Look-around may not be nested, and no set of characters in the rest may hold a class of them.
    """
    plain = _AROUND.sub("", pattern)
    for narrow, wide in _WIDER.items():
        plain = plain.replace(narrow, wide)
    options = re2.Options()
    options.never_capture, options.log_errors, options.max_mem = True, False, _MEMORY
    compiled: list[Any] = []

    def may_find(text: str) -> bool:
        if not compiled:  # compiled when it is first needed: a start must not wait for it
            compiled.append(re2.compile(plain.encode(), options))
        return compiled[0].search(text.encode(errors="replace")) is not None

    return may_find
