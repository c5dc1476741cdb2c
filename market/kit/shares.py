"""Dividing a whole number so that the parts add up to it exactly."""

from collections.abc import Sequence


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Return the parts of `amount` (fen, shares) in proportion to `weights`, by largest remainder.

    Each part is its exact share rounded down; what is left goes one by one to the largest
    remainders, the earlier first: 10000 by three equal weights is 3334, 3333, 3333. Raises
    ValueError for a negative amount or weight, or where all weights are 0.
    """
    whole = sum(weights)
    if amount < 0 or whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("an amount and weights are not negative, and one weight is more than 0")
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount * weights[place] % whole))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def share_up(amount: int, points: int) -> int:
    """Return `points` ten-thousandths of `amount`, a fraction rounded up: at least what is due."""
    return -(-amount * points // 10_000)


def share_nearest(amount: int, points: int) -> int:
    """Return `points` ten-thousandths of `amount`, to the nearest whole, a half rounded up."""
    return (amount * points * 2 + 10_000) // 20_000
