"""The figures that a check measures: numbers in its unit or in one that converts into it, and fractions in words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from interlayer.language.quantities.amounts import Amount, amounts, amounts_of
from interlayer.language.quantities.durations import DURATIONS, converted, duration_of
from interlayer.language.quantities.units import CODES, CURRENCIES, PERCENT, currency_of, is_money
from interlayer_policies.checks.clauses import clauses
from interlayer_policies.checks.draft import Draft
from interlayer_policies.checks.lexicon import listed, meant

_BEFORE_WORDS: Final = 3
_BEGUN_WORDS: Final = 12

Kind = Literal["percent", "money", "time", "other"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at the words [first, last) and at `text[start:end]` of the folded text.

    `least` and `most` differ where a unit converts into another only about; `foreign`: its unit converts not at all.
    `share`: it is a fraction in words, which counts only right beside what it is of.
    """

    least: float
    most: float
    start: int
    end: int
    first: int
    last: int
    foreign: bool = False
    share: bool = False


def kind_of(unit: str) -> Kind:
    """Return the kind of quantity that a unit measures."""
    folded = unit.casefold()
    if folded in PERCENT:
        return "percent"
    if is_money(unit):
        return "money"
    return "time" if duration_of(folded) else "other"


class Figures:
    """Reads the figures of one unit; `rates` say what one of another currency is worth in it.

    `shares` says whether bare fractions in words count: only where it can be told what they are of.
    """

    def __init__(self, unit: str, rates: Mapping[str, float] | None = None, *, shares: bool = True) -> None:
        self.kind: Final = kind_of(unit)
        self._unit = unit
        self._shares = shares
        self._rates = {currency_of(name) or name: rate for name, rate in (rates or {}).items()}

    def of(self, draft: Draft) -> list[Figure]:
        """Return the figures of a draft in order."""
        if self.kind == "time":
            found = list(self._durations(draft))
        else:
            found = [
                _figure(draft, one, one.value, one.value, share=self.kind == "percent" and not one.unit)
                for one in amounts(draft.lower, self._unit)
            ]
        if self.kind == "money":
            found += self._other_currencies(draft, {one.start for one in found}, {one.end for one in found})
        if self.kind == "percent" and self._shares:
            taken = {at for one in found for at in range(one.first, one.last)}
            found += [one for one in draft.worked_out(shares) if one.first not in taken]
        return sorted(found, key=lambda one: (one.start, one.end))

    def _durations(self, draft: Draft) -> Iterator[Figure]:
        to = duration_of(self._unit.casefold()) or ""
        for one in amounts_of(draft.lower, DURATIONS):
            unit = duration_of(one.unit.split()[-1].split("-")[-1]) if one.unit else None
            if unit:
                yield _figure(draft, one, *converted(one.value, unit, to))
        yield from _half_years(draft, to)

    def _other_currencies(self, draft: Draft, starts: set[int], ends: set[int]) -> Iterator[Figure]:
        if not _has_money(draft.lower):
            return
        for one in amounts_of(draft.lower, _MONEY, money=True, leads=True):
            code = currency_of(one.unit) or currency_of(one.unit.removesuffix("s"))
            if code is None or one.start in starts or one.end in ends or code == currency_of(self._unit):
                continue
            rate = self._rates.get(code)
            value = one.value * (rate or 1)
            yield _figure(draft, one, value, value, foreign=rate is None)


_MONEY: Final = frozenset(CURRENCIES) | {code.casefold() for code in CODES if code in {"AUD", "MXN"}}


def _has_money(text: str) -> bool:
    return any(sign in text for sign in _TELLING)


_TELLING: Final = tuple(sorted(CURRENCIES))


def _figure(
    draft: Draft, one: Amount, least: float, most: float, *, foreign: bool = False, share: bool = False
) -> Figure:
    first = draft.word_at(one.start)
    return Figure(least, most, one.start, one.end, first, max(draft.words_until(one.end), first + 1), foreign, share)


def _half_years(draft: Draft, to: str) -> Iterator[Figure]:
    """Yield half a year, a half-year commitment, six months in one word."""
    for at, word in enumerate(draft.words[:-1]):
        if word.text not in _HALVES:
            continue
        behind = draft.words[at + 1 : at + 3]
        for skipped, one in enumerate(behind):
            if skipped and behind[0].text not in {"a", "an"}:
                break
            unit = duration_of(one.text)
            if unit in {"year", "month"}:
                low, high = converted(0.5, unit, to)
                yield Figure(low, high, word.start, one.end, at, at + skipped + 2)
                break


_HALVES: Final = frozenset({"half", "halbes", "halben", "halbe", "medio", "media", "mezzo", "meio", "demi", "halve"})


def shares(draft: Draft) -> list[Figure]:
    """Return the fractions in words of a draft as percentages."""
    found: list[Figure] = []
    for at, count, meaning in meant("fractions").scan(draft.words):
        value, last = 100 * _FRACTIONS[meaning], at + count
        found.append(Figure(value, value, draft.words[at].start, draft.words[last - 1].end, at, last, share=True))
    for match in _DIVIDED.finditer(draft.lower):
        value = 100 * int(match[1]) / int(match[2])
        first, last = draft.word_at(match.start()), draft.words_until(match.end())
        found.append(Figure(value, value, *match.span(), first, last, share=True))
    return found


_DIVIDED: Final = re.compile(r"(?<![\w/.,])([1-9])/([2-9]|10)(?![\w/])")
_FRACTIONS: Final = {f"1/{low}": 1 / low for low in range(2, 11)} | {
    f"{up}/{low}": up / low for low in (3, 4, 5) for up in range(2, low)
}


def is_moment(draft: Draft, one: Figure) -> bool:
    """Return whether a duration is a moment or a rhythm: 30 days ago, every 3 months, it starts in 2 weeks."""
    words, moments, until = draft.words, listed("points_in_time"), listed("words_before_moments")
    parts = draft.worked_out(clauses)
    clause = parts.all[parts.of[one.first]]
    if one.last < clause.last and moments.at(words, one.last):
        return True
    before = range(max(clause.first, one.first - _BEFORE_WORDS), one.first)
    if any((found := moments.at(words, at)) and at + found[0] == one.first for at in before):
        return True
    introduced = any((found := until.at(words, at)) and at + found[0] == one.first for at in before)
    begun = max(clause.first, one.first - _BEGUN_WORDS)
    return introduced and listed("verbs_of_beginning").found(words, begun, one.first)
