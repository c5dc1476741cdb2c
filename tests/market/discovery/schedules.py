"""One schedule: people write, processes of the index path take turns at every step, fail and die,
old batches arrive again; then all that is owed is done and the index is held against the database.

Everything follows from the seed.
"""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlmodel import Session

from infra.indexer import Indexing
from market.accounts.work import Parts
from market.discovery import rebuild
from market.discovery.audit import audit_index
from market.discovery.documents import SCHEMA
from market.discovery.drain import documents_of, drain_index, give_back_work, left_to_do
from market.discovery.tasks import handlers
from market.kit import soundness, upkeep
from market.kit.holding import Lost
from market.kit.jobs import Runner
from search.document import Deletion, Document
from search.errors import SearchError, SearchUnavailable
from search.evaluate import Reading
from search.parse import parse
from search.port import SearchEngine
from search.query import SearchRequest
from search.rebuild import Indexes
from tests.market.discovery.people import WORDS, People
from tests.market.discovery.seams import (
    Fate,
    Process,
    SteppedDatabase,
    SteppedEngine,
    SteppedIndexes,
)
from tests.support.clock import FakeClock

TURNS = 45
FATES = [fate for fate in Fate if fate is not Fate.GOES]
QUERIES = (*WORDS[:4], "检测 监测", "“焊缝气孔”", "大学", "示范")


class Place(Protocol):
    """Where an engine keeps the indexes of one schedule."""

    single_writer: bool

    def indexes(self) -> Indexes: ...

    def open(self, *, read_only: bool) -> SearchEngine: ...
    def drop(self) -> None: ...


class Lock:
    """The indexer's lock. `honest`: one at a time has it; else two think so, as after a cut
    connection. `fenced`: the database refuses the writes of all but the one that took it last;
    not fenced, the index has to bear both.
    """

    def __init__(
        self, process: Process, holders: list[Process], *, honest: bool, fenced: bool
    ) -> None:
        self._process, self._holders = process, holders
        self._honest, self._fenced = honest, fenced

    def take(self) -> bool:
        self._process.here()
        if self._honest and any(one.alive and one is not self._process for one in self._holders):
            return False
        if self._process not in self._holders:
            self._holders.append(self._process)
        return True

    def confirm(self, session: Session) -> None:
        if self._fenced and self._holders[-1] is not self._process:
            self.release()
            self._honest = True  # it knows now: it has it again when nobody else has
            raise Lost(self._process.name)

    def release(self) -> None:
        self._process.here()
        self._holders.remove(self._process)


