"""Uploads more than fits into one request, into a folder that takes no such upload: LanceDB has to take it back.

Run by the server's own Python: `torn.py LOCATION`.
"""

import sys

import anyio
import numpy as np

from interlayer.errors import Unavailable
from interlayer.models.embedder import Space
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.vectors import Row

ROWS, DIMS = 6_000, 256  # 6 MB; LanceDB uploads in parts of 5


async def main(location: str) -> None:
    """Add the rows, and be refused."""
    index = LanceIndex(location, Space("torn", DIMS, "r1"))
    rows = [Row(f"f{number}", "company:a", "company", "text") for number in range(ROWS)]
    try:
        await index.add("torn", rows, np.full((ROWS, DIMS), DIMS**-0.5, dtype=np.float32))
    except Unavailable:
        return
    finally:
        await index.close()
    raise AssertionError("the emulator took the upload")


anyio.run(main, sys.argv[1])
