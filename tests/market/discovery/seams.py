"""Processes of the index path that stop at every step of theirs and go on, fail or die as told.

A process is a greenlet. It stops before each transaction and each call that changes an index, and
whoever resumes it says how that one goes (`Fate`). One that died does nothing any more: the code
that unwinds finds every seam shut, as the end of a process runs no code at all.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any, Protocol

from greenlet import getcurrent, greenlet
from sqlmodel import Session

from market.kit.db import Database
from search.document import Deletion, Document
from search.errors import DocumentRejected, SearchUnavailable
from search.port import Capabilities, SearchEngine
from search.query import SearchRequest
from search.rebuild import Indexes
from search.result import SearchResult
from search.schema import Schema


class Killed(BaseException):
    """The process is gone."""


class Fate(Enum):
    """How a step goes."""

    GOES = "goes"
    DIES_BEFORE = "the process dies before it"
    DIES_WITHIN = "the process dies half way"
    DIES_AFTER = "it is done, and the process dies before it knows"
    FAILS = "it fails and nothing is done"
    HALF = "it fails half way"
    MUTE = "it is done, and reported as failed"


class Conditions(Protocol):
    """What the world does to an engine."""

    down: bool
    poison: bool

    def delivered(self, upserts: Sequence[Document], deletions: Sequence[Deletion]) -> None:
        """Keep a batch, which may arrive once more."""
        ...

    def swapped(self) -> None: ...


POISON = "毒"
"""A title that begins so is refused while the world says so."""


class Process:
    """One process; `body` is given it and runs for ever."""

    def __init__(self, name: str, body: Callable[["Process"], None]) -> None:
        self.name = name
        self.alive = True
        self.last = "begins"
        self.opened: list[SearchEngine] = []
        self.live: SearchEngine | None = None
        self._scheduler = getcurrent()
        self._greenlet = greenlet(self._run)
        self._body = body

    def resume(self, fate: Fate = Fate.GOES) -> str:
        """Let it do the step before which it stands; return the next one."""
        self.last = self._greenlet.switch(fate)
        return self.last

    def until(self, step: str) -> None:
        """Let it go on until it stands before this step."""
        self.resume()
        while self.last != step:
            self.resume()

    def round(self) -> None:
        """Let it go once round its loop."""
        self.until("rest")

    def kill(self) -> None:
        if not self._greenlet.dead:
            self.resume(Fate.DIES_BEFORE)
        self._end()

    def at(self, step: str) -> Fate:
        """Stop before a step and return how it goes."""
        self.here()
        fate: Fate = self._scheduler.switch(step)
        if fate is Fate.DIES_BEFORE:
            self.die()
        return fate

    def here(self) -> None:
        """Raise Killed where the process is gone."""
        if not self.alive:
            raise Killed

    def die(self) -> None:
        self.alive = False
        raise Killed

    def _run(self, _fate: Fate) -> str:
        with suppress(Killed):
            self._body(self)
        self._end()
        return "is gone"

    def _end(self) -> None:
        """What the system does at the end of a process: files are closed and locks are free."""
        self.alive = False
        for engine in self.opened:
            engine.close()


class SteppedDatabase:
    """The database as a process has it."""

    def __init__(self, inner: Database, process: Process) -> None:
        self._inner = inner
        self._process = process

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def read(self) -> Iterator[Session]:
        self._process.at("read")
        with self._inner.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        fate = self._process.at("transaction")
        with self._inner.write() as session:
            yield session
            session.flush()
            if fate is Fate.DIES_WITHIN:
                self._process.die()
        if fate is Fate.DIES_AFTER:
            self._process.die()


class SteppedEngine:
    """An engine as a process has it."""

    def __init__(self, inner: SearchEngine, process: Process, world: Conditions) -> None:
        self._inner = inner
        self._process = process
        self._world = world

    @property
    def schema(self) -> Schema:
        return self._inner.schema

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        fate = self._process.at("send")
        self._up()
        if fate is Fate.FAILS:
            raise SearchUnavailable("not done, for the test")
        for one in upserts:
            if self._world.poison and one.texts["title"].startswith(POISON):
                raise DocumentRejected(one.id, "for the test")
        if fate in (Fate.HALF, Fate.DIES_WITHIN):
            if not self.capabilities.atomic_writes:
                self._inner.write(upserts[::2], deletions[::2])
        else:
            self._inner.write(upserts, deletions)
            self._world.delivered(upserts, deletions)
        if fate in (Fate.DIES_WITHIN, Fate.DIES_AFTER):
            self._process.die()
        if fate in (Fate.HALF, Fate.MUTE):
            raise SearchUnavailable("done or half done, for the test")

    def search(self, request: SearchRequest) -> SearchResult:
        self._up()
        return self._inner.search(request)

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        self._up()
        return self._inner.versions(ids)

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        self._up()
        return self._inner.numbers(field, ids)

    def count(self) -> int:
        self._up()
        return self._inner.count()

    def scan(self) -> Iterator[tuple[int, int]]:
        self._process.at("scan")
        self._up()
        return iter(list(self._inner.scan()))

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        self._up()
        return self._inner.frequencies(field, terms)

    def close(self) -> None:
        self._process.here()
        self._inner.close()

    def _up(self) -> None:
        self._process.here()
        if self._world.down:
            raise SearchUnavailable("down, for the test")


class SteppedIndexes:
    """Indexes side by side as a process has them."""

    def __init__(self, inner: Indexes, process: Process, world: Conditions) -> None:
        self._inner = inner
        self._process = process
        self._world = world

    def begin(self) -> SearchEngine:
        fate = self._change("begin")
        engine = self._inner.begin()
        if fate is Fate.MUTE:
            engine.close()  # nobody has it: what is written to it would be another process's writing
        else:
            self._process.opened.append(engine)
        self._changed(fate)
        return SteppedEngine(engine, self._process, self._world)

    def swap(self) -> None:
        fate = self._change("swap")
        self._inner.swap()
        self._world.swapped()
        self._changed(fate)

    def abandon(self) -> None:
        self._process.here()
        if self._world.down:
            raise SearchUnavailable("down, for the test")
        self._inner.abandon()

    def _change(self, step: str) -> Fate:
        fate = self._process.at(step)
        if self._world.down or fate in (Fate.FAILS, Fate.HALF):
            raise SearchUnavailable("not done, for the test")
        if fate is Fate.DIES_WITHIN:
            self._process.die()
        return fate

    def _changed(self, fate: Fate) -> None:
        if fate is Fate.DIES_AFTER:
            self._process.die()
        if fate is Fate.MUTE:
            raise SearchUnavailable("done, for the test")
