"""Finding quotations in the text that they were taken from, whatever became of blanks, case and typography."""

import re
import unicodedata
from typing import Final

_TYPOGRAPHIC: Final = str.maketrans("‘’‚‛“”„‟«»‐‑‒–—―−", '\'\'\'\'""""""-------')
_EMPHASIS: Final = re.compile(r"[*_`]+")
_ENDS: Final = " .…\"'「」『』"


class Quotable:
    """A text in the form in which quotations are compared with it."""

    def __init__(self, text: str) -> None:
        self._fold, self._origins = _fold(text)

    def locate(self, quote: str) -> tuple[int, int] | None:
        """Return where a quotation stands in the text, in characters, or None if it does not.

        Blanks, case, typographic quotes and dashes, composed accents, Markdown emphasis, and marks of quotation and
        omission at the ends make no difference.
        """
        wanted = _fold(quote)[0].strip(_ENDS)
        if not any(character.isalnum() for character in wanted):
            return None
        start = self._fold.find(wanted)
        if start < 0:
            return None
        return self._origins[start], self._origins[start + len(wanted) - 1] + 1


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the text in its compared form, and of each character where it came from."""
    characters: list[str] = []
    origins: list[int] = []
    emphasis = _emphasis(text)
    for origin, character in enumerate(text.translate(_TYPOGRAPHIC)):
        last = characters[-1] if characters else ""
        if origin in emphasis:
            plain = ""
        elif character.isspace():
            plain = "" if last == " " else " "
        elif character == "-":
            plain = "" if last == "-" else "-"  # "--" is how a dash is typed
        elif character.isascii():
            plain = character.lower()
        else:  # decomposed, so that an accent counts the same however it was written
            folded = unicodedata.normalize("NFKD", character).casefold()
            plain = unicodedata.normalize("NFKD", folded)
        characters.extend(plain)
        origins.extend([origin] * len(plain))
    return "".join(characters), origins


def _emphasis(text: str) -> set[int]:
    """Return where Markdown emphasis stands: its marks, unless they join two words (snake_case, 2*3)."""
    places: set[int] = set()
    for marks in _EMPHASIS.finditer(text):
        before, after = text[max(marks.start() - 1, 0) : marks.start()], text[marks.end() : marks.end() + 1]
        if not (before.isalnum() and after.isalnum()):
            places.update(range(*marks.span()))
    return places
