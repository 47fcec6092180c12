"""What an answer of governance costs: bytes of compact JSON, and the tokens that they are taken for.

Measured with three common vocabularies, compact JSON of English rules has 3.8 to 4.1 bytes a token, of sections 4.4
to 4.6, of the heads of policies 3.2; the figure taken lies below the mixture, so that an answer keeps to its budget.
"""

import math
from typing import Final

from pydantic_core import to_json

from interlayer.answers import as_json

BYTES_PER_TOKEN: Final = 3.6

DEFAULT_TOKENS: Final = 2_000
"""Of an answer whose caller says nothing else."""


def json_bytes(value: object) -> int:
    """Return the bytes of an answer, or a part of one, in compact JSON, without what is absent."""
    return len(to_json(as_json(value)))


def tokens_of(size: int) -> int:
    """Return the estimated tokens of this many bytes."""
    return math.ceil(size / BYTES_PER_TOKEN)


def bytes_of(tokens: int) -> float:
    """Return how many bytes of compact JSON make this many tokens."""
    return tokens * BYTES_PER_TOKEN
