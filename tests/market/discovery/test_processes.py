"""The real processes: publishing is found soon, killing them harms nothing, a second one waits."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from infra import indexer
from infra.indexer import indexing
from infra.locks import ProcessLock
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import open_reader, open_writer
from market.accounts import organisations
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import ANONYMOUS, Parts
from market.discovery import repository
from market.discovery.documents import SCHEMA
from market.discovery.drain import drain_index, drain_matches, left_to_do
from market.discovery.matching import Matcher
from market.discovery.results import SearchParams
from market.discovery.service import search
from market.discovery.tasks import ORGANISATION
from market.kit.jobs import Chunk, Runner
from search.engines.tantivy import TantivyEngine
from search.errors import SearchUnavailable
from search.parse import parse
from search.port import SearchEngine
from search.query import SearchRequest
from tests import factories
from tests.market.discovery.conftest import FLOOR, Market, Start
from tests.support.market import work_for

ROOT = Path(__file__).resolve().parents[3]
SEED = 7
PROMISED = 2.0
"""Seconds until what is published is found; asserted at three times that."""


@contextmanager
def running(settings: Settings, program: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database_url,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.cli", program], cwd=ROOT, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def publishing(real: Parts, reader: SearchEngine) -> Market:
    assert isinstance(reader, TantivyEngine)
    return Market(real, reader, Matcher(FLOOR))


def until(condition: Callable[[], bool], seconds: float = 60.0) -> float:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "not in time"
        time.sleep(0.01)
    return time.monotonic() - start


def is_found(engine: SearchEngine, typed: str) -> bool:
    try:
        return engine.search(SearchRequest(parse(typed, SCHEMA).query)).total > 0
    except SearchUnavailable:  # no index yet
        return False


def holds(settings: Settings, name: str) -> bool:
    lock = ProcessLock(settings.data_dir / name)
    free = lock.take()
    lock.release()
    return not free


def test_what_is_published_is_found_within_two_seconds(
    settings: Settings, start: Start, publishing: Market, reader: SearchEngine
) -> None:
    school = publishing.organisation()
    publishing.person_of(school)
    with start("indexer"):
        until(lambda: holds(settings, "indexer.lock"))
        publishing.achievement(school, "第零号成果")
        until(lambda: is_found(reader, "第零号成果"))
        took = []
        for n in range(5):
            publishing.achievement(school, f"山区边坡监测装置{n}型")
            took.append(until(lambda n=n: is_found(reader, f"边坡监测装置{n}型")))
    print("found after", *(f"{one:.2f} s" for one in took))
    assert max(took) < 3 * PROMISED, took


def test_killed_again_and_again_while_documents_come(
    settings: Settings, start: Start, publishing: Market, reader: SearchEngine
) -> None:
    """kill -9 at chance moments; in the end the index holds exactly what is published."""
    chance = random.Random(SEED)
    school = publishing.organisation()
    made = []
    for _ in range(5):
        with start("indexer"):
            until(lambda: holds(settings, "indexer.lock"))
            for _ in range(chance.randrange(3, 12)):
                made.append(publishing.achievement(school, f"成果第{len(made)}号"))
            time.sleep(chance.random() * 0.3)
    gone = made[::5]
    for listing in gone:
        publishing.withdraw(school, listing)
    with start("indexer"):
        until(lambda: left_to_do(publishing.parts).index == 0)
    left = {one.id for one in made} - {one.id for one in gone}
    assert {one for one, _ in reader.scan()} == left
    assert reader.count() == len(left)


def test_a_second_indexer_takes_the_place_of_a_killed_one(
    settings: Settings, start: Start, publishing: Market, reader: SearchEngine
) -> None:
    school = publishing.organisation()
    with start("indexer") as first:
        until(lambda: holds(settings, "indexer.lock"))
        with start("indexer") as second:
            publishing.achievement(school, "镁合金低温成形")
            until(lambda: is_found(reader, "镁合金"))
            assert second.alive()
            first.kill()
            publishing.achievement(school, "污泥原位减量菌剂")
            until(lambda: is_found(reader, "污泥"))


@pytest.mark.parametrize("program", ["indexer", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_when_asked(settings: Settings, program: str, number: int) -> None:
    with running(settings, program) as process:
        until(lambda: holds(settings, f"{program}.lock"))
        process.send_signal(number)
        assert process.wait(20) == 0


def test_an_index_that_was_lost_is_made_whole(
    settings: Settings, publishing: Market, tmp_path: Path
) -> None:
    school = publishing.organisation()
    made = publishing.achievement(school, "镁合金低温成形")
    gone = publishing.achievement(school, "污泥原位减量菌剂")
    publishing.withdraw(school, gone)
    work_until_done(settings, publishing.parts)
    (settings.index_dir).rename(tmp_path / "lost")
    work_until_done(settings, publishing.parts)  # nothing is owed, and nothing notices
    publishing.achievement(school, "山区边坡监测")
    work_until_done(settings, publishing.parts)
    fresh = open_reader(settings)
    assert [one for one, _ in fresh.scan()] == [made.id, gone.id + 1]
    fresh.close()


def test_what_is_new_does_not_wait_until_an_index_is_looked_through(
    settings: Settings, publishing: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a million listings that takes long; who takes over is to index at once."""
    monkeypatch.setattr(indexer, "BATCH", 1)
    monkeypatch.setattr(indexer, "_CHUNKS", 1)
    school = publishing.organisation()
    for title in ("镁合金低温成形", "污泥原位减量菌剂", "焊缝气孔检测"):
        publishing.achievement(school, title)
    work_until_done(settings, publishing.parts)
    (settings.index_dir).rename(tmp_path / "lost")
    publishing.achievement(school, "山区边坡监测")
    process, reader = indexing(settings, publishing.parts), open_reader(settings)
    process.step()
    assert is_found(reader, "山区边坡")
    assert reader.count() < 4
    while process.looking:
        process.step()
    assert reader.count() == 4
    process.close()
    reader.close()


