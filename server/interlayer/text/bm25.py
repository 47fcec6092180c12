"""BM25 over a growing set of short documents, held in memory.

Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with their usual
k1 = 1.2 and b = 0.75 and the never-negative idf ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75


class Bm25:
    """An inverted index that documents are appended to; document numbers count from 0."""

    def __init__(self) -> None:
        self._postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._lengths: list[int] = []
        self._total_length = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, terms: Sequence[str]) -> None:
        """Append one document."""
        number = len(self._lengths)
        for term, count in Counter(terms).items():
            self._postings[term].append((number, count))
        self._lengths.append(len(terms))
        self._total_length += len(terms)

    def scores(self, query: Iterable[str]) -> NDArray[np.float32]:
        """Return (n,) float32: the score of every document for the query's distinct terms, 0 where none occurs."""
        size = len(self._lengths)
        result = np.zeros(size, dtype=np.float32)
        if not size or not self._total_length:
            return result
        mean = self._total_length / size
        for term in dict.fromkeys(query):
            postings = self._postings.get(term)
            if not postings:
                continue
            idf = math.log(1 + (size - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, count in postings:
                norm = _K1 * (1 - _B + _B * self._lengths[number] / mean)
                result[number] += idf * count * (_K1 + 1) / (count + norm)
        return result
