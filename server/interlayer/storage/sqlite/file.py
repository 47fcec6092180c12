"""How a SQLite file is opened, and its errors told: what the reading and the writing side of the store share."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from interlayer.errors import Corrupt, InvalidInput, Unavailable

BUSY_TIMEOUT_S: Final = 15.0
LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"
"""Condition that an item has not expired; its parameter is now, seconds since 1970."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS items (
    tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL,
    version INTEGER NOT NULL, body BLOB NOT NULL, expires_at INTEGER,
    PRIMARY KEY (tbl, partition, sort)
) WITHOUT ROWID
"""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection on which every commit is on disk when it returns."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # an acknowledged write survives power loss
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten with zeros
        connection.execute(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translate(path: Path) -> Generator[None]:
    """Turn SQLite's errors into ours, with the file and the remedy named."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput("key", "half of a surrogate pair.", "Send valid Unicode.") from error
    except sqlite3.ProgrammingError as error:
        raise Unavailable(f"{path}: {error}") from error  # closed
    except (sqlite3.OperationalError, OSError) as error:
        raise Unavailable(f"{path}: {error}. Check that the folder is writable and the disk has room.") from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise Corrupt(f"{path}: {error}. Move the file away and restore a backup or an export.") from error
