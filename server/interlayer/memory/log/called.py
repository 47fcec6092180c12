"""What an entity is called, to tell by it who may be whom: by names, by mailboxes and domains, and how these sound."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.fuzzy_names import sound_of, stands_for, words_lacking, words_of
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import Head
from interlayer.text.confusables import skeleton
from interlayer.text.mail_domains import is_private_mailbox

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
