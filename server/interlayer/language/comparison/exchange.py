"""The same sentence with another value in one place: whether only one value can stand there at a time.

"The licence costs 90 euros" and "... 110 euros" cannot both be so; "They use Slack" and "They use Zoom" can, and
"The Ghent plant ..." and "The Lyon plant ..." are of two things.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from interlayer.language.comparison.content import Row, Word
from interlayer.language.comparison.opposition import are_opposed
from interlayer.language.comparison.statement import ITSELF
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.comparison.vocabulary import Vocabulary

Kind = Literal["number", "time", "name", "word"]

_WORDS_MAX: Final = 5
_COMMON_MIN: Final = 0.3  # share of the words that stand in both
_MEASURED_AGAIN_S: Final = 60  # figures that come within a minute are a list, not one figure that changes


@dataclass(frozen=True, slots=True)
class Exchange:
    """Two rows alike but for one place: the words before it, what stands in it in each, and the words after it."""

    before: Row
    newer: Row
    older: Row
    after: Row

    @classmethod
    def of(cls, newer: Row, older: Row) -> "Exchange | None":
        """Find the one place, or None if too little stands in both or a word less is all the difference."""
        most = min(len(newer), len(older))
        start = end = 0
        while start < most and newer[start].key == older[start].key:
            start += 1
        while end < most - start and newer[-1 - end].key == older[-1 - end].key:
            end += 1
        longest = max(len(newer), len(older))
        if start + end == most or start + end < max(_COMMON_MIN * longest, longest - _WORDS_MAX):
            return None
        new_end, old_end = len(newer) - end, len(older) - end
        return cls(newer[:start], newer[start:new_end], older[start:old_end], newer[new_end:])

    @property
    def is_double(self) -> bool:
        """Whether it is two places, with words in common between them."""
        one, other = ({word.key for word in row if word.content} for row in (self.newer, self.older))
        return bool(one & other)

    @property
    def is_of_figures(self) -> bool:
        """Whether each has several figures there: "number 8 ... in hall 2" is not another "number 2 ... in hall 0"."""
        return all(sum(word.kind == "number" for word in row) > 1 for row in (self.newer, self.older))

    @property
    def has_verb(self) -> bool:
        """Whether the sentences differ in their verbs too."""
        return any(map(_is_verb, [*self.newer, *self.older]))

    @property
    def is_subject(self) -> bool:
        """Whether the place is before the verb: another thing is spoken of."""
        return not self.is_double and not any(map(_is_verb, self.before)) and any(map(_is_verb, self.after))


def kind_of(said: Sequence[Word]) -> Kind:
    """Name the kind of value that some words are."""
    if any(word.kind == "time" for word in said):
        return "time"
    if any(word.kind == "number" for word in said):
        return "number"
    return "name" if any(word.name for word in said) else "word"


def is_pure(said: Sequence[Word]) -> bool:
    """Return whether some words are one value: a date is no place, a number has one unit at most."""
    plain = sum(word.kind == "word" and not word.name for word in said)
    return plain == len(said) or plain <= len(said) / 2


def judge_exchange(found: Exchange, known: Vocabulary, later_s: float, *, now: bool) -> Verdict:
    """Judge a newer value in the one place of a sentence."""
    if found.is_double:
        return Verdict.DISTINCT
    verb = next((at for at in reversed(range(len(found.before))) if _is_verb(found.before[at])), None)
    if verb is not None and found.before[verb].text == ":" and any(word.stative for word in found.after):
        verb = None  # a heading, and what is said of another thing under it
    opposed = are_opposed(found.before, found.newer, found.older, found.after, known)
    if verb is None:
        return _judge_without_verb(found, known, opposed=opposed)
    if opposed:
        return Verdict.REPLACED
    subject = found.before[:verb]
    if any(word.text in known.indefinite for word in subject):
        return Verdict.DISTINCT
    if subject and all(word.text in known.pointing for word in subject):
        return Verdict.DISTINCT
    return _judge_said(found, verb, known, later_s, now=now)


def _judge_said(found: Exchange, verb: int, known: Vocabulary, later_s: float, *, now: bool) -> Verdict:
    """Judge what is said of one subject, by the kind of value."""
    predicate = found.before[verb + 1 :]
    kinds = {kind_of(found.newer), kind_of(found.older)}
    if kinds == {"number"}:
        return _judge_number(found, predicate, known, later_s)
    if "number" in kinds:
        return Verdict.LIKELY
    if "time" in kinds:
        return _judge_time(found, found.before[verb], predicate, known, now=now)
    return _judge_value(found, verb, known, now=now)


def _is_verb(word: Word) -> bool:
    return word.stative or word.text == ":"


def _judge_without_verb(found: Exchange, known: Vocabulary, *, opposed: bool) -> Verdict:
    """Judge what stands before every verb, or beside one that is not known."""
    after_verb = any(_is_verb(word) for word in found.after)
    final = bool(found.after) and _is_verb(found.after[-1])  # a German clause
    if opposed and (not after_verb or final or all(word.function for word in found.before)):
        return Verdict.REPLACED if any(word.content for word in [*found.before, *found.after]) else Verdict.LIKELY
    if after_verb and not found.before and {kind_of(found.newer), kind_of(found.older)} == {"name"}:
        return _judge_bearer(found, known)
    values = {kind_of(found.newer), kind_of(found.older)}
    subject = [word for word in found.before if word.content]
    measured = any(word.content for word in found.after)
    if not after_verb and len(subject) > 1 and measured and values in ({"number"}, {"time"}):
        return Verdict.LIKELY
    return Verdict.DISTINCT


def _judge_bearer(found: Exchange, known: Vocabulary) -> Verdict:
    """Judge another name before what one person at a time is: "Lisa is the contact in purchasing"."""
    first = found.after[0]
    if (
        first.text in known.copulas
        and first.text not in known.past
        and len(found.after) > 1
        and found.after[1].definite
    ):
        return Verdict.REPLACED
    own = len(found.after) > 1 and found.after[1].text in known.possessives  # a firm "runs its payroll with" anything
    return Verdict.LIKELY if first.text in known.leading and not own else Verdict.DISTINCT


def _judge_number(found: Exchange, predicate: Row, known: Vocabulary, later_s: float) -> Verdict:
    if later_s < _MEASURED_AGAIN_S:
        return Verdict.DISTINCT
    if any(word.text in known.indefinite for word in predicate):
        return Verdict.DISTINCT
    numbered = len(predicate) > 1 and predicate[-2].function and predicate[-1].content and not found.after
    if numbered and predicate[-1].kind == "word":
        return Verdict.LIKELY  # perhaps what tells one from another: ticket 311
    return Verdict.REPLACED


def _judge_time(found: Exchange, verb: Word, predicate: Row, known: Vocabulary, *, now: bool) -> Verdict:
    said = [*found.before, *found.after]
    if any(word.text in known.past or word.text in known.indefinite for word in said):
        return Verdict.DISTINCT
    plain = not any(word.content and word.kind == "word" for word in predicate)
    if verb.text in known.scheduling or (verb.text in known.copulas and plain):
        return Verdict.REPLACED
    if now and verb.text in known.preferring:
        return Verdict.REPLACED
    return Verdict.REPLACED if any(word.text in known.limits for word in predicate) else Verdict.LIKELY


def _judge_value(found: Exchange, verb: int, known: Vocabulary, *, now: bool) -> Verdict:
    """Judge a name or a word in the place of another one."""
    predicate, joined = found.before[verb + 1 :], found.before[verb]
    said = [*found.before, *found.after]
    if any(word.text in known.indefinite for word in [*predicate, *found.newer, *found.older]):
        return Verdict.DISTINCT
    placed = bool(predicate) and predicate[-1].function
    whole = placed and any(word.text in known.universal for word in said)
    if whole or any(word.key in known.unique for word in said) or _is_part(found.after, known):
        return Verdict.REPLACED
    if joined.text in known.copulas or joined.text == ":":
        return _judge_predicate(found, verb, known, placed=placed)
    by_agent = any(word.text in known.agents for word in predicate)
    passive = by_agent and any(word.text in known.copulas - known.past for word in said)
    together = len(predicate) == 1 and predicate[0].text in known.companions  # works with one, and with others
    placing = placed and not together and joined.text in known.placing | known.scheduling
    if placing or passive or (now and joined.text in known.preferring):
        return Verdict.REPLACED
    return Verdict.LIKELY if now else Verdict.DISTINCT


def _judge_predicate(found: Exchange, verb: int, known: Vocabulary, *, placed: bool) -> Verdict:
    """Judge what something is: its name, its place, or one quality of several."""
    subject, predicate = found.before[:verb], found.before[verb + 1 :]
    held = known.outdating.held_once.find([word.text for word in subject])
    if found.before[verb].text == ":" and not predicate and held and held[0][:2] == (0, len(subject)):
        return Verdict.REPLACED  # a field of a form: "Status: pending"
    by_agent = any(word.text in known.agents for word in predicate)
    if any(word.content and not word.name for word in predicate) and not by_agent:
        return Verdict.LIKELY if placed else Verdict.DISTINCT
    if found.before[verb].text in known.past:
        return Verdict.DISTINCT
    about = [word for word in subject if word.content and word.key != ITSELF]
    if not about:
        return Verdict.REPLACED if placed else Verdict.DISTINCT
    if about[0].name and len(about) == sum(word.name for word in about) and not about[0].definite:
        defined = found.newer[0].definite and found.older[0].definite
        return Verdict.REPLACED if placed else Verdict.LIKELY if defined else Verdict.DISTINCT
    named = "name" in {kind_of(found.newer), kind_of(found.older)}
    return Verdict.REPLACED if named or placed or by_agent else Verdict.LIKELY


def _is_part(after: Row, known: Vocabulary) -> bool:
    """Whether the part that the value plays is named: "... as its primary database"."""
    return len(after) > 1 and after[0].text in known.roles and after[1].text not in known.indefinite
