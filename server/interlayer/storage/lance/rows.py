"""How an organization's folder is called, and whether a table holds vectors of the width that is asked for."""

import hashlib
from typing import Any, Final

from interlayer.errors import Corrupt
from interlayer.storage.validation import check_unicode

_NAME_MAX: Final = 200


def folder_name(organization: str) -> str:
    """Return a folder name of its own for every name, on file systems that fold case too: `A/b` is `=41=2fb`."""
    check_unicode("organization", organization)
    keep = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
    name = "".join(chr(byte) if byte in keep else f"={byte:02x}" for byte in organization.encode()) or "="
    return name if len(name) <= _NAME_MAX else f"{name[:80]}=={hashlib.sha256(organization.encode()).hexdigest()}"


def check_width(folder: str, schema: Any, dims: int) -> None:
    """Raise `Corrupt` if a table's vectors have another width: a model kept its name and changed it."""
    width = getattr(schema.field("vector").type, "list_size", None)
    if width != dims:
        raise Corrupt(f"{folder}: holds vectors of {width} dims, the model makes {dims}. Move it away.")
