"""What makes a place of a draft doubtful, whatever a check looks for there: somebody else says it, or it is denied."""

from interlayer_policies.checks.denials import denied
from interlayer_policies.checks.draft import Draft
from interlayer_policies.checks.findings import Why
from interlayer_policies.checks.quotations import quoted


def why_doubtful(draft: Draft, first: int, last: int) -> Why | None:
    """Return why the words [first, last) are not said by the writer as they stand; None if they are."""
    if not first < len(draft.words):
        return None
    if quoted(draft, first, last):
        return "quoted"
    return "denied" if denied(draft, first, last) else None
