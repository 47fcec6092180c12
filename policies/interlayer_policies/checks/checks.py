"""Deterministic checks: from the options of a rule's check to a function that finds where a text breaks it.

No model and no pattern that can take more than linear time on an author's pattern (RE2 throughout).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import re2

from interlayer.language.quantities.amounts import amounts
from interlayer.text.private import PERSONAL
from interlayer_policies.checks.draft import Draft, Span, Word, base, bases
from interlayer_policies.checks.private import personal, secrets
from interlayer_policies.checks.proximity import near, near_stems
from interlayer_policies.document.frontmatter import nearest

Checker = Callable[[Draft], list[Span]]
Options = Mapping[str, Any]

SPANS_MAX: Final = 50
NOWHERE: Final = Span(0, 0)
"""The span of a violation by absence."""

OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "forbid_terms": ("terms",),
    "forbid_pattern": ("pattern",),
    "require_text": ("text",),
    "max_number": ("unit", "near", "max"),
    "min_number": ("unit", "near", "min"),
    "pii": ("kinds",),
    "secrets": (),
}
"""Kind of check -> the options that it takes."""

_GAP: Final = re.compile(r"[\s\-‐‑–_]*")
_ONLY_WORDS: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?(?:[\s\-‐‑–]+[^\W_]+(?:['’][^\W\d_]+)?)*")
_BARE: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")


def compiled(kind: str, options: Options) -> Checker:
    """Return the check as a function; it finds at most `SPANS_MAX` spans, in order, none twice.

    Raises `ValueError` that names the option which is wrong; placeholders must be filled in already.
    """
    unknown = [name for name in options if name not in OPTIONS[kind]]
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r}; {nearest(unknown[0], list(OPTIONS[kind]))}")
    find = _COMPILERS[kind](options)

    def check(draft: Draft) -> list[Span]:
        return sorted(set(find(draft)), key=lambda span: (span.start, span.end))[:SPANS_MAX]

    return check


def bare_terms(kind: str, options: Options) -> list[str]:
    """Return the single words that a check forbids: they stand in ordinary texts too, in another sense or quoted."""
    terms = _texts(options, "terms") if kind == "forbid_terms" and options.get("terms") else []
    return [term for term in terms if _BARE.fullmatch(term.strip())]


def _forbid_terms(options: Options) -> Callable[[Draft], Iterable[Span]]:
    finders = [_term(term) for term in _texts(options, "terms")]
    return lambda draft: (span for find in finders for span in find(draft))


def _term(term: str) -> Callable[[Draft], Iterator[Span]]:
    """Return a finder of one term: by words if it consists of words, else by characters."""
    wanted = Draft(term)
    if not wanted.lower.strip():
        raise ValueError(f"terms: {term!r} has no visible character")
    if not _ONLY_WORDS.fullmatch(wanted.lower.strip()):
        return _literal(wanted.lower.strip())
    words = [word.text for word in wanted.words]
    stems = [base(word) for word in words]

    def find(draft: Draft) -> Iterator[Span]:
        for first in draft.positions.get(stems[0], ()):
            found = draft.words[first : first + len(words)]
            if len(words) == 1 or _is_phrase(draft, found, words):
                yield draft.original(found[0].start, found[-1].end)

    return find


def _is_phrase(draft: Draft, found: list[Word], words: list[str]) -> bool:
    """Whether these words stand next to each other; only the last one may be inflected."""
    if len(found) < len(words) or base(words[-1]) not in bases(found[-1].text):
        return False
    return all(
        word.text == wanted and _GAP.fullmatch(draft.lower, word.end, after.start)
        for word, wanted, after in zip(found[:-1], words[:-1], found[1:], strict=True)
    )


def _literal(term: str) -> Callable[[Draft], Iterator[Span]]:
    body = r"\s+".join(re.escape(part) for part in term.split())
    head = r"(?<![^\W_])" if term[0].isalnum() else ""
    tail = r"(?![^\W_])" if term[-1].isalnum() else ""
    pattern = re.compile(head + body + tail)

    def find(draft: Draft) -> Iterator[Span]:
        return (draft.original(*match.span()) for match in pattern.finditer(draft.lower))

    return find


def _forbid_pattern(options: Options) -> Callable[[Draft], Iterable[Span]]:
    text = _text(options, "pattern")
    quiet = re2.Options()
    quiet.log_errors = False
    quiet.case_sensitive = False
    try:
        pattern = re2.compile(text, quiet)
    except re2.error as error:
        raise ValueError(f"pattern: RE2 cannot compile it: {_message(error)}") from error
    if pattern.search(""):
        raise ValueError("pattern: it matches the empty text, so every text would break the rule")

    def find(draft: Draft) -> Iterator[Span]:
        found = {match.start(): match.end() for match in pattern.finditer(draft.text)}
        if draft.plain != draft.text:
            for match in pattern.finditer(draft.plain):
                span = draft.original(match.start(), match.end())
                found[span.start] = max(span.end, found.get(span.start, 0))
        return (Span(start, end) for start, end in found.items())

    return find


def _message(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _require_text(options: Options) -> Callable[[Draft], Iterable[Span]]:
    wanted = _compact(Draft(_text(options, "text")))
    if not wanted:
        raise ValueError("text: it has no visible character")
    return lambda draft: [] if wanted in _compact(draft) else [NOWHERE]


def _compact(draft: Draft) -> str:
    return " ".join(draft.lower.split())


def _limit(name: str) -> Callable[[Options], Callable[[Draft], Iterable[Span]]]:
    def compile_limit(options: Options) -> Callable[[Draft], Iterable[Span]]:
        limit = _number(options, name)
        unit = str(options.get("unit", "")).strip()
        stems = near_stems(_texts(options, "near")) if "near" in options else None
        if stems is not None and not stems:
            raise ValueError("near: needs words")

        def find(draft: Draft) -> Iterator[Span]:
            is_near = near(draft, stems) if stems is not None else None
            for amount in amounts(draft.lower, unit):
                over = amount.value > limit if name == "max" else amount.value < limit
                if over and (is_near is None or is_near(amount)):
                    yield draft.original(amount.start, amount.end)

        return find

    return compile_limit


def _pii(options: Options) -> Callable[[Draft], Iterable[Span]]:
    kinds = _texts(options, "kinds") if "kinds" in options else list(PERSONAL)
    for kind in kinds:
        if kind not in PERSONAL:
            raise ValueError(f"kinds: unknown kind {kind!r}; {nearest(kind, list(PERSONAL))}")
    return lambda draft: personal(draft, kinds)


def _secrets(_options: Options) -> Callable[[Draft], Iterable[Span]]:
    return secrets


def _text(options: Options, name: str) -> str:
    value = options.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: needs a text")
    return value


def _texts(options: Options, name: str) -> list[str]:
    value = options.get(name)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values:
        raise ValueError(f"{name}: needs a list of texts")
    texts = [str(text) for text in values]
    if not all(text.strip() for text in texts):
        raise ValueError(f"{name}: an entry is empty")
    return texts


def _number(options: Options, name: str) -> float:
    try:
        return float(str(options[name]))
    except (KeyError, ValueError):
        raise ValueError(f"{name}: needs a number") from None


_COMPILERS: Final[dict[str, Callable[[Options], Callable[[Draft], Iterable[Span]]]]] = {
    "forbid_terms": _forbid_terms,
    "forbid_pattern": _forbid_pattern,
    "require_text": _require_text,
    "max_number": _limit("max"),
    "min_number": _limit("min"),
    "pii": _pii,
    "secrets": _secrets,
}