@dataclass
class Schedule:
    """One schedule on fresh ground; `run` raises AssertionError where anything is not right."""

    parts: Parts
    clock: FakeClock
    place: Place
    people: People
    rng: random.Random
    trace: list[str]
    down: bool = False
    poison: bool = False
    happened: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[Sequence[Document], Sequence[Deletion]]] = field(default_factory=list)
    holders: list[Process] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fenced = not self._single() and self.rng.random() < 0.5

    def delivered(self, upserts: Sequence[Document], deletions: Sequence[Deletion]) -> None:
        self.sent.append((upserts, deletions))
        self.happened["批"] += 1

    def swapped(self) -> None:
        self.happened["换上新索引"] += 1

    def run(self) -> None:
        for _ in range(4):
            self.people.post()
        deeds = {
            self._resume: 60,
            self.people.write: 18,
            self._kill: 4,
            self._repeat: 6,
            self._outage: 3,
            self._turn_poison: 2,
            self._ask: 5,
            self._wait: 4,
        }
        for deed in self.rng.choices(list(deeds), list(deeds.values()), k=TURNS):
            deed()
        self._settle()
        self._check()

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()

    # Processes

    def process(self, name: str) -> Process:
        """The process of this name that runs; a new one where it is gone."""
        found = self.processes.get(name)
        if found is None or not found.alive:
            self.note(f"{name} starts")
            bodies = {"first": self._index, "second": self._index, "helper": self._help}
            found = Process(name, bodies.get(name, self._jobs))
            self.processes[name] = found
            found.resume()
        return found

    def _with(self, process: Process) -> Parts:
        return replace(self.parts, database=SteppedDatabase(self.parts.database, process))  # type: ignore[arg-type]

    def _open(self, process: Process) -> SteppedEngine:
        process.at("open")
        engine = self.place.open(read_only=False)
        process.opened.append(engine)
        process.live = engine
        return SteppedEngine(engine, process, self)

    def _index(self, process: Process) -> None:
        """The indexer's loop."""
        indexing = Indexing(
            self._with(process),
            lambda: self._open(process),
            Lock(process, self.holders, honest=self._single(), fenced=self.fenced),
            SteppedIndexes(self.place.indexes(), process, self),
        )
        while True:
            process.at("rest")
            try:
                indexing.step()
            except (SearchError, Lost) as error:
                self.note(f"{process.name}: {error!r}")

    def _help(self, process: Process) -> None:
        """A second drainer: beside the indexer, by its engine where one writes."""
        parts = self._with(process)
        while True:
            process.at("rest")
            try:
                drain_index(parts, self._shared(process), limit=self.rng.randint(1, 4))
            except SearchError as error:
                self.note(f"{process.name}: {error}")

    def _shared(self, process: Process) -> SteppedEngine:
        if not self._single():
            return self._open(process)
        running = [one.live for one in self.holders if one.alive and one.live]
        if not running:
            raise SearchUnavailable
        return SteppedEngine(running[0], process, self)

    def _jobs(self, process: Process) -> None:
        parts = self._with(process)
        give_back_work(parts)
        runner = Runner(parts.database, parts.clock, handlers(parts))
        while True:
            process.at("rest")
            runner.run_one()

    def _single(self) -> bool:
        return self.place.single_writer

    # What happens

    def _resume(self) -> None:
        name = self.rng.choices(["first", "second", "helper", "worker"], [5, 2, 6, 2])[0]
        process = self.process(name)
        for _ in range(self.rng.randint(1, 12)):
            process.resume()
        if self.rng.random() < 0.35 and process.alive:
            fate = self.rng.choice(FATES)
            self.note(f"{name}, at {process.last}: {fate.value}")
            process.resume(fate)
            self.happened["崩溃" if not process.alive else "出错"] += 1

    def _kill(self) -> None:
        running = [one for one in self.processes.values() if one.alive]
        if running:
            process = self.rng.choice(running)
            self.note(f"{process.name} is killed at {process.last}")
            process.kill()
            self.happened["崩溃"] += 1

    def _repeat(self) -> None:
        """An old batch arrives once more, at whatever is live now."""
        if not self.sent or self.down:
            return
        self._deliver(*self.rng.choice(self.sent))

    def _deliver(self, upserts: Sequence[Document], deletions: Sequence[Deletion]) -> None:
        self.note(f"again {[one.id for one in (*upserts, *deletions)]}")
        self.happened["旧批重来"] += 1
        running = [one for one in self.holders if one.alive and one.opened]
        if running and self._single():  # at the live one, or at one that is being built
            for writer in self.rng.sample(running[0].opened, len(running[0].opened)):
                with suppress(SearchError):  # it was closed since
                    writer.write(upserts, deletions)
                    return
        else:
            with closing(self.place.open(read_only=False)) as writer:
                writer.write(upserts, deletions)

    def _outage(self) -> None:
        self.down = not self.down
        self.note("the engine is down" if self.down else "the engine is back")
        self.happened["引擎不可用"] += self.down

    def _turn_poison(self) -> None:
        self.poison = not self.poison
        self.note("poison is refused" if self.poison else "poison is taken")

    def _ask(self) -> None:
        self.note("a rebuild is asked for")
        rebuild.ask(self.parts)
        self.clock.advance(seconds=1)

    def _wait(self) -> None:
        self.clock.advance(seconds=self.rng.choice((1, 30, 70, 400)))

    # The end

    def _settle(self) -> None:
        """All works again, and whoever runs does what is owed; an operator tries again what was set
        aside. An indexer that runs is not started anew: what it forgot stays forgotten.
        """
        self.down = self.poison = False
        self.note("the end begins")
        with self.parts.database.read() as session:
            self.happened["搁置"] += len(upkeep.set_aside(session, limit=100))
        if not any(one in self.holders and one.alive for one in self.processes.values()):
            self.process("first")
        for _ in range(400):
            with self.parts.database.write() as session:
                upkeep.retry_jobs(session, at=self.clock.now())
                upkeep.retry_deliveries(session, at=self.clock.now())
            self.clock.advance(seconds=301)
            for name in self._last_ones():
                self.process(name).round()
            left = left_to_do(self.parts)
            if not (left.jobs or left.index or rebuild.asked(self.parts)):
                return
        raise AssertionError(f"still owed: {left}")

    def _last_ones(self) -> list[str]:
        running = [name for name, one in self.processes.items() if one.alive]
        return list(dict.fromkeys([*running, "worker"]))

    def _check(self) -> None:
        process = [one for one in self.holders if one.alive][-1]
        for _ in range(3):  # after a swap the index is opened anew, and looked through
            process.round()
        for batch in self.rng.sample(self.sent, min(8, len(self.sent))):
            self._deliver(*batch)  # nothing that comes late changes anything
        engine = self.place.open(read_only=True)
        try:
            self.check_index(engine)
        finally:
            engine.close()

    def check_index(self, engine: SearchEngine) -> None:
        assert list(audit_index(self.parts, engine)) == []
        with self.parts.database.read() as session:
            assert list(soundness.change_log(session, self.clock.now())) == []
            ids = [one.listing.id for one in self.people.written]
            documents, _, broken = documents_of(session, ids)
        assert not broken
        assert {one.id: one.texts["title"] for one in documents} == self.people.shown()
        assert dict(engine.scan()) == {one.id: one.version for one in documents}
        readings = {one.id: Reading(one, SCHEMA) for one in documents}
        for typed in QUERIES:
            query = parse(typed, SCHEMA).query
            found = engine.search(SearchRequest(query, limit=100, facets=("kind",)))
            right = {key for key, reading in readings.items() if reading.matches(query)}
            assert {hit.id for hit in found.hits} == right, typed
            assert found.total == len(right) == sum(one.count for one in found.facets["kind"])

    def note(self, what: str) -> None:
        self.trace.append(what)
