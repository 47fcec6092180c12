"""Cutting a long text into passages that overlap, at sentence boundaries where there are any."""

from collections.abc import Iterator
from itertools import pairwise

from interlayer.text.sentences import sentences


def passages(text: str, size: int, overlap: int) -> Iterator[str]:
    """Yield the passages of a text: at most `size` characters each, the last `overlap` or fewer said again in the next.

    Each begins and ends at the beginning of a sentence, unless one sentence is longer than a passage. Together they
    hold every character.
    """
    if len(text) <= size:
        yield text
        return
    breaks = _breaks(text, size)
    start = 0
    while True:
        end = max(one for one in breaks if one <= start + size)
        yield text[start:end]
        if end == len(text):
            return
        start = min((one for one in breaks if start < one and end - overlap <= one), default=end)


def _breaks(text: str, size: int) -> list[int]:
    """Return where a text may be cut, in order, no two further apart than `size`."""
    starts = sorted({0, len(text), *(one.start for one in sentences(text))})
    return [
        0,
        *(place for before, after in pairwise(starts) for place in [*range(before + size, after, size), after]),
    ]
