"""What an entity is called, by which it is told who may be whom: names, mailboxes and domains, and how these sound."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.fuzzy_names import sound_of, stands_for, words_lacking, words_of
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import Head
from interlayer.text.confusables import look_alike, skeleton
from interlayer.text.mail_domains import is_private_mailbox

LOOK_ALIKE: Final = "look-alike characters"
SAME_NAME: Final = "same name"
OTHER_FORM: Final = "same name in another form"
SIMILAR_NAME: Final = "similar name"
IN_ADDRESS: Final = "name in the address"
SAME_DOMAIN: Final = "same domain"
_STRONGEST_FIRST: Final = (LOOK_ALIKE, SAME_NAME, OTHER_FORM, IN_ADDRESS, SIMILAR_NAME)

_SPOKEN: Final = re.compile(r"^[^@/]*[^\W\d_][^@/]*$")
_NAMES_MAX: Final = 5
_ADDRESSES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Called:
    """The display names of an entity, and its `handles`: mailboxes and domains, which often tell a name as well.

    `mail_domains` are the domains of its mailboxes that are a company's.
    """

    names: tuple[str, ...]
    handles: tuple[str, ...]
    mail_domains: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], identifiers: Mapping[str, Sequence[str]]) -> "Called":
        """Read what an entity of these names and identifiers is called; what has the look of an address is no name."""
        known = {value for values in identifiers.values() for value in values}
        spoken = [name for name in names if fold_name(name) not in known and _SPOKEN.search(name)]
        mails = [value.rpartition("@") for value in identifiers.get("email", ())[:_ADDRESSES_MAX]]
        labels = [value.partition(".")[0] for value in identifiers.get("domain", ())[:_ADDRESSES_MAX]]
        handles = [handle for handle in (*(mailbox for mailbox, _, _ in mails), *labels) if words_of(handle)]
        domains = [domain for _, _, domain in mails if domain and not is_private_mailbox(domain)]
        return cls(*(tuple(dict.fromkeys(one)) for one in (spoken[:_NAMES_MAX], handles, domains)))

    @classmethod
    def publicly(cls, head: Head) -> "Called":
        """Read what an entity is called by the whole organization."""
        if not head.labels:
            return cls.of((head.name, *head.names), head.identifiers)
        label = head.labels.get("")
        return cls.of((label.name, *label.names), label.identifiers) if label else cls((), (), ())

    @property
    def sounds(self) -> tuple[str, ...]:
        """What is equal for entities that may be one by what they are called: typing errors and look-alikes beside."""
        return tuple(dict.fromkeys(_sounds(self.names or self.handles)))

    def may_be(self, other: "Called") -> bool:
        """Tell whether two may be one by what they are called: nothing that tells a name tells two different ones."""
        if self.names and other.names:
            return any(words_lacking(one, another) is not None for one in self.names for another in other.names)
        if self.names or other.names:
            named, nameless = (self, other) if self.names else (other, self)
            pairs = ((handle, name) for handle in nameless.handles for name in named.names)
            return not nameless.handles or any(stands_for(handle, name) for handle, name in pairs)
        if not (self.handles and other.handles):
            return True
        return any(words_lacking(one, another) is not None for one in self.handles for another in other.handles)


def _sounds(names: Sequence[str]) -> Iterator[str]:
    """Yield how the last word of each name sounds, with the first letter of the first word."""
    for name in names:
        words = words_of(skeleton(name))
        if words:
            yield sound_of(words[-1]) + words[0][0]


def reasons_for(one: Called, other: Called) -> list[str]:
    """Return the reasons for two entities being one, the strongest first; none where too little speaks for it.

    Nothing alone speaks for it but a name. One that is only similar does not where two companies' addresses, or a
    single word, may be those of two people.
    """
    found = set(_of_names(one, other))
    domains = _pairs(one.mail_domains, other.mail_domains)
    imitated = any(look_alike(*pair) for pair in domains)
    if imitated and (found or set(one.handles) & set(other.handles)):
        found.add(LOOK_ALIKE)
    name = next((reason for reason in _STRONGEST_FIRST if reason in found), None)
    is_shared = any(mine == theirs for mine, theirs in domains)
    is_apart = bool(domains) and not is_shared and name != LOOK_ALIKE
    if name is None or (is_apart and (name == SIMILAR_NAME or _is_short(one, other))):
        return []
    return [name, *([SAME_DOMAIN] if is_shared else [])]


def _of_names(one: Called, other: Called) -> Iterator[str]:
    """Yield in which ways two entities are called alike."""
    for mine, theirs in _pairs(one.names, other.names):
        yield from _of_two(mine, theirs)
    if one.names and other.names:
        return
    for mine, theirs in _pairs(one.names or one.handles, other.names or other.handles):
        first, second = words_of(mine), words_of(theirs)
        if look_alike("".join(first), "".join(second)):
            yield LOOK_ALIKE
        elif sorted(first) == sorted(second) and (one.names or other.names or len(first) > 1):
            yield IN_ADDRESS


def _of_two(one: str, other: str) -> Iterator[str]:
    """Yield how two names are alike."""
    first, second = words_of(one), words_of(other)
    if fold_name(one) == fold_name(other):
        yield SAME_NAME
    elif sorted(first) == sorted(second):
        yield OTHER_FORM
    elif look_alike(" ".join(first), " ".join(second)):
        yield LOOK_ALIKE
    elif _is_near(one, other):
        yield SIMILAR_NAME


def _is_near(one: str, other: str) -> bool:
    lacking = words_lacking(one, other)
    return lacking == 0 or (lacking == 1 and min(len(words_of(one)), len(words_of(other))) > 1)


def _is_short(one: Called, other: Called) -> bool:
    """Tell whether one of two is called by a single word, which many may be called."""
    return any(all(len(words_of(name)) < 2 for name in called.names or called.handles) for called in (one, other))


def _pairs(one: Collection[str], other: Collection[str]) -> list[tuple[str, str]]:
    return [(mine, theirs) for mine in one for theirs in other]
