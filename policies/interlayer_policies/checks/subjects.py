"""What a figure of a draft is of: the words that name a subject, in any language of the lists, and where they stand.

A check names its subject by some words (`near`). A word that stands in the lists stands for its concept, and so for all
words of it in every language; any other word stands for itself and its inflections.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import meanings
from interlayer_policies.checks.clauses import clauses
from interlayer_policies.checks.draft import Draft, base
from interlayer_policies.checks.lexicon import listed, meant

DISCOUNT: Final = "discount"
_UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff]")
_KINDRED: Final = (frozenset({"compensation", "return"}),)
"""Concepts whose words stand beside one another: a refund is given as goodwill."""

_REDUCED_WITHIN: Final = 12  # words between what is reduced and the word for reducing


@dataclass(frozen=True, slots=True)
class Head:
    """Words [first, last) that say what a figure is of. `beside`: only of a figure right beside them."""

    first: int
    last: int
    concept: str
    beside: bool = False

    def distance(self, first: int, last: int) -> int:
        """Return how many words stand between it and the words [first, last)."""
        return max(0, self.first - last, first - self.last)


def next_to(place: int, heads: Sequence[Head]) -> Sequence[Head]:
    """Return those of heads in order that stand next to a word: two before it and two behind."""
    at = bisect_left(heads, place, key=lambda head: head.first)
    return heads[max(0, at - 2) : at + 2]


def nearest(first: int, last: int, heads: Sequence[Head]) -> int | None:
    """Return how many words stand between the words [first, last) and the nearest of some heads; None without one."""
    return min((head.distance(first, last) for head in heads), default=None)


@dataclass(frozen=True, slots=True)
class Topic:
    """The subject of a check: concepts of the word lists, stems of its own words, and words written without blanks."""

    concepts: frozenset[str]
    stems: frozenset[str]
    unspaced: tuple[str, ...]

    def heads(self, draft: Draft) -> list[Head]:
        """Return where a draft names the subject, in order."""
        found = [head for head in draft.worked_out(named) if head.concept in self.concepts]
        taken = {at for head in draft.worked_out(named) for at in range(head.first, head.last)}
        for stem in self.stems:
            found += [Head(at, at + 1, stem) for at in draft.positions.get(stem, ()) if at not in taken]
        for form in self.unspaced:
            found += [
                Head(at, at + 1, form) for match in re.finditer(re.escape(form), draft.lower)
                if (at := draft.word_at(match.start())) < len(draft.words)
            ]  # fmt: skip
        return sorted(found, key=lambda head: head.first)

    def is_kindred(self, concept: str) -> bool:
        """Whether a concept does not compete with the subject."""
        return concept in self.concepts or any(concept in kin and kin & self.concepts for kin in _KINDRED)


def topic(given: Sequence[str]) -> Topic:
    """Return the subject that words name, in any spelling. Raises `ValueError` if there is no word among them."""
    concepts: set[str] = set()
    stems: set[str] = set()
    unspaced: list[str] = []
    for one in given:
        folded = Draft(one)
        told = concepts_of(folded)
        concepts |= told
        if _UNSPACED.search(folded.lower):
            unspaced.append(folded.lower.strip())
        elif not told:
            stems |= {base(word.text) for word in folded.words}
    if not concepts and not stems and not unspaced:
        raise ValueError("near: needs words")
    for form, concept in _unspaced_forms():
        if concept in concepts and form not in unspaced:
            unspaced.append(form)
    return Topic(frozenset(concepts), frozenset(stems), tuple(unspaced))


def concepts_of(given: Draft) -> set[str]:
    """Return the concepts that a word or phrase stands for; a word with a sense only in phrases stands for these."""
    found: set[str] = set()
    if given.words:
        for forms in (meant("subjects_of_figures", inflected=True), meant("subjects_beside_figures")):
            at = forms.at(given.words, 0)
            if at and at[0] == len(given.words):
                found.add(at[1])
            elif len(given.words) == 1:
                opened = forms.opened_by(given.words[0].text)
                found |= {concept for concept in opened if concept not in _SENSES_APART}
        if not found and len(given.words) == 1 and listed("reductions").one(given.words[0].text):
            found.add(DISCOUNT)
    return found


_SENSES_APART: Final = frozenset({"card", "time", "price", "tax", "result", "availability"})
"""Concepts of phrases that only share a word with a subject: a credit card is no credit."""


def named(draft: Draft) -> list[Head]:
    """Return all heads of a draft in order: by the lists, and by what makes a price less."""
    nouns, beside = meant("subjects_of_figures", inflected=True), meant("subjects_beside_figures")
    found = [Head(at, at + count, concept) for at, count, concept in nouns.scan(draft.words)]
    taken = {at for head in found for at in range(head.first, head.last)}
    for at, count, concept in beside.scan(draft.words):
        if at not in taken:
            found.append(Head(at, at + count, concept, beside=True))
    return sorted([*found, *_reduced_prices(draft)], key=lambda head: (head.first, head.concept != DISCOUNT))


def priced(draft: Draft) -> list[int]:
    """Return the numbers of the words that name a price."""
    return [at for at, _, _ in listed("price_words").scan(draft.words)]


def reducing(draft: Draft) -> list[int]:
    """Return the numbers of the words that make something less."""
    return [at for at, _, _ in listed("reductions").scan(draft.words)]


def _reduced_prices(draft: Draft) -> Iterator[Head]:
    """Yield a discount where a clause makes a price less: "knock 30% from the price"; "a reduction of 50%"."""
    reduced = draft.worked_out(reducing)
    parts = draft.worked_out(clauses)
    of = [number - (parts.all[number].mark == ":") for number in parts.of]  # a colon parts no price from its reduction
    prices = draft.worked_out(priced)
    for at in reduced:
        near = prices[bisect_left(prices, at - _REDUCED_WITHIN) : bisect_right(prices, at + _REDUCED_WITHIN)]
        if any(of[price] == of[at] for price in near) or _is_reduction_alone(draft, at):
            yield Head(at, at + 1, DISCOUNT)


def _is_reduction_alone(draft: Draft, at: int) -> bool:
    """Whether a noun of reducing names nothing else that gets less: a 35% reduction in handling time is no discount."""
    words, known = draft.words, listed("function_words", "stop_words", "copulas", "state_verbs", "linking_words")
    if not words[at].text.startswith(_NOUNS_OF_REDUCTION):
        return False
    if at and not words[at - 1].text[0].isdigit() and known.one(words[at - 1].text) is None:
        return False  # cost reduction
    parts = draft.worked_out(clauses)
    clause = parts.all[parts.of[at]]
    if listed("verbs_of_aiming").found(words, max(clause.first, at - _REDUCED_WITHIN), at):
        return False
    behind = words[at + 1 : min(at + 3, clause.last)]
    if not behind or any(word.text[0].isdigit() for word in behind):
        return True
    if behind[0].text in _OF_WHAT:
        return len(behind) > 1 and meant("fractions").at(words, at + 2) is not None
    return known.one(behind[0].text) is not None or behind[0].text.endswith("n't")


_NOUNS_OF_REDUCTION: Final = (
    "reduction", "reduktion", "reduzierung", "reduccion", "riduzion", "reducao", "reducoes", "reductie", "deduction",
)  # fmt: skip
_OF_WHAT: Final = frozenset(
    "in of to on der des von bei de du des del dans en di della nel nella do da no na van op".split()
)


@cache
def _unspaced_forms() -> tuple[tuple[str, str], ...]:
    return tuple((form, concept) for form, concept in meanings("subjects_of_figures").items() if _UNSPACED.search(form))
