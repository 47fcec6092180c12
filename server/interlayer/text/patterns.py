"""Patterns that other people write, in schemas: RE2, so that no text can make one run long."""

from typing import Any, Final

import re2

_QUIET: Final = re2.Options()
_QUIET.log_errors = False  # the message goes to the writer of the schema, not to the log


def compile_pattern(pattern: str) -> Any:
    """Return a compiled RE2 pattern. Raises `ValueError` that says what is wrong with it."""
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"is no RE2 pattern: {said}; look-around and back-references are not supported") from error
