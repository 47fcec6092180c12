"""The item-store port: partitioned, ordered, versioned JSON items with all-or-nothing conditional writes.

It is small enough to be honest on both SQLite and DynamoDB, and knows no domain. The contract that every adapter
keeps is `tests/contract/test_items.py`:

- reads are strongly consistent: a returned write is seen by every later read of every process;
- `transact` applies all of its operations or none, and names the keys whose expectation failed;
- items of a partition come back in the byte order of their sort keys;
- an expired item (`expires_at`, seconds since 1970) is never returned, whether or not it was removed yet.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol

from interlayer.errors import Conflict

Table = Literal["memory", "governance", "audit"]
Body = Mapping[str, Any]

# The smallest of the real limits of the stores we run on (DynamoDB: 400 KB an item, 100 items and 4 MB a
# transaction), enforced by every adapter, so that nothing works on a laptop and fails in production.
ITEM_BYTES_MAX: Final = 350_000
TRANSACT_OPERATIONS_MAX: Final = 100
TRANSACT_BYTES_MAX: Final = 3_800_000

ABSENT: Final = 0
"""Expected version of an item that must not exist yet."""

LAST: Final = "\U0010ffff"
"""Sorts after every sort key in use."""


class Key(NamedTuple):
    """Address of an item. Every partition begins with the organization.

    A named tuple, because keys are made, compared and looked up many times a call.
    """

    table: Table
    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item. `version` is 1 when first put and one more at each later put.

    A put that expects nothing may give any version that is higher than those before.
    `expires_at` is only told by `scan`.
    """

    key: Key
    version: int
    body: Body
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write `body`, if the stored version is `expect` (`ABSENT`: if there is none, None: whatever it is)."""

    key: Key
    body: Body
    expect: int | None = ABSENT
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the item, if the stored version is `expect` (None: whatever it is, even nothing)."""

    key: Key
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing, but fail the transaction unless the stored version is `expect`."""

    key: Key
    expect: int


Operation = Put | Delete | Check


@dataclass(frozen=True, slots=True)
class Span:
    """A range of sort keys: `start` inclusive, `end` exclusive."""

    start: str = ""
    end: str = LAST

    @classmethod
    def prefix(cls, prefix: str) -> "Span":
        """Return the span of all sort keys that begin with `prefix`."""
        return cls(prefix, prefix + LAST)


EVERYTHING: Final = Span()


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order; `cursor` is where the next page begins, None when this was the last."""

    items: Sequence[Item]
    cursor: str | None = None


class VersionConflict(Conflict):
    """At least one expectation of a transaction did not hold; nothing was written."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__("written by someone else: " + ", ".join(f"{key.partition}/{key.sort}" for key in keys))
        self.keys = tuple(keys)


class ItemStore(Protocol):
    """The port. Raises `Unavailable` when the store cannot be reached and `Corrupt` when it cannot be read."""

    async def get(self, key: Key) -> Item | None:
        """Return the item, or None."""
        ...

    async def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return those of the items that exist."""
        ...

    async def query(
        self,
        table: Table,
        partition: str,
        span: Span = EVERYTHING,
        *,
        reverse: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """Return items of a partition in sort order. Without `limit`: all of them, pages followed."""
        ...

    def scan(self, table: Table, prefix: str) -> AsyncGenerator[Item]:
        """Yield every item of every partition that begins with `prefix`, in no promised order.

        For copies of a whole organization and nothing else: it reads everything. Where the store can, it reads one
        moment's state.
        """
        ...

    async def transact(self, operations: Sequence[Operation]) -> None:
        """Apply all operations or none.

        At most one operation a key, `TRANSACT_OPERATIONS_MAX` of them, `TRANSACT_BYTES_MAX` bytes together and
        `ITEM_BYTES_MAX` an item: over that, `InvalidInput`. Raises `VersionConflict` when an expectation fails.
        """
        ...

    async def note(self, put: Put) -> None:
        """Write one item as `transact` does, and at least so that it outlives this process.

        Where that is quicker it is not waited for the disk: a loss of power may take back what was noted last.
        """
        ...

    async def purge(self, until_s: float | None = None) -> int:
        """Remove items that have expired, by an earlier instant if one is given; return how many.

        A store that does so by itself has nothing to do.
        """
        ...

    async def scrub(self) -> None:
        """Return only when no deleted data can be read from the store's files any more, as far as it rules them."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...
