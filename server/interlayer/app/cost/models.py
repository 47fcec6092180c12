"""What the models of a month's `memorize` calls cost, by litellm's bundled price list. Token counts are assumed."""

from importlib.metadata import version
from typing import Final

from interlayer.app.cost.prices import Line, Price
from interlayer.errors import InvalidInput
from interlayer.models.vendor import price

# Of a note of 500 words: instructions, schema of an entity type and note; ten facts as an answer; to embed, the facts,
# the note's sentences and the query of a recall.
PROMPT_TOKENS: Final = 2_500
ANSWER_TOKENS: Final = 700
EMBEDDED_TOKENS: Final = 1_000


async def model_lines(model: str, calls: int) -> list[Line]:
    """Price the reading of so many notes. Raises `InvalidInput` for a model without a price."""
    prompt = await _price(model, "--model", PROMPT_TOKENS, 0)
    answer = await _price(model, "--model", 0, ANSWER_TOKENS)
    return [
        Line(f"{model}, prompts", calls * PROMPT_TOKENS / 1e6, prompt, by_use=True),
        Line(f"{model}, answers", calls * ANSWER_TOKENS / 1e6, answer, by_use=True),
    ]


async def embedder_lines(model: str, calls: int) -> list[Line]:
    """Price the embedding of so many notes and queries. Raises `InvalidInput` for a model without a price."""
    embedded = await _price(model, "--embedder", EMBEDDED_TOKENS, 0)
    return [Line(f"{model}, embeddings", calls * EMBEDDED_TOKENS / 1e6, embedded, by_use=True)]


async def _price(model: str, option: str, prompt: int, answer: int) -> Price:
    """Return the price of a million tokens at the size of one call, as some models cost more for long prompts."""
    usd = await price(model, prompt, answer)
    if usd is None:
        raise InvalidInput(
            option, f"litellm knows no price of {model!r}.", "A model of your own costs what its machine costs."
        )
    release = version("litellm")
    return Price(usd * 1e6 / (prompt + answer), "million tokens", f"litellm {release}", "litellm's bundled price list")
