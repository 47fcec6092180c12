"""The Merkle tree of RFC 6962: leaves and nodes are hashed with different first bytes, so none passes as the other."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from interlayer.audit.receipts import canonical_json


def receipt_leaf(receipt_id: str, body: Mapping[str, Any]) -> str:
    """Return the leaf hash of a receipt: SHA-256 of a zero byte and its canonical JSON, the id included."""
    return hashlib.sha256(b"\x00" + canonical_json({**body, "id": receipt_id})).hexdigest()


def merkle_root(leaves: Sequence[str]) -> str:
    """Return the root over leaf hashes; everything in hexadecimal.

    Pairing level by level, with an odd last one carried up, gives the tree that RFC 6962 defines by halves.
    """
    level = [bytes.fromhex(leaf) for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[place] + level[place + 1]).digest() for place in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()