def test_a_lost_index_is_not_asked_until_it_is_whole(
    settings: Settings, publishing: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it lacks yet would be said not to exist, and matches with it would be dropped."""
    monkeypatch.setattr(indexer, "BATCH", 1)
    monkeypatch.setattr(indexer, "_CHUNKS", 1)
    parts, school = publishing.parts, publishing.organisation()
    publishing.demand(publishing.organisation(OrganisationKind.COMPANY), "车架焊缝气孔检测")
    for number in range(3):
        publishing.achievement(school, f"焊缝气孔检测{number}型")
    work_until_done(settings, parts)
    (settings.index_dir).rename(tmp_path / "lost")
    process, reader = indexing(settings, parts), open_reader(settings)

    def found() -> tuple[int, bool]:
        with work_for(parts, ANONYMOUS) as work:
            page = search(work, reader, SearchParams(q="焊缝"))
        return page.total, page.degraded

    process.step()
    assert reader.count() < 4
    assert found() == (3, True)
    with pytest.raises(SearchUnavailable):
        drain_matches(parts, reader, publishing.matcher)
    process.close()  # whoever begins anew goes on filling it
    process = indexing(settings, parts)
    process.step()
    assert found() == (3, True)
    while process.looking:
        process.step()
    assert found() == (3, False)
    process.close()
    reader.close()


def test_a_new_worker_takes_up_the_job_of_a_killed_one_at_once(
    settings: Settings, publishing: Market
) -> None:
    school = publishing.organisation(name="旧校名大学")
    publishing.achievement(school, "镁合金低温成形")
    with work_for(publishing.parts, factories.actor(publishing.parts, Role.OFFICER)) as work:
        organisations.verify(
            work, school.public_id, VerifyIn(decision="verified", name="新校名大学")
        )
    engine = open_writer(settings)
    drain_index(publishing.parts, engine)
    engine.close()
    killed = Runner(publishing.parts.database, publishing.parts.clock, {ORGANISATION: _dies})
    with pytest.raises(KeyboardInterrupt):
        killed.run_one()
    start = time.monotonic()
    work_until_done(settings, publishing.parts)
    assert time.monotonic() - start < 20  # a lease lasts two minutes
    reader = open_reader(settings)
    assert is_found(reader, "新校名")
    reader.close()


def _dies(_session: object, _job: object) -> Chunk:
    raise KeyboardInterrupt


@pytest.mark.parametrize("background", [(), ("indexer", "worker")])
def test_waiting_until_done_with_and_without_the_processes(
    settings: Settings, start: Start, publishing: Market, background: tuple[str, ...]
) -> None:
    firm = publishing.organisation(OrganisationKind.COMPANY)
    school = publishing.organisation()
    heard: list[int] = []
    with ExitStack() as stack:
        for program in background:
            stack.enter_context(start(program))
            until(lambda program=program: holds(settings, f"{program}.lock"))
        demand = publishing.demand(firm, "焊缝气孔在线检测")
        achievement = publishing.achievement(school, "焊缝气孔在线视觉检测装置")
        work_until_done(settings, publishing.parts, progress=heard.append)
    assert left_to_do(publishing.parts).total == 0
    assert heard
    with publishing.parts.database.read() as session:
        rows = repository.matches_of_demand(session, demand.id)
    assert [row.achievement_id for row in rows] == [achievement.id]
