"""Crashes, reorders, duplicates and outages of the index path, in seeded schedules: whatever
happens, in the end the index holds what the database says, and finds what it should.

    ZHIHE_TEST_SCHEDULE=SEED python3 run.py test -k schedules    one schedule again
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.discovery.documents import SCHEMA
from search.engines.elastic import ElasticEngine
from search.engines.elastic_indexes import ElasticIndexes
from search.engines.tantivy import TantivyEngine, TantivyIndexes
from search.port import SearchEngine
from search.rebuild import Indexes
from tests.market.discovery.schedules import Ground, Place, Schedule, ground
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
    """Fresh ground for each schedule, in memory where the system has such a folder: no schedule
    cuts the power.
    """

    def __init__(self, template: Path) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self._template = self.folder / "template.db"
        shutil.copyfile(template, self._template)
        parts = build_parts(self._settings(self.folder, self._template), FakeClock())
        self._ground = ground(parts)
        close_parts(parts)

    def run(self, seed: int, place_in: Callable[[Path], Place]) -> Schedule:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        database, clock = folder / "zhihe.db", FakeClock()
        shutil.copyfile(self._template, database)
        parts = build_parts(self._settings(folder, database), clock)
        place = place_in(folder)
        schedule = Schedule(parts, clock, place, self._ground, random.Random(seed))
        try:
            schedule.run()
        except BaseException:
            print(f"{AGAIN}={seed}", *schedule.trace, sep="\n")
            raise
        finally:
            close_parts(parts)
            place.drop()  # type: ignore[attr-defined]
            shutil.rmtree(folder)
        return schedule

    @staticmethod
    def _settings(folder: Path, database: Path) -> Settings:
        return Settings(data_dir=folder, database_url=f"sqlite:///{database}")


@pytest.fixture
def grounds(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grounds]:
    monkeypatch.setattr("search.rebuild.CHUNK", 3)
    monkeypatch.setattr("search.rebuild.SAMPLE", 2)
    monkeypatch.setattr("market.discovery.tasks.CHUNK", 2)
    monkeypatch.setattr("search.engines.tantivy.WRITER_MEMORY", 15 * 2**20)
    made = Grounds(sqlite_template)
    yield made
    shutil.rmtree(made.folder)


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
    return first, "，".join(f"{what}{count}次" for what, count in sorted(happened.items()))


def test_schedules(grounds: Grounds, place_in: Callable[[Path], Place]) -> None:
    many(grounds, place_in, 100 if place_in is OnTantivy else 10)
