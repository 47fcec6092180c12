"""Amounts in a text: `30%`, `$1.2M`, `thirty percent`, `30-day`, and how near they stand to a word."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer_policies.draft import Draft, base

NEAR_CHARACTERS: Final = 60

_NUMBER: Final = re.compile(r"\d{1,3}(?:[,\u00a0 ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)?")
_MAGNITUDES: Final = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_MAGNITUDE: Final = re.compile(r"\s?(k|thousand|mm|mn|m|million|bn|b|billion)(?![^\W_])")
_UNITS: Final = (
    ("%", "percent", "per cent", "pct"),
    ("$", "usd", "dollar", "dollars"),
    ("€", "eur", "euro", "euros"),
    ("£", "gbp", "pound", "pounds"),
)
_PERCENT: Final = _UNITS[0]
_ADJECTIVE: Final = r"(?:(?:business|calendar|working|consecutive|full)[\s-]+)?"
_UNDER_TWENTY: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES: Final = {word: value for value, word in enumerate(_UNDER_TWENTY.split())} | {
    word: value for value, word in zip(range(20, 100, 10), _TENS.split(), strict=True)
}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_FRACTIONS: Final = {"half": 50.0, "a third": 100 / 3, "one third": 100 / 3, "two thirds": 200 / 3, "a quarter": 25.0}
_FRACTION_OFF: Final = re.compile(
    r"\b(half|a third|one[\s-]third|two[\s-]thirds|a quarter)(?:\s+of)?(?:\s+(?:the\s+)?(?:list\s+)?price)?\s+off\b"
    r"|\b(half)[\s-]+(?:the\s+)?price\b"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of the folded text with its unit; `start` and `end` include the unit."""

    value: float
    start: int
    end: int


def amounts(draft: Draft, unit: str) -> Iterator[Amount]:
    """Yield the amounts in a unit: a percentage, a currency or any word; `""` is any number."""
    text = draft.lower
    if not unit:
        yield from (*_digits(text), *_worded(draft))
        return
    names = next((names for names in _UNITS if unit.lower() in names), (unit.lower(),))
    after = re.compile(r"[\s-]*" + _ADJECTIVE + f"(?:{'|'.join(map(_unit_pattern, names))})")
    before = re.compile(f"(?:{'|'.join(map(re.escape, names))})\\s?$")
    for number in (*_digits(text), *_worded(draft)):
        tail = after.match(text, number.end)
        head = None if names == _PERCENT else before.search(text[max(0, number.start - 8) : number.start])
        if tail:
            yield Amount(number.value, number.start, tail.end())
        elif head:
            yield Amount(number.value, number.start - len(head[0]), number.end)
    if names == _PERCENT:
        yield from _fractions(text)


def near(draft: Draft, stems: frozenset[str]) -> Callable[[Amount], bool]:
    """Return a test whether one of the words with these stems stands within `NEAR_CHARACTERS` of an amount."""
    numbers = sorted(number for wanted in stems for number in draft.positions.get(wanted, ()))
    starts = [draft.words[number].start for number in numbers]
    ends = [draft.words[number].end for number in numbers]

    def is_near(amount: Amount) -> bool:
        first = bisect_left(ends, amount.start - NEAR_CHARACTERS)
        return first < len(starts) and starts[first] <= amount.end + NEAR_CHARACTERS

    return is_near


def near_stems(words: list[str]) -> frozenset[str]:
    """Return the stems that `near` compares, of words in any spelling."""
    return frozenset(base(word.text) for given in words for word in Draft(given).words)


def _unit_pattern(name: str) -> str:
    words = [re.escape(word) for word in name.split()]
    if not name[-1].isalpha():
        return r"\s+".join(words)
    if name not in _PERCENT:
        words[-1] = words[-1].removesuffix("s") + "(?:e?s)?"
    return r"\s+".join(words) + r"(?![^\W_])"


def _digits(text: str) -> Iterator[Amount]:
    for match in _NUMBER.finditer(text):
        digits, end = match[0].replace("\u00a0", "").replace(" ", ""), match.end()
        whole, comma, decimals = digits.rpartition(",")
        if comma and len(decimals) < 3 and "." not in digits:
            digits = f"{whole.replace(',', '')}.{decimals}"
        value = float(digits.replace(",", ""))
        magnitude = _MAGNITUDE.match(text, end)
        if magnitude:
            value, end = value * _MAGNITUDES[magnitude[1]], magnitude.end()
        yield Amount(value, match.start(), end)


def _worded(draft: Draft) -> Iterator[Amount]:
    """Yield numbers in English words: runs of number words, `and` between them allowed."""
    words = draft.words
    run: list[int] = []
    for number, word in enumerate(words):
        known = word.text in _VALUES or word.text in _SCALES
        if run and not ((known or word.text == "and") and _joined(draft, number)):
            yield _amount(draft, run)
            run = []
        if known and (run or word.text in _VALUES):
            run.append(number)
    if run:
        yield _amount(draft, run)


def _amount(draft: Draft, run: Sequence[int]) -> Amount:
    """Return the value of number words in order: "two hundred", "five" is 205."""
    total = current = 0
    for number in run:
        word = draft.words[number].text
        scale = _SCALES.get(word)
        if scale is None:
            current += _VALUES[word]
        elif scale == _SCALES["hundred"]:
            current = max(1, current) * scale
        else:
            total, current = total + max(1, current) * scale, 0
    return Amount(float(total + current), draft.words[run[0]].start, draft.words[run[-1]].end)


def _joined(draft: Draft, number: int) -> bool:
    """Whether only blanks and hyphens stand between a word and the one before it."""
    return not draft.lower[draft.words[number - 1].end : draft.words[number].start].strip(" \t\n\r-")


def _fractions(text: str) -> Iterator[Amount]:
    for match in _FRACTION_OFF.finditer(text):
        name = " ".join((match[1] or match[2]).replace("-", " ").split())
        yield Amount(_FRACTIONS[name], match.start(), match.end())
