"""Numerals of a text, in digits or in words, with what multiplies them: 1,250.5, 450K, four hundred fifty thousand.

Texts are folded (lower case, compatibility forms undone); places are characters of the folded text.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import factored, figures, pattern, with_plain_forms
from interlayer.language.quantities.units import CURRENCIES, SIGNS
from interlayer.language.writing.conventions import UNKNOWN, Conventions, Mark

_BELOW_HUNDRED: Final = with_plain_forms(figures("number_words"))
_MAGNITUDES: Final = with_plain_forms(figures("magnitudes"))
_LETTERS: Final = figures("magnitude_letters")
_MULTIPLIERS: Final[Mapping[str, float]] = {**_MAGNITUDES, **_LETTERS}
_TWENTY: Final = 20
_SMALL_MAGNITUDES: Final = 100  # up to here a magnitude is part of a larger one: two hundred thousand

# Groups of three with blanks or apostrophes between them, or digits with any points and commas: `_readings` tells.
_DIGITS: Final = re.compile(  # it begins with a digit, so that the search skips what is none
    r"\d(?:(?<![^\W_]\d)\d{0,2}(?:[ '’\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d*(?:[.,]\d+)*)"
)
_GROUPING: Final = re.compile(r"[ '’\u202f]")
_MAGNITUDE: Final = re.compile(
    rf"(?:[\s-]?(?P<words>(?:{pattern(_MAGNITUDES)})(?:[\s-](?:{pattern(_MAGNITUDES)}))*)|(?P<letter>{pattern(_LETTERS)}))"
    r"(?![^\W_])"
)
_SAID: Final = re.compile(rf"(?:{pattern(_MULTIPLIERS)})(?![^\W_])")
_LETTER_APART: Final = re.compile(rf"\s(?P<letter>{pattern(_LETTERS)})(?![^\W_])")
_SIGN_BEFORE: Final = re.compile(rf"(?:{pattern(SIGNS)})\s?$")
_MONEY_AFTER: Final = re.compile(rf"\s?(?:{pattern(CURRENCIES)})(?![^\W_])")
_SIGN_CHARACTERS: Final = 2

_WORD: Final = factored([*_BELOW_HUNDRED, *_MAGNITUDES])
WORDED: Final = rf"(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
"""The pattern of a numeral in words, for `re` and RE2, to be matched in any case."""

_HALF: Final = re.compile(rf"(?<![^\W_])half\s(?:an?\s)?(?P<of>{pattern(_MAGNITUDES)})(?![^\W_])")
_LETTERS_ALONE: Final = re.compile(r"[^\W\d_]+")
_FIRST_WORDS: Final = frozenset(_LETTERS_ALONE.findall(form)[0] for form in (*_BELOW_HUNDRED, *_MAGNITUDES))
_UNSPACED: Final = "\u2e80"  # from here on are the scripts of Chinese, Japanese and Korean


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number of a text and its place; `magnitude` is what its digits are multiplied by, 1 without such a word.

    `bound` says that it is part of a name, a version or a date (v2, Q4, 1.2.3, 12.05.2026), and no quantity. `other` is
    what the digits say if their one mark means the other thing: 1.250 is 1.25 or 1250; None where that is settled.
    """

    value: float
    start: int
    end: int
    magnitude: float = 1
    bound: bool = False
    other: float | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What decides how digits are read; see `numerals`."""

    unit: Collection[str]
    money: bool
    letters_apart: bool
    decimal: Mark | None


def numerals(
    text: str,
    unit: Collection[str] = (),
    *,
    money: bool = False,
    letters_apart: bool = False,
    conventions: Conventions = UNKNOWN,
) -> list[Numeral]:
    """Return the numerals of a folded text in order, none within another one.

    `unit` are the names of the unit that is asked for: they are never a magnitude ("5 m" of cable). In amounts of
    `money`, and beside the sign of a currency, a single point may part thousands (€1.200) and a magnitude's letter may
    stand apart ($5 m); the letter alone may do so as well with `letters_apart`.
    """
    asked = _Asked(unit, money, letters_apart, conventions.decimal)
    found = [one for match in _DIGITS.finditer(text) for one in _digits(text, match, asked)]
    if "half" in text:
        found += [Numeral(_MAGNITUDES[one["of"]] / 2, *one.span()) for one in _HALF.finditer(text)]
    taken = {place for one in found for place in range(one.start, one.end)}
    worded = (one for match in _worded(text) for one in _word(match[0], match.start()))
    found += [one for one in worded if one.start not in taken]
    return sorted(found, key=lambda one: one.start)


def _worded(text: str) -> Iterator["re.Match[str]"]:
    """Yield the numbers in words; only where a word begins one is the long pattern tried."""
    last = 0
    for word in _LETTERS_ALONE.finditer(text):
        if word.start() >= last and word[0] in _FIRST_WORDS and (found := _run().match(text, word.start())):
            yield found
            last = found.end()


@cache
def _run() -> "re.Pattern[str]":
    """Return the pattern of a run of number words; it is long, and most texts never need it."""
    return re.compile(rf"(?<![^\W_])(?<![^\W_]['’]){WORDED}(?!['’]?[^\W_])")


@cache
def _token() -> "re.Pattern[str]":
    return re.compile(rf"(?:{_WORD}|and)(?![^\W_])")


def is_number_word(word: str) -> bool:
    """Whether a folded word is part of a number written out."""
    return word in _BELOW_HUNDRED or word in _MULTIPLIERS


def _digits(text: str, match: "re.Match[str]", asked: _Asked) -> Iterator[Numeral]:
    """Yield the numerals of digits with points, commas and blanks among them."""
    start, end = match.span()
    is_money = asked.money or _has_currency(text, start, end)
    attached = start > 0 and text[start - 1].isalnum() and text[start - 1] < _UNSPACED
    whole = [(float(match[0]), 0, end - start)] if match[0].isdigit() else _readings(match[0], asked, is_money=is_money)
    found = [Numeral(value, start + first, start + last, bound=attached and not first) for value, first, last in whole]
    if len(found) == 1 and (other := _other(match[0], found[0].value, asked)) is not None:
        found = [replace(found[0], other=other)]
    if not found:
        parts = re.finditer(r"\d+", match[0])
        yield from (Numeral(float(one[0]), start + one.start(), start + one.end(), bound=True) for one in parts)
        return
    *others, last = found
    yield from others
    multiplier = _multiplier(text, end, asked, is_money=is_money) if last.end == end else None
    if multiplier:
        by, end = multiplier
        other = None if last.other is None else round(last.other * by, 6)
        last = replace(last, value=round(last.value * by, 6), end=end, magnitude=by, other=other)
    yield last


def _has_currency(text: str, start: int, end: int) -> bool:
    before = _SIGN_BEFORE.search(text, max(start - _SIGN_CHARACTERS, 0), start)
    return bool(before or _MONEY_AFTER.match(text, end))


def _multiplier(text: str, at: int, asked: _Asked, *, is_money: bool) -> tuple[float, int] | None:
    """Return by what the digits that end here are multiplied, and where that ends."""
    found = _MAGNITUDE.match(text, at)
    if found is None:
        found = _LETTER_APART.match(text, at)
        if found is None or not (is_money or asked.letters_apart or _MONEY_AFTER.match(text, found.end())):
            return None
    said = [" ".join(one.split()) for one in _SAID.findall(found[0])]
    if said[0] in asked.unit:
        return None
    return math.prod(_MULTIPLIERS[word] for word in said), found.end()


def _readings(written: str, asked: _Asked, *, is_money: bool) -> Iterator[tuple[float, int, int]]:
    """Yield the numbers that digits with points, commas, blanks and apostrophes stand for, with their places.

    The last sign parts the decimals if it stands alone, and thousands if three digits follow it each time; where that
    leaves two readings, the conventions of the text decide, and else a single point parts thousands in amounts of money
    alone. What is neither (1.2.3, 12.05.2026) is a version or a date, and no number; digits with commas that are no
    thousands are several numbers.
    """
    plain = _GROUPING.sub("", written)
    points, commas = plain.count("."), plain.count(",")
    if points and commas:
        last = max(plain.rfind("."), plain.rfind(","))
        other = "," if plain[last] == "." else "."
        if plain.count(plain[last]) == 1 and _are_thousands(plain[:last], other):
            yield float(plain[:last].replace(other, "") + "." + plain[last + 1 :]), 0, len(written)
    elif commas:
        if commas == 1 and (asked.decimal == "," or not _may_be_thousands(written)):
            yield float(plain.replace(",", ".")), 0, len(written)
        elif _are_thousands(plain, ","):
            yield float(plain.replace(",", "")), 0, len(written)
        else:
            yield from ((float(one[0]), one.start(), one.end()) for one in re.finditer(r"\d+", written))
    elif points and _are_thousands(plain, ".") and _parts_thousands(written, asked, points, is_money=is_money):
        yield float(plain.replace(".", "")), 0, len(written)
    elif points <= 1:
        yield float(plain), 0, len(written)


def _parts_thousands(written: str, asked: _Asked, points: int, *, is_money: bool) -> bool:
    return points > 1 or (_may_be_thousands(written) and (is_money or asked.decimal == ","))


def _may_be_thousands(written: str) -> bool:
    """Whether digits with one mark may be read with thousands: not 0,450 or 1 234,500, where it parts decimals."""
    return not written.startswith("0") and not _GROUPING.search(written) and len(re.split("[.,]", written)[-1]) == 3


def _other(written: str, value: float, asked: _Asked) -> float | None:
    """Return the other reading of digits with one mark; None if the conventions settle it."""
    marks = re.findall(r"[.,]", written)
    if len(marks) != 1 or asked.decimal or not _may_be_thousands(written) or not _are_thousands(written, marks[0]):
        return None
    decimal, thousands = float(written.replace(",", ".")), float(re.sub(r"[.,]", "", written))
    return thousands if value == decimal else decimal


def _are_thousands(digits: str, sign: str) -> bool:
    """Whether the signs part thousands: three digits after each, or as in 1,00,000 two before the last three."""
    first, *groups = digits.split(sign)
    sizes = [len(group) for group in groups]
    return bool(groups) and len(first) <= 3 and sizes[-1] == 3 and (set(sizes) == {3} or set(sizes[:-1]) == {2})


def _word(run: str, offset: int) -> Iterator[Numeral]:
    """Yield the numerals of a run of number words: "ten and thirty" are two, "two hundred and five" is one."""
    tokens = list(_token().finditer(run))
    words = [" ".join(one[0].split()) for one in tokens]
    first = 0
    for at in range(1, len(tokens) + 1):
        if at < len(tokens) and _continues(words, first, at):
            continue
        last = at - 1 if words[at - 1] != "and" else at - 2
        if first <= last:
            said = words[first : last + 1]
            yield Numeral(
                _value(said), offset + tokens[first].start(), offset + tokens[last].end(), _magnitude_of(said)
            )
        first = at


def _continues(words: Sequence[str], first: int, at: int) -> bool:
    """Whether a word goes on with the number that begins at `first`."""
    word, before = words[at], words[at - 1]
    if before == "and" and at - 1 == first:
        return False
    if word == "and":
        return before in _MAGNITUDES and at + 1 < len(words) and words[at + 1] in _BELOW_HUNDRED
    if before in _MAGNITUDES or before == "and" or word in _MAGNITUDES:
        return word in _BELOW_HUNDRED or (word in _MAGNITUDES and before != "and")
    return _BELOW_HUNDRED[before] >= _TWENTY and _BELOW_HUNDRED[before] % 10 == 0 and 0 < _BELOW_HUNDRED[word] < 10


def _value(words: Sequence[str]) -> float:
    """Return the value of number words in order: "two", "hundred", "and", "five" is 205."""
    total = current = 0.0
    for word in words:
        magnitude = _MAGNITUDES.get(word)
        if magnitude is None:
            current += _BELOW_HUNDRED.get(word, 0)
        elif magnitude <= _SMALL_MAGNITUDES:
            current = max(1, current) * magnitude
        else:
            total, current = total + max(1, current) * magnitude, 0
    return total + current


def _magnitude_of(words: Sequence[str]) -> float:
    return _MAGNITUDES.get(words[-1], 1)
