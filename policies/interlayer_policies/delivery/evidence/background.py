"""What a task is near to when it is not about the guidance: what people ask of the world, and what work is about.

How near a section is to a task says little by itself: a short question is near to something in any set. So a section is
compared with subjects of general knowledge, which stand for what no policy is about, and a task that is near to
subjects of work needs less to show. Both lists are words of the lexicon, embedded as everything else is.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.lexicon import reader as lexicon
from interlayer.language.terms import content_words, stem, terms
from interlayer.models.embedder import Vectors

TASK_WORDS: Final = frozenset(terms(" ".join(lexicon.words("task_words", "number_words", "calendar_units"))))
"""Words that say what the agent does or for whom, not what the task is about: alone they are no evidence."""

_NEAREST: Final = 3  # subjects of work overlap, so a task of work is near to several; one alone may be chance


@dataclass(frozen=True, slots=True)
class Nearness:
    """Of each text of a task, (units,): its cosine with the nearest general subject, and with subjects of work."""

    general: NDArray[np.float32]
    work: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Background:
    """The subjects as unit vectors of one space."""

    general: Vectors
    work: Vectors

    def nearness(self, asked: Vectors) -> Nearness:
        """Return how near the texts of a task, (units, dims), are to the subjects."""
        work = np.partition(asked @ self.work.T, -_NEAREST, axis=1)[:, -_NEAREST:]
        return Nearness((asked @ self.general.T).max(axis=1), work.mean(axis=1))


def background_texts() -> list[str]:
    """Return the texts to embed for a background."""
    return [*_subjects("subjects_of_general_knowledge"), *_subjects("subjects_of_work")]


def background_of(vectors: Vectors) -> Background:
    """Return the background that the vectors of its texts make."""
    general = len(_subjects("subjects_of_general_knowledge"))
    return Background(vectors[:general], vectors[general:])


def count_words(text: str) -> int:
    """Count the different words of a text that say what it is about."""
    return sum(stem(word) not in TASK_WORDS and not word.isdecimal() for word in set(content_words(text)))


@lru_cache
def _subjects(name: str) -> tuple[str, ...]:
    return tuple(" ".join(entry.forms) for entry in lexicon.entries(name))
