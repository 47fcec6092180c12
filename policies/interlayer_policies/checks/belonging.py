"""Which subject each figure of a draft is of, from where the figures and the words for subjects stand.

In a table the column, the row and the caption tell. Else the clause does: a word for a subject right beside the figure,
then what shows that the figure measures something else ("30% of the staff", "40% faster", "30 days ago"), then any word
for the subject in the clause. A figure without one is of the subject if it goes on with a list, or is offered while the
subject is spoken of.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, Literal

from interlayer_policies.checks.clauses import Clauses, clauses
from interlayer_policies.checks.denials import is_negation
from interlayer_policies.checks.draft import Draft
from interlayer_policies.checks.figures import Figure, Kind, is_moment
from interlayer_policies.checks.lexicon import Forms, listed
from interlayer_policies.checks.quotations import WRITER
from interlayer_policies.checks.subjects import DISCOUNT, Head, Topic, named, nearest, next_to, priced, reducing
from interlayer_policies.checks.tables import labels

Belongs = Literal["own", "other"]

_COMPETING: Final[dict[Kind, frozenset[str]]] = {
    "percent": frozenset({"tax", "interest", "commission", "availability", "change", "result", "deposit", "discount"}),
    "money": frozenset({"price", "tax", "interest", "commission", "card", "deposit", "discount"}),
    "time": frozenset({"time", "contract", "return", "card"}),
    "other": frozenset(),
}
"""Of which concepts a figure may be instead, by what it measures."""

_BEFORE_WORDS: Final = 4
_BEHIND_WORDS: Final = 2
_NEARER: Final = 3  # words by which another subject has to be nearer, where none is right beside the figure
_SHARED_WORDS: Final = 6
_WHOLE_WORDS: Final = 4
_OFFERED_WORDS: Final = 5
_BUT_FIGURE_WORDS: Final = 10
_OPENING_WORDS: Final = 2
_OTHERS_WORDS: Final = 10
_UP_AND_DOWN: Final = frozenset({"up", "down"})
_CHANGE: Final = "change"
_PARTING: Final = frozenset("with for on mit fur auf bei avec pour sur con para por per com met voor op".split())


class Places:
    """Where the figures and the subjects of a draft stand to one another."""

    def __init__(self, draft: Draft, figures: Sequence[Figure], topic: Topic, kind: Kind) -> None:
        self._draft, self._figures, self._kind = draft, figures, kind
        self._discounted = DISCOUNT in topic.concepts
        self._parts: Clauses = draft.worked_out(clauses)
        self._others = self._by_clause(
            head for head in draft.worked_out(named)
            if head.concept in _COMPETING[kind] and not topic.is_kindred(head.concept)
        )  # fmt: skip
        self._own = self._by_clause(head for head in topic.heads(draft) if not self._is_complement(head))
        self._measured = {self._parts.of[one.first] for one in figures if not one.share}
        self._told: list[Belongs | None] = []
        for one in figures:
            self._told.append(self._in_table(one) or self._in_text(one))

    def belongs(self, number: int) -> Belongs | None:
        """Return whether a figure is of the subject or of another one; None if no word of the subject is near."""
        return self._told[number]

    def _by_clause(self, heads: "Iterator[Head] | Sequence[Head]") -> dict[int, list[Head]]:
        found: dict[int, list[Head]] = {}
        for head in heads:
            found.setdefault(self._parts.of[head.first], []).append(head)
        return found

    def _is_complement(self, head: Head) -> bool:
        """Whether a word for the subject only says of what another one is: the take-up of the discount."""
        words = self._draft.words
        before = next_to(head.first, self._others.get(self._parts.of[head.first], []))
        return any(
            1 <= head.first - one.last <= _BEHIND_WORDS and listed("partitives").one(words[one.last].text)
            for one in before
        )

    def _in_table(self, one: Figure) -> Belongs | None:
        told = self._draft.worked_out(labels).get(one.first)
        if told is None:
            return None
        cell = self._parts.of[one.first]
        if cell in self._own or cell in self._others:
            return None
        for first, last in (told.column, told.row, told.caption):
            if _among(self._own, self._parts, first, last):
                return "own"
            if _among(self._others, self._parts, first, last):
                return "other"
        return None

    def _in_text(self, one: Figure) -> Belongs | None:
        clause = self._parts.of[one.first]
        own, others = (next_to(one.first, heads.get(clause, [])) for heads in (self._own, self._others))
        if self._kind == "time" and is_moment(self._draft, one):
            return "other" if self._is_spoken_of(clause) else None
        own_beside = nearest(one.first, one.last, [head for head in own if self._is_attached(one, head)])
        other_beside = nearest(one.first, one.last, [head for head in others if self._is_attached(one, head)])
        if own_beside is not None and (other_beside is None or own_beside <= other_beside):
            return "other" if self._is_aimed_at(one, own) or self._is_of_others(one) else "own"
        if one.share and not self._is_of_something_else(one):
            return self._of_share(one, own, others)
        if other_beside is not None and self._has_changed(one, own, others):
            return "own"
        if other_beside is None and not self._is_of_something_else(one) and self._is_of_clause(one, own, others):
            return "own"
        return "other" if self._is_spoken_of(clause) else None

    def _is_of_clause(self, one: Figure, own: Sequence[Head], others: Sequence[Head]) -> bool:
        """Whether a figure that stands beside no subject is of the one of its clause, or of one spoken of before."""
        distance = nearest(one.first, one.last, [head for head in own if not head.beside])
        other = nearest(one.first, one.last, others)
        if distance is not None and others and self._is_added_by(own, others):
            return False
        if distance is not None:
            return other is None or other + _NEARER > distance
        return other is None and self._is_of_subject_before(one, self._parts.of[one.first])

    def _is_added_by(self, own: Sequence[Head], others: Sequence[Head]) -> bool:
        """Whether the clause is of another subject, to which the own one is added: the share of users with rebate."""
        before = self._draft.words[own[0].first - 1].text if own[0].first else ""
        return others[0].first < own[0].first and (before in _PARTING or is_negation(before))

    def _is_attached(self, one: Figure, head: Head) -> bool:
        """Whether a head and a figure stand beside each other: discount of 30%, 30% partner discount."""
        words = self._draft.words
        if head.first < one.last and one.first < head.last:
            return True
        if head.last <= one.first:
            gap = [word.text for word in words[head.last : one.first]]
            if head.beside or len(gap) > _BEFORE_WORDS:
                return not gap and not self._is_of_something_else(one)
            return not _PARTING & set(gap) and all(_linking().one(word) for word in gap)
        gap = [word.text for word in words[one.last : head.first]]
        if head.beside or len(gap) > _BEHIND_WORDS:
            return not gap
        if _PARTING & set(gap) or any(is_negation(word) for word in gap):
            return False
        return not gap or (
            (listed("partitives").one(gap[0]) is not None or not _linking().one(gap[0]))
            and not any(_linking().one(word) and not listed("partitives").one(word) for word in gap[1:])
        )

    def _has_changed(self, one: Figure, own: Sequence[Head], others: Sequence[Head]) -> bool:
        """Whether what rises or falls before a figure is the subject: your discount has gone up to 25%."""
        before = [head for head in others if head.first < one.first]
        subject = [head for head in own if head.last <= one.first and not head.beside]
        return (
            bool(before and subject)
            and before[-1].concept == _CHANGE
            and (len(before) < 2 or before[-2].first < subject[-1].first)
        )

    def _is_aimed_at(self, one: Figure, own: Sequence[Head]) -> bool:
        """Whether somebody aims at having less of something: we are trying to shave 20% off our cloud spend."""
        first = self._parts.all[self._parts.of[one.first]].first
        return all(head.beside for head in own) and listed("verbs_of_aiming").found(
            self._draft.words, max(first, one.first - _OFFERED_WORDS - 1), one.first
        )

    def _is_of_others(self, one: Figure) -> bool:
        """Whether somebody else than the writer gives it: a competitor offers 30% off."""
        words = self._draft.words
        first = max(self._parts.all[self._parts.of[one.first]].first, one.first - _OTHERS_WORDS)
        at = next((at for at in range(first, one.first) if listed("others").at(words, at)), None)
        return at is not None and not any(word.text in WRITER for word in words[at : one.first])

    def _of_share(self, one: Figure, own: Sequence[Head], others: Sequence[Head]) -> Belongs | None:
        """Return whether a fraction in words is of the subject: only near a word for it, or of a price."""
        if others or any(head.distance(one.first, one.last) <= _SHARED_WORDS for head in own if not head.beside):
            return None if others else "own"
        prices = self._draft.worked_out(priced)
        at = bisect_left(prices, one.first)
        is_of_price = at < len(prices) and prices[at] - one.last <= _BEHIND_WORDS
        if not self._discounted or not is_of_price:
            return None
        return "own" if self._parts.of[prices[at]] == self._parts.of[one.first] else None

    def _is_of_something_else(self, one: Figure) -> bool:
        """Whether a percentage measures what is no subject of a limit: a share of something, or a comparison."""
        if self._kind != "percent":
            return False
        words = self._draft.words
        clause = self._parts.all[self._parts.of[one.first]]
        if one.last < clause.last:
            behind = words[one.last].text
            if listed("partitives").one(behind):
                return not self._is_of_price(one.last, min(clause.last, one.last + _WHOLE_WORDS))
            if listed("comparatives").one(behind) and not listed("reductions").one(behind):
                return not self._is_reduced(one)
        rises = one.first > clause.first and words[one.first - 1].text in _UP_AND_DOWN
        return rises and not self._is_reduced(one)

    def _is_of_price(self, first: int, last: int) -> bool:
        words = self._draft.words
        if last - first < 2 and "'" not in words[first].text:
            return True
        named_here = _among(self._own, self._parts, first, last)
        return named_here or any(
            listed("price_words").one(word.text) or listed("reductions").one(word.text) or word.text[0].isdigit()
            for word in words[first:last]
        )

    def _is_reduced(self, one: Figure) -> bool:
        at = self._draft.worked_out(reducing)
        return self._discounted and bool(at) and self._parts.of[one.first] in self._own

    def _is_of_subject_before(self, one: Figure, clause: int) -> bool:
        """Whether a figure in a clause without a subject is of one that was named before it, or right behind it."""
        part = self._parts.all[clause]
        if not part.begins and part.mark == ":" and (self._is_labelled(clause) or clause - 1 in self._others):
            return self._is_labelled(clause)
        return (
            self._is_item(clause)
            or self._goes_on(one, clause)
            or (self._is_offered(one, part.first, part.last) and self._is_spoken_of(clause, before=2, next_one=True))
            or (self._says_but_figure(one, part.first, part.last) and self._is_spoken_of(clause, before=1))
            or any(self._is_added(clause, beside) for beside in (clause - 1, clause + 1))
        )

    def _is_item(self, clause: int) -> bool:
        """Whether the clause is of a list that is led in by the subject."""
        lead_in = self._parts.lead_in(clause)
        return lead_in is not None and self._names_own(lead_in) and not self._is_negated(lead_in)

    def _goes_on(self, one: Figure, clause: int) -> bool:
        """Whether a clause begins with a figure behind one of the subject: 5% for ten seats, 20% for a hundred."""
        number, part = len(self._told), self._parts.all[clause]
        if not number or self._told[number - 1] != "own" or one.first - part.first > 1 or part.begins:
            return False
        return self._parts.of[self._figures[number - 1].first] >= clause - 2

    def _is_added(self, clause: int, beside: int) -> bool:
        """Whether the clause beside names the subject and has no figure of its own: I could do 22%, as a discount."""
        if not 0 <= beside < len(self._parts.all) or beside in self._measured:
            return False
        later = self._parts.all[max(clause, beside)]
        if later.begins or later.mark == ";" or not self._names_own(beside):
            return False
        return not self._is_negated(beside)

    def _is_negated(self, clause: int) -> bool:
        part = self._parts.all[clause]
        return any(is_negation(word.text) for word in self._draft.words[part.first : part.last])

    def _is_offered(self, one: Figure, first: int, last: int) -> bool:
        """Whether somebody gives or gets a figure, with no other noun behind it."""
        words = self._draft.words
        if not listed("offering_verbs").found(words, max(first, one.first - _OFFERED_WORDS), one.first):
            return False
        return one.last >= last or _linking().one(words[one.last].text) is not None

    def _is_labelled(self, clause: int) -> bool:
        """Whether the subject stands before the colon that a clause begins with, or before brackets in front of it."""
        before = clause - 1
        if self._names_own(before):
            return True
        while before > max(0, clause - 4) and self._parts.all[before].mark in "()":
            before -= 1
        return self._names_own(before)

    def _says_but_figure(self, one: Figure, first: int, last: int) -> bool:
        """Whether a clause names nothing beside the figure: for you it is 25%."""
        words = self._draft.words
        if last - first > _BUT_FIGURE_WORDS or one.first - first < 2:
            return False
        return all(
            one.first <= at < one.last or _linking().one(words[at].text) or listed("offering_verbs").one(words[at].text)
            for at in range(first, last)
        )

    def _names_own(self, clause: int) -> bool:
        return any(not head.beside for head in self._own.get(clause, ()))

    def _is_spoken_of(self, clause: int, before: int = 0, *, next_one: bool = False) -> bool:
        """Whether the sentence of a clause names the subject, one of so many before it, or the opening of the next."""
        first, last = self._parts.sentence(clause)
        if next_one and last < len(self._parts.all):
            opening = self._parts.all[last].first
            if _among(self._own, self._parts, opening, opening + _OPENING_WORDS):
                return True
        for _ in range(before):
            first = self._parts.sentence(first - 1)[0] if first else first
        return any(number in self._own for number in range(first, last))


def _among(heads: dict[int, list[Head]], parts: Clauses, first: int, last: int) -> bool:
    """Whether a head stands among the words [first, last), a few."""
    numbers = dict.fromkeys(parts.of[first:last])
    return any(first <= head.first < last and not head.beside for one in numbers for head in heads.get(one, ()))


@cache
def _linking() -> Forms[str]:
    return listed("function_words", "stop_words", "copulas", "state_verbs", "linking_words")
