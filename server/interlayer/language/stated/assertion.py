"""Whether a sentence states a value, as so and now and of whom it is about.

A value is not stated where it is denied, asked after, offered, wished, supposed or given as an example, where it is
somebody else's, and where it is the old one of a change. What is looked at is the words beside the value in its clause,
and the words before it in its sentence that make all of it a condition. Doubt is settled against the value.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from interlayer.language.lexicon.reader import pattern, words

_CLAUSE: Final = re.compile(
    r",(?!\d)|;|:(?!\d)|[()\n]|\s[-–]+\s|—|(?<=[.!?])\s"
    rf"|\b(?:{pattern(words('clause_openers'))})\b",
    re.IGNORECASE,
)
_STOP: Final = re.compile(rf"(?i);|(?<=[.!?])\s|—|,\s(?:{pattern(words('contrasts'))})\b")
_QUESTION: Final = re.compile(r"[?？؟]|^\W*¿")
_PART: Final = re.compile(r"—|\s[-–]+\s|;|(?<=[.!?])\s|\s(?=\[)|\n")  # of which one may be a question and the next none


def _any(*lists: str) -> "re.Pattern[str]":
    return re.compile(rf"(?i)(?<![^\W_])(?:{pattern(words(*lists))})(?![^\W_])")


_CONDITION: Final = _any("conditions")
_CONDITION_BEHIND: Final = re.compile(rf"(?i)\W*(?:\w+\W+){{0,1}}?(?:{pattern(words('conditions'))})(?![^\W_])")
_PROPOSAL: Final = _any("proposals")
_POSSIBLE: Final = re.compile(rf"(?i)\W*(?:\w+\W+){{0,2}}?(?:{pattern(words('words_of_possibility'))})(?![^\W_])")
_OTHER: Final = _any("others")
_EXAMPLE: Final = _any("examples")
_DENIED: Final = re.compile(rf"(?i)n['’]t\b|{_any('negations', 'denials').pattern.removeprefix('(?i)')}")
_DENIED_BEHIND: Final = re.compile(
    rf"(?i)^(?:\W*\w+){{0,2}}?\W*(?:\w+n['’]t\b|{_any('denials_behind').pattern.removeprefix('(?i)')})"
)
_ASKED_FOR: Final = _any("question_words")
_AFFIRMED: Final = re.compile(
    rf"(?i)\W*(?:\[[^\]]*\]\W*)?(?:[\w@.]+(?:\s\w+)?:\s*)?(?:\w+\W+){{0,3}}?(?:{pattern(words('affirmations'))})(?![^\W_])"
)
_SUPPOSED: Final = re.compile(r"(?i)\b(?:what|how)\s+(?:about|if)\b")
_NO_DENIAL: Final = _any("phrases_without_negation")
_OLD_BEFORE: Final = _any("words_before_old_values")
_OLD_BEHIND: Final = _any("words_behind_old_values")
_CHANGED_FROM: Final = re.compile(rf"(?i)(?<![^\W_])(?:{pattern(words('words_before_changes'))})\s+(?:\w+\s+){{0,2}}$")
_SPEAKER: Final = _any("speakers")
_PRONOUNS: Final = words("third_person_pronouns", "speakers")
_OWN_ROLE: Final = _any("own_roles")
_GIVEN_BY: Final = re.compile(
    rf"(?:^|\s)(?P<who>[A-ZÀ-ÖØ-Þ][\w&.-]*(?:\s[A-ZÀ-ÖØ-Þ][\w&.-]*){{0,2}})\s(?:{pattern(words('verbs_of_giving'))})\s"
)
_PART_OF: Final = re.compile(r"(?i)\d\s+(?:in|out of|of|von|sur|de cada|de)\s*$")
_WORDS_BEHIND: Final = 6

NEW_VALUE: Final = rf"^\W{{0,3}}(?:(?:{pattern(words('words_before_new_values'))})\s+|(?:->|→|=>)\s*)(?:\w+\s+){{0,2}}?"
"""The pattern of what stands between the old value of a change and the new one, for RE2, to be matched in any case."""


@dataclass(frozen=True)
class Place:
    """The place of a value, with the words that it was found by, in a sentence.

    `label` is who says the sentence, `answer` what is said after it.
    """

    sentence: str
    start: int
    end: int
    label: str = ""
    answer: str = ""

    def states(self, *, wishes_count: bool = False, presupposed: bool = False) -> bool:
        """Whether the sentence states the value; a question does if the answer is yes.

        Of an address that somebody asks to be reached at, wishes count. What a question takes for given in asking for
        something else counts where `presupposed` says so: "How do you fit our timeline of 3 May 2027?".
        """
        if self._is_asked and not (presupposed and self._is_taken_for_given):
            return False
        if self._is_conditional or self._is_of_somebody_else:
            return False
        if not presupposed and _CONDITION_BEHIND.match(self.sentence[self.end :]):
            return False
        if (
            self._is_denied
            or self.is_old
            or _EXAMPLE.search(self.sentence[: self.start])
            or _PART_OF.search(self._before)
        ):
            return False
        return wishes_count or not (_PROPOSAL.search(self._before) or _POSSIBLE.match(self._behind))

    @property
    def _is_asked(self) -> bool:
        return _QUESTION.search(self._part) is not None and not _AFFIRMED.match(self.answer)

    @property
    def _is_taken_for_given(self) -> bool:
        said = self.sentence[: self.start]
        return bool(_ASKED_FOR.search(said)) and not _SUPPOSED.search(said)

    @property
    def is_old(self) -> bool:
        """Whether the value is one that no longer holds; that a change names its new value behind it may make it so."""
        changed = _CHANGED_FROM.search(self._before) and re.match(rf"(?i){NEW_VALUE}", self.sentence[self.end :])
        arrow = re.match(r"\s*(?:->|→|=>)", self.sentence[self.end :])
        named = any(not re.search(r"\d", self._before[one.end() :]) for one in _OLD_BEFORE.finditer(self._before))
        return bool(named or changed or arrow)

    @cached_property
    def _before(self) -> str:
        said = self.sentence[: self.start]
        return said[max((found.end() for found in _CLAUSE.finditer(said)), default=0) :]

    @cached_property
    def _behind(self) -> str:
        said = self.sentence[self.end :]
        found = _CLAUSE.search(said)
        return " ".join(said[: found.start() if found else len(said)].split()[:_WORDS_BEHIND])

    @cached_property
    def _part(self) -> str:
        first = max((found.end() for found in _PART.finditer(self.sentence, 0, self.start)), default=0)
        last = _PART.search(self.sentence, self.end)
        return self.sentence[first : last.start() if last else len(self.sentence)]

    @property
    def _is_conditional(self) -> bool:
        said = self.sentence[: self.start]
        opened = said[max((found.end() for found in _STOP.finditer(said)), default=0) :]
        return _CONDITION.search(opened) is not None

    @property
    def _is_denied(self) -> bool:
        before = _NO_DENIAL.sub(" ", self._before)
        behind = self._behind
        if _OLD_BEHIND.search(before):  # they refused a discount of 15 %
            return True
        return bool(_DENIED.search(before) or _DENIED_BEHIND.search(behind) or _OLD_BEHIND.search(behind))

    @property
    def _is_given_by_somebody(self) -> bool:
        found = _GIVEN_BY.search(self._before)
        return found is not None and found["who"].casefold() not in _PRONOUNS

    @property
    def _is_of_somebody_else(self) -> bool:
        if self._is_other or _OTHER.search(self._behind) or self._is_given_by_somebody:
            return True
        return bool(_OWN_ROLE.search(self.label) and _SPEAKER.search(self._before))

    @property
    def _is_other(self) -> bool:
        """Whether words for somebody else stand before the value; their last may be what it was found by: deal."""
        said = self.sentence[self.start - len(self._before) : self.end]
        return any(found.start() < len(self._before) for found in _OTHER.finditer(said))
