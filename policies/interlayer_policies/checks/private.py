"""What must not leave in a draft: the shapes of `interlayer.text.private`, seen through tricks of writing."""

from collections.abc import Iterator

from interlayer.text import private
from interlayer_policies.checks.draft import Draft, Span


def personal(draft: Draft, kinds: list[str]) -> Iterator[Span]:
    """Yield what looks like personal data of these kinds (keys of `interlayer.text.private.PERSONAL`).

    Of two that overlap the longer is the real one: the tail of an IBAN is no phone number.
    """
    found = sorted(
        (place for kind in kinds for place in private.PERSONAL[kind](draft.plain)),
        key=lambda place: (place[0] - place[1], place[0]),
    )
    taken: set[int] = set()
    for start, end in found:
        if start not in taken and end - 1 not in taken:
            taken.update(range(start, end))
            yield draft.original(start, end)


def secrets(draft: Draft) -> Iterator[Span]:
    """Yield what looks like a key, a token or a password."""
    for start, end in private.secrets(draft.plain):
        yield draft.original(start, end)
