"""Whether a sentence obliges, forbids, advises or allows, in English, German, French and Spanish.

The first phrase that binds in a main clause decides, else the first one that advises or allows. One in a relative
clause or a condition does not: "use a loader for data that must be available" obliges nobody to anything about the
data. Words in quotes and in code are passed over.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

from interlayer.language.lexicon.reader import entries_of, words_by_language
from interlayer.language.lexicon.reader import pattern as alternatives
from interlayer.language.lexicon.reader import words as read_words
from interlayer.language.obligation_marks import LANGUAGES, Mark, find_marks, find_orders, phrases_of

Force = Literal["must_not", "must", "should_not", "should", "may"]
Place = Literal["main", "subordinate", "statement"]

_QUOTED: Final = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|(?<!\w)'[^']{2,}'(?!\w)")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CLAUSE_END: Final = re.compile(r"[,;:.!?]")
_PAUSE: Final = re.compile(r"[,:]\s+")
_DASH: Final = re.compile(r";\s+|\s[–—]\s")
_LABEL: Final = re.compile(r"[^:.!?]{1,60}:\s+")
_DENIED: Final[dict[str, Force]] = {"may": "must_not", "must": "must_not", "should": "should_not", "needed": "may"}
_BINDING: Final = frozenset({"must", "must_not"})
_GERMAN_NOT: Final = re.compile(r"(?<!\w)(?:nicht|kein\w*)(?!\w)", re.IGNORECASE)
_INFINITIVE: Final = re.compile(r"(?<![^\s])[a-zäöüß]+(?:en|ern|eln)\W*$")
_NEAR: Final = 3  # words between a conjunction and the verb of its own clause
_FIRST_WORDS: Final = 6


@dataclass(frozen=True, slots=True)
class Obligation:
    """How strongly a sentence binds, and where it says so.

    `subordinate`: in a relative clause or a condition; `statement`: it says what is never or only so, not what to do.
    """

    force: Force
    place: Place = "main"


@lru_cache(maxsize=1_000)
def find_obligation(sentence: str) -> Obligation | None:
    """Return the obligation of a sentence, None where no word of it obliges. A question obliges nobody."""
    if sentence.rstrip().endswith("?"):
        return None
    text = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), sentence.replace("’", "'"))
    openings = _openings(text)
    elsewhere: Obligation | None = None
    found: list[Obligation] = []
    for mark in find_marks(text, openings):
        one = Obligation(_force(text, mark, openings), _place(text, mark))
        if one.place == "main" and one.force in _BINDING:
            return one
        if one.place == "main":
            found.append(one)
        elsewhere = elsewhere or one
    return found[0] if found else elsewhere or _denial(text, openings)


def ends_in_obligation(text: str) -> bool:
    """Return whether a text breaks off behind words that oblige, so that what follows completes it: `agents must`."""
    text = text.rstrip(" *_").replace("’", "'")
    return any(mark.end == len(text) for mark in find_marks(text, _openings(text)))


def ends_in_that(text: str) -> bool:
    """Return whether a text breaks off behind the word that opens the clause which it requires."""
    said = _WORD.findall(text)
    return bool(said) and said[-1].casefold() in _of_all("relative_pronouns")


def is_statement(sentence: str) -> bool:
    """Return whether a sentence that obliges nobody plainly tells what is the case, and so is no order either."""
    said = [word.casefold() for word in _WORD.findall(_clause(sentence, 0))][:_FIRST_WORDS]
    if len(said) < 2 or said[0] in _of_all("words_of_statements"):
        return bool(said) and len(said) >= 2
    copulas = words("copulas", "past_auxiliaries")
    introduced = said[0] in words("articles", "determiners", "possessives", "demonstratives")
    return any(word in copulas for word in (said[1:] if introduced else said[1:2]))


def is_other_language(text: str) -> bool:
    """Return whether a text is in none of the four languages: its letters, or its commonest words, tell."""
    letters = [one for one in text if one.isalpha()]
    if letters and not any("LATIN" in _script(one) for one in letters):
        return True
    said = {word.casefold() for word in _WORD.findall(text)}
    counts = {code: len(said & known) for code, known in words_by_language("language_markers").items()}
    ours = max(counts.get(code, 0) for code in LANGUAGES)
    return max(counts.values(), default=0) > max(ours, 1)


def opens_with_condition(sentence: str) -> bool:
    """Return whether a sentence begins with when, where or for whom it holds."""
    return bool(_scope_pattern().match(sentence.casefold()))


def opens_with_pointer(sentence: str) -> bool:
    """Return whether a sentence begins with a word that points at something said before it."""
    first = _WORD.match(sentence.lstrip("\"'“„«*_ ("))
    pointers = words("demonstratives", "third_person_pronouns") - words("articles")
    return bool(first) and first[0].casefold() in pointers


def may_open_with_pointer(sentence: str) -> bool:
    """Return whether the first word of a sentence may point back: German Sie is they as well as you."""
    first = _WORD.match(sentence.lstrip("\"'“„«*_ ("))
    pronoun = first is not None and first[0].casefold() in words("subject_pronouns")
    return pronoun or opens_with_pointer(sentence)


def offers_choice(text: str) -> bool:
    """Return whether a text says that one of several things is enough."""
    return bool(_choice_pattern().search(text.casefold()))


def denies(sentence: str) -> bool:
    """Return whether the first clause of an order denies something: `offer no discount`."""
    clause = _clause(sentence, 0)
    cut = min((found.start() for found in _conjunctions().finditer(clause.casefold())), default=len(clause))
    said = {word.casefold() for word in _WORD.findall(clause[:cut])}
    return bool(said & words("negations", "denials", "negative_subjects"))


def _openings(text: str) -> list[int]:
    """Return where an order may begin: at the start, behind a label, behind a condition that comes first."""
    first = _WORD.search(text)  # behind marks and emoji
    start = first.start() if first else 0
    found = [start]
    label = _LABEL.match(text, start)
    if label:
        found.append(label.end())
    for place in list(found):
        behind = _PAUSE.search(text, place)
        if behind and opens_with_condition(text[place:]):
            found.append(behind.end())
    return [*found, *(mark.end() for mark in _DASH.finditer(text))]


def _force(text: str, mark: Mark, openings: list[int]) -> Force:
    meaning = mark.meaning
    if meaning == "may" and any(_only().match(text, place) for place in openings):
        return "must"
    if meaning in _DENIED and _is_denied_subject(text[: mark.start], openings, mark.language):
        return _DENIED[meaning]
    turns = mark.language == "de" and meaning in {"may", "should"}
    if turns and any(word.casefold() in words("negations") for word in _WORD.findall(_clause(text, mark.end))):
        return _DENIED[meaning]
    if mark.language == "fr" and meaning == "must_not":
        behind = [word.casefold() for word in _WORD.findall(_clause(text, mark.start))]
        if "que" in behind and not {"pas", "jamais"} & set(behind):
            return "must"  # ne ... que is only
    return _FORCES.get(meaning, "must")


def _is_denied_subject(before: str, openings: list[int], language: str) -> bool:
    subjects = phrases_of(language, "negative_subjects")
    return any(subjects.match(before, place) for place in openings)


def _place(text: str, mark: Mark) -> Place:
    """Return whether a phrase stands in the main clause of its sentence."""
    before, behind = text[: mark.start], text[mark.end :]
    if mark.language == "en" and re.search(r"\b(?:an?|the)\s+$", before, re.IGNORECASE):
        return "subordinate"  # a noun: a must
    modal = mark.meaning in {"must", "may", "should"}
    if mark.language == "de":
        # A German main clause has its verb second: one at the end of a clause belongs to a conjunction before it.
        comma = max(before.rfind(","), before.rfind(";"), before.rfind(":"))
        first = _WORD.search(before)
        opened = comma < 0 and first is not None and first[0].casefold() in _conditions()
        return "subordinate" if (modal and (re.match(r"\s*[,.;:]", behind) and comma >= 0)) or opened else "main"
    clause = before[max((found.end() for found in _CLAUSE_END.finditer(before)), default=0) :]
    said = [word.casefold() for word in _WORD.findall(clause)]
    relatives = _relatives(mark.language)
    own = words("articles", "determiners", "subject_pronouns", "possessives", "first_and_second_person_pronouns")
    for back, word in enumerate(reversed(said)):
        between = said[len(said) - back :]
        if word in relatives and (not back or (back <= _NEAR and between[0] in own)):
            return "subordinate"
    for opening in _condition_pattern().finditer(clause.casefold()):
        near = len(_WORD.findall(clause[opening.end() :])) <= _NEAR
        leads = not clause[: opening.start()].strip(" *_-") and _PAUSE.search(behind) is not None
        if near or leads:
            return "subordinate"
    return "main"


def _denial(text: str, openings: list[int]) -> Obligation | None:
    """Return what a sentence says is never so, or only so; it need not bind anybody."""
    # Neither the bare no and ne nor do not, which deny anything.
    said = (mark for mark in find_orders(text) if text[mark.start : mark.end].isalpha() and mark.end - mark.start > 2)
    found = list(said)
    german = any(mark.language == "de" for mark in found) or _GERMAN_NOT.search(text)
    if german and "," not in text and _INFINITIVE.search(text):  # "Passwörter niemals speichern" is no statement
        return Obligation(_FORCES[found[0].meaning] if found else "must_not")
    if any(mark.meaning == "must_not" for mark in found):
        return Obligation("must_not", "statement")
    if any(_is_denied_subject(text, openings, language) for language in LANGUAGES):
        return Obligation("must_not", "statement")
    return Obligation("must", "statement") if any(_only().match(text, place) for place in openings) else None


def _clause(text: str, start: int) -> str:
    end = _CLAUSE_END.search(text, start)
    return text[start : end.start() if end else len(text)]


@lru_cache(maxsize=1)
def _scope_pattern() -> re.Pattern[str]:
    return re.compile(rf"[\s*_(]*(?:{alternatives(_of_all('openers_of_scope') | _conditions())})\b")


@lru_cache(maxsize=1)
def order_pattern() -> re.Pattern[str]:
    """Return what matches at the beginning of a line that opens with an order in one of the four languages."""
    openers = {form for form in _of_all("obliging_openers") if len(form) > len("no")}
    return re.compile(rf"[\s*_-]*(?:{alternatives(openers)})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _condition_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(_conditions())})(?!\w)")


@lru_cache(maxsize=1)
def _only() -> re.Pattern[str]:
    return re.compile(rf"(?:{alternatives(_of_all('words_for_only'))})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _choice_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(_of_all('words_for_a_choice'))})(?!\w)")


@lru_cache(maxsize=1)
def _conjunctions() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(_of_all('relative_pronouns') | words('conditions'))})(?!\w)")


@cache
def words(*names: str) -> frozenset[str]:
    """Return the folded forms of some lists, read once."""
    return read_words(*names)


@cache
def _conditions() -> frozenset[str]:
    return words("conditions") | _of_all("openers_of_conditions")


@cache
def _relatives(language: str) -> frozenset[str]:
    return frozenset(form for entry in entries_of(language, "relative_pronouns") for form in entry.forms)


@cache
def _of_all(name: str) -> frozenset[str]:
    return frozenset(form.casefold() for code in LANGUAGES for entry in entries_of(code, name) for form in entry.forms)


def _script(letter: str) -> str:
    import unicodedata

    return unicodedata.name(letter, "")


_FORCES: Final[dict[str, Force]] = {
    "must_not": "must_not", "must": "must", "needed": "must", "should_not": "should_not", "should": "should",
    "may": "may",
}  # fmt: skip
