"""Amounts in a text: `30%`, `$1.2M`, `thirty percent`, `30-day`, and how near they stand to a word."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer_policies.checks.draft import Draft, Word, base

NEAR_CHARACTERS: Final = 60
_TWENTY: Final = 20

# Groups of three with blanks or apostrophes between them, or digits with any points and commas: `_readings` tells.
_NUMBER: Final = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*")
_LETTERS: Final = {"k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
_MAGNITUDES: Final = _LETTERS | {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7,
}  # fmt: skip
_MAGNITUDE: Final = re.compile(
    rf"(?:[\s-]?(hundred|thousand|[mbtr]+illion|lakh|crore)|({'|'.join(_LETTERS)}))(?![^\W_])"
)
_LETTER_APART: Final = re.compile(rf"\s({'|'.join(_LETTERS)})(?![^\W_])")
_UNITS: Final = (
    ("%", "percent", "per cent", "pct", "percentage", "percentage point", "percentage points"),
    ("$", "usd", "dollar", "dollars"),
    ("€", "eur", "euro", "euros"),
    ("£", "gbp", "pound", "pounds"),
    ("¥", "jpy", "yen"),
    ("₹", "inr", "rupee", "rupees"),
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
_SCALES: Final = {
    "hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000,
    "lakh": 100_000, "crore": 10_000_000,
}  # fmt: skip
# What stands between the ends of a range; "and" only after "between", or it joins what has nothing in common.
_RANGE: Final = re.compile(r"(?:\s+(?:to|or|through|till|until|up to)\s+|\s?-\s?|\s+(and)\s+)(?:[^\w\s]|[a-z]{3}\s?)?$")
_BETWEEN: Final = re.compile(r"\bbetween\s+(?:[^\w\s]|[a-z]{3}\s?)?$")
_RANGE_CHARACTERS: Final = 16
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
    """Yield the amounts in a unit: a percentage, a currency or any word; `""` is any number.

    Both ends of a range have the unit that one of them bears: `between 10 and 30 percent`, `$10-30`.
    """
    text = draft.lower
    names = next((names for names in _UNITS if unit.lower() in names), (unit.lower(),))
    numbers = sorted((*_digits(text, names), *_worded(draft)), key=lambda number: number.start)
    if not unit:
        yield from (number for number in numbers if not _is_attached(text, number.start))
        return
    found = _with_unit(text, numbers, names, unit)
    if not any(found):
        numbers, found = [], []
    for first, (number, amount) in enumerate(zip(numbers, found, strict=True)):
        if amount:
            yield amount
        elif not _is_attached(text, number.start):
            ends = ((first, first + 1), (first - 1, first))
            if any(_is_range(text, numbers, found, *pair) for pair in ends):
                yield number
    if names == _PERCENT:
        yield from _fractions(text)


def _with_unit(text: str, numbers: Sequence[Amount], names: Sequence[str], unit: str) -> list[Amount | None]:
    """Return each number with the unit that it bears, None where it bears none."""
    after = re.compile(r"[\s-]*" + _ADJECTIVE + f"(?:{'|'.join(map(_unit_pattern, names))})")
    before = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(_head_pattern, names))})\s?$")
    is_money = names in _UNITS[1:] or (unit.isupper() and len(unit) == 3) or not unit.isalnum()
    found: list[Amount | None] = []
    for number in numbers:
        tail = after.match(text, number.end)
        head = before.search(text[max(0, number.start - 12) : number.start]) if names != _PERCENT and is_money else None
        if tail and not _is_attached(text, number.start):
            found.append(Amount(number.value, number.start, tail.end()))
        elif head:
            found.append(Amount(number.value, number.start - len(head[0]), number.end))
        else:
            found.append(None)
    return found


def _is_range(text: str, numbers: Sequence[Amount], found: Sequence[Amount | None], low: int, high: int) -> bool:
    """Whether two numbers are the ends of a range of which one bears the unit."""
    if low < 0 or high >= len(numbers) or not (found[low] or found[high]):
        return False
    first, second = numbers[low], numbers[high]
    gap = text[(found[low] or first).end : second.start]
    between = _RANGE.fullmatch(gap) if len(gap) <= _RANGE_CHARACTERS else None
    if between is None or first.value >= second.value:
        return False
    return between[1] is None or _BETWEEN.search(text[max(0, first.start - 20) : first.start]) is not None


def _is_attached(text: str, start: int) -> bool:
    """Whether a number is the end of a word or name: `v2`, `Q4`."""
    return start > 0 and text[start - 1].isalnum()


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
    if not name[-1:].isalpha():
        return r"\s+".join(words)
    if name not in _PERCENT:
        words[-1] = words[-1].removesuffix("s") + "(?:e?s)?"
    return r"\s+".join(words) + r"(?![^\W_])"


def _head_pattern(name: str) -> str:
    return re.escape(name) if name[:1].isalpha() else f"[a-z]{{0,3}}{re.escape(name)}"  # US$, A$


def _digits(text: str, names: Sequence[str]) -> Iterator[Amount]:
    """Yield numbers in digits; how points are read and whether `m` is a million depends on the unit."""
    is_money = names in _UNITS[1:]
    for match in _NUMBER.finditer(text):
        whole = ((float(match[0]), 0, len(match[0])),) if match[0].isdigit() else None
        for value, start, end in whole or _readings(match[0], is_money=is_money):
            magnitude = _MAGNITUDE.match(text, match.start() + end)
            if magnitude is None and is_money:
                magnitude = _LETTER_APART.match(text, match.start() + end)
            name = next(filter(None, magnitude.groups()), "") if magnitude else ""
            if magnitude and name in _MAGNITUDES and name not in names and end == len(match[0]):
                yield Amount(value * _MAGNITUDES[name], match.start() + start, magnitude.end())
            else:
                yield Amount(value, match.start() + start, match.start() + end)


def _readings(written: str, *, is_money: bool) -> Iterator[tuple[float, int, int]]:
    """Yield the numbers that digits with points, commas, blanks and apostrophes stand for, with their places.

    The last sign parts the decimals if it stands alone, and thousands if three digits follow it each time; a single
    point does so only in amounts of money. What is neither (1.2.3, 12.05.2026) is a version or a date, and no number;
    digits with commas that are no thousands are several numbers.
    """
    plain = re.sub(r"[ ']", "", written)
    points, commas = plain.count("."), plain.count(",")
    if points and commas:
        last = max(plain.rfind("."), plain.rfind(","))
        other = "," if plain[last] == "." else "."
        if plain.count(plain[last]) == 1 and _are_thousands(plain[:last], other):
            yield float(plain[:last].replace(other, "") + "." + plain[last + 1 :]), 0, len(written)
    elif commas:
        if _are_thousands(plain, ","):
            yield float(plain.replace(",", "")), 0, len(written)
        elif commas == 1:
            yield float(plain.replace(",", ".")), 0, len(written)
        else:
            yield from ((float(one[0]), one.start(), one.end()) for one in re.finditer(r"\d+", written))
    elif points and _are_thousands(plain, ".") and (points > 1 or (is_money and not plain.startswith("0"))):
        yield float(plain.replace(".", "")), 0, len(written)
    elif points <= 1:
        yield float(plain), 0, len(written)


def _are_thousands(digits: str, sign: str) -> bool:
    """Whether the signs part thousands: three digits after each, or as in 1,00,000 two before the last three."""
    first, *groups = digits.split(sign)
    sizes = [len(group) for group in groups]
    return bool(groups) and len(first) <= 3 and sizes[-1] == 3 and (set(sizes) == {3} or set(sizes[:-1]) == {2})


def _worded(draft: Draft) -> Iterator[Amount]:
    """Yield numbers in English words: runs of number words, `and` between them allowed."""
    words = draft.words
    run: list[int] = []
    for number, word in enumerate(words):
        if run and not (_joined(draft, number) and _continues(words, run, number)):
            yield _amount(draft, run)
            run = []
        if word.text in _VALUES or word.text in _SCALES or (run and word.text == "and"):
            run.append(number)
    if run:
        yield _amount(draft, run)


def _continues(words: Sequence[Word], run: Sequence[int], number: int) -> bool:
    """Whether a word goes on with a number in words: "two hundred and five", but not "ten and thirty"."""
    text, before = words[number].text, words[run[-1]].text
    if text == "and":
        follows = words[number + 1].text if number + 1 < len(words) else ""
        return before in _SCALES and follows in _VALUES
    if before in _SCALES or before == "and" or text in _SCALES:
        return text in _VALUES or (text in _SCALES and before != "and")
    return text in _VALUES and _VALUES[before] >= _TWENTY and _VALUES[before] % 10 == 0 and 0 < _VALUES[text] < 10


def _amount(draft: Draft, run: Sequence[int]) -> Amount:
    """Return the value of number words in order: "two hundred", "and", "five" is 205."""
    total = current = 0
    for number in run:
        word = draft.words[number].text
        scale = _SCALES.get(word)
        if scale is None:
            current += _VALUES.get(word, 0)
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
