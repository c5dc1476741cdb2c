"""The worker: runs jobs and compares what changed."""

from collections.abc import Callable, Mapping

from infra import logs
from infra.backup import removing
from infra.locks import ProcessLock
from infra.loops import Stop, keep
from infra.pulse import beating
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.discovery.drain import drain_matches, give_back_work
from market.discovery.matching import Matcher
from market.jobs import handlers
from market.kit.jobs import Handler, Runner
from market.retention import Nightly
from search.port import SearchEngine


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

    def step(self) -> bool:
        """Do one job and a batch of comparisons; return whether there was either."""
        if not self._lock.take():
            return False
        try:
            engine = self._engine or self._begin()
            self._nightly.owe()
            worked = self._runner.run_one()
            return drain_matches(self._parts, engine, self._matcher) > 0 or worked
        except BaseException:
            self._let_go()
            raise

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
