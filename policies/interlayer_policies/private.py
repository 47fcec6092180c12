"""Private data in a draft: where it stands in the words as they were written."""

from collections.abc import Iterator

from interlayer.text.private import PERSONAL, secret_spans
from interlayer_policies.draft import Draft, Span


def personal(draft: Draft, kinds: list[str]) -> Iterator[Span]:
    """Yield what looks like personal data of these kinds (keys of `PERSONAL`)."""
    for kind in kinds:
        for start, end in PERSONAL[kind](draft.plain):
            yield draft.original(start, end)


def secrets(draft: Draft) -> Iterator[Span]:
    """Yield what looks like a key, a token or a password."""
    for start, end in secret_spans(draft.plain):
        yield draft.original(start, end)
