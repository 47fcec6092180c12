"""Which embedding model is wanted; apart from the rest, because settings are read before numpy is imported."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An embedding model as it is configured: its name, and where it is served or lies, if that has to be said."""

    name: str
    api_base: str = ""
    folder: str = ""


BUNDLED: Final = EmbedderChoice("local")
"""The embedder that comes with the program."""
