"""Crashes, reorders, duplicates and outages of the index path, in seeded schedules: whatever
happens, in the end the index holds what the database says, and finds what it should.

    ZHIHE_TEST_SCHEDULE=SEED python3 run.py test -k schedules    one schedule again
"""

import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.discovery import rebuild
from market.discovery.documents import SCHEMA
from market.discovery.drain import left_to_do
from search.engines.elastic import ElasticEngine
from search.engines.elastic_indexes import ElasticIndexes
from search.engines.tantivy import TantivyEngine, TantivyIndexes
from search.port import SearchEngine
from search.rebuild import Indexes
from tests.market.discovery.people import People, ground
from tests.market.discovery.schedules import Place, Schedule
from tests.search.elastics import PATIENT
from tests.support.clock import FakeClock
from tests.support.elastic import Elastic

AGAIN = "ZHIHE_TEST_SCHEDULE"


class OnTantivy:
    single_writer = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "index"

    def open(self, *, read_only: bool) -> SearchEngine:
        return TantivyEngine(self._folder, SCHEMA, read_only=read_only)

    def indexes(self) -> Indexes:
        return TantivyIndexes(self._folder, SCHEMA)

    def drop(self) -> None:
        pass


class OnElastic:
    single_writer = False

    def __init__(self, elastic: Elastic, folder: Path) -> None:
        self._elastic = elastic
        self._prefix = f"s{folder.name.lower()}"

    def open(self, *, read_only: bool) -> SearchEngine:
        return ElasticEngine(
            self._client(), SCHEMA, prefix=self._prefix, read_only=read_only, patience=PATIENT
        )

    def indexes(self) -> Indexes:
        return ElasticIndexes(self._client, SCHEMA, prefix=self._prefix, patience=PATIENT)

    def drop(self) -> None:
        self._elastic.drop(self._prefix)

    def _client(self) -> Elasticsearch:
        return Elasticsearch(self._elastic.url, max_retries=0)


class Grounds:
    """The same ground for each schedule: one database, brought back to what it was. In memory where
    the system has such a folder: no schedule cuts the power.
    """

    def __init__(self, template: Path) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        file = self.folder / "zhihe.db"
        shutil.copyfile(template, file)
        settings = Settings(data_dir=self.folder, database_url=f"sqlite:///{file}")
        self._clock = FakeClock()
        self._parts = build_parts(settings, self._clock)
        self._ground = ground(self._parts)
        self._database = sqlite3.connect(file)
        self._before = sqlite3.connect(":memory:")
        self._database.backup(self._before)

    def close(self) -> None:
        self._before.close()
        self._database.close()
        close_parts(self._parts)
        shutil.rmtree(self.folder)

    def run(
        self,
        seed: int,
        place_in: Callable[[Path], Place],
        script: Callable[[Schedule], None] = Schedule.run,
    ) -> Schedule:
        self._before.backup(self._database)
        self._clock.set(FakeClock().now())
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        place = place_in(folder)
        rng, trace = random.Random(seed), list[str]()
        people = People(self._parts, self._ground, rng, trace.append)
        schedule = Schedule(self._parts, self._clock, place, people, rng, trace)
        try:
            script(schedule)
        except BaseException:
            print(f"{AGAIN}={seed}", *schedule.trace, sep="\n")
            raise
        finally:
            schedule.close()
            place.drop()
            shutil.rmtree(folder)
        return schedule


@pytest.fixture
def grounds(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grounds]:
    monkeypatch.setattr("search.rebuild.CHUNK", 3)
    monkeypatch.setattr("search.rebuild.SAMPLE", 2)
    monkeypatch.setattr("market.discovery.tasks.CHUNK", 2)
    monkeypatch.setattr("search.engines.tantivy.WRITER_MEMORY", 15 * 2**20)
    made = Grounds(sqlite_template)
    yield made
    made.close()


@pytest.fixture(params=["tantivy", pytest.param("elastic", marks=pytest.mark.elastic)])
def place_in(request: pytest.FixtureRequest) -> Callable[[Path], Place]:
    if request.param == "tantivy":
        return OnTantivy
    elastic = request.getfixturevalue("elastic")
    return lambda folder: OnElastic(elastic, folder)


def many(grounds: Grounds, place_in: Callable[[Path], Place], number: int) -> tuple[int, str]:
    """Run so many schedules; return the first one's seed, and what happened in all."""
    first = int(os.environ.get(AGAIN) or random.randrange(2**32))
    number = 1 if AGAIN in os.environ else number
    print(f"seeds {first} and the {number - 1} after it")
    begun = time.monotonic()
    happened: Counter[str] = Counter()
    for seed in range(first, first + number):
        happened += grounds.run(seed, place_in).happened
    print(f"{(time.monotonic() - begun) / number * 1000:.0f} ms each; {dict(happened)}")
    return first, "，".join(f"{what}{count:,}次" for what, count in sorted(happened.items()))


def test_schedules(grounds: Grounds, place_in: Callable[[Path], Place]) -> None:
    many(grounds, place_in, 100 if place_in is OnTantivy else 10)


def test_a_last_batch_to_the_index_before_is_not_lost(
    grounds: Grounds, place_in: Callable[[Path], Place]
) -> None:
    """One drainer writes to the live index; another one puts a new one in its place, for which that
    change was still owed; then the first calls it done.
    """

    def script(schedule: Schedule) -> None:
        for _ in range(4):
            schedule.people.post()
        indexer = schedule.process("first")
        indexer.round()
        indexer.round()
        rebuild.ask(schedule.parts)
        indexer.until("scan")  # it is built, and about to be held against what it should contain
        schedule.people.post()
        helper = schedule.process("helper")
        helper.until("send")
        helper.until("transaction")
        indexer.until("swap")
        indexer.round()
        helper.round()
        assert left_to_do(schedule.parts).index == 0
        indexer.round()
        with closing(schedule.place.open(read_only=True)) as engine:
            schedule.check_index(engine)

    grounds.run(random.randrange(2**32), place_in, script)


@pytest.mark.full
@pytest.mark.parametrize("part", range(4))
def test_very_many_schedules(
    grounds: Grounds,
    place_in: Callable[[Path], Place],
    part: int,
    verified: Callable[..., None],
) -> None:
    """In parts, so that several processes share them."""
    name, number = ("tantivy", 2_500) if place_in is OnTantivy else ("Elasticsearch", 250)
    first, happened = many(grounds, place_in, number)
    verified(
        f"索引路径上的崩溃、乱序、重复、停摆（{name}，第{part + 1}组）",
        how_many=f"{number:,}个过程",
        result=f"最后差异0，核对一致；{happened}",
        seed=first,
    )
