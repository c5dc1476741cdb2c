"""Days as the Civil Code counts them (民法典 201, 203).

The first day is not counted; a period whose last day is a rest day ends on the next working day.
Which days rest is data: `rules` keeps the table, this module only counts.
"""

from collections.abc import Callable
from datetime import date, timedelta

IsRestDay = Callable[[date], bool]


def period_end(begun_on: date, days: int, is_rest_day: IsRestDay) -> date:
    """Return the last day of a period of `days` calendar days begun on `begun_on`."""
    last = begun_on + timedelta(days=days)
    while is_rest_day(last):
        last += timedelta(days=1)
    return last


def working_days_after(begun_on: date, count: int, is_rest_day: IsRestDay) -> date:
    """Return the `count`-th working day after `begun_on`."""
    current, left = begun_on, count
    while left:
        current += timedelta(days=1)
        left -= not is_rest_day(current)
    return current


def working_days_between(begun_on: date, until: date, is_rest_day: IsRestDay) -> int:
    """Return how many working days there are after `begun_on` up to and with `until`; 0 where
    `until` is not later.
    """
    days = (until - begun_on).days
    return sum(not is_rest_day(begun_on + timedelta(days=n)) for n in range(1, days + 1))
