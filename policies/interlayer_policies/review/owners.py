"""Who answers for which policies, and of which nobody can be asked."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from interlayer_policies.document.policy import Policy, Problem

_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|https?://\S+")
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Ownership:
    """An owner, with the ids of the policies that name it; `warning` says why nobody can be asked, if so."""

    owner: str
    policies: tuple[str, ...]
    warning: str = ""


def owners(policies: Iterable[Policy]) -> tuple[Ownership, ...]:
    """Return who owns what, by owner; what nobody owns comes first."""
    owned: dict[str, list[str]] = {}
    for policy in sorted(policies, key=lambda one: one.id):
        owned.setdefault(" ".join(policy.owner.split()), []).append(policy.id)
    return tuple(Ownership(owner, tuple(ids), _warning(owner)) for owner, ids in sorted(owned.items()))


def owner_problems(policies: Iterable[Policy]) -> Iterator[Problem]:
    """Yield one warning for the policies that nobody answers for, at the first of them."""
    left = [policy for policy in policies if not policy.owner.strip()]
    if left:
        named = ", ".join(policy.id for policy in left[:_NAMED]) + (
            f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        )
        yield Problem(left[0].file, 1, f"nobody answers for {named}: write owner: with their address", "warning")


def _warning(owner: str) -> str:
    if not owner:
        return "nobody answers for these; write owner: with the address of somebody who does"
    return "" if _ADDRESS.search(owner) else "no address: write an e-mail address or a link, so that they can be asked"
