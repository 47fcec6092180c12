"""Properties found in plain content without a model, for values that can be listed or have a form.

What to look for follows from the schema alone: the words of a property's name, its type, its values and, for what is
counted, its description. A value counts where it stands at its name ("Stage: Negotiation", "in the negotiation stage",
"high urgency"). Precision goes before recall: what is only planned, is denied, or is contradicted as often as it is
said makes no claim. A property with `find` patterns of its own is found by these first.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import re2

from interlayer.language.dates import UPCOMING
from interlayer.language.lexicon import reader as lexicon
from interlayer.language.quantities.units import SIGNS
from interlayer.language.quantities.values import MONEY, SCALED
from interlayer.language.stated.assertion import Place
from interlayer.memory.schema.types import TEXT_FORMS, ValueProblem
from interlayer.text.sentences import Sentence, label_of

_MAJORITY: Final = 0.6  # of the weight of all mentions: under this they contradict each other

# Last words of a name that say of what kind the value is and not what it is about.
_KINDS: Final = lexicon.words("property_kinds")
_SIGN: Final = "".join(sign for sign in sorted(SIGNS) if len(sign) == 1)
_GAP: Final = rf"[^\w{_SIGN}]{{1,4}}"  # the sign of a currency belongs to the value
_LINK: Final = (
    rf"(?:{_GAP}(?:is|are|was|remains?|stays?|now|currently|still|at|level|status|the|in|def|definitely|very|as|of"
    r"|sits|sitting|stands|standing"
    r"|rated|set to|marked|confirmed|around|about|approximately|approx|estimated|total|worth|targets?|targeting)"
    rf"){{0,4}}{_GAP}"
)
_MARKDOWN_CELL: Final = r"\s*\|\s*"
_FORMER: Final = lexicon.pattern(lexicon.words("former"))
_PLANNED: Final = re2.compile(
    rf"(?i)\b(?:from|was|{_FORMER}|{lexicon.pattern(lexicon.words('intentions'))})\W+(?:\w+\W+){{0,2}}$"
)
_PLANNED_FROM: Final = re2.compile(rf"(?i)\b(?:from|was|instead of|not|after|before|nach|vor|après|avant|{_FORMER})\b")
_DENIED: Final = re2.compile(
    rf"(?i)\b(?:isn['’]t|non|{lexicon.pattern(lexicon.words('negations'))})\W+(?:\w+\W+){{0,2}}$"
)
_COUNTED: Final = re.compile(r"(?i)\b([a-z]{4,})s? (?:count|number|total)\b|\b(?:number|count) of ([a-z]{4,}?)s?\b")
_CHANGED_FROM: Final = lexicon.pattern(lexicon.words("words_before_changes"))
_CHANGED_TO: Final = lexicon.pattern(lexicon.words("words_before_new_values"))
_WORTHS: Final = lexicon.words("words_for_worth")
_BUDGET: Final = lexicon.pattern(lexicon.words("words_for_budget"))
_ESTIMATED: Final = re.compile(r"(?i)\bestimat")
_ESTIMATE: Final = 0.1  # weight of a budget where a value is named as well
_RANGE: Final = re.compile(
    r"\s*(<|>|under|over|up to)?\s*(\d[\d,]*)\s*(?:(?:-|–|to)\s*(\d[\d,]*)|(\+))?\s*\w*\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A value said in a sentence."""

    value: Any
    weight: float
    sentence: Sentence


Claim = tuple[Any, float, tuple[int, int]]
"""A raw value that a sentence claims, its weight, and the place of the words by which it is found."""

Finder = Callable[[str], Iterator[Claim]]
"""Yields what a sentence claims."""


def find(sentences: Sequence[Sentence], finder: Finder, normal: Callable[[Any], Any]) -> tuple[Any, Sentence] | None:
    """Return the value that the sentences agree on and the last of those that state it, or None.

    `normal` brings a value into its normal form and raises `ValueProblem` for what is none.
    """
    chosen = _choose(list(_mentions(sentences, finder, normal)))
    return (chosen.value, chosen.sentence) if chosen else None


def place_in(sentences: Sequence[Sentence], at: int, span: tuple[int, int]) -> Place:
    """Return the place of what is found in one of the sentences of a content, with who says it and what follows."""
    sentence = sentences[at]
    answer = sentences[at + 1].text if at + 1 < len(sentences) else ""
    if answer.endswith("?") and at + 2 < len(sentences):  # a second question before the answer
        answer = sentences[at + 2].text
    return Place(sentence.text, *span, sentence.label or label_of(sentence.text), answer)


def finder_for(name: str, kind: str, values: Mapping[str, Sequence[str]], description: str) -> Finder | None:
    """Build the finder of a property of this name, type, values and description; None if nothing tells its values."""
    named = name.split("_")
    makers: Mapping[str, Callable[[], Finder | None]] = {
        "enum": lambda: _bucket(values, description) if all(map(_range, values)) else _list_finder(named, values),
        "boolean": lambda: _boolean_finder(named),
        "date": lambda: _date_finder(named),
        "money": lambda: _measure_finder(named, rf"({MONEY}|{SCALED})", description),
        **dict.fromkeys(
            ("number", "integer"), lambda: _measure_finder(named, rf"[{_SIGN}]?\s?({SCALED})", description)
        ),
        **{form: partial(_label_finder, named, TEXT_FORMS[form]) for form in ("email", "phone", "url")},
    }
    return makers[kind]() if kind in makers else None


