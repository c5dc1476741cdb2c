"""A plan against the calendar: what it expects today, and what is needed from now on."""

from dataclasses import dataclass
from datetime import date, timedelta

from market.rules.models import Plan

# The mean month of 30.4375 days, as a fraction: 487 / 16.
_MONTH = (487, 16)


@dataclass(frozen=True, slots=True)
class Pace:
    """Amounts in fen. `gap_fen` is negative where the plan is ahead of what was reached.

    `monthly_need_fen` is None where nothing is left to do or no day to do it.
    """

    day: int
    days: int
    expected_fen: int
    gap_fen: int
    share: float
    left_fen: int
    monthly_need_fen: int | None


def pace(plan: Plan, reached_fen: int, today: date) -> Pace:
    """Spread the target evenly over the plan's days, both ends included."""
    days = (plan.to_on - plan.from_on).days + 1
    day = min(max((today - plan.from_on).days + 1, 0), days)
    expected = plan.target_fen * day // days
    left = max(plan.target_fen - reached_fen, 0)
    rest = days - day
    months, sixteenths = _MONTH
    return Pace(
        day=day,
        days=days,
        expected_fen=expected,
        gap_fen=reached_fen - expected,
        share=reached_fen / plan.target_fen,
        left_fen=left,
        monthly_need_fen=left * months // (sixteenths * rest) if left and rest else None,
    )


def month_end(key: str) -> date:
    """Return the last day of a month written `2026-11`."""
    year, month = int(key[:4]), int(key[5:])
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
