"""The one source of time. Stored as aware UTC, shown as Asia/Shanghai."""

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Injected by wiring; nothing reachable from a running server can change it."""

    def now(self) -> datetime:
        """Return the present moment as aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def local_date(moment: datetime) -> date:
    """Return the calendar day of an aware moment in China, by which all deadlines count."""
    return moment.astimezone(SHANGHAI).date()


def local_text(moment: datetime) -> str:
    """Return an aware moment as it stood on the clock in China, `2026-11-12 09:10`."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
