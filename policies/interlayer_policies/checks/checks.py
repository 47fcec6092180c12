"""Deterministic checks: from the options of a rule's check to a function that finds where a text breaks it.

No model and no pattern that can take more than linear time on an author's pattern (RE2 throughout).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import re2

from interlayer.text.private import PERSONAL
from interlayer_policies.checks.draft import Draft, Span
from interlayer_policies.checks.figures import Figure, Figures
from interlayer_policies.checks.findings import SPANS_MAX, Finding, why_doubtful
from interlayer_policies.checks.limits import Limit
from interlayer_policies.checks.private import personal, secrets
from interlayer_policies.checks.subjects import topic
from interlayer_policies.checks.terms import term
from interlayer_policies.document.frontmatter import nearest

Options = Mapping[str, Any]

NOWHERE: Final = Span(0, 0)
"""The span of a violation by absence."""

OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "forbid_terms": ("terms",),
    "forbid_pattern": ("pattern",),
    "require_text": ("text",),
    "max_number": ("unit", "near", "max", "rates"),
    "min_number": ("unit", "near", "min", "rates"),
    "pii": ("kinds",),
    "secrets": (),
}
"""Kind of check -> the options that it takes."""

_SETTING: Final = re.compile(r"[*`~]+|(?<![^\W_])_+|_+(?![^\W_])|</?[a-z][^<>\n]{0,80}>")
_BARE: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Checker:
    """A check that can be run; it finds at most `SPANS_MAX` violations, and as many doubts, in order, none twice."""

    find: Callable[[Draft], Iterable[Finding]]

    def __call__(self, draft: Draft) -> list[Span]:
        """Return where a text breaks the rule."""
        return [Span(one.start, one.end) for one in self.findings(draft) if one.why is None]

    def findings(self, draft: Draft) -> list[Finding]:
        """Return where a text breaks the rule, and where it only looks so, with the reason."""
        ordered = sorted(set(self.find(draft)), key=lambda one: (one.start, one.end, one.why or ""))
        breaking = [one for one in ordered if one.why is None][:SPANS_MAX]
        # Doubts have a limit of their own, so that many of them never hide a violation.
        return [*breaking, *[one for one in ordered if one.why is not None][:SPANS_MAX]]


def compiled(kind: str, options: Options) -> Checker:
    """Return the check as a function.

    Raises `ValueError` that names the option which is wrong; placeholders must be filled in already.
    """
    unknown = [name for name in options if name not in OPTIONS[kind]]
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r}; {nearest(unknown[0], list(OPTIONS[kind]))}")
    return Checker(_COMPILERS[kind](options))


def bare_terms(kind: str, options: Options) -> list[str]:
    """Return the single words that a check forbids: they stand in ordinary texts too, in another sense or quoted."""
    terms = _texts(options, "terms") if kind == "forbid_terms" and options.get("terms") else []
    return [term for term in terms if _BARE.fullmatch(term.strip())]


def subjects(kind: str, options: Options) -> list[str]:
    """Return the subjects of the word lists that a check sees by all of their words; none if its options are wrong."""
    if "near" not in OPTIONS[kind] or "near" not in options:
        return []
    try:
        return sorted(topic(_near(options)).concepts)
    except ValueError:
        return []


def _forbid_terms(options: Options) -> Callable[[Draft], Iterable[Finding]]:
    finders = [term(one) for one in _texts(options, "terms")]

    def find(draft: Draft) -> Iterator[Finding]:
        for finder in finders:
            for start, end in finder(draft):
                span, first = draft.original(start, end), draft.word_at(start)
                why = why_doubtful(draft, first, max(first + 1, draft.words_until(end)))
                yield Finding(span.start, span.end, why)

    return find


def _forbid_pattern(options: Options) -> Callable[[Draft], Iterable[Finding]]:
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

    def find(draft: Draft) -> Iterator[Finding]:
        found = {match.start(): match.end() for match in pattern.finditer(draft.text)}
        if draft.plain != draft.text:
            for match in pattern.finditer(draft.plain):
                span = draft.original(match.start(), match.end())
                found[span.start] = max(span.end, found.get(span.start, 0))
        return (Finding(start, end) for start, end in found.items())

    return find


def _message(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _require_text(options: Options) -> Callable[[Draft], Iterable[Finding]]:
    wanted = _compact(Draft(_text(options, "text")))
    if not wanted:
        raise ValueError("text: it has no visible character")
    return lambda draft: [] if wanted in _compact(draft) else [Finding(NOWHERE.start, NOWHERE.end)]


def _compact(draft: Draft) -> str:
    """Return a text without what only sets it: line breaks, Markdown emphasis, tags of HTML."""
    return " ".join(_SETTING.sub("", draft.lower).split())


def _limit(name: str) -> Callable[[Options], Callable[[Draft], Iterable[Finding]]]:
    def compile_limit(options: Options) -> Callable[[Draft], Iterable[Finding]]:
        limit = _number(options, name)
        subject = topic(_near(options)) if "near" in options else None
        figures = Figures(str(options.get("unit", "")).strip(), _rates(options), shares=subject is not None)

        def breaks(one: Figure) -> bool:
            return one.least > limit if name == "max" else one.most < limit

        return Limit(figures, breaks, subject).findings

    return compile_limit


def _near(options: Options) -> list[str]:
    """Return the words of a list, or of lists by language."""
    given = options["near"]
    if isinstance(given, dict):
        by_language: dict[str, Any] = given
        if not by_language:
            raise ValueError("near: needs words")
        return [word for language in by_language for word in _texts(by_language, language)]
    return _texts(options, "near")


def _rates(options: Options) -> dict[str, float]:
    given: Any = options.get("rates", {})
    if not isinstance(given, dict):
        raise ValueError("rates: needs currencies and what one of each is worth in the unit, such as {EUR: 1.1}")
    by_currency: dict[str, Any] = given
    return {str(currency): _number(by_currency, currency) for currency in by_currency}


def _pii(options: Options) -> Callable[[Draft], Iterable[Finding]]:
    kinds = _texts(options, "kinds") if "kinds" in options else list(PERSONAL)
    for kind in kinds:
        if kind not in PERSONAL:
            raise ValueError(f"kinds: unknown kind {kind!r}; {nearest(kind, list(PERSONAL))}")
    return lambda draft: (Finding(span.start, span.end) for span in personal(draft, kinds))


def _secrets(_options: Options) -> Callable[[Draft], Iterable[Finding]]:
    return lambda draft: (Finding(span.start, span.end) for span in secrets(draft))


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


_COMPILERS: Final[dict[str, Callable[[Options], Callable[[Draft], Iterable[Finding]]]]] = {
    "forbid_terms": _forbid_terms,
    "forbid_pattern": _forbid_pattern,
    "require_text": _require_text,
    "max_number": _limit("max"),
    "min_number": _limit("min"),
    "pii": _pii,
    "secrets": _secrets,
}
