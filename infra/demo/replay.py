"""Plays stories through the services, each step at its date and by the one whose step it is.

A story is a generator that yields the date of its next step. Stories run side by side: the step
with the earliest date comes next, so that numbers, queues and the ledger come out in order.
"""

import heapq
import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session

from infra.demo.cast import Actors
from market.accounts.policy import Action
from market.accounts.work import Actor, Parts, Work, record_done
from market.kit.clock import SHANGHAI
from market.kit.ids import PublicId
from market.rules import service as rules

Story = Generator[date, None, None]

_MORNING = time(9, tzinfo=SHANGHAI)
_PAUSE = timedelta(minutes=7)


@dataclass(slots=True)
class _ReplayClock:
    moment: datetime  # in China, where the content's days begin and end

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)


class Replay:
    """One transaction's worth of history. `listings` has public ids by the owner's own number."""

    def __init__(self, session: Session, parts: Parts, begins_on: date) -> None:
        self._session = session
        self._clock = _ReplayClock(datetime.combine(begins_on, _MORNING))
        self._parts = replace(parts, clock=self._clock)
        self._order = itertools.count()
        self._due: list[tuple[date, int, Story]] = []
        self._calendar = rules.calendar(session)
        self.actors: Actors = {}
        self.listings: dict[str, PublicId] = {}

    @property
    def today(self) -> date:
        return self._clock.moment.date()

    def work(self, actor: Actor) -> Work:
        return Work(self._session, self._parts, actor, self._clock.now())

    @contextmanager
    def act(self, who: str, action: Action) -> Iterator[Work]:
        """Let the one who acts for an organisation take a step, with its audit row."""
        work = self.work(self.actors[who])
        yield work
        record_done(work, action)
        self._clock.moment += _PAUSE

    def workday(self, on: date, days_before: int = 0) -> date:
        """Return the last working day that is at least so many days before `on`."""
        day = on - timedelta(days=days_before)
        while self._calendar.is_rest_day(day):
            day -= timedelta(days=1)
        return day

    def start(self, story: Story) -> None:
        """Run a story side by side with the others, from its first date on."""
        self._wait(story)

    def run(self) -> None:
        """Play all stories to their ends."""
        while self._due:
            on, _, story = heapq.heappop(self._due)
            assert on >= self.today, f"a step of {on} comes after {self.today}"
            if on > self.today:
                self._clock.moment = datetime.combine(on, _MORNING)
            self._wait(story)

    def _wait(self, story: Story) -> None:
        on = next(story, None)
        if on is not None:
            heapq.heappush(self._due, (on, next(self._order), story))
