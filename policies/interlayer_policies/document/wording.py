"""Whether a policy says what it is about: guidance that does not is published and then never found.

Title and description are searched with every section, so they are where the words of a task that the text itself does
not use can be met. Only general signs are looked at: how much is said, how much of it is said twice, and whether the
description and the text speak of the same thing. All of it are warnings.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.lexicon.reader import words
from interlayer.language.terms import terms
from interlayer.text.budget import text_tokens
from interlayer_policies.document.policy import Policy, Problem, Section
from interlayer_policies.document.sections import whole_section

DESCRIPTION_WORDS_MIN: Final = 4
"""A task has to share two content words with a section to be given it; of three there is hardly a choice."""

PARTS_MAX: Final = 3
"""A longer section is delivered in parts all the same, and no answer of the default size ever holds all of them."""

_NEW_WORDS_MIN: Final = 2
_UNHEADED_TOKENS_MAX: Final = 400

_SAY: Final = "say what it covers and in which situations an agent needs it"

_KINDS_OF_TEXT: Final = frozenset(terms(" ".join(words("kinds_of_text"))))


def wording_problems(policies: Sequence[Policy]) -> Iterator[Problem]:
    """Yield what keeps these policies from being found, as warnings, by policy."""
    first_with: dict[tuple[str, ...], str] = {}
    for policy in policies:
        for line, message in [*_title(policy), *_description(policy), *_sections(policy)]:
            yield Problem(policy.file, line, message, "warning")
        words = tuple(terms(policy.description))
        first = first_with.setdefault(words, policy.id)
        if words and first != policy.id:
            message = f"description: is that of {first} too, so that nothing tells which of the two a task is about"
            yield Problem(policy.file, policy.description_line, message, "warning")


def _title(policy: Policy) -> Iterator[tuple[int, str]]:
    said = [word for word in terms(policy.title) if word not in _KINDS_OF_TEXT and not word.isdecimal()]
    if not said:
        yield policy.title_line, f"title: {policy.title!r} does not say what it is about; name its subject"


def _description(policy: Policy) -> Iterator[tuple[int, str]]:
    line, title = policy.description_line, set(terms(policy.title))
    said = set(terms(policy.description))
    if not policy.description.strip():
        yield line, "no description: what it is about helps to find it"
    elif len(said) < DESCRIPTION_WORDS_MIN:
        yield line, f"description: {policy.description!r} is too short to be found by; {_SAY}"
    elif len(said - title) < _NEW_WORDS_MIN:
        yield line, "description: repeats the title; " + _SAY
    texts = [*(f"{s.title} {s.text}" for s in policy.sections), *(rule.text for rule in policy.rules)]
    if said and texts and not (said | title) & {term for text in texts for term in terms(text)}:
        yield line, "description: shares no word with the rules and the text, title included; is it that of another?"


def _sections(policy: Policy) -> Iterator[tuple[int, str]]:
    whole: dict[str, list[Section]] = {}
    for section in policy.sections:
        whole.setdefault(whole_section(section.id), []).append(section)
    for name, parts in whole.items():
        tokens = sum(text_tokens(part.text) for part in parts)
        if list(whole) == ["overview"] and tokens > _UNHEADED_TOKENS_MAX:
            message = f"no ## headings: the text is one section of some {tokens} tokens"
            yield parts[0].line, f"{message}; give each subject a heading, so that each is found by itself"
        elif len(parts) > PARTS_MAX:
            message = f"section {name}: some {tokens} tokens, delivered in {len(parts)} parts"
            yield parts[0].line, f"{message}; give each of its subjects a ## heading, so that each is found by itself"
