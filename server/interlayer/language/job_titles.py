"""Job titles that a text states, with whom it states them of.

A title is a noun for a post with what it is qualified by: "dispatch lead", "Director of IT", "directeur des achats". It
counts where a sentence gives it to somebody: "I am the CFO", "Omar Haddad, the CEO, wants", "promoted to VP Operations".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from interlayer.language.lexicon.reader import pattern, words

_HEAD: Final = rf"(?i:{pattern(words('job_titles'))})(?![^\W_])"
_WITHIN: Final = rf"(?i:{pattern(words('words_within_job_titles'))})"
_QUALIFIER: Final = r"(?!(?i:and|at|but|from|in|is|not|of|our|that|the|this|to|who|with|your|my|a|an)\b)[^\W\d_][\w&/-]*"
_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ][\w&/-]*"
_OF: Final = (
    rf"(?:\s(?:{_WITHIN})(?:\s|(?<=')){_CAPITAL}(?:\s(?:(?:and|und|et|y|&)\s)?{_CAPITAL}){{0,3}}"
    rf"|\s(?:{_WITHIN})(?:\s|(?<=')){_QUALIFIER}|(?:\s{_CAPITAL}){{1,2}}"
    r"|\s(?:général|générale|informatique|commercial|commerciale|financier|financière|technique|juridique|adjoint|adjointe)\b)?"
)
_TITLE: Final = rf"(?P<title>(?:{_QUALIFIER}\s){{0,3}}?{_HEAD}(?:\s(?={_HEAD}){_HEAD})?{_OF})"
_ENDS: Final = (
    r"(?=\s*(?:[.,;:()!\n]|$)|\s(?i:at|of|for|here|from|in|since|now|as|and|but|this|effective|starting|bei|von|der|chez"
    r"|de|en|à|desde|will|is|was|wants?|has|said|reviews?|ab|seit|depuis|sera|und|et|y)\b)"
)
_ARTICLE: Final = r"(?i:(?:the|a|an|our|their|your|my|its|now|currently|also|only|new|der|die|ein|eine|unser|unsere|le|la|un|une|notre|el)\s){0,3}"
_NAME: Final = rf"(?P<holder>(?:{_CAPITAL}|[A-Z]\.)(?:\s(?:{_CAPITAL}|[A-Z]\.|van|von|de|der|da)){{1,3}})"
_HIMSELF: Final = r"(?P<himself>(?i:i|he|she|ich|er|sie|je|il|elle|yo))"
_IS: Final = r"(?i:am|'m|’m|is|'s|’s|was|bin|ist|suis|est|soy|es|works? as|work(?:s|ed|ing)? as|became|arbeite als|travaille comme)"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"(?<![^\W_]){_HIMSELF}\s?{_IS}\s{_ARTICLE}{_TITLE}(?:\snow\b)?{_ENDS}",
        rf"(?<![^\W_])(?:{_HIMSELF}\s(?:\w+\s){{0,2}}|{_NAME}\s(?:\w+\s){{0,2}})?"
        rf"(?i:promoted to|appointed|named|joined\s(?:[\w&.-]+\s){{1,4}}as|befördert zu[mr]?|promue?|nommée?|nombrad[oa])\s"
        rf"{_ARTICLE}{_TITLE}{_ENDS}",
        rf"{_NAME},\s{_ARTICLE}{_TITLE}{_ENDS}",
        rf"{_NAME}\s(?i:is|was|ist|est|es)\s{_ARTICLE}{_TITLE}{_ENDS}",
        rf"(?<![^\W_])(?i:as|als|en tant que|como)\s{_ARTICLE}{_TITLE},\s(?P<himself>(?i:i|ich|je|yo))\b",
    )
)


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
            holder = parts.get("holder") or (parts.get("himself") or "").casefold()
            yield JobTitle(" ".join(found["title"].split()), found.start("title"), found.end("title"), holder)
