"""Shares as people type them: a per cent, kept in ten-thousandths."""

from typing import Annotated

from pydantic import BeforeValidator

from market.kit.money import typed_number


def _to_points(value: object) -> object:
    """Return the ten-thousandths of a per cent such as `3` or `2.5%`; None for nothing typed."""
    if value is None or isinstance(value, int):
        return value
    text = str(value).strip().removesuffix("%").removesuffix("％").strip()
    if not text:
        return None
    try:
        points = typed_number(text) * 100
    except ValueError:
        raise ValueError(f"应为百分数，如3或2.5，现在是“{text[:20]}”") from None
    if points != points.to_integral_value() or not 0 <= points <= 10_000:
        raise ValueError(f"应在0到100之间，最多两位小数，现在是“{text[:20]}”")
    return int(points)


Percent = Annotated[int | None, BeforeValidator(_to_points)]
"""A per cent as typed, ten-thousandths in the model; None where nothing was."""


def rate(points: int | None) -> str:
    """Return ten-thousandths as a person would type them: `2.5`."""
    return "" if points is None else f"{points / 100:g}"
