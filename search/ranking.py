"""How alike two texts are: the scorer behind every match.

Measured, not invented (`../shared` names the public judged pairs): character unigrams and pairs
instead of words, tf-idf, a pair counting half, titles and bodies weighted 1 to 0.3, pivoted length.
Nothing here was learned from judgements, so it holds for texts never seen.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, Self

from search.analysis import grams, is_pair

BODY_WEIGHT = 0.3
PAIR_WEIGHT = 0.5
PIVOT_SLOPE = 0.85
_A_FEW = 5
_LONGEST_VECTOR = (1 + BODY_WEIGHT) / PIVOT_SLOPE


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text with its vector (gram → weight, length at most 1); good as long as its ranker."""

    text: Text
    vector: dict[str, float]


class Ranker:
    """Scores pairs of texts by the statistics given; deterministic, and safe to share between
    threads as long as nothing is added to them.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def prepare(self, text: Text) -> Prepared:
        """The text's vector, to be computed once and scored often."""
        vector = self._weigh(text.title, self._statistics.mean_title, 1.0)
        for gram, weight in self._weigh(text.body, self._statistics.mean_body, BODY_WEIGHT).items():
            vector[gram] = vector.get(gram, 0.0) + weight
        return Prepared(text, vector)

    def score(self, wanted: Text | Prepared, offered: Text | Prepared) -> float:
        """How alike the two are: 0 … 1, 0 where they share no character, symmetric.

        Only for comparing: the same number may mean more for one wanted text than for another.
        """
        left, right = self.prepared(wanted).vector, self.prepared(offered).vector
        if len(left) > len(right):
            left, right = right, left
        return sum([weight * right[gram] for gram, weight in left.items() if gram in right])

    def commonness(self, gram: str) -> float:
        """The share of the statistics' texts that have the gram, 0 … 1, a few of them not counted:
        among a handful of texts everything would be common.
        """
        frequency = self._statistics.frequency(gram) - _A_FEW
        return max(0, frequency) / max(1, self._statistics.texts)

    def prepared(self, text: Text | Prepared) -> Prepared:
        return text if isinstance(text, Prepared) else self.prepare(text)

    def _weigh(self, text: str, mean_grams: float, share: float) -> dict[str, float]:
        """tf-idf weights of one field, divided by its pivoted length and the longest possible
        vector.

        The pivot is the length that a text of average size, but of this one's grams, would have
        (after Singhal, Buckley and Mitra 1996): it needs no pass over the other texts.
        """
        weights = {gram: count * self._weight(gram) for gram, count in Counter(grams(text)).items()}
        if not weights:
            return weights
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        pivot = length * math.sqrt(mean_grams / len(weights))
        norm = ((1 - PIVOT_SLOPE) * pivot + PIVOT_SLOPE * length) * _LONGEST_VECTOR / share
        return {gram: weight / norm for gram, weight in weights.items()}

    def _weight(self, gram: str) -> float:
        statistics = self._statistics
        rarity = math.log((statistics.texts + 1) / (statistics.frequency(gram) + 0.5))
        return rarity * (PAIR_WEIGHT if is_pair(gram) else 1.0)
