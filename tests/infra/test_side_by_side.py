"""Workers side by side and an indexer that stands by, on PostgreSQL, each with its own folder."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from infra.indexer import indexing
from infra.locks import lock_of, term_of
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import build_parts, close_parts
from infra.worker import Working, lock_name, working
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementIn, DemandIn
from market.discovery.drain import left_to_do
from market.discovery.matching import Matcher
from market.kit import jobs
from market.kit.holding import Lost
from market.kit.jobs import Chunk, Job, Runner
from market.payments.tasks import Sweeping
from search.engines.tantivy import TantivyEngine
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import work_for

pytestmark = pytest.mark.on_postgres

Handle = Callable[[Session, Job], Chunk]


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    """Parts on the system's clock, as the processes have it."""
    built = build_parts(settings)
    yield built
    close_parts(built)


def no_engine() -> TantivyEngine:
    raise AssertionError("nothing is matched here")


@contextmanager
def worker(settings: Settings, parts: Parts, handle: Handle) -> Iterator[Working]:
    """A worker that has no matches to make: another has the lock of that."""
    runner = Runner(parts.database, parts.clock, {"test": handle})
    made = Working(
        parts,
        no_engine,
        runner,
        Matcher(0.1),
        own=lock_of(settings, lock_name(runner.owner)),
        matching=term_of(settings, parts.database, "matching"),
        sweeping=Sweeping(parts, None),
    )
    yield made
    made.close()


@contextmanager
def nobody_matches(settings: Settings, parts: Parts) -> Iterator[None]:
    lock = term_of(settings, parts.database, "matching")
    assert lock.take()
    yield
    lock.release()


def cut(parts: Parts) -> None:
    """End the sessions that have locks."""
    with parts.database.write() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d "
                "ON d.oid = l.database WHERE l.locktype = 'advisory' "
                "AND d.datname = current_database()"
            )
        )


def until(condition: Callable[[], bool], seconds: float = 5.0) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "not in time"
        time.sleep(0.02)
    return time.monotonic() - begun


def owe(parts: Parts, count: int) -> None:
    with parts.database.write() as session:
        for n in range(count):
            jobs.enqueue(session, "test", f"test:{n}", {}, at=parts.clock.now())


def test_two_workers_share_the_jobs_and_do_each_once(settings: Settings, real: Parts) -> None:
    owe(real, 40)
    done: list[tuple[int, str]] = []

    def work(name: str) -> None:
        def handle(_session: Session, job: Job) -> Chunk:
            done.append((job.id, name))
            time.sleep(0.01)
            return Chunk(None)

        with worker(settings, real, handle) as one:
            while one.step():
                pass

    with nobody_matches(settings, real):
        threads = [threading.Thread(target=work, args=[name]) for name in "ab"]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert len(done) == len({job for job, _ in done}) == 40
    assert {name for _, name in done} == {"a", "b"}


def test_what_a_worker_had_in_hand_that_is_gone_is_taken_up_by_another(
    settings: Settings, real: Parts
) -> None:
    owe(real, 1)
    begun, go_on = threading.Event(), threading.Event()
    effects: list[str] = []

    def slow(session: Session, _job: Job) -> Chunk:
        begun.set()
        go_on.wait(20)
        session.execute(text("INSERT INTO change_head (id, seq) VALUES (1, 1)"))
        return Chunk(None)

    def quick(_session: Session, _job: Job) -> Chunk:
        effects.append("taken up")
        return Chunk(None)

    with nobody_matches(settings, real), ExitStack() as stack:
        first = stack.enter_context(worker(settings, real, slow))
        second = stack.enter_context(worker(settings, real, quick))
        thread = threading.Thread(target=first.step)
        thread.start()
        assert begun.wait(5)
        assert not second.step(), "its worker is there"
        time.sleep(1.1)
        assert not second.step()
        first._own.release()  # as its end does; the lease has two minutes to go
        took = until(lambda: second.step() or bool(effects))
        go_on.set()
        thread.join()
    print(f"taken up after {took:.2f} s")
    assert took < 2
    with real.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM change_head")).scalar_one() == 0
        assert (
            session.execute(text("SELECT state FROM job WHERE kind = 'test'")).scalar_one()
            == "done"
        )


def test_the_nightly_work_is_owed_once(settings: Settings, real: Parts) -> None:
    in_daytime = replace(real, clock=FakeClock())  # after midnight none is due for some hours
    for _ in range(2):
        one = working(settings, in_daytime)
        for _ in range(3):
            one.step()
        one.close()
    with real.database.read() as session:
        twice = "SELECT kind FROM job GROUP BY kind HAVING count(*) > 1"
        assert session.execute(text(twice)).all() == []
        assert session.execute(text("SELECT count(*) FROM job")).scalar_one() >= 1


def test_one_worker_at_a_time_matches_and_another_takes_over(
    settings: Settings, real: Parts
) -> None:
    school = factories.actor(real, Role.MANAGER, factories.organisation(real, self_publish=True))
    firm = factories.actor(real, Role.MANAGER, factories.organisation(real, self_publish=True))
    title = "车架焊缝内部气孔在线检测"
    with work_for(real, school) as work:
        publishing.submit(work, drafts.create(work, AchievementIn(title=title)).public_id)
    work_until_done(settings, real)
    first, second = working(settings, real), working(settings, real)
    first.step()
    second.step()
    assert first._engine is not None
    assert second._engine is None
    with work_for(real, firm) as work:
        publishing.submit(work, drafts.create(work, DemandIn(title=title)).public_id)
    index = indexing(settings, real)
    while index.step():
        pass
    index.close()
    assert not second.step(), "the matches are the other's"
    cut(real)
    with pytest.raises(Lost):
        second.step()
    until(lambda: second.step() and not left_to_do(real).match)
    with pytest.raises(Lost), first._matched.database.write():
        raise AssertionError("a write under a term that is over")
    with pytest.raises(Lost):
        first.step()
    assert not first.step(), "it does jobs, and stands by for matches"
    assert first._engine is None
    with real.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM match")).scalar_one() == 1
    first.close()
    second.close()


def test_an_indexer_that_lost_its_lock_stops_writing_and_stands_by(
    settings: Settings, real: Parts
) -> None:
    school = factories.actor(real, Role.MANAGER, factories.organisation(real, self_publish=True))
    first, second = indexing(settings, real), indexing(settings, real)

    def publish(title: str) -> None:
        with work_for(real, school) as work:
            publishing.submit(work, drafts.create(work, AchievementIn(title=title)).public_id)

    publish("镁合金低温成形")
    assert first.step()
    assert not second.step()
    cut(real)
    begun = time.monotonic()
    publish("污泥原位减量菌剂")
    first._engine.close()  # tantivy lets one process write at a time
    first._engine = None
    assert until(second.step) < 5
    print(f"took over after {time.monotonic() - begun:.2f} s")
    with pytest.raises(Lost):
        first.step()
    assert not first.step(), "it stands by"
    until(lambda: not left_to_do(real).index)
    second.close()
    publish("山区边坡监测")
    first.step()
    until(lambda: not left_to_do(real).index)
    first.close()


def test_files_are_found_from_another_folder(
    settings: Settings, real: Parts, tmp_path: Path
) -> None:

    other = replace(settings, data_dir=tmp_path / "another machine")
    sha256, _ = real.files.save(io.BytesIO(b"shared"), limit=100)
    parts = build_parts(other)
    with parts.files.open(sha256) as stream:
        assert stream.read() == b"shared"
    close_parts(parts)
