"""Who is calling. The transport injects it; no tool argument can change it."""

from dataclasses import dataclass, field
from typing import Final

ALL_ROLES: Final = frozenset({"reader", "reader:restricted", "writer", "eraser", "steward", "auditor", "operator"})
"""What a local caller may do unless it is said otherwise."""

KNOWN_ROLES: Final = ALL_ROLES | {"reader:personal", "privacy"}
"""All that can be given. `privacy`, for work on the data of a person, is always given by name."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The organization, agent and person behind a call, and what it may do."""

    organization: str
    agent: str
    roles: frozenset[str] = ALL_ROLES
    teams: frozenset[str] = frozenset()
    user: str = ""
    """On whose behalf the agent calls; empty where it calls for itself."""
    actors: tuple[str, ...] = ()
    """Who acts for the user by the token's `act`, the present actor first."""
    proven: bool = field(default=False, compare=False)
    """Whether an API key or a token shows who it is; a local caller only says so."""

    @property
    def person(self) -> str:
        """Who answers for what is done: the user, or the agent where it calls for itself."""
        return self.user or self.agent

    @property
    def record(self) -> dict[str, str | list[str]]:
        """What records say of a caller beside its agent: nothing where there is nothing to say."""
        told: dict[str, str | list[str]] = {"user": self.user} if self.user else {}
        return {**told, "actors": list(self.actors)} if self.actors else told
