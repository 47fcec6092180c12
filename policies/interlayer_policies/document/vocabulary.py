"""The values that the facets of scopes and calls may have: what is said otherwise is no proof of being elsewhere.

`facets.yaml` beside the policies: facet -> value -> `{in: parent or [parents], aliases: [other words for it]}`. The
values that scopes name count too. Case, punctuation, blanks and plural do not matter, and a country is known by its
names and codes. A value that nobody declared counts as not given, so that a synonym never lifts a rule.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, ValidationError

from interlayer.text.yaml_source import InvalidFile, problems_of, read_yaml
from interlayer_policies.document.countries import country_codes
from interlayer_policies.document.policy import (
    FACET_OF_SCOPE_KEY,
    Policy,
    PolicyFile,
    Problem,
    Scope,
    folded,
    is_pattern,
)
from interlayer_policies.document.spelling import key_of

VOCABULARY_FILE: Final = "facets.yaml"
"""Its path below the policy folder; no policy may have it as its id."""

_NEAREST_KEPT: Final = 1_000

FACETS: Final[Mapping[str, str]] = {
    name: FACET_OF_SCOPE_KEY[name] for name in ("regions", "audiences", "channels", "teams", "tags")
}
"""Name in `facets.yaml` and in scopes -> name in a call."""


def _one_or_many(given: Any) -> Any:
    return [given] if isinstance(given, str | int) else given or ()


_Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], BeforeValidator(_one_or_many)]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    parents: _Names = Field(default=(), alias="in")
    aliases: _Names = ()


class _File(RootModel[dict[str, dict[str, _Value | None]]]):
    """Facet -> value -> what it lies in and how else it is called."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet as it was declared, with the values that it lies in and its other names."""

    name: str
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The values of each facet, by the facet's name in a call; values are compared as `key_of` says."""

    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict[str, tuple[Value, ...]])

    def facets(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each facet with the names of its values, as they were declared."""
        for facet, values in self.values.items():
            yield facet, tuple(value.name for value in values)

    def read(self, facet: str, said: str) -> str | None:
        """Return the declared value, folded, that somebody means; None for one that is not known, or not given."""
        key = key_of(said)
        if key in _NOT_GIVEN:
            return None
        found = self._by_key.get(facet, {}).get(key)
        if found is None and facet == "region":
            found = self._by_country.get(country_codes().get(key, ""))
        return found

    def nearest(self, facet: str, said: str) -> str | None:
        """Return the declared value, as declared, that is written most like this one, None where none is like it."""
        return self._nearest(facet, key_of(said))

    @cached_property
    def _nearest(self) -> Callable[[str, str], str | None]:
        """Look values up once: callers say the same ones, and each would be held against all that there are."""
        return lru_cache(maxsize=_NEAREST_KEPT)(self._find_nearest)

    def _find_nearest(self, facet: str, key: str) -> str | None:
        known = self._by_key.get(facet, {})
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        names = {folded(value.name): value.name for value in self.values.get(facet, ())}
        return names[known[close[0]]] if close else None

    def ancestors(self, facet: str, value: str) -> tuple[str, ...]:
        """Return everything that a value lies in, folded, sorted."""
        return tuple(sorted(_reachable(value, self._parents.get(facet, {}))))

    def descendants(self, facet: str, value: str) -> frozenset[str]:
        """Return everything that lies in a value, folded."""
        return frozenset(_reachable(value, self._children.get(facet, {})))

    def narrower(self, facet: str, values: Collection[str]) -> frozenset[str]:
        """Return the values that the narrowest of these may mean more exactly, with everything that these lie in."""
        below = {value: self.descendants(facet, value) for value in values}
        meant = frozenset().union(*(inner for inner in below.values() if not inner & set(values)))
        return meant.union(*(self.ancestors(facet, value) for value in meant))

    @cached_property
    def _by_key(self) -> Mapping[str, Mapping[str, str]]:
        """Facet -> key -> value; a name goes before an alias."""
        found: dict[str, dict[str, str]] = {}
        for facet, values in self.values.items():
            keys = found[facet] = {}
            for value in values:
                keys[key_of(value.name)] = folded(value.name)
            for value in values:
                for alias in value.aliases:
                    keys.setdefault(key_of(alias), folded(value.name))
        return found

    @cached_property
    def _by_country(self) -> Mapping[str, str]:
        """ISO code -> region that is this country, by its name or one of its aliases."""
        codes, found = country_codes(), dict[str, str]()
        for value in self.values.get("region", ()):
            for name in (value.name, *value.aliases):
                if code := codes.get(key_of(name)):
                    found.setdefault(code, folded(value.name))
        return found

    @cached_property
    def _parents(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        found: dict[str, dict[str, frozenset[str]]] = {}
        for facet, values in self.values.items():
            known = self._by_key[facet]
            found[facet] = {
                folded(value.name): frozenset(known.get(key_of(one), folded(one)) for one in value.parents)
                for value in values
            }
        return found

    @cached_property
    def _children(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        found: dict[str, dict[str, set[str]]] = {}
        for facet, by in self._parents.items():
            for value, parents in by.items():
                for parent in parents:
                    found.setdefault(facet, {}).setdefault(parent, set()).add(value)
        return {facet: {value: frozenset(below) for value, below in by.items()} for facet, by in found.items()}


def is_given(said: str) -> bool:
    """Return whether a value says anything at all: `unknown`, `none` and `any` do not."""
    return key_of(said) not in _NOT_GIVEN


_NOT_GIVEN: Final = frozenset(map(key_of, ("", "unknown", "none", "any", "null", "n/a", "not applicable")))


def canonical(scope: Scope, vocabulary: Vocabulary) -> Scope:
    """Return a scope whose plain values are those that the vocabulary declares: `Germany` as `de`."""
    return Scope(
        tuple(
            (facet, tuple(sorted({one if is_pattern(one) else vocabulary.read(facet, one) or one for one in patterns})))
            for facet, patterns in scope.limits
        )
    )


def with_scopes(vocabulary: Vocabulary, policies: Iterable[Policy]) -> Vocabulary:
    """Return a vocabulary with the values that the scopes of policies name and it does not have."""
    values = {facet: list(known) for facet, known in vocabulary.values.items()}
    for policy in policies:
        for facet, patterns in policy.scope.limits:
            if facet not in FACETS.values():
                continue
            for pattern in patterns:
                if not is_pattern(pattern) and vocabulary.read(facet, pattern) is None:
                    values.setdefault(facet, []).append(Value(pattern))
    return Vocabulary({facet: tuple(dict.fromkeys(known)) for facet, known in values.items()})


def parse_vocabulary(file: PolicyFile) -> Vocabulary | list[Problem]:
    """Return the vocabulary of a file, or everything that keeps it from being one."""
    try:
        located = read_yaml(file.text, file.path)
    except InvalidFile as error:
        return [Problem(file.path, one.line, str(one)) for one in error.problems]
    try:
        read = _File.model_validate(located.data or {})
    except ValidationError as error:
        found = problems_of(error.errors(), located, lambda _: ("in", "aliases"))
        return [Problem(file.path, one.line, str(one)) for one in found]
    strange = [name for name in read.root if name not in FACETS]
    if strange:
        return [
            Problem(file.path, located.line((name,)), f"{name!r} is no facet; there are {', '.join(FACETS)}")
            for name in strange
        ]
    values = {
        FACETS[name]: tuple(
            Value(value, given.parents, given.aliases) if given else Value(value) for value, given in declared.items()
        )
        for name, declared in read.root.items()
    }
    vocabulary = Vocabulary(values)
    lines = {FACETS[name]: located.line((name,)) for name in read.root}
    return [Problem(file.path, lines[facet], message) for facet, message in _mistakes(vocabulary)] or vocabulary


def _mistakes(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Yield what is wrong: the facet as a call names it, and a sentence."""
    for facet, values in vocabulary.values.items():
        meant: dict[str, str] = {}
        for name, value in ((name, one) for one in values for name in (one.name, *one.aliases)):
            if not is_given(name):
                yield facet, f"{name!r} means that nothing is given; choose another word"
            elif meant.setdefault(key_of(name), value.name) != value.name:
                both = f"{meant[key_of(name)]!r} and for {value.name!r}"
                yield facet, f"{name!r} stands for {both}; it can mean one of them"
        for value in values:
            strange = [parent for parent in value.parents if key_of(parent) not in meant]
            if strange:
                yield (
                    facet,
                    f"{value.name!r} lies in {strange[0]!r}, which is no value of this facet; declare it as one",
                )
            elif folded(value.name) in vocabulary.ancestors(facet, folded(value.name)):
                yield facet, f"{value.name!r} lies in itself"


def _reachable(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for one in edges.get(waiting.pop(), ()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found
