"""The home folder, which is its user's alone: it holds all that is remembered, digests of keys, the receipts' key.

A home that others could enter is closed to them when a process opens it. On Windows a user's folders are his own from
the start, and nothing is done.
"""

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_OTHERS: Final = 0o077
_VECTORS: Final = "vectors"
_OURS: Final = ("interlayer", _VECTORS)
"""How the names of our files begin: a home may be a folder that holds others' files too."""


@contextmanager
def private_files() -> Generator[None]:
    """Let what is created meanwhile, by whatever library, be its user's alone."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def keep_private(home: Path, *, make: bool) -> str:
    """Take from others what they may do with the home; return what was done, or could not be, empty if nothing was.

    With `make` it is made if it is not there. What belongs to another user is left to him.
    """
    if os.name != "posix":
        return ""
    if make:
        with suppress(OSError):  # whoever opens its files says what is wrong with it
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
    changed, failed = 0, ""
    for path in _held(home):
        try:
            changed += _close(path)
        except FileNotFoundError:  # another process has just removed it
            continue
        except OSError as error:
            failed = f"{path} stays open to others: {error.strerror}. "
    done = f"{changed} files and folders were open to others and are not any more. " if changed else ""
    return f"{home}: {done}{failed}".strip() if done or failed else ""


def _close(path: Path) -> bool:
    """Take from others what they may do; tell whether there was anything. Raises `OSError`."""
    found = path.stat()
    if not found.st_mode & _OTHERS or found.st_mode & stat.S_ISVTX:
        return False  # a folder with the sticky bit is meant for all, such as a temporary one
    if found.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
        return True
    if found.st_mode & stat.S_IRWXO:  # a group is of its owner's choosing
        raise PermissionError(errno.EPERM, "it belongs to another user")
    return False


def _held(home: Path) -> Iterator[Path]:
    """Yield the home and what is ours in it; the tree of the vectors only while others can get to it."""
    yield home
    with suppress(OSError):
        for path in sorted(home.iterdir()):
            if path.is_symlink() or not path.name.startswith(_OURS):
                continue
            if not path.is_dir():
                yield path
            elif path.name == _VECTORS and path.stat().st_mode & _OTHERS:
                tree = [one for one in path.rglob("*") if not one.is_symlink()]
                yield from (path, *tree)
