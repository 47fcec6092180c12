"""What sentences and entries of a text are to each other: an introduction, a label, a choice, one rule or several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.obligations import (
    Obligation,
    ends_in_obligation,
    ends_in_that,
    find_obligation,
    opens_with_condition,
    opens_with_pointer,
)
from interlayer.text.sentences import sentences
from interlayer_policies.document.policy import BINDING_LEVELS, Level
from interlayer_policies.rule_files.outline import Node

_WITH_ITS_REASON_MAX: Final = 320
"""Characters of an entry that becomes a rule with the sentences that explain it; of a longer one only what obliges."""

_LABEL_MAX: Final = 80
_BARE_WORDS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Lead:
    """The line that introduces what follows, and what it says that this must do."""

    text: str
    obligation: Obligation | None = None

    @property
    def level(self) -> Level | None:
        """What it says that the rest has to do, None where it does not oblige."""
        binding = self.obligation is not None and self.obligation.place == "main"
        return self.obligation.force if binding and self.obligation else None

    @property
    def is_bare(self) -> bool:
        """Whether it only says that what follows is required: `our policy requires that`."""
        return self.level == "must" and len(self.text.split()) <= _BARE_WORDS_MAX and ends_in_that(self.text)


def introduces(node: Node, after: Node | None) -> bool:
    """Return whether a paragraph introduces what follows it."""
    if node.text.endswith((":", "：")):
        return True
    return after is not None and after.kind == "list" and ends_in_obligation(node.text)


def lead_of(text: str) -> Lead:
    """Return the last sentence of a text as what introduces the rest."""
    said = split_sentences(text)
    last = said[-1] if said else text
    return Lead(last.rstrip(" :："), find_obligation(last.rstrip(" :：")))


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, each in one line."""
    return [" ".join(text[one.start : one.end].split()) for one in sentences(text)] or ([text] if text else [])


def all_entries(entries: Sequence[Node]) -> Iterator[Node]:
    """Yield entries with all that stand below them."""
    for entry in entries:
        yield entry
        yield from all_entries(entry.below)


def is_one_rule(node: Node, said: Sequence[str], obligations: Sequence[Obligation | None]) -> bool:
    """Return whether a text with sentences that bind is a single rule: what explains one goes with it."""
    if len(said) == 1:
        return True
    binding = [number for number, one in enumerate(obligations) if is_binding(one)]
    allows = any(one is not None and one.force == "may" for one in obligations[binding[0] :])
    if len(node.text) > _WITH_ITS_REASON_MAX or allows:
        return False
    rests = opens_with_condition(said[0]) or said[0].endswith((":", "：")) or opens_with_pointer(said[0])
    one = len(binding) == 1 and (node.kind != "paragraph" or len(said) <= 2)
    return one or (rests and 0 not in binding)


def is_label(text: str) -> bool:
    """Return whether an entry only names what the entries below it are about."""
    return 0 < len(text) <= _LABEL_MAX and text[-1] not in ".!?;" and find_obligation(text) is None


def is_choice(node: Node) -> bool:
    """Return whether all entries but the last end in nothing, and one of them in or: the list is a choice."""
    return any(entry.text.casefold().rstrip(" ,;").endswith((" or", " oder", " ou")) for entry in node.below)


def binds(text: str) -> bool:
    """Return whether any sentence of a text binds by itself."""
    return any(is_binding(find_obligation(one)) for one in split_sentences(text))


def is_binding(obligation: Obligation | None) -> bool:
    """Return whether an obligation requires or forbids in a main clause."""
    return obligation is not None and obligation.place == "main" and obligation.force in BINDING_LEVELS


def force_of(obligation: Obligation | None) -> Level:
    """Return how strongly an obligation binds."""
    return obligation.force if obligation else "must"
