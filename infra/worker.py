"""The worker: runs jobs and compares what changed."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from infra import logs
from infra.backup import removing
from infra.locks import lock_of, term_of
from infra.loops import Stop, keep
from infra.pulse import beating
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader, ways_of
from market.accounts.work import Parts
from market.discovery.drain import drain_matches, give_back
from market.discovery.matching import Matcher
from market.jobs import handlers
from market.kit import jobs
from market.kit.changes import Consumer
from market.kit.holding import Fenced, Lock, Lost, TermLock
from market.kit.jobs import Runner
from market.payments.tasks import Sweeping
from market.retention import Nightly
from search.errors import SearchUnavailable
from search.port import SearchEngine

AWAY: Final = 2.0
"""Seconds for which an index that did not answer is not asked while there are jobs to do."""
LOOKS: Final = 1.0
"""Seconds between two looks whether another worker is gone that had a job in hand."""


class Working:
    """Runs jobs, and matches as long as it holds the lock of that: one at a time writes matches.

    On PostgreSQL workers stand side by side. Each holds a lock of its own name, by which the others
    learn that it is gone and take its jobs up again.
    """

    def __init__(
        self,
        parts: Parts,
        open_engine: Callable[[], SearchEngine],
        runner: Runner,
        matcher: Matcher,
        *,
        own: Lock,
        matching: TermLock,
        sweeping: Sweeping,
    ) -> None:
        self._parts = parts
        self._open = open_engine
        self._runner = runner
        self._matcher = matcher
        self._own = own
        self._matching = matching
        self._matched = replace(parts, database=Fenced(parts.database, matching))
        self._nightly = Nightly(parts)
        self._sweeping = sweeping
        self._engine: SearchEngine | None = None
        self._asked_again = 0.0
        self._looked = -LOOKS

    def step(self) -> bool:
        """Do one job and a batch of comparisons; return whether there was either."""
        try:
            if not self._own.take():
                return False
            self._free_jobs()
            self._nightly.owe()
            self._sweeping.owe()
            worked = self._runner.run_one()
            return self._match(worked=worked) or worked
        except Lost:
            self.close()
            raise
        except BaseException:
            self._let_go()
            raise

    def _free_jobs(self) -> None:
        """Free what workers had in hand that are gone, now and then."""
        if time.monotonic() < self._looked + LOOKS:
            return
        with self._parts.database.read() as session:
            others = [one for one in jobs.owners(session) if one != self._runner.owner]
        for one in others:
            if self._own.is_free(lock_name(one)):
                with self._parts.database.write() as session:
                    jobs.give_back(session, at=self._parts.clock.now(), owner=one)
        self._looked = time.monotonic()

    def _match(self, *, worked: bool) -> bool:
        """Do a batch of comparisons. Jobs need no index: while there are some, one that is away
        costs them no more than a try now and then.
        """
        if time.monotonic() < self._asked_again or not self._matching.take():
            return False
        try:
            if self._engine is None:
                self._engine = self._open()
                give_back(self._matched, Consumer.MATCH)
            return drain_matches(self._matched, self._engine, self._matcher) > 0
        except SearchUnavailable:
            self._asked_again = time.monotonic() + AWAY
            if not worked:
                raise
            give_back(self._matched, Consumer.MATCH)
            return False

    def _let_go(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close(self) -> None:
        self._let_go()
        self._matching.release()
        self._own.release()


def lock_name(owner: str) -> str:
    return f"worker {owner}"


def working(
    settings: Settings, parts: Parts, stopping: Callable[[], bool] = lambda: False
) -> Working:
    cards = ways_of(settings).cards
    jobs_of = handlers(parts, lambda: removing(settings), cards)
    runner = Runner(parts.database, parts.clock, jobs_of, stopping)
    # SQLite has one worker: it has one writer anyhow.
    name = "worker" if parts.database.sqlite else lock_name(runner.owner)
    return Working(
        parts,
        lambda: open_reader(settings),
        runner,
        Matcher(settings.match_floor, feedback=settings.match_feedback),
        own=lock_of(settings, name),
        matching=term_of(settings, parts.database, "matching"),
        sweeping=Sweeping(parts, cards),
    )


def run(settings: Settings) -> None:
    """Work until asked to stop; on SQLite beside a running worker, wait to take its place."""
    logs.configure("worker", settings)
    stop = Stop()
    stop.on_signals()
    parts = build_parts(settings)
    process = working(settings, parts, lambda: stop.asked)
    try:
        with beating(parts, "worker") as pulse:
            keep("worker", process.step, stop, pulse)
    finally:
        process.close()
        close_parts(parts)
