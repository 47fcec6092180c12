"""What some models want to be told of a text, so that a question and its answer come to lie close together.

Open models take words before the text: each entry is what the authors of the model ask for on its model card on the
Hugging Face hub. Some vendors take an `input_type` beside the text, by their API references. The name pattern is looked
for in the configured name. A model that is not here takes texts as they are.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What goes before a query and before a document, and the `input_type` of each, empty where none is sent.

    `recipe` names all of it in the embedding space, as far as it changes the vectors of documents.
    """

    recipe: str
    query: str
    document: str
    query_type: str = ""
    document_type: str = ""


_PLAIN: Final = Prefixes("v1", "", "")
_FOR_PASSAGES: Final = "Represent this sentence for searching relevant passages: "
_TABLE: Final = (
    # Cohere, also at Bedrock and Azure: v3 and later. litellm takes search_document where nothing is said.
    (
        r"^cohere/embed-|^embed-(?:english|multilingual|v\d)|^bedrock/.*cohere\.embed|^azure_ai/cohere-embed",
        Prefixes("v1", "", "", "search_query", "search_document"),
    ),
    (r"^voyage/", Prefixes("typed", "", "", "query", "document")),
    # NVIDIA NIM's models for retrieval insist on it
    (r"^nvidia_nim/", Prefixes("typed", "", "", "query", "passage")),
    # intfloat/e5-mistral-7b-instruct: an instruction, and nothing before a document
    (r"e5-[\w-]*instruct", Prefixes("e5i", "Instruct: Retrieve passages that answer the query\nQuery: ", "")),
    # intfloat/e5-base-v2, intfloat/multilingual-e5-large
    (r"(?:^|[/_-])e5-", Prefixes("e5", "query: ", "passage: ")),
    # BAAI/bge-base-en-v1.5; bge-m3 and the Chinese ones take other or no words
    (r"bge-(?:small|base|large)-en", Prefixes("bge", _FOR_PASSAGES, "")),
    # mixedbread-ai/mxbai-embed-large-v1, Snowflake/snowflake-arctic-embed-m-v1.5
    (r"mxbai-embed-large|arctic-embed-(?:xs|s|m|l)(?!-v2)", Prefixes("bge", _FOR_PASSAGES, "")),
    # Snowflake/snowflake-arctic-embed-l-v2.0
    (r"arctic-embed-[ml]-v2", Prefixes("arctic2", "query: ", "")),
    # nomic-ai/nomic-embed-text-v1.5
    (r"nomic-embed-text", Prefixes("nomic", "search_query: ", "search_document: ")),
)


def prefixes_of(model: str) -> Prefixes:
    """Return the prefixes that a model of this name wants."""
    for pattern, prefixes in _TABLE:
        if re.search(pattern, model, re.IGNORECASE):
            return prefixes
    return _PLAIN
