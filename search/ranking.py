"""How alike two texts are: the scorer behind every match.

Measured, not invented (`../shared` names the public judged pairs): character unigrams and pairs
instead of words, tf-idf, a pair counting half, titles and bodies weighted 1 to 0.5, pivoted length;
a long wanted text counts by its best sentence as well, for an achievement serves one requirement of
several. Two numbers were chosen on judged pairs, by folds of wanted texts: the weights of body and
sentence (`tests/search/test_relevance.py` chooses them anew and measures on the fold left out).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from search.analysis import grams, is_pair

BODY_WEIGHT = 0.5
PAIR_WEIGHT = 0.5
SENTENCE_WEIGHT = 0.2
PIVOT_SLOPE = 0.85
_A_FEW = 5
_ROOTS_KNOWN = 64
_ROOTS = [math.sqrt(count) for count in range(_ROOTS_KNOWN)]
_REMEMBERED = 200_000  # weights of grams, about 25 MB
_SENTENCE_END = re.compile(r"[。；;！？!?\n]")
_SHORTEST_SENTENCE = 5  # grams, that is three symbols: headings and numbers are none


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str = ""


class Statistics(Protocol):
    """What a ranker has to know of the texts around: any consistent sample will do."""

    @property
    def texts(self) -> int: ...

    @property
    def mean_title(self) -> float:
        """Mean number of distinct grams in a title."""
        ...

    @property
    def mean_body(self) -> float:
        """Mean number of distinct grams in a body, over those that have one."""
        ...

    def frequency(self, gram: str) -> int:
        """In how many texts the gram stands, in title or body."""
        ...


@dataclass(slots=True)
class TermStatistics:
    """Statistics counted from texts; adding one costs what reading it costs.

    A few thousand texts drawn at random rank as well as all of them.
    """

    texts: int = 0
    _frequencies: Counter[str] = field(default_factory=Counter)
    _titles: int = 0
    _bodies: int = 0
    _title_grams: int = 0
    _body_grams: int = 0

    @classmethod
    def of(cls, texts: Iterable[Text]) -> Self:
        statistics = cls()
        for text in texts:
            statistics.add(text)
        return statistics

    def add(self, text: Text) -> None:
        title, body = set(grams(text.title)), set(grams(text.body))
        self.texts += 1
        self._titles += bool(title)
        self._bodies += bool(body)
        self._title_grams += len(title)
        self._body_grams += len(body)
        self._frequencies.update(title | body)

    @property
    def mean_title(self) -> float:
        return self._title_grams / (self._titles or 1)

    @property
    def mean_body(self) -> float:
        return self._body_grams / (self._bodies or 1)

    def frequency(self, gram: str) -> int:
        return self._frequencies[gram]


Sentences = dict[str, list[tuple[int, float]]]
"""Gram → the sentences that have it, by number, and its weight in each."""


@dataclass(slots=True)
class Prepared:
    """A text with its vector (gram → weight, length at most 1); good as long as its ranker.

    `sentences` is made when the text is first wanted: most texts are only offered.
    """

    text: Text
    vector: dict[str, float]
    length: float
    sentences: Sentences | None = None


class _Weights(dict[str, float]):
    """Gram → its weight, computed once each; forgotten where there are too many."""

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self._statistics = statistics

    def __missing__(self, gram: str) -> float:
        if len(self) >= _REMEMBERED:
            self.clear()
        frequency = self._statistics.frequency(gram)
        rarity = math.log((self._statistics.texts + 1) / (frequency + 0.5))
        self[gram] = weight = rarity * (PAIR_WEIGHT if is_pair(gram) else 1.0)
        return weight


class Ranker:
    """Scores pairs of texts by the statistics given, to which nothing is added meanwhile;
    deterministic, and safe to share between threads.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._weights = _Weights(statistics)

    def prepare(self, text: Text) -> Prepared:
        """The text's vector, to be computed once and scored often."""
        whole = 1 + BODY_WEIGHT
        vector = self._weigh(Counter(grams(text.title)), self._statistics.mean_title, 1 / whole)
        # A body says its subject again and again: the tenth time tells little more than the ninth.
        known, roots = self._weights, _ROOTS
        weights = {
            gram: (roots[count] if count < _ROOTS_KNOWN else math.sqrt(count)) * known[gram]
            for gram, count in Counter(grams(text.body)).items()
        }
        title, vector = (
            vector,
            self._normal(weights, self._statistics.mean_body, BODY_WEIGHT / whole),
        )
        for gram, weight in title.items():
            vector[gram] = vector.get(gram, 0.0) + weight
        return Prepared(text, vector, _length(vector.values()))

    def score(self, wanted: Text | Prepared, offered: Text | Prepared) -> float:
        """How well what is offered answers what is wanted: 0 … 1, 0 where they share no character.

        Only for comparing: the same number may mean more for one wanted text than for another.
        """
        left, right = self.prepared(wanted), self.prepared(offered)
        one, other = left.vector, right.vector
        if len(one) > len(other):
            one, other = other, one
        shared = [gram for gram in one if gram in other]
        alike = sum([one[gram] * other[gram] for gram in shared])
        if not left.text.body:
            return alike / _MOST
        if left.sentences is None:
            left.sentences = self._sentences(left.text.body)
        return (alike + SENTENCE_WEIGHT * _best(left.sentences, right.vector, shared)) / _MOST

    def commonness(self, gram: str) -> float:
        """The share of the statistics' texts that have the gram, 0 … 1, a few of them not counted:
        among a handful of texts everything would be common.
        """
        frequency = self._statistics.frequency(gram) - _A_FEW
        return max(0, frequency) / max(1, self._statistics.texts)

    def prepared(self, text: Text | Prepared) -> Prepared:
        return text if isinstance(text, Prepared) else self.prepare(text)

    def _sentences(self, body: str) -> Sentences:
        found: Sentences = {}
        for number, sentence in enumerate(_SENTENCE_END.split(body)):
            counts = Counter(grams(sentence))
            if counts.total() >= _SHORTEST_SENTENCE:
                weights = self._weigh(counts, self._statistics.mean_title, 1 / (1 + BODY_WEIGHT))
                for gram, weight in weights.items():
                    found.setdefault(gram, []).append((number, weight))
        return found

    def _weigh(
        self, counts: Mapping[str, float], mean_grams: float, longest: float
    ) -> dict[str, float]:
        """tf-idf weights of one field, at most `longest` together."""
        known = self._weights
        return self._normal(
            {gram: count * known[gram] for gram, count in counts.items()}, mean_grams, longest
        )

    @staticmethod
    def _normal(weights: dict[str, float], mean_grams: float, longest: float) -> dict[str, float]:
        """Weights divided by their pivoted length.

        The pivot is the length that a text of average size, but of this one's grams, would have
        (after Singhal, Buckley and Mitra 1996): it needs no pass over the other texts.
        """
        if not weights:
            return weights
        length = _length(weights.values())
        pivot = length * math.sqrt(mean_grams / len(weights))
        norm = ((1 - PIVOT_SLOPE) * pivot + PIVOT_SLOPE * length) / (PIVOT_SLOPE * longest)
        return {gram: weight / norm for gram, weight in weights.items()}


_MOST = 1 + SENTENCE_WEIGHT / (1 + BODY_WEIGHT)


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(sum([weight * weight for weight in weights]))


def _best(sentences: Sentences, offered: Mapping[str, float], shared: Iterable[str]) -> float:
    """How alike the offered text and the sentence most like it are."""
    sums: dict[int, float] = {}
    for gram in shared:
        if gram in sentences:
            weight = offered[gram]
            for number, share in sentences[gram]:
                sums[number] = sums.get(number, 0.0) + share * weight
    return max(sums.values(), default=0.0)
