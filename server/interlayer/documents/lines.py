"""The lines of a text, and what each reader of structure notes on them: the common table on which they work."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from interlayer.documents.document import Kind

HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+\S")
RULE: Final = re.compile(r"\s*(?:[-=_*~]\s*){3,}$")
BULLET: Final = re.compile(r"\s*(?:[-*•‣–▪◦]|\d{1,3}[.)])\s+")


@dataclass(slots=True)
class Line:
    """A line without its break and without blanks at its end: `text` is `content[start:end]`.

    `body` is where what is said begins, behind a speaker or a stamp. `opens`: what stands before it is another block.
    """

    text: str
    start: int
    end: int
    kind: Kind | None = None
    speaker: str = ""
    writer: str = ""
    written_at: datetime | None = None
    body: int = 0
    opens: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return not self.text.strip()

    @property
    def said(self) -> str:
        """What is said in it, without the speaker."""
        return self.text[self.body :]


def lines_of(text: str) -> list[Line]:
    """Cut a text into lines at any break that there is, a form feed and a line separator among them."""
    found: list[Line] = []
    offset = 0
    for raw in text.splitlines(keepends=True):
        bare = raw.rstrip()
        found.append(Line(bare, offset, offset + len(bare)))
        offset += len(raw)
    return found


def written(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines in which something stands."""
    return (line for line in lines if not line.is_blank)


def word_count(text: str) -> int:
    """Count the words of a text by its blanks."""
    return len(text.split())
