"""Who is calling. The transport injects it; no tool argument can change it."""

from dataclasses import dataclass

ALL_ROLES = frozenset({"reader", "writer", "steward", "auditor", "operator"})


@dataclass(frozen=True, slots=True)
class Principal:
    """The organization and agent behind a call, and what it may do."""

    organization: str
    agent: str
    roles: frozenset[str] = ALL_ROLES
    teams: frozenset[str] = frozenset()
