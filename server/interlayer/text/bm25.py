"""BM25 over a growing set of short documents, held in memory.

Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with their usual
k1 = 1.2 and b = 0.75 and the never-negative idf ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75


class Bm25:
    """An inverted index that documents are appended to; document numbers count from 0."""

    def __init__(self) -> None:
        self._postings: defaultdict[str, tuple[array[int], array[int]]] = defaultdict(_no_postings)
        self._lengths = array("i")
        self._total_length = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, terms: Sequence[str]) -> None:
        """Append one document."""
        number = len(self._lengths)
        for term, count in Counter(terms).items():
            numbers, counts = self._postings[term]
            numbers.append(number)
            counts.append(count)
        self._lengths.append(len(terms))
        self._total_length += len(terms)

    def scores(self, query: Iterable[str]) -> NDArray[np.float32]:
        """Return (n,) float32: the score of every document for the query's distinct terms, 0 where none occurs."""
        size = len(self._lengths)
        result = np.zeros(size, dtype=np.float32)
        if not size or not self._total_length:
            return result
        lengths = np.array(self._lengths, dtype=np.float32)
        norms = _K1 * (1 - _B + _B * lengths * (size / self._total_length))
        for term in dict.fromkeys(query):
            if term not in self._postings:
                continue
            # Copies: an array that lends its memory could not grow meanwhile.
            numbers, counts = (np.array(part) for part in self._postings[term])
            idf = math.log(1 + (size - len(numbers) + 0.5) / (len(numbers) + 0.5))
            result[numbers] += idf * counts * (_K1 + 1) / (counts + norms[numbers])
        return result


def _no_postings() -> tuple["array[int]", "array[int]"]:
    return array("i"), array("i")
