"""Which adapter stands behind each port, by the settings: one factory a port."""

from interlayer.app.settings import Settings
from interlayer.models.embedder import Space
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import VectorIndex


def item_store(settings: Settings) -> ItemStore:
    """Return the item store: a file under home, or tables of DynamoDB, which nothing is asked of yet."""
    if settings.store:
        from interlayer.storage.dynamodb import DynamoItems

        return DynamoItems(settings.store)
    from interlayer.storage.sqlite import SqliteItems

    return SqliteItems(settings.home / "interlayer.db")


def vector_index(settings: Settings, space: Space) -> VectorIndex:
    """Return the index of a space: under home, or where INTERLAYER_VECTORS says."""
    from interlayer.storage.lance import LanceIndex

    return LanceIndex(str(settings.home / "vectors") if settings.vectors == "lance" else settings.vectors, space)
