"""A clock that tests set. Injected by wiring; no running server can reach it."""

from datetime import UTC, datetime, timedelta

from market.kit.clock import SHANGHAI


class FakeClock:
    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 2, 2, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = moment.astimezone(UTC)

    def set_local(self, text: str) -> None:
        """Set to a moment in China written `2026-11-12 09:00`."""
        self.set(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI))

    def advance(self, **delta: float) -> None:
        self._now += timedelta(**delta)
