"""What a published set consists of, as it is stored: its head, its entries, its policies' sources, its record."""

import hashlib
from dataclasses import dataclass
from typing import Final

from interlayer_policies.delivery.waivers import Waiver
from interlayer_policies.document.names import fold_id

MENDED_BY: Final = "Publish or roll back with --break-glass, which writes the whole set anew."
"""The remedy for a damaged set."""


def sha256_of(text: str) -> str:
    """Return the hash of a policy's text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class SetEntry:
    """One policy of a set."""

    id: str
    version: int
    sha256: str
    title: str

    @property
    def key(self) -> str:
        """The id as it is compared."""
        return fold_id(self.id)


@dataclass(frozen=True, slots=True)
class Head:
    """Which set is published. `item_version` is the expectation of the next move.

    `waivers_unread`: some waivers could not be read; they exempt nobody.
    """

    revision: int
    set_hash: str
    item_version: int
    waivers: tuple[Waiver, ...] = ()
    waivers_unread: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A policy to publish: its file's path and text, and what the set says of it."""

    id: str
    title: str
    path: str
    text: str

    @property
    def key(self) -> str:
        """The id as it is compared."""
        return fold_id(self.id)

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return sha256_of(self.text)


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """One version of a policy, as it was written."""

    policy_id: str
    version: int
    title: str
    path: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """One policy of the published set; `waivers` are the ids of those that exempt from its rules now.

    `has_trial`: it is in trial, or some of its rules are.
    """

    id: str
    version: int
    title: str
    waivers: tuple[str, ...] = ()
    has_trial: bool = False


@dataclass(frozen=True, slots=True)
class PolicyListing:
    """The published set: its revision and its policies by id."""

    revision: int
    policies: tuple[PublishedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """Who published a set, when and why, and how many policies it changed. `at` is ISO 8601 in UTC."""

    revision: int
    at: str
    author: str
    reason: str
    total: int
    added: int
    changed: int
    removed: int
    set_hash: str
    approved_by: tuple[str, ...] = ()
    break_glass: bool = False


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A publication that changed a policy, and the version that it brought; None where it removed the policy."""

    publication: Publication
    version: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a set differs from the one before it: policy ids, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
