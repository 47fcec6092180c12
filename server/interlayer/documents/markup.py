"""HTML as the text that a reader sees, with the place of each of its characters in the source."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Final

_TAG: Final = re.compile(
    r"</?(?:html|body|head|div|p|br|table|tr|td|ul|ol|li|span|h[1-6]|a|b|strong|em|i)\b[^<>]{0,300}>", re.IGNORECASE
)
_CLOSING: Final = re.compile(r"</[a-zA-Z][a-zA-Z0-9]{0,12}\s*>")
_UNSEEN: Final = frozenset({"script", "style", "head", "template", "noscript", "title"})
_BLOCKS: Final = frozenset(
    "address article aside blockquote body br dd div dl dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header hr "
    "html li main nav ol p pre section table tbody thead tr ul".split()
)


def is_html(text: str) -> bool:
    """Whether a text is written in HTML, and does not only mention a tag."""
    return "<" in text and bool(_CLOSING.search(text)) and len(_TAG.findall(text[:20_000])) > 1


@dataclass(slots=True)
class Seen:
    """What is seen of a source, in parts; each part stands in the source from its place on."""

    text: str = ""
    at: list[int] = field(default_factory=list[int])
    origin: list[int] = field(default_factory=list[int])
    fixed: list[bool] = field(default_factory=list[bool])

    def place(self, position: int, *, last: bool = False) -> int:
        """Return where a character of what is seen stands in the source; with `last`, where it ends."""
        part = max(bisect_right(self.at, position) - 1, 0)
        if self.fixed[part]:
            return self.origin[part + 1] if last and part + 1 < len(self.origin) else self.origin[part]
        return self.origin[part] + position - self.at[part] + last


class _Reader(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[tuple[str, int, bool]] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._unseen = 0

    @property
    def place(self) -> int:
        line, column = self.getpos()
        return self._starts[min(line, len(self._starts)) - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where a reader sees one, and look away from what none sees."""
        _ = attrs
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.add("\n- " if tag == "li" else "\n| " if tag == "tr" else "\n", fixed=True)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where a reader sees one."""
        _ = attrs
        if tag in _BLOCKS:
            self.add("\n", fixed=True)

    def handle_endtag(self, tag: str) -> None:
        """End a line, a cell, or what is not seen."""
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in {"td", "th"}:
            self.add(" | ", fixed=True)
        elif tag in _BLOCKS:
            self.add("\n", fixed=True)

    def handle_data(self, data: str) -> None:
        """Take text in."""
        self.add(data, fixed=False)

    def handle_entityref(self, name: str) -> None:
        """Take in a character by its name."""
        self.add(unescape(f"&{name};"), fixed=True)

    def handle_charref(self, name: str) -> None:
        """Take in a character by its number."""
        self.add(unescape(f"&#{name};"), fixed=True)

    def add(self, text: str, *, fixed: bool) -> None:
        """Take in a part that stands here; `fixed`: its characters are not those of the source."""
        if not self._unseen:
            self.parts.append((text.replace("\xa0", " "), self.place, fixed))


def seen(source: str) -> Seen:
    """Read HTML. What an unclosed tag or comment leaves over at the end is taken as text.

    The parser is not closed: it would try each of the unclosed ones again, to the end of the source.
    """
    reader = _Reader(source)
    reader.feed(source)
    left = len(source) - len(reader.rawdata)
    reader.parts.append((reader.rawdata, left, False))
    found = Seen()
    length = 0
    for text, origin, fixed in reader.parts:
        if text:
            found.at.append(length)
            found.origin.append(origin)
            found.fixed.append(fixed)
            length += len(text)
    found.text = "".join(text for text, _, _ in reader.parts)
    return found
