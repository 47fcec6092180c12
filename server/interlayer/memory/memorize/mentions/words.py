"""The words of a language by which it is told who speaks, of whom, and who is brought in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import entries_of, forms, pattern, words
from interlayer.language.terms import STOP_WORDS

_USUAL: Final = "en"
_NEVER: Final = re.compile(r"(?!)")

HONORIFICS: Final = frozenset(one.casefold() for one in forms("honorifics"))
HOUSES: Final = words("words_of_organizations", "legal_forms")
"""What the name of a house ends or begins with: nobody is called so."""

LEGAL_FORMS: Final = words("legal_forms")
TITLES: Final = words("job_titles", "titles_of_organizations")
NO_NAMES: Final = words(
    "field_labels", "months", "weekdays", "own_roles", "salutations", "closings", "language_markers"
)
MEETINGS: Final = words("words_of_meeting")
NOT_NAMES: Final = HOUSES | TITLES | NO_NAMES | HONORIFICS | STOP_WORDS | MEETINGS | words("people_beside")
"""Words that are no part of anybody's name."""

ARTICLES: Final = words("articles")
PARTICLES: Final = words("particles_in_names")
PARTICLES_OF_PEOPLE: Final = words("particles_of_people")
OWN_ROLES: Final = words("own_roles")
FIRST_PERSONS: Final = words("first_person_singular")
SUPERIORS: Final = re.compile(
    rf"(?i)(?<![^\W_])(?P<whose>{pattern(words('possessives_of_one'))})\s(?:\w+\s)?"
    rf"(?:{pattern(words('words_of_superiors'))})(?![^\W_])"
)
"""Whom somebody reports to: "my boss", in any language, as many sentences are too short to tell theirs."""
_REQUESTERS: Final = words("labels_of_requesters")
REQUESTERS: Final = re.compile(rf"(?i)(?:{pattern(_REQUESTERS)})")
RAISED_BY: Final = re.compile(rf"(?i)(?<![^\W_])(?:{pattern(one for one in _REQUESTERS if ' ' in one)})$")
CUSTOMERS: Final = re.compile(rf"(?i)(?:{pattern(words('labels_of_customers'))})")


@dataclass(frozen=True, slots=True)
class Words:
    """Pronouns of a language, folded, and its phrases as patterns.

    `speaking` are verbs that say by their form that one speaks, or several. `any_number` stand for one or for several,
    `either` are those of them that are subjects, `one` the subjects that are somebody.
    """

    singular: frozenset[str]
    plural: frozenset[str]
    first: frozenset[str]
    he: frozenset[str]
    they: frozenset[str]
    any_number: frozenset[str]
    either: frozenset[str]
    one: frozenset[str]
    speaking: Mapping[str, str]
    verbs: frozenset[str]
    copulas: frozenset[str]
    companions: frozenset[str]
    houses: frozenset[str]
    agents: frozenset[str]
    openers: frozenset[str]
    prepositions: frozenset[str]
    coordinators: frozenset[str]
    meeting: frozenset[str]
    kinds: frozenset[str]
    beside: frozenset[str]
    requests: re.Pattern[str]
    private: re.Pattern[str]
    leaving: re.Pattern[str]
    joining: re.Pattern[str]
    reporting: re.Pattern[str]
    parts: re.Pattern[str]
    working: re.Pattern[str]
    succession: re.Pattern[str]


@cache
def words_of(language: str | None) -> Words:
    """Return the words of a language, those of English where it has none."""
    code = language if language and entries_of(language, "first_person_singular") else _USUAL

    def those(*names: str) -> frozenset[str]:
        return frozenset(form.casefold() for name in names for one in entries_of(code, name) for form in one.forms)

    def phrase(*names: str) -> re.Pattern[str]:
        found = those(*names)
        return re.compile(rf"(?i)(?<![^\W_])(?:{pattern(found)})(?![^\W_])") if found else _NEVER

    speaking = {
        form.casefold(): one.meaning for one in entries_of(code, "verbs_of_those_who_speak") for form in one.forms
    }
    return Words(
        singular=those("first_person_singular"),
        plural=those("first_person_plural"),
        first=those("first_person_singular", "first_person_plural"),
        he=those("third_person_singular"),
        they=those("third_person_plural"),
        any_number=those("third_persons_of_any_number"),
        either=those("third_persons_of_any_number") & those("pronouns_of_the_spoken_of"),
        one=those("third_person_singular") & those("pronouns_of_the_spoken_of"),
        speaking=speaking,
        verbs=those("verbs_of_people"),
        copulas=those("copulas"),
        companions=those("companions"),
        houses=those("prepositions_of_houses"),
        agents=those("agents"),
        openers=those("connectives", "clause_openers", "correction_openers", "salutations", "new_value_openers")
        | those("afterthoughts", "words_before_subjects"),
        prepositions=those("prepositions"),
        coordinators=those("coordinators"),
        meeting=those("words_of_meeting"),
        kinds=those("kinds_of_houses"),
        beside=those("people_beside"),
        requests=phrase("words_of_requests"),
        private=phrase("private_matters"),
        leaving=phrase("words_of_leaving"),
        joining=phrase("words_of_joining"),
        reporting=phrase("words_of_reporting"),
        parts=phrase("parts_played"),
        working=phrase("words_of_working"),
        succession=phrase("words_of_succession"),
    )
