"""How well a ranking puts what people judged relevant first."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby


def ndcg(scored: Sequence[tuple[float, int]], depth: int = 10) -> float | None:
    """NDCG of one ranked list given as (score, level), level 1 meaning not relevant.

    Gain is 2^(level−1)−1, discounted by log2(rank+1). Equal scores count by expectation: each place
    that they share gains their mean. None where nothing in the list has any gain.
    """
    gains = [(score, 2.0 ** (level - 1) - 1) for score, level in scored]
    ideal = sorted((gain for _, gain in gains), reverse=True)
    best = sum(gain / _discount(place) for place, gain in enumerate(ideal[:depth]))
    if not best:
        return None
    expected: list[float] = []
    for _, tied in groupby(sorted(gains, reverse=True), key=lambda item: item[0]):
        values = [gain for _, gain in tied]
        expected += [sum(values) / len(values)] * len(values)
    return sum(gain / _discount(place) for place, gain in enumerate(expected[:depth])) / best


def mean_ndcg(lists: Iterable[Sequence[tuple[float, int]]], depth: int = 10) -> float:
    """Mean over the lists that have any gain; ValueError where none has."""
    values = [value for value in (ndcg(scored, depth) for scored in lists) if value is not None]
    if not values:
        raise ValueError("no list has anything relevant")
    return sum(values) / len(values)


def _discount(place: int) -> float:
    """Of a place counted from 0."""
    return math.log2(place + 2)
