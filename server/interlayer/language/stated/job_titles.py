"""Job titles that a text states, with whom it states them of.

A title is a noun for a post with what it is qualified by: "dispatch lead", "Director of IT", "directeur des achats". It
counts where a sentence gives it to somebody: "I am the CFO", "Omar Haddad, the CEO, wants", "promoted to buyer".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import forms, pattern, words
from interlayer.language.terms import STOP_WORDS


def _any(*names: str) -> str:
    return f"(?i:{pattern(words(*names))})"


_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ][\w&/-]*"
_NOUN: Final = rf"(?:{_any('job_titles', 'ambiguous_job_titles')}|[^\W\d_]{{2,}}-?{_any('endings_of_job_titles')})"
_HEAD: Final = rf"{_NOUN}(?![^\W_])"
_OUTSIDE: Final = pattern(
    words(
        "words_before_job_titles",
        "words_behind_job_titles",
        "words_before_starts",
        "negations",
        "denials",
        "former",
        "words_before_old_values",
    )
    | {"that"}
)
_QUALIFIER: Final = rf"(?!(?i:{_OUTSIDE})\b)[^\W\d_][\w&/-]*"
_WITHIN: Final = _any("words_within_job_titles")
_JOINED: Final = r"(?:\s|(?<=['’]))"
_ADJECTIVE: Final = rf"\s{_any('words_of_job_titles')}(?![^\W_])"
_FURTHER: Final = (
    rf"(?!(?i:{_OUTSIDE}|{pattern(words('verbs_of_people', 'verbs_of_saying', 'modal_verbs', 'copulas'))})\b)"
    r"[^\W\d_][\w&/'’-]*"
)
_FIELD: Final = (
    rf"(?:\s{_WITHIN}{_JOINED}{_CAPITAL}(?:\s(?:(?:and|und|et|y|&)\s)?{_CAPITAL}){{0,3}}"
    rf"|(?:{_ADJECTIVE})?\s{_WITHIN}{_JOINED}{_QUALIFIER}(?:\s{_FURTHER}){{0,2}}?(?:{_ADJECTIVE})?|(?:{_ADJECTIVE}){{1,2}}|(?:\s{_CAPITAL}){{1,2}})?"
)
_HONORED: Final = rf"(?:{pattern(forms('honorifics'))})\.?\s"
_LOWER_FIELD: Final = (
    rf"(?:{_ADJECTIVE}|\s{_WITHIN}{_JOINED}(?:[A-Z&]{{2,}}\b|[a-zß-öø-ÿ][\w&/'’-]*|{_CAPITAL}(?=,|\s{_HONORED}))"
    rf"|(?:\s{_CAPITAL}){{1,2}}(?=,))?"
)
_COPULA: Final = r"(?:is(?:\snow)?|(?:ist|heißt)(?:\sjetzt|\snun)?|est(?:\sdésormais)?|es(?:\sahora)?)"
_POST: Final = rf"(?:{_QUALIFIER}\s){{0,3}}?{_HEAD}(?:\s{_HEAD})?"
_TITLE: Final = rf"(?P<title>{_POST}{_FIELD})"
_GOING_ON: Final = pattern(words("words_behind_job_titles") - words("words_within_job_titles"))
_END: Final = (
    rf"(?=\s*(?:[.,;:()!\n|]|$)|\s[-–—]\s|\s(?i:{_GOING_ON})(?![^\W_])"
    rf"|\s{_WITHIN}{_JOINED}{_CAPITAL})"
)
_DAY: Final = _any("weekdays", "months")
_START: Final = rf"(?:{_any('words_before_starts')}\s(?:(?:[\w.]+\s){{0,3}}?{_DAY}\s(?:\d{{4}}\s)?|[\w.]+\s))?"
_BEFORE: Final = _any("words_before_job_titles")
_HELD: Final = rf"{_START}(?:{_BEFORE}(?:\s|(?<=['’]))){{0,3}}{_TITLE}{_END}"
_WORD_OF_NAME: Final = rf"(?:{_CAPITAL}|[A-Z]\.)"
_FULL_NAME: Final = rf"{_WORD_OF_NAME}(?:\s(?:{_WORD_OF_NAME}|van|von|de|der|da)){{1,3}}"
_NAME: Final = (
    rf"(?<![^\W_])(?:(?:{_HONORED}){{1,2}}(?P<surname>{_CAPITAL}(?:\s{_CAPITAL}){{0,2}})|(?P<name>{_FULL_NAME}))"
)
_ASIDE: Final = r"(?:\s[(<\[][^()<>\[\]\n]{3,60}[)>\]])?"
_SELF: Final = r"(?<![^\W_])(?P<self>(?i:i|he|she|ich|er|sie|je|il|elle|yo))"
_IS: Final = _any("words_of_having_a_post")
_GETS: Final = (
    rf"(?:{_any('words_of_getting_a_post')}"
    rf"|{_any('words_of_starting_a_post')}\s(?:[\w&.-]+\s){{0,4}}?(?i:as|als|comme|como|en tant que))"
)
_AUXILIARY: Final = (
    r"\s(?:(?:now|was|has been|got|is|has|wurde|ist|hat|a été|est|a|fue|ha sido|vient d['’]être|acaba de)\s){0,2}"
)
_GIVEN: Final = rf"{_any('words_before_given_posts')}\s{_TITLE}\s{_any('participles_of_getting_a_post')}(?![^\W_])"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"{_SELF}\s?{_IS}\s(?:{_FULL_NAME}|{_CAPITAL}),\s{_HELD}",
        rf"{_SELF}\s?{_IS}\s{_HELD}",
        rf"(?<![^\W_])(?P<short>{_CAPITAL})\s(?:{_IS}|(?:was|has been|got|a été|fue|ha sido)\s{_GETS})\s{_HELD}",
        rf"(?<![^\W_])(?P<self>{_any('possessives_of_one')})(?:\s\w+)?\s{_any('words_for_posts')}\s{_COPULA}\s{_HELD}",
        rf"{_NAME}{_ASIDE},?\s{_any('relative_pronouns')}\s{_IS}\s{_HELD}",
        rf"(?<![^\W_])(?i:als)\s{_TITLE}\s\w+\s(?P<self>(?i:ich))\b",
        rf"(?:(?:{_SELF}|{_NAME}{_ASIDE}){_AUXILIARY})?(?<![^\W_]){_GETS}\s{_HELD}",
        rf"{_NAME}{_ASIDE},\s{_HELD}",
        rf"{_NAME}\s\({_HELD}",
        rf"{_NAME}{_ASIDE}\s{_IS}\s{_HELD}",
        rf"(?<![^\W_])(?:{_BEFORE}\s){{1,3}}(?P<title>{_POST}{_LOWER_FIELD})(?:\s{_COPULA}|,)?\s{_NAME}",
        rf"(?:{_SELF}|{_NAME})[^.;:!?\n]{{1,60}}\s{_GIVEN}",
        rf"(?<![^\W_])(?i:as|als|en tant que|como)\s{_HELD},\s(?P<self>(?i:i|ich|je|yo))(?:['’]|\b)",
    )
)
_CERTAIN: Final = (
    rf"(?:{_CAPITAL}\.\s)?(?:{_QUALIFIER}\s){{0,3}}?"
    rf"(?:{_any('job_titles')}|[^\W\d_]{{2,}}-?{_any('endings_of_job_titles')})(?![^\W_])(?:\s{_HEAD})?"
    rf"(?:{_FIELD}|(?:\s(?:(?:and|und|et|y|&)\s)?{_CAPITAL}){{1,3}})"
)
_LINE: Final = re.compile(
    rf"(?:{_BEFORE}\s)?(?P<title>{_CERTAIN}(?:\s(?:&|/|and|und|et|y)\s{_CERTAIN})?|{_any('ambiguous_job_titles')})"
)
_LEGAL_FORM: Final = re.compile(rf"(?<![^\W_]){_any('legal_forms')}(?![^\W_])")
_SEPARATOR: Final = re.compile(r"\s*(?:[|,;·•\n]|\s[-–—]\s)\s*")
_OF_ORGANIZATION: Final = re.compile(
    rf"(?P<post>.*\b{_any('titles_of_organizations')})\s{_WITHIN}{_JOINED}.*"
    rf"|(?P<plain>(?:[^\W\d_A-ZÀ-ÖØ-Þ][\w-]*\s)*[^\W\d_A-ZÀ-ÖØ-Þ][\w-]*)\s{_WITHIN}{_JOINED}"
    rf"(?P<of>{_CAPITAL}(?:\s(?:&\s)?{_CAPITAL})+)"
)
"""A title with the name of a house behind it: "CEO of Acme", and "plant manager of Acme Foods" with its capitals."""
_OWNED: Final = words("possessives_of_one")
_SUPERIORS: Final = words("words_of_superiors")
_CAPITAL_BEFORE: Final = re.compile(rf"{_CAPITAL}\.?\s$")
_PRONOUNS: Final = STOP_WORDS | words("third_person_pronouns", "first_and_second_person_pronouns", "demonstratives")
_NO_NAMES: Final = (
    words("weekdays", "months", "words_of_having_a_post", "salutations", "connectives", "copulas") | STOP_WORDS
)
_DEPARTMENT: Final = re.compile(rf"(?<![^\W_]){_any('fields_of_work')}(?![^\W_])")


@dataclass(frozen=True, slots=True)
class JobTitle:
    """A title and its place; `holder` is a name, a pronoun in lower case, or empty where the sentence names nobody."""

    text: str
    start: int
    end: int
    holder: str


def job_titles(sentence: str) -> Iterator[JobTitle]:
    """Yield the titles that a sentence gives to somebody, in order of the forms in which it can."""
    for form in _FORMS:
        for found in form.finditer(sentence):
            parts = found.groupdict()
            short = parts.get("short")
            if short and (short.casefold() in _PRONOUNS or _CAPITAL_BEFORE.search(sentence, 0, found.start("short"))):
                continue  # no name, or the end of one
            if _is_superior(sentence[: found.start("title")], found["title"]):
                continue
            said = short or parts.get("name") or parts.get("surname") or (parts.get("self") or "").casefold()
            yield JobTitle(_bare(found["title"]), found.start("title"), found.end("title"), _named(said))


def _is_superior(before: str, title: str) -> bool:
    """Whether a noun only says whose superior somebody is: "my manager"."""
    said = before.split()
    return bool(said) and said[-1].casefold() in _OWNED and title.casefold() in _SUPERIORS


def titles_of_line(line: str) -> Iterator[str]:
    """Yield the parts of a line of a signature that have the form of a job title."""
    for part in _SEPARATOR.split(line.strip(" *_")):
        found = _LINE.fullmatch(part)
        if found and not _LEGAL_FORM.search(part):
            yield _bare(found["title"])


def _named(holder: str) -> str:
    """Return a name without the words that only stand in capitals before it: "Soy Ana Gil", "Monday Tom Reed"."""
    said = holder.split()
    while len(said) > 1 and said[0].casefold() in _NO_NAMES:
        del said[0]
    return " ".join(said)


def _bare(title: str) -> str:
    """Return a title without the house that it is a post of."""
    said = " ".join(title.split())
    found = _OF_ORGANIZATION.fullmatch(said)
    if found is None or (found["of"] and _DEPARTMENT.search(found["of"])):
        return said
    return found["post"] or found["plain"]
