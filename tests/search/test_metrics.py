from math import log2

import pytest

from search.metrics import mean_ndcg, ndcg


def test_best_and_worst_order() -> None:
    assert ndcg([(0.9, 4), (0.5, 2), (0.1, 1)]) == 1
    gains = (7 / log2(4) + 1 / log2(3)) / (7 / log2(2) + 1 / log2(3))
    assert ndcg([(0.1, 4), (0.5, 2), (0.9, 1)]) == pytest.approx(gains)


def test_ties_count_by_expectation() -> None:
    tied = ndcg([(0.5, 3), (0.5, 1)])
    assert tied == pytest.approx((1.5 + 1.5 / log2(3)) / 3)


def test_only_the_first_ten_places_count() -> None:
    assert ndcg([(-place, 1 if place < 10 else 4) for place in range(11)]) == 0


def test_lists_without_gain_are_left_out() -> None:
    assert ndcg([(1.0, 1)]) is None
    assert ndcg([]) is None
    assert mean_ndcg([[(1.0, 1)], [(0.9, 4)], [(0.9, 1), (0.8, 2)]]) == pytest.approx(
        (1 + 1 / log2(3)) / 2
    )
    with pytest.raises(ValueError, match="relevant"):
        mean_ndcg([[(1.0, 1)]])
