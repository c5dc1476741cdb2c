"""Parts add up to the whole, to the fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.kit.shares import share_nearest, share_up, split


def test_a_hundred_yuan_in_three() -> None:
    assert split(100_00, [1, 1, 1]) == [33_34, 33_33, 33_33]


def test_the_larger_remainder_comes_first() -> None:
    assert split(10, [5, 3, 3]) == [4, 3, 3]  # 4.55, 2.73, 2.73: both fen go to the small ones
    assert split(1, [1, 2]) == [0, 1]


def test_nothing_is_divided_by_nothing() -> None:
    for amount, weights in ((1, []), (1, [0]), (-1, [1]), (1, [1, -1])):
        with pytest.raises(ValueError):
            split(amount, weights)


@given(
    st.integers(0, 10**15),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any),
)
def test_parts_add_up_and_are_within_one_of_their_share(amount: int, weights: list[int]) -> None:
    parts, whole = split(amount, weights), sum(weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - amount * weight) < whole


@given(st.integers(0, 10**15), st.integers(0, 10_000))
def test_a_share_rounded_up_is_the_least_that_is_enough(amount: int, points: int) -> None:
    part = share_up(amount, points)
    assert (part - 1) * 10_000 < amount * points <= part * 10_000
    assert abs(share_nearest(amount, points) * 10_000 - amount * points) <= 5_000
