"""Breaking the glass: what may be published before its approvers agree, and until when they have to look at it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from interlayer.errors import Refused
from interlayer.ids import timestamp
from interlayer_policies.document.names import fold_id
from interlayer_policies.publication.proposals import Proposal

REVIEW_DAYS: Final = 7
"""How long what was published without approval may wait for its approvers before the glass is not broken again."""


def check_named(asked_of: Iterable[str], only: Sequence[str]) -> None:
    """Raise `Refused` unless each policy whose approvers are passed over is named."""
    named = set(map(fold_id, only))
    if left := [one for one in asked_of if fold_id(one) not in named]:
        options = " ".join(f"--only {one}" for one in (*only, *left))
        told = f"this changes what the approvers of {', '.join(left)} answer for"
        raise Refused(f"the glass is broken for policies by name; {told}. Name what cannot wait: {options}")


def check_reviewed(proposals: Iterable[Proposal], now: datetime) -> None:
    """Raise `Refused` while somebody still has to look at what was published without approval long ago."""
    limit = timestamp(now - timedelta(days=REVIEW_DAYS))
    if late := [one.id for one in proposals if one.state == "break_glass" and one.at < limit]:
        told = f"{', '.join(late)} was published without approval over {REVIEW_DAYS} days ago"
        raise Refused(f"the glass is not broken again: {told}, and its approvers have not approved or rejected it yet")
