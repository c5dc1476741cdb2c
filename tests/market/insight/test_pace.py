"""The plan against the calendar; the figures of the design's example agree with one another."""

from datetime import UTC, date, datetime

import pytest

from market.insight.pace import month_end, pace
from market.kit.ids import PublicId
from market.rules.models import Plan

YI = 10_000_000_000


def plan(target: int = 40 * YI) -> Plan:
    return Plan(
        public_id=PublicId("a" * 14),
        name="示范区2024–2028",
        region="500106",
        from_on=date(2024, 1, 1),
        to_on=date(2028, 12, 31),
        baseline_fen=2 * YI,
        baseline_year=2020,
        target_fen=target,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_the_example_of_the_design() -> None:
    found = pace(plan(), 2_186 * YI // 100, date(2026, 11, 20))
    assert (found.day, found.days) == (1055, 1827)
    assert round(found.expected_fen / YI, 2) == 23.10
    assert round(found.gap_fen / YI, 2) == -1.24
    assert found.share == 0.5465
    assert round(found.left_fen / YI, 2) == 18.14
    assert found.monthly_need_fen is not None
    assert 7_100 < found.monthly_need_fen / 1_000_000 < 7_200


@pytest.mark.parametrize(
    ("today", "day", "share_of_target"),
    [(date(2023, 12, 31), 0, 0), (date(2024, 1, 1), 1, 1 / 1827), (date(2029, 5, 1), 1827, 1)],
)
def test_before_at_the_start_and_after_the_end(today: date, day: int, share_of_target) -> None:
    found = pace(plan(), 0, today)
    assert found.day == day
    assert found.expected_fen == int(40 * YI * day / 1827 + 1e-6)
    assert (found.monthly_need_fen is None) == (share_of_target == 1)


def test_a_target_reached_needs_nothing_more() -> None:
    found = pace(plan(), 41 * YI, date(2026, 11, 20))
    assert (found.left_fen, found.monthly_need_fen) == (0, None)


@pytest.mark.parametrize(
    ("key", "last"),
    [
        ("2026-12", date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 29)),
        ("2026-11", date(2026, 11, 30)),
    ],
)
def test_month_ends(key: str, last: date) -> None:
    assert month_end(key) == last
