"""Which days rest and which are worked, as the notices of the State Council set them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from market.rules.models import DayKind, Holiday

SATURDAY: Final = 5
SOURCE: Final = "国务院办公厅放假安排，经 chinesecalendar"
_NAMES: Final = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Answers for any day. A year without a notice is computed by weekends and is provisional:
    wherever such a date is shown it is marked 暂定.
    """

    rest: frozenset[date]
    work: frozenset[date]
    years: frozenset[int]

    def is_rest_day(self, day: date) -> bool:
        if day in self.rest:
            return True
        return day.weekday() >= SATURDAY and day not in self.work

    def provisional(self, day: date) -> bool:
        return day.year not in self.years

    def rest_days(self, year: int) -> int:
        """Return how many days of the year rest, weekends included."""
        first, after = date(year, 1, 1), date(year + 1, 1, 1)
        days = (first + timedelta(days=n) for n in range((after - first).days))
        return sum(self.is_rest_day(day) for day in days)


def official() -> Iterator[Holiday]:
    """Yield the days of all years whose notice the package knows (2004 on)."""
    # Imported here: only seeding needs the package, every process imports this module.
    from chinese_calendar import constants  # noqa: PLC0415

    for kind, days in ((DayKind.REST, constants.holidays), (DayKind.WORK, constants.workdays)):
        for on, name in days.items():
            yield Holiday(
                falls_on=on, kind=kind, year=on.year, name=_NAMES.get(name, name), source=SOURCE
            )
