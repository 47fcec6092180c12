"""The adapters that the settings choose: one function a port."""

from interlayer.models.cached import CachedEmbedder
from interlayer.models.choice import BUNDLED, ModelChoice
from interlayer.models.embedder import Embedder
from interlayer.models.hosted import HostedEmbedder, litellm, price_of
from interlayer.models.local import LocalEmbedder
from interlayer.models.on_disk import PREFIX, FastembedEmbedder


def embedder(choice: ModelChoice, dims: int = 0) -> Embedder:
    """Return the embedder of a model; nothing is loaded yet. `dims` is what is on record of it, 0 if nothing is.

    `local` is the bundled one, `fastembed/MODEL` runs on this machine, any other name is litellm's.
    """
    if choice == BUNDLED:
        return LocalEmbedder()
    if choice.name.startswith(PREFIX):
        return CachedEmbedder(FastembedEmbedder(choice, dims))
    return CachedEmbedder(HostedEmbedder(choice, dims))


def price(choice: ModelChoice, tokens: int) -> float | None:
    """Return what embedding so many tokens costs in US dollars by litellm's bundled list; None if nothing, or unknown.

    Raises `Unavailable` when litellm, which a model of this name needs, is not installed.
    """
    if choice == BUNDLED or choice.name.startswith(PREFIX):
        return None
    a_token = price_of(litellm(), choice.name).get("input_cost_per_token")
    return tokens * a_token if a_token else None
