"""What a policy says where a person who reads it does not look: characters that cannot be seen, and comments."""

from collections.abc import Iterator
from typing import Final

from interlayer.text.visible import unseen
from interlayer_policies.document.policy import PolicyFile, Problem

_NAMED: Final = 5


def hidden_problems(file: PolicyFile) -> Iterator[Problem]:
    """Yield a warning for each line that holds what its readers do not see."""
    for number, line in enumerate(file.text.splitlines(), start=1):
        if found := unseen(line):
            named = ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
            yield Problem(file.path, number, f"characters that cannot be seen: {named}; models read them", "warning")
        if "<!--" in line:
            message = "a comment, which nobody sees on a rendered page and models read as guidance"
            yield Problem(file.path, number, message, "warning")
