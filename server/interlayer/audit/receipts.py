"""Receipts: one item in the `audit` table for each thing that happened too often to be chained one by one.

A receipt joins the transaction of what it records, or is a put of its own; it holds no content, only an HMAC under a
key of the organization: whoever has the words can show that they are the ones, and nobody can read them from it. It
lies in a partition for each hour (UTC) of its making. `interlayer.audit.sealing` brings it into the audit trail.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from interlayer.errors import Conflict, Corrupt
from interlayer.ids import Clock, new_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Key, Put
from interlayer.storage.optimistic import apply_if_unchanged

RECEIPT: Final = "rc"
"""Prefix of a receipt's id."""

_HOUR: Final = "%Y%m%d%H"

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
_KEY_BYTES: Final = 32
_DAY_S: Final = 86_400


def receipts_partition(organization: str, hour: str) -> str:
    """Return the partition of the receipts of an hour."""
    return f"{organization}#receipts#{hour}"


def hour_of(instant: datetime) -> str:
    """Return the hour of an instant as `YYYYMMDDHH`, UTC."""
    return instant.astimezone(UTC).strftime(_HOUR)


def end_of(hour: str) -> datetime:
    """Return the instant at which an hour is past. Raises `ValueError` for what is no hour."""
    return datetime.strptime(hour, _HOUR).replace(tzinfo=UTC) + timedelta(hours=1)


def canonical_json(body: Mapping[str, Any]) -> bytes:
    """Return the one form in which audit data is hashed: sorted keys, no spaces, UTF-8 (docs/auditing.md).

    Half a surrogate pair cannot be stored; where somebody has forged one, it is hashed like anything else.
    """
    return _CANONICAL.encode(body).encode(errors="surrogatepass")


def sealed(key: bytes, text: str) -> str:
    """Return the HMAC-SHA-256 of a text, in hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class ReceiptBook:
    """Makes out receipts, to be kept for so many days (None: for ever), and keeps the keys of the organizations."""

    def __init__(self, store: ItemStore, clock: Clock, days: int | None = None) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._keys: dict[str, bytes] = {}

    def made(self, principal: Principal, kind: str, detail: Mapping[str, Any]) -> Put:
        """Build the operation that writes a receipt; the sort key is its id."""
        now = self._clock()
        caller = {"agent": principal.agent, **principal.record}
        body: dict[str, Any] = {"at": timestamp(now), **caller, "kind": kind, **detail}
        if self._days is not None:
            body["expires_at"] = int(now.timestamp()) + self._days * _DAY_S  # in the body too: sealed with the rest
        place = Key("audit", receipts_partition(principal.organization, hour_of(now)), new_id(RECEIPT, now))
        return Put(place, body, expires_at=body.get("expires_at"))

    async def key(self, organization: str) -> bytes:
        """Return the organization's key, made at first use by whichever process comes first."""
        if organization not in self._keys:
            key = await read_key(self._store, organization)
            if key is None:
                # Where that fails, another process was first.
                made = Put(_key_place(organization), {"key": secrets.token_hex(_KEY_BYTES)})
                await apply_if_unchanged(self._store, [made])
                key = await read_key(self._store, organization)
            if key is None:
                raise Conflict("the key of the receipts is not there any more; try again")
            self._keys[organization] = key
        return self._keys[organization]


async def read_key(store: ItemStore, organization: str) -> bytes | None:
    """Return the organization's key, None where none was needed yet. Raises `Corrupt`."""
    item = await store.get(_key_place(organization))
    return _key_of(item) if item else None


def _key_place(organization: str) -> Key:
    return Key("governance", f"{organization}#policies", "receipt-key")


def _key_of(item: Item) -> bytes:
    try:
        key = bytes.fromhex(item.body["key"])
    except (KeyError, TypeError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Corrupt("the key of the receipts is damaged; restore a backup.")
    return key
