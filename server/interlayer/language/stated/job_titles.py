"""Job titles that a text states, with whom it states them of.

A title is a noun for a post with what it is qualified by: "dispatch lead", "Director of IT", "directeur des achats". It
counts where a sentence gives it to somebody: "I am the CFO", "Omar Haddad, the CEO, wants", "promoted to buyer".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import pattern, words


def _any(name: str) -> str:
    return f"(?i:{pattern(words(name))})"


_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ][\w&/-]*"
_HEAD: Final = rf"{_any('job_titles')}(?![^\W_])"
_OUTSIDE: Final = pattern(
    words("words_before_job_titles", "words_behind_job_titles", "negations", "denials") | {"that"}
)
_QUALIFIER: Final = rf"(?!(?i:{_OUTSIDE})\b)[^\W\d_][\w&/-]*"
_WITHIN: Final = _any("words_within_job_titles")
_FIELD: Final = (
    rf"(?:\s{_WITHIN}(?:\s|(?<=')){_CAPITAL}(?:\s(?:(?:and|und|et|y|&)\s)?{_CAPITAL}){{0,3}}"
    rf"|\s{_WITHIN}(?:\s|(?<=')){_QUALIFIER}|(?:\s{_CAPITAL}){{1,2}}|\s{_any('words_of_job_titles')}(?![^\W_]))?"
)
_TITLE: Final = rf"(?P<title>(?:{_QUALIFIER}\s){{0,3}}?{_HEAD}(?:\s{_HEAD})?{_FIELD})"
_END: Final = rf"(?=\s*(?:[.,;:()!\n]|$)|\s{_any('words_behind_job_titles')}(?![^\W_]))"
_HELD: Final = rf"(?:{_any('words_before_job_titles')}\s){{0,3}}{_TITLE}{_END}"
_NAME: Final = rf"(?<![^\W_])(?P<name>(?:{_CAPITAL}|[A-Z]\.)(?:\s(?:{_CAPITAL}|[A-Z]\.|van|von|de|der|da)){{1,3}})"
_SELF: Final = r"(?<![^\W_])(?P<self>(?i:i|he|she|ich|er|sie|je|il|elle|yo))"
_IS: Final = _any("words_of_having_a_post")
_GETS: Final = rf"(?:{_any('words_of_getting_a_post')}|(?i:joined)\s(?:[\w&.-]+\s){{1,4}}(?i:as))"
_AUXILIARY: Final = r"\s(?:(?:was|has been|got|wurde|a été|fue)\s)?"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"{_SELF}\s?{_IS}\s{_HELD}",
        rf"(?:(?:{_SELF}|{_NAME}){_AUXILIARY})?(?<![^\W_]){_GETS}\s{_HELD}",
        rf"{_NAME},\s{_HELD}",
        rf"{_NAME}\s{_IS}\s{_HELD}",
        rf"(?<![^\W_])(?i:as|als|en tant que|como)\s{_HELD},\s(?P<self>(?i:i|ich|je|yo))(?:['’]|\b)",
    )
)
_OF_ORGANIZATION: Final = re.compile(rf"(?P<post>.*\b{_any('titles_of_organizations')})\s{_WITHIN}\s.*")


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
            holder = parts.get("name") or (parts.get("self") or "").casefold()
            title = " ".join(found["title"].split())
            whole = _OF_ORGANIZATION.fullmatch(title)
            yield JobTitle(whole["post"] if whole else title, found.start("title"), found.end("title"), holder)