def _mentions(sentences: Sequence[Sentence], finder: Finder, normal: Callable[[Any], Any]) -> Iterator[_Mention]:
    for at, sentence in enumerate(sentences):
        for raw, weight, span in finder(sentence.text):
            place = place_in(sentences, at, span)
            if not place.states(wishes_count=True, presupposed=True):
                continue
            try:
                yield _Mention(normal(raw), weight, sentence)
            except ValueProblem:
                continue


def _choose(mentions: Sequence[_Mention]) -> _Mention | None:
    """Return the last mention of the value that most of the weight is for; None if it is a coin toss."""
    weights: defaultdict[str, float] = defaultdict(float)
    last: dict[str, _Mention] = {}
    for mention in mentions:
        key = repr(mention.value)
        weights[key] += mention.weight
        last[key] = mention
    if not weights:
        return None
    best = max(weights, key=lambda key: weights[key])
    return last[best] if weights[best] >= _MAJORITY * sum(weights.values()) else None


def _topic(named: Sequence[str]) -> str:
    """Return the pattern of the word that a property is about, with the words before and after it if they are there."""
    place = len(named) - 1
    while place > 0 and named[place] in _KINDS:
        place -= 1
    before = "".join(rf"(?:{_word(word)}\W{{1,2}})?" for word in named[:place])
    after = "".join(rf"(?:\W{{1,2}}{_word(word)})?" for word in named[place + 1 :])
    return f"{before}{_word(named[place])}{after}"


def _word(word: str) -> str:
    """Return the pattern of a word, its plural, or its beginning if that is long enough to tell it."""
    short = (
        rf"|{re2.escape(word[:3])}\.?"
        if 5 <= len(word) <= 6
        else rf"|{re2.escape(word[:4])}\.?"
        if len(word) > 6
        else ""
    )
    return rf"(?:{re2.escape(word)}s?{short})"


def _list_finder(named: Sequence[str], values: Mapping[str, Sequence[str]]) -> Finder:
    spoken: dict[str, str] = {}
    for value, synonyms in values.items():
        for form in (value, *synonyms):
            spoken[_plain(form)] = value
            if form.isalpha() and len(form) >= 6:
                spoken.setdefault(_plain(form)[:4], value)
    words = "|".join(re2.escape(form).replace(r"\ ", r"[\s_-]") for form in sorted(spoken, key=len, reverse=True))
    topic = _topic(named)
    after = re2.compile(rf"(?i)\b{topic}\b{_LINK}({words})\b")
    cell = re2.compile(rf"(?i)\|\s*{topic}{_MARKDOWN_CELL}({words})\s*\|")
    before = re2.compile(rf"(?i)\b({words})[\s_-]{{1,2}}{topic}\b")

    def find_in(text: str) -> Iterator[Claim]:
        for pattern, weight in ((cell, 2.0), (after, 1.0), (before, 1.0)):
            for match in pattern.finditer(text):
                before_it = text[: match.start()]
                if not _PLANNED.search(before_it) and not _DENIED.search(before_it):
                    yield spoken[_plain(str(match[1]))], weight, match.span()

    return find_in


def _bucket(values: Mapping[str, Sequence[str]], description: str) -> Finder | None:
    """Build the finder of a number that falls into one of the ranges, told by the thing that is counted."""
    counted = _COUNTED.search(description)
    if not counted:
        return None
    ranges = [(value, limits) for value in values if (limits := _range(value))]
    unit = counted[1] or counted[2]
    units = rf"(?:{re2.escape(unit)}(?:s|es)?|{re2.escape(unit[:3])}s?)"
    pattern = re2.compile(rf"(?i)(?:^|[^\w.,$-])(\d[\d,]*)\+?[\s-](?:total |full-time )?{units}\b")
    change = re2.compile(
        r"(?i)\b(?:from|added|adding|hired|hiring|hires|another|onboard\w*|lost|laid off|cut|by|new)\W+(?:\w+\W+){0,1}$"
    )

    literal = "|".join(re2.escape(value) for value, _ in ranges)
    named = re2.compile(rf"(?i)(?:^|[^\w.,$-])({literal})[\s-](?:total |full-time )?{units}\b")

    def find_in(text: str) -> Iterator[Claim]:
        yield from ((match[1], 1.0, match.span()) for match in named.finditer(text))
        for match in pattern.finditer(text):
            number = float(str(match[1]).replace(",", ""))
            if not change.search(text[: match.start(1)]):
                place = match.span()
                yield from ((value, 1.0, place) for value, (low, high) in ranges if low <= number <= high)

    return find_in


