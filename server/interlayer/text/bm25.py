"""BM25 over short documents, held in memory: a set that grows, and one that stands.

Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with their usual
k1 = 1.2 and b = 0.75 and the never-negative idf ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75

Impact = tuple[NDArray[np.intc], NDArray[np.float32]]
"""(documents,) numbers and (documents,) what a term adds to the score of each."""

_NO_IMPACT: Final[Impact] = (np.zeros(0, dtype=np.intc), np.zeros(0, dtype=np.float32))


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
        result = np.zeros(len(self._lengths), dtype=np.float32)
        norms = self._norms()
        for term in dict.fromkeys(query):
            if term in self._postings:
                numbers, added = self._impact(term, norms)
                result[numbers] += added
        return result

    def impacts(self) -> "Impacts":
        """Compute what every term adds to every document as the set is now."""
        norms = self._norms()
        return Impacts(len(self._lengths), {term: self._impact(term, norms) for term in self._postings})

    def _norms(self) -> NDArray[np.float32]:
        lengths = np.array(self._lengths, dtype=np.float32)
        return _K1 * (1 - _B + _B * lengths * (len(lengths) / max(self._total_length, 1)))

    def _impact(self, term: str, norms: NDArray[np.float32]) -> Impact:
        # Copies: an array that lends its memory could not grow meanwhile.
        numbers, counts = (np.array(part) for part in self._postings[term])
        size = len(norms)
        idf = math.log(1 + (size - len(numbers) + 0.5) / (len(numbers) + 0.5))
        return numbers, (idf * counts * (_K1 + 1) / (counts + norms[numbers])).astype(np.float32)


class Impacts:
    """A set that stands, for many queries: what each term adds to the score of each document that has it."""

    def __init__(self, documents: int, impacts: Mapping[str, Impact]) -> None:
        self._documents = documents
        self._impacts = impacts

    def __len__(self) -> int:
        return self._documents

    def of(self, term: str) -> Impact:
        """Return the numbers of the documents that have a term, ascending, and what it adds to each one's score."""
        return self._impacts.get(term, _NO_IMPACT)

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency of a term; never negative."""
        having = len(self.of(term)[0])
        return math.log(1 + (self._documents - having + 0.5) / (having + 0.5))

    def weighted(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """Return (n,) float32: the score of every document for terms that count by these weights."""
        found = [(*self.of(term), weight) for term, weight in weights.items() if len(self.of(term)[0])]
        if not found:
            return np.zeros(self._documents, dtype=np.float32)
        numbers = np.concatenate([one for one, _, _ in found])
        added = np.concatenate([one * np.float32(weight) for _, one, weight in found])
        return np.bincount(numbers, added, self._documents).astype(np.float32)


def _no_postings() -> tuple["array[int]", "array[int]"]:
    return array("i"), array("i")
