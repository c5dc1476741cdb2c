"""The holiday table: seeded once, provisional where no notice is known."""

from datetime import date

import pytest

from market.accounts.work import ANONYMOUS, Parts
from market.kit.workdays import period_end, working_days_after
from market.rules import service
from tests.support.market import read_for, work_for


@pytest.fixture
def days(parts: Parts):
    with read_for(parts, ANONYMOUS) as work:
        return service.calendar(work.session)


def test_seeding_again_changes_nothing(parts: Parts) -> None:
    with work_for(parts, ANONYMOUS) as work:
        assert service.seed(work.session) == 0
        assert len(service.calendar(work.session).rest) > 600


def test_a_missing_day_is_written_again_and_one_changed_by_hand_stays(parts: Parts) -> None:
    with work_for(parts, ANONYMOUS) as work:
        view = service.year_view(work, 2026)
        taken, changed = view.days[0], view.days[1]
        work.session.delete(taken)
        changed.source = "手工更正"
        work.session.flush()
        assert service.seed(work.session) == 1
        assert service.year_view(work, 2026).days[1].source == "手工更正"


@pytest.mark.parametrize(
    ("day", "rests"),
    [
        (date(2026, 2, 16), True),  # 除夕, a Monday
        (date(2026, 2, 14), False),  # a Saturday worked for it
        (date(2026, 10, 10), False),  # a Saturday worked for 国庆
        (date(2026, 11, 14), True),  # a plain Saturday
        (date(2026, 11, 16), False),
    ],
)
def test_rest_days_follow_the_notice(days, day: date, rests: bool) -> None:
    assert days.is_rest_day(day) is rests
    assert not days.provisional(day)


def test_a_year_without_notice_goes_by_weekends_and_is_provisional(days) -> None:
    assert days.provisional(date(2027, 10, 1))
    assert not days.is_rest_day(date(2027, 10, 1))  # a Friday, 国庆 or not
    assert days.is_rest_day(date(2027, 10, 2))


def test_publicity_of_the_story_ends_on_a_friday_and_rolls_over_weekends(days) -> None:
    """公示 published on Thursday 2026-11-12 runs to 11-27; one ending in a holiday rolls on."""
    assert period_end(date(2026, 11, 12), 15, days.is_rest_day) == date(2026, 11, 27)
    assert period_end(date(2026, 9, 18), 15, days.is_rest_day) == date(2026, 10, 8)


def test_working_days_skip_the_holiday(days) -> None:
    assert working_days_after(date(2026, 9, 30), 1, days.is_rest_day) == date(2026, 10, 8)
    assert working_days_after(date(2026, 9, 30), 3, days.is_rest_day) == date(2026, 10, 10)
