"""A rebuild while 50 writes a second come, on both engines with the real indexer: nothing missing,
nothing stale, every search answered. Killed at any moment in it, it is made all the same.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from infra.bench.listings import listings
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts, Work
from market.catalog import drafts, publishing, views
from market.catalog.schemas import AchievementEditIn, AchievementIn
from market.discovery import rebuild
from market.discovery.audit import audit_index
from market.discovery.documents import SCHEMA
from market.discovery.drain import EVERY, left_to_do
from market.kit import changes
from market.kit.changes import SubjectKind
from market.kit.ids import PublicId
from search.engines.elastic import ElasticEngine
from search.errors import SearchError
from search.port import SearchEngine
from search.query import SearchRequest
from tests import factories
from tests.market.discovery.conftest import Start
from tests.search.elastics import PATIENT, prefix_of
from tests.support.elastic import Elastic
from tests.support.machine import until
from tests.support.market import work_for

RATE = 50  # writes a second
AT_ONCE = 500


@pytest.fixture(params=["tantivy", pytest.param("elastic", marks=pytest.mark.elastic)])
def settings(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> Iterator[Settings]:
    if request.param == "tantivy":
        yield settings
        return
    elastic: Elastic = request.getfixturevalue("elastic")
    prefix = prefix_of(tmp_path)
    yield replace(settings, search_url=elastic.url, search_prefix=prefix)
    elastic.drop(prefix)


@pytest.fixture
def reader(settings: Settings) -> Iterator[SearchEngine]:
    """What searches. A busy machine is not what this is about: it has time."""
    engine = open_reader(settings)
    if settings.search_url:
        engine.close()
        client = Elasticsearch(settings.search_url, max_retries=0)
        engine = ElasticEngine(
            client, SCHEMA, prefix=settings.search_prefix, read_only=True, patience=PATIENT
        )
    yield engine
    engine.close()


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    built = build_parts(settings)
    yield built
    close_parts(built)


@dataclass
class People:
    """An organisation that writes: new listings, new texts, withdrawals."""

    parts: Parts
    school: Organisation
    person: Actor
    rng: random.Random
    texts: Iterator[AchievementIn]
    public: list[tuple[PublicId, int]] = field(default_factory=list)
    """Id and number of the last revision of each listing that is published."""
    writes: int = 0
    late: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def begin_with(self, number: int) -> None:
        for _ in range(0, number, AT_ONCE):
            with work_for(self.parts, self.person) as work:
                for text in islice(self.texts, min(AT_ONCE, number)):
                    self._post(work, text)

    def write_on(self) -> None:
        """At the rate, as well as the machine can; `late` is how far it fell behind, in seconds."""
        begun = time.monotonic()
        while not self.stop.is_set():
            behind = time.monotonic() - begun - self.writes / RATE
            self.late = max(self.late, behind)
            if behind < 0:
                time.sleep(-behind)
            self._write()
            self.writes += 1

    def _write(self) -> None:
        text = next(self.texts)
        with work_for(self.parts, self.person) as work:
            kind = self.rng.random()
            if kind < 0.5 or len(self.public) < 5:
                self._post(work, text)
                return
            place = self.rng.randrange(len(self.public))
            listing, revision = self.public[place]
            if kind < 0.8:
                form = AchievementEditIn(
                    **text.model_dump(exclude={"own_number"}), based_on=revision
                )
                drafts.edit(work, listing, form)
                publishing.submit(work, listing)
                self.public[place] = (listing, revision + 1)
            else:
                publishing.withdraw(work, listing)
                self.public[place] = self.public[-1]
                self.public.pop()

    def _post(self, work: Work, text: AchievementIn) -> None:
        listing = drafts.create(work, text)
        publishing.submit(work, listing.public_id)
        self.public.append((listing.public_id, 1))


@dataclass
class Searches:
    """Somebody who searches all the time."""

    engine: SearchEngine
    took: list[float] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        while not self.stop.is_set():
            begun = time.perf_counter()
            try:
                found = self.engine.search(SearchRequest(limit=20, facets=("kind",)))
            except SearchError as error:
                self.failed.append(str(error))
            else:
                self.totals.append(found.total)
            self.took.append(time.perf_counter() - begun)
            time.sleep(0.005)


@pytest.fixture
def people(real: Parts) -> People:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    school = factories.organisation(real, self_publish=True)
    person = factories.actor(real, Role.MANAGER, school)
    rows = listings(10**6, seed)
    texts = (AchievementIn.model_validate({**one, "own_number": None}) for one in rows)
    return People(real, school, person, random.Random(seed), texts)


def done(parts: Parts) -> bool:
    return left_to_do(parts).index == 0


@contextmanager
def busy(people: People, searches: Searches) -> Iterator[None]:
    """People write and search for the length of the block."""
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(people.write_on), pool.submit(searches.go_on)]
        try:
            yield
        finally:
            people.stop.set()
            searches.stop.set()
        for one in others:
            one.result()


def wrong(parts: Parts, engine: SearchEngine) -> tuple[int, int, int]:
    """How many documents are missing, stale, or too many."""
    with parts.database.read() as session:
        ids = views.public_ids(session, limit=EVERY)
        right: dict[int, int] = {}
        for start in range(0, len(ids), 1000):
            some = ids[start : start + 1000]
            right |= changes.versions(session, SubjectKind.LISTING, some)
    there = dict(engine.scan())
    stale = sum(there[one] != right[one] for one in there.keys() & right.keys())
    return len(right.keys() - there.keys()), stale, len(there.keys() - right.keys())


def check(parts: Parts, people: People, searches: Searches, begun_with: int) -> None:
    assert wrong(parts, searches.engine) == (0, 0, 0)
    assert list(audit_index(parts, searches.engine)) == []
    assert searches.engine.count() == len(people.public)
    assert searches.failed == []
    assert min(searches.totals) > begun_with * 0.8, "never an empty or half an index"


def rebuilt_while_written(
    parts: Parts, people: People, start: Start, reader: SearchEngine, number: int, seconds: float
) -> str:
    """Rebuild for so long, again and again; return what to tell of it."""
    people.begin_with(number)
    searches, took = Searches(reader), list[float]()
    with start("indexer"):
        until(lambda: done(parts), 600, "the first index")
        with busy(people, searches):
            begun = time.monotonic()
            while time.monotonic() - begun < seconds:
                since = time.monotonic()
                asked = rebuild.ask(parts)
                until(lambda: rebuild.outcome(parts, asked) is not None, 600, "a rebuild")  # noqa: B023
                assert rebuild.outcome(parts, asked)[0], rebuild.outcome(parts, asked)  # type: ignore[index]
                took.append(time.monotonic() - since)
            lasted = time.monotonic() - begun
        until(lambda: done(parts), 120, "the end of the changes")
    check(parts, people, searches, number)
    return told(people, searches, took, lasted)


def told(people: People, searches: Searches, took: Sequence[float], lasted: float) -> str:
    slowest = statistics.quantiles(searches.took, n=100)[98] * 1000
    return (
        f"每秒{people.writes / lasted:.0f}次写入，重建{len(took)}次、各{statistics.mean(took):.1f}秒；"
        f"缺0、旧0；搜索{len(searches.took):,}次都有回答，p99 {slowest:.0f}毫秒"
    )


def test_a_rebuild_under_fifty_writes_a_second(
    real: Parts, people: People, start: Start, reader: SearchEngine
) -> None:
    print(rebuilt_while_written(real, people, start, reader, 300, 4.0))


@pytest.mark.full
def test_a_rebuild_of_very_many_under_fifty_writes_a_second(
    settings: Settings,
    real: Parts,
    people: People,
    start: Start,
    reader: SearchEngine,
    verified: Callable[..., None],
) -> None:
    result = rebuilt_while_written(real, people, start, reader, 20_000, 60.0)
    assert people.late < 2, f"the machine could not write so fast: {people.late:.1f} s behind"
    engine = "Elasticsearch" if settings.search_url else "tantivy"
    verified(f"写入时另建索引（{engine}）", how_many="20,000条，60秒以上", result=result)


def test_killed_at_any_moment_of_a_rebuild_under_writes(
    real: Parts, people: People, start: Start, reader: SearchEngine
) -> None:
    people.begin_with(150)
    searches = Searches(reader)
    with start("indexer"):
        until(lambda: done(real), 120, "the first index")
    asked = rebuild.ask(real)
    with busy(people, searches), ExitStack() as last:
        for _ in range(5):
            with start("indexer"):
                time.sleep(people.rng.uniform(0, 1.5))
            if rebuild.outcome(real, asked) is not None:
                asked = rebuild.ask(real)
        last.enter_context(start("indexer"))
        until(lambda: rebuild.outcome(real, asked) is not None, 120, "a rebuild")
    with start("indexer"):
        until(lambda: done(real), 120, "the end of the changes")
    assert rebuild.outcome(real, asked)[0]  # type: ignore[index]
    check(real, people, searches, 150)
