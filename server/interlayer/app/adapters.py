"""Which adapter stands behind each port, by the settings: one factory a port."""

from interlayer.app.settings import Settings
from interlayer.ids import Clock, system_clock
from interlayer.models.cached import CachedEmbedder
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.models.embedder import Embedder, Space
from interlayer.models.hosted import HostedEmbedder, price_of
from interlayer.models.local import LocalEmbedder
from interlayer.models.on_disk import FastembedEmbedder
from interlayer.models.vendor import litellm
from interlayer.storage.items import ItemStore
from interlayer.storage.vectors import VectorIndex


def item_store(settings: Settings, clock: Clock = system_clock) -> ItemStore:
    """Return the item store: a file under home, or tables of DynamoDB, which nothing is asked of yet."""

    def now_s() -> float:
        return clock().timestamp()

    if settings.store:
        from interlayer.storage.dynamodb.items import DynamoItems

        return DynamoItems(settings.store, now_s)
    from interlayer.storage.sqlite.items import SqliteItems

    return SqliteItems(settings.store_file, now_s)


def vector_index(settings: Settings, space: Space) -> VectorIndex:
    """Return the index of a space: under home, or where INTERLAYER_VECTORS says."""
    from interlayer.storage.lance.index import LanceIndex

    return LanceIndex(str(settings.home / "vectors") if settings.vectors == "lance" else settings.vectors, space)


def embedder(choice: EmbedderChoice, dims: int = 0) -> Embedder:
    """Return the embedder of a model; nothing is loaded yet. `dims` is what is on record of it, 0 if nothing is.

    `local` is the bundled one, `fastembed/MODEL` runs on this machine, any other name is litellm's.
    """
    if choice == BUNDLED:
        return LocalEmbedder()
    if choice.on_disk:
        return CachedEmbedder(FastembedEmbedder(choice, dims))
    return CachedEmbedder(HostedEmbedder(choice, dims))


def price(choice: EmbedderChoice, tokens: int) -> float | None:
    """Price the embedding of so many tokens in US dollars by litellm's bundled list; None if nothing, or unknown.

    Raises `Unavailable` when litellm, which a model of this name needs, is not installed.
    """
    if not choice.hosted:
        return None
    a_token = price_of(litellm(), choice.name).get("input_cost_per_token")
    return tokens * a_token if a_token else None
