"""Which adapter stands behind each port, by the settings."""

from interlayer.app.settings import Settings
from interlayer.models.embedder import Space
from interlayer.storage.lance import LanceIndex
from interlayer.storage.vectors import VectorIndex


def vector_index(settings: Settings, space: Space) -> VectorIndex:
    """Return the index of a space: under home, or where INTERLAYER_VECTORS says."""
    return LanceIndex(str(settings.home / "vectors") if settings.vectors == "lance" else settings.vectors, space)