def _boolean_finder(named: Sequence[str]) -> Finder:
    """Build the finder of whether somebody is what the property says: as a label, or as what "is" joins to somebody."""
    phrase = r"[\s_-]".join(re2.escape(word) for word in named)
    initials = "".join(word[0] for word in named).upper()
    title = rf"(?:(?i:{phrase})" + (rf"|{initials})" if len(named) > 1 else ")")
    answer = re2.compile(rf"{title}(?i:\W{{1,3}}(?:status\W{{1,3}})?(?:is\W{{1,2}})?(yes|no|true|false)\b)")
    subject = r"\b(?:he|she|they|i|you)(?:['’]s|['’]re|['’]m|\s(?:is|are|am))\s"
    who = rf"(?i:{subject}|\bas\s(?:the\s|their\s)?(?:primary|final|key|sole|main|only)\s)"
    article = r"(?i:(?:also|the|a|our|their|primary|final|key|sole|main|only)\s){0,2}"
    is_one = re2.compile(rf"{who}{article}{title}\b")
    is_none = re2.compile(rf"(?i:\bnot\s){article}{title}\b")

    def find_in(text: str) -> Iterator[Claim]:
        for match in answer.finditer(text):
            yield match[1], 2.0, match.span()
        for match in is_none.finditer(text):
            yield False, 1.0, match.span()
        for match in is_one.finditer(text):
            yield True, 1.0, match.span()

    return find_in


def _date_finder(named: Sequence[str]) -> Finder:
    topic, form = _topic(named), UPCOMING
    after = re2.compile(rf"(?i)\b{topic}\b[^.;|\d]{{0,60}}?({form})")
    before = re2.compile(rf"(?i)({form})[,\s]{{1,3}}{topic}\b")
    changed = _change(topic, form)
    cell = re2.compile(rf"(?i)\|\s*{topic}{_MARKDOWN_CELL}({form})\s*\|")

    def find_in(text: str) -> Iterator[Claim]:
        for pattern in (cell, after, before):
            for match in pattern.finditer(text):
                if not _PLANNED_FROM.search(match[0]):
                    yield match[1], 1.0, match.span()
        for match in changed.finditer(text):
            yield match[1], 1.0, match.span()

    return find_in


def _change(topic: str, form: str) -> Any:
    """Compile the pattern of a change of something to a new value, from an old one if that is told."""
    old = rf"(?:{_CHANGED_FROM})\s+(?:{form}|\d{{1,2}}\.?)\s+"
    return re2.compile(rf"(?i)\b{topic}\b[^.;|\d]{{1,40}}?\b(?:{old})?(?:{_CHANGED_TO})\s+({form})")


def _measure_finder(named: Sequence[str], form: str, description: str) -> Finder:
    """Build the finder of an amount that stands right behind the whole name of the property, or before its last word.

    What is budgeted for something estimates its value, and counts where the text names none.
    """
    whole = r"\W{1,2}".join(_word(word) for word in named)
    after = re2.compile(rf"(?i)\b{whole}\b{_LINK}~?\s?{form}")
    before = re2.compile(rf"(?i)(?:^|[^\w.,]){form}\s(?:{whole}|{re2.escape(named[-1])})\b")
    cell = re2.compile(rf"(?i)\|\s*{whole}{_MARKDOWN_CELL}~?\s?{form}[^|]{{0,20}}\|")
    changed = _change(whole, form.replace("(", "(?:", 1))
    is_estimate = named[-1] in _WORTHS and bool(_ESTIMATED.search(description))
    budget = re2.compile(rf"(?i)\b(?:{_BUDGET})(?:['’]s)?{_LINK}~?\s?{form}|{form}\s(?:{_BUDGET})\b")

    def find_in(text: str) -> Iterator[Claim]:
        for pattern in (cell, after, changed, *([before] if named[-1] in _WORTHS else [])):
            for match in pattern.finditer(text):
                yield match[1], 1.0, match.span()
        for match in budget.finditer(text) if is_estimate else ():
            yield match[1] or match[2], _ESTIMATE, match.span()

    return find_in


def _label_finder(named: Sequence[str], form: str) -> Finder:
    whole = r"[\s_-]".join(re2.escape(word) for word in named)
    pattern = re2.compile(rf"(?i)(?:^|\|)\W{{0,4}}{whole}\s?(?::|\|)\s?({form})")

    def find_in(text: str) -> Iterator[Claim]:
        for match in pattern.finditer(text):
            yield match[1], 2.0, match.span()

    return find_in


def _range(value: str) -> tuple[float, float] | None:
    """Return the lowest and highest number of a value such as "11-50", "1000+" or "<10"; None if it is no range."""
    found = _RANGE.fullmatch(value)
    if not found or not (found[1] or found[3] or found[4]):
        return None
    number = float(found[2].replace(",", ""))
    if found[3]:
        return number, float(found[3].replace(",", ""))
    over = found[4] or (found[1] or "").casefold() in {">", "over"}
    return (number, float("inf")) if over else (0, number)


def _plain(form: str) -> str:
    return " ".join(re.split(r"[\s_-]+", form.casefold().strip()))
