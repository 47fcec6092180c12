"""Finding quotations in the text that they were taken from, whatever became of blanks, case and typography."""

import unicodedata
from typing import Final

_TYPOGRAPHIC: Final = str.maketrans("‘’‚‛“”„‟«»‐‑‒–—―−", '\'\'\'\'""""""-------')


class Quotable:
    """A text in the form in which quotations are compared with it."""

    def __init__(self, text: str) -> None:
        self._folded, self._origins = _folded(text)

    def locate(self, quote: str) -> tuple[int, int] | None:
        """Return where a quotation stands in the text, in characters, or None if it does not.

        Blanks, case, typographic quotes and dashes, and marks of omission at the ends make no difference.
        """
        wanted = _folded(quote)[0].strip(" .…")
        if not any(character.isalnum() for character in wanted):
            return None
        start = self._folded.find(wanted)
        if start < 0:
            return None
        return self._origins[start], self._origins[start + len(wanted) - 1] + 1


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text in its compared form, and of each character where it came from."""
    characters: list[str] = []
    origins: list[int] = []
    for origin, character in enumerate(text.translate(_TYPOGRAPHIC)):
        if character.isspace():
            plain = "" if characters and characters[-1] == " " else " "
        elif character.isascii():
            plain = character.lower()
        else:
            plain = unicodedata.normalize("NFKC", character).casefold()
        characters.extend(plain)
        origins.extend([origin] * len(plain))
    return "".join(characters), origins
