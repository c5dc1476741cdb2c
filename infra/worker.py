"""The worker: runs jobs and compares what changed."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from infra import logs
from infra.backup import removing
from infra.locks import ProcessLock
from infra.loops import Stop, keep
from infra.pulse import beating
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.discovery.drain import drain_matches, give_back, give_back_work
from market.discovery.matching import Matcher
from market.jobs import handlers
from market.kit.changes import Consumer
from market.kit.jobs import Handler, Runner
from market.retention import Nightly
from search.errors import SearchUnavailable
from search.port import SearchEngine

AWAY: Final = 2.0
"""Seconds for which an index that did not answer is not asked while there are jobs to do."""


class Working:
    """Runs jobs and matches, as long as it holds the lock: one at a time writes matches."""

    def __init__(
        self,
        parts: Parts,
        open_engine: Callable[[], SearchEngine],
        lock: ProcessLock,
        *,
        jobs: Mapping[str, Handler],
        matcher: Matcher,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._parts = parts
        self._open = open_engine
        self._lock = lock
        self._runner = Runner(parts.database, parts.clock, jobs, stopping)
        self._matcher = matcher
        self._nightly = Nightly(parts)
        self._engine: SearchEngine | None = None
        self._asked_again = 0.0

    def step(self) -> bool:
        """Do one job and a batch of comparisons; return whether there was either."""
        if not self._lock.take():
            return False
        try:
            engine = self._engine or self._begin()
            self._nightly.owe()
            worked = self._runner.run_one()
            return self._match(engine, worked=worked) or worked
        except BaseException:
            self._let_go()
            raise

    def _match(self, engine: SearchEngine, *, worked: bool) -> bool:
        """Do a batch of comparisons. Jobs need no index: while there are some, one that is away
        costs them no more than a try now and then.
        """
        if time.monotonic() < self._asked_again:
            return False
        try:
            return drain_matches(self._parts, engine, self._matcher) > 0
        except SearchUnavailable:
            self._asked_again = time.monotonic() + AWAY
            if not worked:
                raise
            give_back(self._parts, Consumer.MATCH)
            return False

    def _begin(self) -> SearchEngine:
        self._engine = self._open()
        give_back_work(self._parts)
        return self._engine

    def _let_go(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close(self) -> None:
        self._let_go()
        self._lock.release()


def working(
    settings: Settings, parts: Parts, stopping: Callable[[], bool] = lambda: False
) -> Working:
    return Working(
        parts,
        lambda: open_reader(settings),
        ProcessLock(settings.data_dir / "worker.lock"),
        jobs=handlers(parts, lambda: removing(settings)),
        matcher=Matcher(settings.match_floor, feedback=settings.match_feedback),
        stopping=stopping,
    )


def run(settings: Settings) -> None:
    """Work until asked to stop; beside a running worker, wait to take its place."""
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
