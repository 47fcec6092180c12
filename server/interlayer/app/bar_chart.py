"""A bar chart as an SVG file of our own: enough to compare a few shares, and nothing to install."""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

_COLOURS: Final = ("#2f6f9f", "#7fb2d6", "#b5651d", "#e0a96d", "#4f7f4f", "#a3c4a3")
_BAR: Final = 16
_GAP: Final = 14
_LEFT: Final = 170
_WIDTH: Final = 460


def bars(title: str, shares: Mapping[str, Mapping[str, float]]) -> str:
    """Return an SVG with a group of bars for each row of {row: {measure: share between 0 and 1}}."""
    measures: Sequence[str] = list(dict.fromkeys(name for row in shares.values() for name in row))
    top = 40 + 18 * len(measures)
    parts = [f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>']
    for number, name in enumerate(measures):
        y = 36 + 18 * number
        colour = _COLOURS[number % len(_COLOURS)]
        parts.append(f'<rect x="12" y="{y}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="30" y="{y + 11}" font-size="12">{escape(name.replace("_", " "))}</text>')
    y = top + 8
    for label, row in shares.items():
        middle = y + len(row) * _BAR / 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle:g}" font-size="13" text-anchor="end">{escape(label)}</text>')
        for name, share in row.items():
            colour = _COLOURS[measures.index(name) % len(_COLOURS)]
            width = round(_WIDTH * share, 1)
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:g}" height="{_BAR - 3}" fill="{colour}"/>')
            parts.append(f'<text x="{_LEFT + width + 6:g}" y="{y + 11}" font-size="11">{share:.2f}</text>')
            y += _BAR
        y += _GAP
    size = f'width="{_LEFT + _WIDTH + 60}" height="{y}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">\n{body}\n</svg>\n'
