"""Token budgets without a tokenizer.

Which model reads an answer is not known here, so tokens are estimated: one for every `CHARS_PER_TOKEN` bytes of
UTF-8. Compact JSON of English facts measures 3.0 to 3.6 bytes a token with the common vocabularies; the lower end
is taken, so that an answer keeps to its budget rather than just over it.
"""

import math
from typing import Any, Final

from pydantic_core import to_json

CHARS_PER_TOKEN: Final = 3.0


def text_tokens(text: str) -> int:
    """Return the estimated tokens of a text, never fewer than the model will count for ordinary English."""
    return math.ceil(len(text.encode()) / CHARS_PER_TOKEN)


def compact_json(value: Any) -> str:
    """Return JSON without spaces, non-ASCII kept: what a model reads and what is counted."""
    return to_json(value).decode()


def json_bytes(value: Any) -> int:
    """Return the bytes of a JSON value in compact form."""
    return len(to_json(value))


def json_tokens(value: Any) -> int:
    """Return the estimated tokens of a JSON value in compact form."""
    return math.ceil(json_bytes(value) / CHARS_PER_TOKEN)
