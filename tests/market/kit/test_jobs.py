"""Jobs on both databases: once each, in chunks, whatever dies."""

import threading

import pytest
from sqlmodel import Session, select

from market.accounts.work import Parts
from market.kit import jobs
from market.kit.jobs import Chunk, Job, Runner
from tests.support.clock import FakeClock

pytestmark = pytest.mark.usefixtures("both_databases")


def enqueue(parts: Parts, key: str, **payload: object) -> bool:
    with parts.database.write() as session:
        return jobs.enqueue(session, "count", key, payload, at=parts.clock.now())


def state(parts: Parts) -> list[tuple[str, dict[str, object], str | None]]:
    with parts.database.read() as session:
        return [(j.state, j.cursor, j.error) for j in session.exec(select(Job).order_by(Job.id))]


def test_a_key_is_owed_once(parts: Parts) -> None:
    assert enqueue(parts, "a")
    assert not enqueue(parts, "a")


def test_chunks_and_their_cursor_are_saved_together(parts: Parts) -> None:
    seen: list[int] = []

    def handler(_session: Session, job: Job) -> Chunk:
        n = job.cursor.get("n", 0)
        seen.append(n)
        if n == 2 and seen.count(2) == 1:
            raise OSError("power cut")
        return Chunk({"n": n + 1} if n < 4 else None)

    enqueue(parts, "a")
    runner = Runner(parts.database, parts.clock, {"count": handler})
    assert runner.run_one()
    assert state(parts)[0][0] == "waiting"
    assert not runner.run_one()  # not before its pause is over
    parts.clock.advance(seconds=60)  # type: ignore[attr-defined]
    assert runner.run_one()
    assert seen == [0, 1, 2, 2, 3, 4]
    assert state(parts)[0][0] == "done"


def test_slow_worker_finds_its_chunk_rolled_back(parts: Parts, clock: FakeClock) -> None:
    """Two workers, one of them past its lease: the effect happens once."""
    effects: list[str] = []
    enqueue(parts, "a")

    def fast(_session: Session, _job: Job) -> Chunk:
        effects.append("fast")
        return Chunk(None)

    second = Runner(parts.database, clock, {"count": fast})
    lost: list[bool] = []

    def slow(session: Session, job: Job) -> Chunk:
        session.rollback()  # what the lapsed transaction would have lost anyway
        clock.advance(seconds=jobs.LEASE.total_seconds() + 1)
        lost.append(second.run_one())
        return Chunk(None)

    Runner(parts.database, clock, {"count": slow}).run_one()
    assert lost == [True]
    assert effects == ["fast"]
    assert [row[0] for row in state(parts)] == ["done"]


def test_job_that_always_fails_ends_as_failed_with_its_reason(
    parts: Parts, clock: FakeClock
) -> None:
    def handler(_session: Session, _job: Job) -> Chunk:
        raise ValueError("the file is gone")

    enqueue(parts, "a")
    runner = Runner(parts.database, clock, {"count": handler})
    for _ in range(jobs.MAX_ATTEMPTS):
        assert runner.run_one()
        clock.advance(seconds=700)
    assert not runner.run_one()
    assert state(parts)[0] == ("failed", {}, "ValueError: the file is gone")


def test_many_workers_run_each_job_once(parts: Parts) -> None:
    for n in range(30):
        enqueue(parts, str(n))
    ran: list[str] = []

    def handler(_session: Session, job: Job) -> Chunk:
        ran.append(job.key)
        return Chunk(None)

    def work() -> None:
        runner = Runner(parts.database, parts.clock, {"count": handler})
        while runner.run_one():
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran, key=int) == [str(n) for n in range(30)]
