"""The words of a content that no statement of it has, which help to find what stands beside them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from interlayer.language.terms import content_words

_WORDS_MAX: Final = 30  # of one gap: a sentence or two
_ALL_MAX: Final = 400  # of one content


def context_of(content: str, spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, str], ...]:
    """Return the words between the spans of statements, folded, each once a gap, by where the gap begins."""
    found: list[tuple[int, str]] = []
    left = _ALL_MAX
    for start, end in _gaps(len(content), sorted(spans)):
        words = list(islice(dict.fromkeys(content_words(content[start:end])), min(_WORDS_MAX, left)))
        if words:
            found.append((start, " ".join(words)))
            left -= len(words)
    return tuple(found)


def _gaps(length: int, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    place = 0
    for start, end in spans:
        if place < start:
            yield place, start
        place = max(place, end)
    if place < length:
        yield place, length
