"""A task made ready for search: its texts, their terms and their vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.terms import terms
from interlayer.models.embedder import Vectors
from interlayer.text.sentences import sentences
from interlayer_policies.delivery.evidence.background import Background, Nearness, count_words

_SENTENCES_MAX: Final = 24
_TERMS_MAX: Final = 400

# Capitalised words inside a sentence; words in capitals alone (GDPR, SLA) are terms of the trade and stay.
_NAMES: Final = re.compile(r"(?<=[a-z0-9,%)] )(?:(?:[A-Z][\w'’-]*[a-z][\w'’-]*)(?: |(?=[^\w ])|$))+")


@dataclass(frozen=True, slots=True)
class Query:
    """A task made ready: the terms of the whole and of each sentence, and their unit vectors if there are any.

    `text` is the task as told, `words` (units,) how many words of each text say what it is about, `nearness` how near
    each is to the subjects of the background.
    """

    text: str
    units: tuple[tuple[str, ...], ...]
    words: NDArray[np.intp]
    vectors: Vectors | None
    nearness: Nearness | None


def texts_of(task: str, topics: Sequence[str] = ()) -> list[str]:
    """Return the texts that a task is asked with: the whole, its sentences when there are several, and each nameless.

    Whom a task is for says nothing about which guidance it needs, and names that no policy knows would drown what does.
    The topics that a caller names are a further sentence, alone and with the task.
    """
    found = [sentence.text for sentence in islice(sentences(task), _SENTENCES_MAX)]
    asked = [task, *found] if len(found) > 1 else [task]
    asked += [", ".join(topics), f"{task} {', '.join(topics)}"] if topics else []
    return list(dict.fromkeys([*asked, *(_NAMES.sub("", text) for text in asked)]))


def query_of(texts: Sequence[str], vectors: Vectors | None, background: Background | None = None) -> Query:
    """Return the query of `texts_of` and their vectors."""
    units = tuple(tuple(dict.fromkeys(terms(text)))[:_TERMS_MAX] for text in texts)
    words = np.array([count_words(text) for text in texts], dtype=np.intp)
    if vectors is None or background is None:
        return Query(texts[0], units, words, None, None)
    return Query(texts[0], units, words, vectors, background.nearness(vectors))
