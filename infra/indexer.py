"""The indexer: the one process that writes to the index, of as many as stand by."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from infra import logs
from infra.locks import term_of
from infra.loops import Stop, keep
from infra.pulse import beating
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_indexes, open_writer
from market.accounts.work import Parts
from market.discovery import filling
from market.discovery import rebuild as rebuilding
from market.discovery.drain import BATCH, drain_index, give_back, holds_enough, making_whole
from market.discovery.words import indexed_words
from market.kit import faults
from market.kit.changes import Consumer
from market.kit.holding import Fenced, Lost, TermLock
from search.dictionary import Dictionary, using
from search.errors import RebuildRefused, SearchError, SearchUnavailable
from search.port import SearchEngine
from search.rebuild import Indexes, Rebuild

_SMALLEST = 250
"""Changes in a batch, after an index that did not take larger ones in time."""
_TRIES = 5
"""How often a rebuild is begun that breaks off each time."""
_CHUNKS = 8
"""Of the listings looked through, between two batches of changes: some tenths of a second."""

log = logging.getLogger("zhihe.discovery")


class Indexing:
    """Drains the change log into the index, as long as it holds the lock. Between two batches of
    changes it looks through an index that it found, some chunks at a time, or builds one anew where
    that was asked for.

    One that lost its lock learns it with its next step or its next write to the database, which is
    refused. What it writes to the index until then does no harm: each document carries its version,
    and the index refuses one that is older than what its successor wrote.
    """

    def __init__(
        self,
        parts: Parts,
        open_engine: Callable[[], SearchEngine],
        lock: TermLock,
        indexes: Indexes,
    ) -> None:
        self._parts = replace(parts, database=Fenced(parts.database, lock))
        self._open = open_engine
        self._lock = lock
        self._indexes = indexes
        self._engine: SearchEngine | None = None
        self._rebuild: Rebuild | None = None
        self._begun: rebuilding.Begun | None = None
        self._broken_off = 0  # rebuilds in a row
        self._batch = BATCH
        self._looking: Iterator[int] | None = None
        self._whole = False

    @property
    def looking(self) -> bool:
        """Whether it has an index that it has not looked through to the end."""
        return self._looking is not None

    def step(self) -> bool:
        """Do a batch of what is owed; return whether there was any. Nothing without the lock."""
        try:
            if not self._lock.take():
                return False
            with using(self._words()):
                worked = self._work()
        except Lost:
            self._rebuild = None  # what was being built is a successor's to remove
            self._let_go()
            raise
        except BaseException as error:
            if isinstance(error, SearchUnavailable):
                self._batch = max(self._batch // 4, _SMALLEST)
            else:
                self._whole = False
            # Begin again: what was claimed is given back, what is missing in the index is found.
            self._let_go()
            raise
        self._batch = min(2 * self._batch, BATCH)
        return worked

    def _words(self) -> Dictionary:
        if self._rebuild is None or self._begun is None:
            return indexed_words(self._parts)
        return self._begun.words

    def _work(self) -> bool:
        engine = self._engine or self._begin()
        writer = engine if self._rebuild is None else self._rebuild.writer
        worked = drain_index(self._parts, writer, self._batch) > 0
        if self._looking is not None:
            self._look(self._looking)
            return True
        return self._build(engine) or worked

    def _begin(self) -> SearchEngine:
        self._engine = self._open()
        give_back(self._parts, Consumer.INDEX)
        filling.begin(self._parts, self._engine)
        # One that only did not answer is not read whole again: what is owed to it is all it lacks.
        if not (self._whole and holds_enough(self._parts, self._engine)):
            self._whole = False
            self._looking = making_whole(self._parts, self._engine, self._batch)
        return self._engine

    def _look(self, looking: Iterator[int]) -> None:
        """Look through some more of the index that was found."""
        for _ in range(_CHUNKS):
            if next(looking, None) is None:
                self._looking, self._whole = None, True
                filling.end(self._parts)
                return

    def _build(self, engine: SearchEngine) -> bool:
        """Go on with the rebuild that was asked for; return whether there is one.

        One that breaks off is begun again, but not for ever: where the disk does not hold two
        indexes, each try fills it.
        """
        asked = rebuilding.asked(self._parts)
        if asked is None:
            self._drop_rebuild()  # another process has ended it
            return False
        try:
            self._go_on(engine, asked)
        except Lost:
            raise
        except Exception as error:
            self._broken_off += 1
            if self._broken_off < _TRIES:
                raise
            self._broken_off = 0
            log.exception("the index cannot be built anew")
            with suppress(SearchError):
                self._drop_rebuild()
            detail = f"试了{_TRIES}次都没有做完：{faults.told(error)}"
            rebuilding.failed(self._parts, asked, detail=detail)
        return True

    def _go_on(self, engine: SearchEngine, asked: datetime) -> None:
        if self._rebuild is None or self._begun is None:
            self._begun = rebuilding.begin(self._parts, asked)
            self._rebuild = Rebuild(engine, self._indexes, rebuilding.Listings(self._parts))
        elif not self._rebuild.step():
            self._put_in_place(self._rebuild, self._begun)

    def _put_in_place(self, rebuild: Rebuild, begun: rebuilding.Begun) -> None:
        self._lock.take()  # what stands beside the live index may be a successor's by now
        try:
            rebuild.finish()
        except RebuildRefused as error:
            log.warning("the index built anew is not put in place: %s", error)
            self._drop_rebuild()
            rebuilding.failed(self._parts, begun.asked, detail=str(error))
        else:
            detail = f"共{rebuild.held}条"
            if rebuild.left_out:
                detail += f"，另有{len(rebuild.left_out)}条做不成文档"
            self._rebuild = None
            # What was live is another index now, and it is looked through once more: whoever held
            # the lock before may have written a last batch to the old one and called it done.
            self._whole = False
            self._let_go()
            rebuilding.succeeded(self._parts, begun, detail=detail)
        self._broken_off = 0

    def _drop_rebuild(self) -> None:
        rebuild, self._rebuild = self._rebuild, None
        if rebuild is not None:
            rebuild.abandon()

    def _let_go(self) -> None:
        engine, self._engine = self._engine, None
        self._looking = None
        try:
            self._drop_rebuild()
        finally:
            if engine is not None:
                engine.close()

    def close(self) -> None:
        self._let_go()
        self._lock.release()


def indexing(settings: Settings, parts: Parts) -> Indexing:
    lock = term_of(settings, parts.database, "indexer")
    return Indexing(parts, lambda: open_writer(settings), lock, open_indexes(settings))


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


def build_anew(settings: Settings, parts: Parts, rest: Callable[[], None]) -> tuple[bool, str]:
    """Ask for the index to be built anew and wait for it, by the running indexer or, where there is
    none, by this process; return whether it succeeded and what is told of it.

    `rest` is called where there is nothing to do but wait.
    """
    asked = rebuilding.ask(parts)
    process = indexing(settings, parts)
    try:
        while (outcome := rebuilding.outcome(parts, asked)) is None:
            if not process.step():
                rest()
        return outcome
    finally:
        process.close()
