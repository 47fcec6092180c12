"""What the comparison knows of a language: its word lists, stemmed where a word's form does not matter.

A language without lists is compared as well, by what needs none: tokens, numbers, names and their order.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import Stemmer

from interlayer.language.comparison.tokens import tokens
from interlayer.language.dates import MONTHS
from interlayer.language.distinction import REMEMBERED
from interlayer.language.lexicon.reader import entries_of, words

_SNOWBALL: Final = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
_KNOWN_MIN: Final = 0.15  # share of the words of a text that lists of its language have
_UNKNOWN: Final = "und"
LANGUAGES: Final = tuple(_SNOWBALL)
_STEMMERS: Final = {language: Stemmer.Stemmer(name) for language, name in _SNOWBALL.items()}
_TELLING: Final = (
    *("stop_words", "function_words", "articles", "indefinites", "definites", "negations", "now_words", "counts"),
    *("copulas", "state_verbs", "placing_verbs", "scheduling_verbs", "role_verbs", "time_words", "preferring_verbs"),
    *("changing_verbs", "replacing_verbs", "endings", "labels", "scales", "number_words", "months", "afterthoughts"),
    *("old_value_openers", "subject_pronouns", "parts_of_denials", "turning_words", "universal_words"),
)

Span = tuple[int, int, str]
"""Start and end of a phrase in a row, and what it means."""

Place = tuple[str, str]
"""A scale, and a place on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words of one language; stems where they are stemmed, phrases as the texts of their tokens."""

    language: str
    known: bool
    function: frozenset[str]
    indefinite: frozenset[str]
    definite: frozenset[str]
    pronouns: frozenset[str]
    possessives: frozenset[str]
    speaking: frozenset[str]
    universal: frozenset[str]
    conditions: frozenset[str]
    pointing: frozenset[str]
    agents: frozenset[str]
    limits: frozenset[str]
    labels: frozenset[str]
    companions: frozenset[str]
    roles: frozenset[str]
    past: frozenset[str]
    leading: frozenset[str]
    copulas: frozenset[str]
    stative: frozenset[str]
    placing: frozenset[str]
    scheduling: frozenset[str]
    unique: frozenset[str]
    times: frozenset[str]
    quarters: frozenset[str]
    turning: frozenset[str]
    affiliations: frozenset[str]
    denying: frozenset[str]
    preferring: frozenset[str]
    changing: "Phrases"
    replacing: "Phrases"
    ending: "Phrases"
    idle: "Phrases"
    greetings: "Phrases"
    outdating: "OutdatingWords"
    new: frozenset[str]
    telling: frozenset[str]
    afterthoughts: "Phrases"
    old_openers: "Phrases"
    new_openers: frozenset[str]
    former: "Phrases"
    latter: frozenset[str]
    scales: "Phrases"
    scale_stems: "Phrases"
    prefixes: Sequence[str]
    attributes: "Phrases"
    now: "Phrases"
    months: frozenset[str]
    articles: frozenset[str]

    def stem(self, word: str) -> str:
        """Return the stem of a folded word."""
        return _stem(self.language, word)


@dataclass(frozen=True, slots=True)
class OutdatingWords:
    """The words of a language by which something is given up, given for another, wished no more or put right."""

    dropping: "Phrases"
    exchanging: "Phrases"
    using: frozenset[str]
    wishing: "Phrases"
    unwished: "Phrases"
    repaired: "Phrases"
    defects: "Phrases"
    consent: "Phrases"
    matters: "Phrases"
    held_once: "Phrases"
    revoking: "Phrases"
    undenying: "Phrases"


class Phrases:
    """Phrases of a list with what they mean, found in a row of tokens, the longest first."""

    def __init__(self, phrases: Mapping[Sequence[str], str]) -> None:
        self._by_first: dict[str, list[tuple[Sequence[str], str]]] = {}
        for phrase in sorted(phrases, key=len, reverse=True):
            self._by_first.setdefault(phrase[0], []).append((phrase, phrases[phrase]))

    def without(self, words: Collection[str]) -> "Phrases":
        """Leave some words out of the phrases."""
        return Phrases(
            {
                tuple(word for word in phrase if word not in words) or phrase: meaning
                for found in self._by_first.values()
                for phrase, meaning in found
            }
        )

    def find(self, row: Sequence[str]) -> Sequence[Span]:
        """Return start, end and meaning of the phrases in a row, none within another one."""
        found: list[Span] = []
        if self._by_first.keys().isdisjoint(row):  # as in most rows
            return found
        end = 0
        for place, word in enumerate(row):
            if word not in self._by_first or place < end:
                continue
            for phrase, meaning in self._by_first[word]:
                if len(phrase) == 1 or tuple(row[place : place + len(phrase)]) == phrase:
                    end = place + len(phrase)
                    found.append((place, end, meaning))
                    break
        return found


@cache
def vocabulary(language: str) -> Vocabulary:
    """Read the lists of a language."""
    return Vocabulary(
        language,
        known=language in LANGUAGES,
        function=_functions(language),
        indefinite=_forms(language, "indefinites"),
        definite=_forms(language, "definites"),
        pronouns=_forms(language, "subject_pronouns"),
        possessives=_forms(language, "possessives"),
        speaking=_forms(language, "first_and_second_person_pronouns") - _forms(language, "first_person_plural"),
        universal=_forms(language, "universal_words"),
        conditions=_forms(language, "bounds_of_validity"),
        pointing=_forms(language, "demonstratives"),
        agents=_forms(language, "agents"),
        limits=_forms(language, "limits"),
        labels=_forms(language, "labels"),
        companions=_forms(language, "companions"),
        roles=_forms(language, "role_words"),
        past=_forms(language, "past_auxiliaries"),
        leading=_forms(language, "role_verbs"),
        copulas=_forms(language, "copulas"),
        stative=_forms(language, "copulas", "state_verbs", "placing_verbs", "scheduling_verbs", "role_verbs"),
        placing=_forms(language, "placing_verbs"),
        scheduling=_forms(language, "scheduling_verbs"),
        unique=frozenset(_stem(language, word) for word in _forms(language, "unique_words")),
        times=frozenset(_stem(language, word) for word in _forms(language, "time_words")),
        quarters=frozenset(_stem(language, word) for word in _forms(language, "quarters")),
        turning=_forms(language, "turning_words"),
        affiliations=_forms(language, "affiliations"),
        denying=_forms(language, "negations", "parts_of_denials") if language in LANGUAGES else words("negations"),
        preferring=_forms(language, "preferring_verbs"),
        changing=_phrases(language, "changing_verbs", articles=False),
        replacing=_phrases(language, "replacing_verbs", articles=False),
        ending=_phrases(language, "endings", articles=False),
        idle=_phrases(language, "now_words", "correction_openers"),
        greetings=_phrases(language, "salutations"),
        outdating=_outdating(language),
        new=_forms(language, "words_for_new"),
        telling=_forms(language, "verbs_of_telling"),
        afterthoughts=_phrases(language, "afterthoughts", articles=False),
        old_openers=_phrases(language, "old_value_openers", articles=False),
        new_openers=_forms(language, "new_value_openers"),
        former=_phrases(language, "words_before_the_former"),
        latter=_forms(language, "words_before_the_latter"),
        scales=_meanings(language, "scales", articles=False),
        scale_stems=_stemmed(language, "scales"),
        prefixes=tuple(sorted(_forms(language, "opposing_prefixes"), key=len, reverse=True)),
        attributes=_meanings(language, "attribute_names"),
        now=_phrases(language, "now_words"),
        months=frozenset(MONTHS),
        articles=_forms(language, "articles"),
    )


def _outdating(language: str) -> OutdatingWords:
    return OutdatingWords(
        dropping=_phrases(language, "dropping_verbs", articles=False),
        exchanging=_meanings(language, "exchanging_verbs"),
        using=_forms(language, "using_verbs"),
        wishing=_phrases(language, "wishing_words", articles=False),
        unwished=_phrases(language, "words_of_dropped_wishes", articles=False),
        repaired=_phrases(language, "words_of_repair", articles=False),
        defects=_phrases(language, "words_of_defects", articles=False),
        consent=_phrases(language, "words_of_consent", articles=False),
        matters=_stems(language, "matters"),
        held_once=_phrases(language, "attributes_held_once"),
        revoking=_phrases(language, "words_behind_old_statements"),
        undenying=_phrases(language, "phrases_without_negation"),
    )


def language_of(one: str, other: str) -> str:
    """Return the language that most words of two texts belong to; `und` where none is met."""
    (first, counted), (second, also) = _votes(one), _votes(other)
    if second in {first, _UNKNOWN}:
        return first
    if first == _UNKNOWN:
        return second
    total = [here + there for here, there in zip(counted, also, strict=True)]
    return LANGUAGES[total.index(max(total))]


@lru_cache(maxsize=REMEMBERED)
def _votes(text: str) -> tuple[str, Sequence[int]]:
    """Return the most probable language of a text, and how many of its words each language has."""
    counted = [0] * len(LANGUAGES)
    telling = _telling()
    for token in tokens(text):
        for number in telling.get(token.text, ()):
            counted[number] += 1
    most = max(counted)
    said = sum(token.kind == "word" for token in tokens(text))
    return LANGUAGES[counted.index(most)] if most and most >= _KNOWN_MIN * said else _UNKNOWN, counted


@cache
def _telling() -> Mapping[str, Sequence[int]]:
    """Map the single words of the telling lists to the languages, by number, that they are known by."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, language in enumerate(LANGUAGES):
        for word in _forms(language, *_TELLING):
            if " " not in word:
                found[word].append(number)
    return found


