"""The indexer: the one process that writes to the index."""

from collections.abc import Callable

from infra import logs
from infra.locks import ProcessLock
from infra.loops import Stop, keep
from infra.pulse import beating
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_writer
from market.accounts.work import Parts
from market.discovery.drain import drain_index, give_back, make_whole
from market.kit.changes import Consumer
from search.port import SearchEngine


class Indexing:
    """Drains the change log into the index, as long as it holds the lock."""

    def __init__(
        self, parts: Parts, open_engine: Callable[[], SearchEngine], lock: ProcessLock
    ) -> None:
        self._parts = parts
        self._open = open_engine
        self._lock = lock
        self._engine: SearchEngine | None = None

    def step(self) -> bool:
        """Do a batch of what is owed; return whether there was any. Nothing without the lock."""
        if not self._lock.take():
            return False
        try:
            return drain_index(self._parts, self._engine or self._begin()) > 0
        except BaseException:
            # Begin again: what was claimed is given back, what is missing in the index is found.
            self._let_go()
            raise

    def _begin(self) -> SearchEngine:
        self._engine = self._open()
        give_back(self._parts, Consumer.INDEX)
        make_whole(self._parts, self._engine)
        return self._engine

    def _let_go(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close(self) -> None:
        self._let_go()
        self._lock.release()


def indexing(settings: Settings, parts: Parts) -> Indexing:
    lock = ProcessLock(settings.data_dir / "indexer.lock")
    return Indexing(parts, lambda: open_writer(settings), lock)


def run(settings: Settings) -> None:
    """Index until asked to stop; beside a running indexer, wait to take its place."""
    logs.configure("indexer", settings)
    stop = Stop()
    stop.on_signals()
    parts = build_parts(settings)
    process = indexing(settings, parts)
    try:
        with beating(parts, "indexer") as pulse:
            keep("indexer", process.step, stop, pulse)
    finally:
        process.close()
        close_parts(parts)
