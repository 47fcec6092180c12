"""Scopes that name what does not exist: a policy that would reach nobody, for ever."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from interlayer_policies.document.frontmatter import nearest
from interlayer_policies.document.policy import PROPERTY_FACET, Policy, Problem, folded, is_pattern
from interlayer_policies.document.vocabulary import FACETS, Vocabulary, is_given

EntityTypes = Mapping[str, Mapping[str, Sequence[Any] | None]]
"""Entity type -> property -> the values that it may have, None where it may have any."""

_SCOPE_KEYS: Final = {facet: key for key, facet in FACETS.items()}


def scope_problems(
    policies: Sequence[Policy], vocabulary: Vocabulary, types: EntityTypes | None, *, own: bool
) -> Iterator[Problem]:
    """Yield the values of scopes that neither the vocabulary nor the schema has, at the policy.

    A set without a vocabulary of its `own` may name values as it likes: what looks like a slip is a warning.
    """
    for policy in policies:
        yield from _values(policy, vocabulary, own=own)
        for message in _unknown(policy, types) if types is not None else ():
            yield Problem(policy.file, 1, f"scope: {message}")


def agent_problems(policies: Sequence[Policy], agents: Collection[str]) -> Iterator[Problem]:
    """Yield the agents of scopes that no API key is of; none where there are no keys to go by."""
    known = [folded(one) for one in agents]
    for policy in policies:
        for pattern in sorted(policy.scope.patterns("agent")):
            if known and not any(fnmatchcase(one, pattern) for one in known):
                message = f"scope: agents: no API key is of {pattern!r}; {nearest(pattern, sorted(set(known)))}"
                yield Problem(policy.file, 1, message, "warning")


def _values(policy: Policy, vocabulary: Vocabulary, *, own: bool) -> Iterator[Problem]:
    declared = dict(vocabulary.facets())
    for facet, patterns in policy.scope.limits:
        for pattern, hint in _undeclared(facet, patterns, vocabulary, declared.get(facet, ())):
            if own or not is_given(pattern) or vocabulary.nearest(facet, pattern):
                message = f"scope: {_SCOPE_KEYS[facet]}: {pattern!r} is not in the vocabulary; {hint}"
                yield Problem(policy.file, 1, message, "error" if own or not is_given(pattern) else "warning")


def _unknown(policy: Policy, types: EntityTypes) -> Iterator[str]:
    limits = dict(policy.scope.limits)
    named = limits.get("entity_type", ())
    of = {folded(name): properties for name, properties in types.items()}
    yield from (f"entity_types: {hint}" for hint in _unmatched(named, list(of)))
    applying = [of[name] for name in of if not named or any(fnmatchcase(name, pattern) for pattern in named)]
    for facet, patterns in limits.items():
        name = facet.removeprefix(PROPERTY_FACET)
        if name != facet and applying:
            yield from _property(name, patterns, applying)


def _undeclared(
    facet: str, patterns: Sequence[str], vocabulary: Vocabulary, declared: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the patterns that mean no declared value, each with a hint; a facet without declared values takes any."""
    for pattern in patterns if declared else ():
        known = (
            any(fnmatchcase(folded(name), pattern) for name in declared)
            if is_pattern(pattern)
            else vocabulary.read(facet, pattern) is not None
        )
        if not known:
            hint = nearest(pattern, list(declared)) if is_given(pattern) else "leave the facet out to mean every value"
            yield pattern, hint


def _property(name: str, patterns: Sequence[str], types: Sequence[Mapping[str, Sequence[Any] | None]]) -> Iterator[str]:
    having = [properties for properties in types if name in properties]
    if not having:
        known = sorted({one for properties in types for one in properties})
        yield f"when: there is no property {name!r}; {nearest(name, known) if known else 'the type has none'}"
        return
    values = [properties[name] for properties in having]
    if all(allowed is not None for allowed in values):
        allowed = sorted({folded(one) for some in values for one in some or ()})
        yield from (f"when: {name}: {hint}" for hint in _unmatched(patterns, allowed))


def _unmatched(patterns: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        if not any(fnmatchcase(one, pattern) for one in known):
            yield f"{pattern!r} does not exist; {nearest(pattern, list(known))}"