def _forms(language: str, *names: str) -> frozenset[str]:
    return frozenset(form.casefold() for name in names for entry in entries_of(language, name) for form in entry.forms)


def _functions(language: str) -> frozenset[str]:
    own = _forms(language, "function_words")
    return own | _forms(language, "stop_words") if language == "en" else own


def _phrases(language: str, *names: str, articles: bool = True) -> Phrases:
    found = Phrases({_texts(form): "" for form in _forms(language, *names)})
    return found if articles else found.without(_forms(language, "articles"))


def _meanings(language: str, name: str, *, articles: bool = True) -> Phrases:
    lines = entries_of(language, name)
    found = Phrases({_texts(form): entry.meaning or entry.forms[0] for entry in lines for form in entry.forms})
    return found if articles else found.without(_forms(language, "articles"))


@lru_cache(maxsize=50_000)
def _stem(language: str, word: str) -> str:
    return str(_STEMMERS[language].stemWord(word)) if language in _STEMMERS else word


def _stemmed(language: str, name: str) -> Phrases:
    """Return the single words of a list by their stems; an English one has its forms in the list."""
    found: dict[Sequence[str], str] = {}
    for entry in () if language == "en" else entries_of(language, name):
        for form in entry.forms:
            if " " not in form:
                key = (_stem(language, form.casefold()),)
                found[key] = f"{found.get(key, '')} {entry.meaning}"
    return Phrases(found)


def _stems(language: str, name: str) -> Phrases:
    """Return the phrases of a list by the stems of their words."""
    return Phrases(
        {
            tuple(_stem(language, text) for text in _texts(form)): entry.meaning
            for entry in entries_of(language, name)
            for form in entry.forms
        }
    )


def _texts(phrase: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens(phrase.casefold()))


def places(meaning: str) -> frozenset[Place]:
    """Read what an entry of `scales` means: scale/place, with blanks between."""
    return frozenset((one.partition("/")[0], one.partition("/")[2]) for one in meaning.split())
