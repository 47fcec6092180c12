"""Amounts of a unit in a text: `30%`, `$1.2M`, `thirty percent`, `30-day`, and both ends of `$10-30`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from interlayer.language.lexicon.reader import figures, pattern
from interlayer.language.quantities.numerals import Numeral, numerals
from interlayer.language.quantities.ranges import linked, scale_alike
from interlayer.language.quantities.units import PERCENT, before, behind, is_money, names_of
from interlayer.language.writing.conventions import conventions_of

_HEAD_CHARACTERS: Final = 12
_FRACTIONS: Final = figures("fractions")
_FRACTION: Final = "|".join(pattern([form]).replace(r"\s+", r"[\s-]+") for form in _FRACTIONS)
_FRACTION_OFF: Final = re.compile(
    rf"\b(?P<off>{_FRACTION})(?:\s+of)?(?:\s+(?:the\s+)?(?:list\s+)?price)?\s+off\b"
    r"|\b(?P<price>half)[\s-]+(?:the\s+)?price\b"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of a text with its unit; `start` and `end` include the unit, `unit` is it as it is written there."""

    value: float
    start: int
    end: int
    unit: str = ""


def amounts(text: str, unit: str) -> Iterator[Amount]:
    """Yield the amounts in a unit: a percentage, a currency or any word; `""` is any number.

    The text is folded. Both ends of a range have the unit that one of them bears: `between 10 and 30 percent`.
    """
    names = names_of(unit)
    if not unit:
        found = numerals(text, names, conventions=conventions_of(text))
        yield from (Amount(one.value, one.start, one.end) for one in found if not one.bound)
        return
    # Codes and signs of currencies that are not known by name stand before a number as well.
    leads = names is not PERCENT and (is_money(unit) or (unit.isupper() and len(unit) == 3) or not unit.isalnum())
    yield from amounts_of(text, names, money=is_money(unit), leads=leads)
    if names is PERCENT:
        yield from _fractions(text)


def amounts_of(text: str, names: frozenset[str], *, money: bool = False, leads: bool = False) -> Iterator[Amount]:
    """Yield the amounts in any of these units, of `money` or not; `leads`: a unit may stand before its number."""
    found = numerals(text, names, money=money, conventions=conventions_of(text))
    yield from _in_unit(text, found, _with_unit(text, found, names, leads=leads))


def _in_unit(text: str, found: Sequence[Numeral], bearing: Sequence[Amount | None]) -> Iterator[Amount]:
    """Yield the numbers that bear the unit, and those that stand beside one in a range, in order."""
    if not any(bearing):
        return
    for at, (number, amount) in enumerate(zip(found, bearing, strict=True)):
        pair = next((low for low in (at, at - 1) if _shares_unit(text, found, bearing, low)), None)
        value = scale_alike(number, found[at + 1]).value if pair == at else number.value
        if amount:
            yield replace(amount, value=value)
        elif pair is not None and not number.bound:
            beside = bearing[at + 1 if pair == at else pair]
            yield Amount(value, number.start, number.end, beside.unit if beside else "")


def _shares_unit(text: str, found: Sequence[Numeral], bearing: Sequence[Amount | None], low: int) -> bool:
    """Whether a number and the next one are the ends of a range, or alternatives, of which one bears the unit."""
    if low < 0 or low + 1 >= len(found) or not (bearing[low] or bearing[low + 1]):
        return False
    first = found[low]
    unit_end = bearing[low]
    return linked(text, replace(first, end=unit_end.end) if unit_end else first, found[low + 1]) is not None


def _with_unit(text: str, found: Sequence[Numeral], names: frozenset[str], *, leads: bool) -> list[Amount | None]:
    """Return each number with the unit that it bears, None where it bears none."""
    after = behind(names)
    head_of = before(names) if leads else None
    amounts_found: list[Amount | None] = []
    for number in found:
        tail = after.match(text, number.end)
        head = head_of.search(text, max(0, number.start - _HEAD_CHARACTERS), number.start) if head_of else None
        if tail and not number.bound:
            amounts_found.append(Amount(number.value, number.start, tail.end(), tail[0].strip(" -")))
        elif head:
            amounts_found.append(Amount(number.value, number.start - len(head[0]), number.end, head[0].strip()))
        else:
            amounts_found.append(None)
    return amounts_found


def _fractions(text: str) -> Iterator[Amount]:
    if not (" off" in text or "-off" in text or "price" in text):
        return
    for match in _FRACTION_OFF.finditer(text):
        said = " ".join((match["off"] or match["price"]).replace("-", " ").split())
        yield Amount(100 * _FRACTIONS[said], match.start(), match.end())
