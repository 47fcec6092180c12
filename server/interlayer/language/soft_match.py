"""The words of an entity's facts, found by stem and by likeness: what a query's words match, fact by fact.

A soft form of lexical matching: each word of the query counts, by its rarity among the facts, as far as the most alike
word of a fact is alike. It finds "headcount" for "employees" and stays exact for names and numbers.
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from interlayer.language.terms import content_words, stem, without_stop_words
from interlayer.models.words import WordVectors

_ALIKE: Final = 0.45  # cosine of two words under which they have nothing to do with each other
_RAREST: Final = 4  # words of a text by which facts that share them are looked for
_LATEST: Final = 64  # facts looked at of those that have one word
_SHARPNESS: Final = 4  # power of the cosine: nearly the same word counts, a word of the same field hardly does


class WordIndex:
    """An inverted index that facts are appended to; fact numbers count from 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []
        self._postings: list[array[int]] = []
        self._by_stem: defaultdict[str, list[int]] = defaultdict(list)
        self._bearing: Counter[str] = Counter()
        self._rows: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._facts = 0

    @property
    def words(self) -> Sequence[str]:
        """Every word, in order of first appearance."""
        return self._words

    def add(self, words: Sequence[str]) -> None:
        """Append one fact by its words."""
        found = dict.fromkeys(without_stop_words(words))
        for word in found:
            number = self._numbers.get(word)
            if number is None:
                number = self._numbers[word] = len(self._words)
                self._words.append(word)
                self._postings.append(array("i"))
                self._by_stem[stem(word)].append(number)
            self._postings[number].append(self._facts)
        self._bearing.update({stem(word) for word in found})
        self._facts += 1

    def matches(self, query: str, vectors: WordVectors) -> NDArray[np.float32]:
        """Return (words of the query, facts) float32: how well each fact matches each word, times its rarity."""
        asked = list(dict.fromkeys(content_words(query)))
        result = np.zeros((len(asked), self._facts), dtype=np.float32)
        if not asked or not self._facts:
            return result
        alike = self._alike(asked, vectors)
        for place, word in enumerate(asked):
            row = result[place]
            for number in np.flatnonzero(alike[place] >= _ALIKE):
                held = np.array(self._postings[number])
                row[held] = np.maximum(row[held], alike[place, number] ** _SHARPNESS)
            row *= self.rarity(stem(word))
        return result

    def rarity(self, stemmed: str) -> float:
        """Return the inverse document frequency of a stem, as BM25 has it; never negative."""
        bearing = self._bearing.get(stemmed, 0)
        return math.log(1 + (self._facts - bearing + 0.5) / (bearing + 0.5))

    def shared(self, text: str, without: Collection[str] = ()) -> NDArray[np.float32]:
        """Return (facts,) float32: the share of a text's stems, by rarity, that each fact has too; 0..1."""
        result = np.zeros(self._facts, dtype=np.float32)
        total = 0.0
        for stemmed in {stem(word) for word in content_words(text)} - set(without):
            weight = self.rarity(stemmed)
            total += weight
            holding = [np.array(self._postings[number]) for number in self._by_stem.get(stemmed, ())]
            if holding:
                result[np.unique(np.concatenate(holding))] += weight
        return result / total if total else result

    def sharing(self, text: str, most: int) -> Sequence[int]:
        """Return the numbers of the facts that have most of a text's rarest words, the latest where many have one."""
        stems = sorted(
            {stem(word) for word in content_words(text)} & self._by_stem.keys(), key=self.rarity, reverse=True
        )
        scores: defaultdict[int, float] = defaultdict(float)
        for stemmed in stems[:_RAREST]:
            weight = self.rarity(stemmed)
            for number in {one for word in self._by_stem[stemmed] for one in self._postings[word][-_LATEST:]}:
                scores[number] += weight
        return sorted(scores, key=lambda number: -scores[number])[:most]

    def _alike(self, asked: Sequence[str], vectors: WordVectors) -> NDArray[np.float32]:
        """Return (asked, words) float32: the cosine of each two words, 1 where the stem is the same."""
        if len(self._rows) < len(self._words):
            fresh = vectors.rows(self._words[len(self._rows) :])
            self._rows = np.concatenate([self._rows, fresh])
        wanted = vectors.rows(asked)
        table = vectors.table
        # Multiplying by the whole table is quicker than gathering most of its rows first.
        most = 3 * len(self._rows) > len(table)
        alike = (table @ table[wanted].T).T[:, self._rows] if most else table[wanted] @ table[self._rows].T
        for place, word in enumerate(asked):
            alike[place, self._by_stem.get(stem(word), [])] = 1
        return alike
