"""What people made of some offered texts, told on to the others offered for the same wanted text,
and to those of wanted texts that ask for nearly the same.

Each judgement is compared with what its score let expect; what is left is its surprise. A text like
surprising ones moves by their mean surprise (kernel regression, shrunken while little is known): so
nothing is trained, a judgement counts at once, and no text moves by more than BOUND. Surprises
count from the mean of their wanted text: a strict judge moves nothing. Within one wanted text
likeness goes by what its title does not say already, or all that it brought up would be alike.

The numbers below were chosen on judged pairs (docs/decisions/0008-feedback.md), and
`tests/search/test_feedback.py` measures what they gain.
"""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from search.analysis import grams
from search.ranking import Prepared

LEVELS: Final = (1, 2, 3, 4)
"""Not relevant, hardly, relevant, what was wanted."""
BOUND: Final = 0.25
ALIKE: Final = 0.5
"""Cosine from which two wanted texts learn from one another."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """`levels_per_score`: by how many levels judgements rise with the score within a wanted text.

    `little`: the weight of judgements at which half of their mean surprise is believed. `before`:
    surprises of 0 counted before a wanted text's own, for their mean: the first few judgements, all
    of one kind perhaps, count nearly in full. `others`: what a text judged
    for an equal wanted text weighs; `sharp`: the smaller, the more only equal texts weigh anything.
    """

    levels_per_score: float = 10.6
    little: float = 1.5
    before: float = 6.0
    others: float = 3.0
    sharp: float = 0.1


NUMBERS: Final = Numbers()
_Vector = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged offered text, its level (1 … 4) and the score it had."""

    key: Hashable
    offered: Prepared
    level: int
    score: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """A judged text as a direction, how much it counts and its surprise."""

    direction: _Vector
    weight: float
    surprise: float


class Feedback:
    """What the judgements say of anything offered for one wanted text.

    `others` are other wanted texts with judgements on theirs; those that are not ALIKE are passed
    over.
    """

    def __init__(
        self,
        wanted: Prepared,
        own: Iterable[Judgement] = (),
        others: Iterable[tuple[Prepared, Iterable[Judgement]]] = (),
        numbers: Numbers = NUMBERS,
    ) -> None:
        self._numbers = numbers
        self._said = frozenset(grams(wanted.text.title))
        self._own = {
            one.key: _Seen(self._news(one.offered), 1.0, self._surprise(one)) for one in own
        }
        self._total = sum(one.surprise for one in self._own.values())
        self._others: list[_Seen] = []
        for other, judged in others:
            likeness = alike(wanted, other)
            if likeness >= ALIKE:
                self._others += self._centred(likeness, list(judged))

    def __bool__(self) -> bool:
        return bool(self._own or self._others)

    def change(self, key: Hashable, offered: Prepared) -> float:
        """By how much to move the score of an offered text: -BOUND … BOUND.

        A judgement on the text itself, known by its key, is left out: it would be no news.
        """
        itself = self._own.get(key)
        count = len(self._own) - (itself is not None) + self._numbers.before
        mean = (self._total - (itself.surprise if itself else 0.0)) / count
        moved, known = 0.0, self._numbers.little
        if self._own:
            news = self._news(offered)
            for one in self._own.values():
                if one is not itself:
                    weight = _dot(news, one.direction)
                    moved += weight * (one.surprise - mean)
                    known += weight
        if self._others:
            whole = _unit(offered.vector)
            for one in self._others:
                near = min(_dot(whole, one.direction), 1.0) ** 2
                weight = one.weight * near / (1 + self._numbers.sharp - near)
                moved += weight * one.surprise
                known += weight
        return max(-BOUND, min(BOUND, moved / known))

    def _news(self, offered: Prepared) -> _Vector:
        """The direction of what a text says beyond the title of what is wanted."""
        return _unit(
            {gram: weight for gram, weight in offered.vector.items() if gram not in self._said}
        )

    def _surprise(self, one: Judgement) -> float:
        return (one.level - 1) / self._numbers.levels_per_score - one.score

    def _centred(self, likeness: float, judged: list[Judgement]) -> Iterator[_Seen]:
        surprises = [self._surprise(one) for one in judged]
        mean = sum(surprises) / (len(judged) + self._numbers.before)
        weight = self._numbers.others * likeness
        for one, surprise in zip(judged, surprises, strict=True):
            yield _Seen(_unit(one.offered.vector), weight, surprise - mean)


def alike(one: Prepared, other: Prepared) -> float:
    """The cosine of two texts, 0 … 1."""
    return _dot(one.vector, other.vector) / (one.length * other.length or 1.0)


def _unit(vector: _Vector) -> _Vector:
    length = math.sqrt(sum([weight * weight for weight in vector.values()]))
    return {gram: weight / length for gram, weight in vector.items()} if length else {}


def _dot(one: _Vector, other: _Vector) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum([weight * other[gram] for gram, weight in one.items() if gram in other])
