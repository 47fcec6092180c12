"""The vocabulary of a set as people read it, and the values of calls that reach no policy by what they say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from interlayer_policies.delivery.situation import read_situation
from interlayer_policies.delivery.snapshot import Snapshot
from interlayer_policies.document.policy import folded
from interlayer_policies.document.spelling import key_of
from interlayer_policies.document.vocabulary import Vocabulary, is_given

Standing = Literal["unknown", "not_given", "in_no_scope"]


@dataclass(frozen=True, slots=True)
class ListedValue:
    """A value of a facet, its other names, what it lies in, and how many policies name it in their scopes."""

    facet: str
    value: str
    aliases: tuple[str, ...]
    lies_in: tuple[str, ...]
    policies: int


@dataclass(frozen=True, slots=True)
class StrayValue:
    """A value that calls gave and that is in no scope, not in the vocabulary (`unknown`), or says nothing.

    `means` is the declared value that it stands for, `nearest` the one that is written most like it.
    """

    facet: str
    value: str
    standing: Standing
    calls: int
    last_at: str
    means: str | None = None
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class VocabularyUse:
    """The vocabulary in force, and of the calls since an instant the values that lead nowhere, most frequent first."""

    revision: int
    values: tuple[ListedValue, ...]
    used: tuple[StrayValue, ...] | None = None
    calls: int | None = None
    since: str | None = None


def listed_values(snapshot: Snapshot) -> tuple[ListedValue, ...]:
    """Return every value of the vocabulary of a set, those that only scopes name among them."""
    scopes = snapshot.scopes.scopes

    def naming(facet: str, value: str) -> int:
        wanted = folded(value)
        return sum(any(fnmatchcase(wanted, one) for one in scope.patterns(facet)) for scope in scopes)

    return tuple(
        ListedValue(facet, value.name, value.aliases, value.parents, naming(facet, value.name))
        for facet, values in snapshot.vocabulary.values.items()
        for value in values
    )


def stray_values(
    snapshot: Snapshot, calls: Iterable[tuple[str, Mapping[str, tuple[str, ...]]]]
) -> tuple[StrayValue, ...]:
    """Return the values that reach no scope, of calls given as their instant and facets, newest first."""
    counts: Counter[tuple[str, str]] = Counter()
    spelled: dict[tuple[str, str], tuple[str, str]] = {}  # as the newest call has it, and when that was
    for at, facets in calls:
        for facet, said in facets.items():
            for one in dict.fromkeys(said):
                key = facet, key_of(one) or folded(one)
                counts[key] += 1
                spelled.setdefault(key, (one, at))
    found = [
        _stray(snapshot.vocabulary, facet, spelled[facet, key], count, standing)
        for (facet, key), count in counts.items()
        if (standing := _standing(snapshot, facet, spelled[facet, key][0]))
    ]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.facet, one.value)))


def _standing(snapshot: Snapshot, facet: str, said: str) -> Standing | None:
    if not is_given(said):
        return "not_given"
    situation = read_situation({facet: (said,)}, snapshot.vocabulary)
    if not situation:
        return "unknown"
    limited = snapshot.scopes.limited.get(facet)
    reached = limited is not None and bool((limited & snapshot.scopes.in_scope(situation)).any())
    return None if reached else "in_no_scope"


def _stray(vocabulary: Vocabulary, facet: str, spelled: tuple[str, str], calls: int, standing: Standing) -> StrayValue:
    said, at = spelled
    means = vocabulary.read(facet, said)
    names = {folded(value.name): value.name for value in vocabulary.values.get(facet, ())}
    near = vocabulary.nearest(facet, said) if standing == "unknown" else None
    return StrayValue(facet, said, standing, calls, at, names.get(means or "", means), near)
