"""Which embedding model is wanted; apart from the rest, because settings are read before numpy is imported."""

from dataclasses import dataclass
from typing import Final

ON_DISK: Final = "fastembed/"
"""How the names of models begin that run on this machine from files."""


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An embedding model as it is configured: its name, and where it is served or lies, if that has to be said."""

    name: str
    api_base: str = ""
    folder: str = ""

    @property
    def on_disk(self) -> bool:
        """Whether it runs on this machine from files."""
        return self.name.startswith(ON_DISK)

    @property
    def hosted(self) -> bool:
        """Whether somebody serves it: neither from files here, nor the one that comes with the program."""
        return self.name != BUNDLED.name and not self.on_disk


BUNDLED: Final = EmbedderChoice("local")
"""The embedder that comes with the program."""
