"""Which adapter stands behind each port, by the settings: one factory a port."""

from interlayer.app.settings import Settings
from interlayer.storage.items import ItemStore


def item_store(settings: Settings) -> ItemStore:
    """Return the item store: a file under home, or tables of DynamoDB, which nothing is asked of yet."""
    if settings.store:
        from interlayer.storage.dynamodb import DynamoItems

        return DynamoItems(settings.store)
    from interlayer.storage.sqlite import SqliteItems

    return SqliteItems(settings.home / "interlayer.db")
