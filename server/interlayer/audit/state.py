"""The state that the trail answers for: each event and receipt holds a digest of the items that were written with it.

So whoever rewrites an item behind everybody's back is at odds with the trail. A digest is an HMAC under the key of the
organization: the words of a memory cannot be guessed from it. What can be made anew from the rest, such as indexes and
the places of names, is left out; `interlayer reconcile` and `interlayer memory` have their own ways to mend that.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from interlayer.audit.receipts import canonical_json
from interlayer.storage.items import Delete, Item, Key, Operation, Put, Table

STATE: Final = "state"
"""The field of an event or a receipt that holds the digests, by the names of the items."""
KEY: Final = ""
"""The name under which the state of an event holds the fingerprint of the key."""
GONE: Final = ""
"""In place of the digest of an item that was deleted."""

HEAD: Final = "now"
"""Sort key of the head of an entity. Its state is `REVISION:DIGEST`: receipts may be read in any order."""

SCHEMA: Final = "settings/schema"
"""The name of the record of the schema."""

_DIGEST: Final = 32

_TABLES: Final[Mapping[str, Table]] = {
    "policies": "governance",
    "access": "governance",
    "proposals": "governance",
    "settings": "memory",
    "e": "memory",
    "s": "memory",
}
_SORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "policies": ("head", "set#", "part#"),
    "settings": ("schema", "model"),
    "e": ("m#", HEAD),
}
"""With what the sort keys of a kind begin that the trail answers for; of any other kind they all are."""


class Name(NamedTuple):
    """An item as the trail names it, without the organization: `KIND[#REST]/SORT`."""

    text: str
    kind: str
    rest: str
    sort: str

    def key(self, organization: str) -> Key:
        """Return where the item lies."""
        partition = self.text[: len(self.text) - len(self.sort) - 1]
        table = _TABLES[self.kind]
        return Key(
            table, f"{memory_organization(organization) if table == 'memory' else organization}#{partition}", self.sort
        )


def name_of(key: Key) -> Name | None:
    """Return what the trail calls an item, None for one that it does not answer for."""
    _, _, partition = key.partition.partition("#")
    kind, _, rest = partition.partition("#")
    begins = _SORTS.get(kind, ("",))
    if _TABLES.get(kind) != key.table or not key.sort.startswith(begins):
        return None
    return Name(f"{partition}/{key.sort}", kind, rest, key.sort)


def read_name(text: str) -> Name | None:
    """Return the name that a record holds, None for what is no name."""
    partition, slash, sort = text.rpartition("/")
    kind, _, rest = partition.partition("#")
    is_sound = slash and sort and kind in _TABLES and text.isprintable()
    return Name(text, kind, rest, sort) if is_sound else None


def state_of(key: bytes, operations: Sequence[Operation]) -> dict[str, str]:
    """Return the state that operations make: of each item that the trail answers for its digest."""
    found: dict[str, str] = {}
    for one in operations:
        name = name_of(one.key)
        if name and isinstance(one, Put):
            found[name.text] = value_of(key, name, one.body)
        elif name and isinstance(one, Delete):
            found[name.text] = GONE
    return found


def stock_of(key: bytes, items: Sequence[Item]) -> dict[str, str]:
    """Return the state of items that are there already."""
    named = [(name_of(item.key), item) for item in items]
    return {name.text: value_of(key, name, item.body) for name, item in named if name}


def value_of(key: bytes, name: Name, body: Mapping[str, Any]) -> str:
    """Return what a record holds of an item with this body."""
    digest = hmac.new(key, canonical_json(body), hashlib.sha256).hexdigest()[:_DIGEST]
    return f"{body.get('revision')}:{digest}" if name.kind == "e" and name.sort == HEAD else digest


def revision_of(value: str) -> int:
    """Return the revision of a head by its state; -1 where it says none."""
    revision, colon, _ = value.partition(":")
    return int(revision) if colon and revision.isdecimal() else -1


def fingerprint(key: bytes) -> str:
    """Return what tells a key from any other, and nothing else of it."""
    return hashlib.sha256(b"interlayer receipt key" + key).hexdigest()[:_DIGEST]


def settings_keys(organization: str) -> list[Key]:
    """Return the keys of what is set before there is a trail."""
    return [Key("memory", f"{memory_organization(organization)}#settings", sort) for sort in _SORTS["settings"]]


def partitions(organization: str) -> list[tuple[Table, str]]:
    """Return the partitions of governance of which every item has to be on record."""
    return [("governance", f"{organization}#{kind}") for kind in ("policies", "access", "proposals")]


def prefixes(organization: str) -> list[str]:
    """Return with what the partitions of memory begin of which every item has to be on record."""
    return [f"{memory_organization(organization)}#{kind}#" for kind in ("e", "s")]


def memory_organization(organization: str) -> str:
    """Return an organization as the partitions of memory begin with it."""
    return organization.replace("%", "%25").replace("#", "%23")
