"""What no store takes: halves of characters, and vectors of another width or not finite."""

import numpy as np

from interlayer.errors import InvalidInput
from interlayer.models.embedder import Vectors


def check_unicode(field: str, *values: str) -> None:
    """Raise `InvalidInput` for text that no store can hold."""
    try:
        "".join(values).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(field, "half of a surrogate pair.", "Send valid Unicode.") from error


def check_vectors(vectors: Vectors, count: int, dims: int) -> None:
    """Raise `InvalidInput` unless the vectors are (count, dims) and finite."""
    if vectors.shape != (count, dims) or not np.isfinite(vectors).all():
        raise InvalidInput("vectors", f"{vectors.shape}, expected {(count, dims)} finite numbers.")
