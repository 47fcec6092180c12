"""What must not leave in a draft: the shapes of `interlayer.text.private`, seen through tricks of writing."""

from collections.abc import Iterator

from interlayer.text import private
from interlayer_policies.checks.draft import Draft, Span


def personal(draft: Draft, kinds: list[str]) -> Iterator[Span]:
    """Yield what looks like personal data of these kinds (keys of `interlayer.text.private.PERSONAL`)."""
    for kind in kinds:
        for start, end in private.PERSONAL[kind](draft.plain):
            yield draft.original(start, end)


def secrets(draft: Draft) -> Iterator[Span]:
    """Yield what looks like a key, a token or a password."""
    for start, end in private.secrets(draft.plain):
        yield draft.original(start, end)
