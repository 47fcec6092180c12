"""Who has to agree to a change of a policy."""

from dataclasses import dataclass
from typing import Final

TEAM: Final = "team:"
"""Begins an approver that is a team."""


def is_team(approver: str) -> bool:
    """Return whether an approver is whoever is in a team."""
    return approver.strip().casefold().startswith(TEAM)


@dataclass(frozen=True, slots=True)
class Approvers:
    """Those who have to agree to a change: `quorum` of them, by their names, or as `team:NAME` whoever is in a team."""

    names: tuple[str, ...] = ()
    quorum: int = 1

    def __str__(self) -> str:
        """Return them in words."""
        return f"{self.quorum} of {', '.join(self.names)}" if self.quorum > 1 else " or ".join(self.names)
