"""Jobs on both databases: once each, in chunks, whatever dies."""

import threading

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from market.accounts.work import Parts
from market.kit import jobs, notify
from market.kit.jobs import Chunk, Job, Runner, Steps
from tests.support.clock import FakeClock

pytestmark = pytest.mark.usefixtures("both_databases")


class Killed(BaseException):
    """What ends a worker and no handler of errors sees."""


def enqueue(parts: Parts, key: str, **payload: object) -> bool:
    with parts.database.write() as session:
        return jobs.enqueue(session, "count", key, payload, at=parts.clock.now())


def state(parts: Parts) -> list[tuple[str, dict[str, object], str | None]]:
    with parts.database.read() as session:
        return [(j.state, j.cursor, j.error) for j in session.exec(select(Job).order_by(Job.id))]


def test_a_key_is_owed_once(parts: Parts) -> None:
    assert enqueue(parts, "a")
    assert not enqueue(parts, "a")


def test_a_key_is_owed_once_by_two_at_the_same_time(parts: Parts) -> None:
    owed: list[bool] = []
    other = threading.Thread(target=lambda: owed.append(enqueue(parts, "a")))
    with parts.database.write() as session:
        assert jobs.enqueue(session, "count", "a", {}, at=parts.clock.now())
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive(), "it waits for this transaction"
    other.join()
    assert owed == [False]
    assert len(state(parts)) == 1


def test_a_long_job_lets_others_go_first(parts: Parts, clock: FakeClock) -> None:
    ran: list[str] = []

    def handler(_session: Session, job: Job) -> Chunk:
        ran.append(job.key)
        clock.advance(seconds=1)
        n = job.cursor.get("n", 0) + 1
        return Chunk({"n": n} if n < job.payload["chunks"] else None)

    enqueue(parts, "long", chunks=10)
    clock.advance(seconds=1)
    enqueue(parts, "short", chunks=1)
    enqueue(parts, "middle", chunks=3)
    runner = Runner(parts.database, clock, {"count": handler}, turn=0)
    turns = 0
    while runner.run_one():
        turns += 1
    assert ran[:6] == ["long", "short", "middle", "long", "middle", "long"]
    assert turns == len(ran) == 14
    with parts.database.read() as session:
        assert {(job.state, job.attempts) for job in session.exec(select(Job))} == {("done", 1)}


def test_a_job_that_kills_its_worker_is_given_up(parts: Parts, clock: FakeClock) -> None:
    """And no other waits for it."""
    ran: list[str] = []

    def prepare(job: Job) -> None:
        ran.append(job.key)
        if job.key == "deadly":
            raise Killed

    def given_up(session: Session, job: Job) -> None:
        jobs.enqueue(session, "told", f"told {job.key}: {job.error}", {}, at=clock.now())

    enqueue(parts, "deadly")
    clock.advance(seconds=1)
    enqueue(parts, "other")
    steps = Steps(prepare, lambda _session, _job, _prepared: Chunk(None), given_up)
    for _ in range(jobs.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            Runner(parts.database, clock, {"count": steps}).run_one()
        with parts.database.write() as session:
            assert not notify.open_tasks(session, jobs.FAILED)
            session.execute(update(Job).values(available_at=clock.now()))  # its lease lapsed, or
            jobs.give_back(session, at=clock.now())  # the next worker knows that it is gone
    assert Runner(parts.database, clock, {"count": steps}).run_one()
    assert ran == ["deadly"] * jobs.MAX_ATTEMPTS + ["other"]
    assert state(parts)[0] == ("failed", {}, jobs.DIED)
    with parts.database.read() as session:
        assert len(notify.open_tasks(session, jobs.FAILED)) == 1
        keys = set(session.exec(select(Job.key)))
    assert keys == {"deadly", "other", f"told deadly: {jobs.DIED}"}


def test_however_often_workers_die_a_job_that_gets_on_is_not_given_up(
    parts: Parts, clock: FakeClock
) -> None:
    tries: list[int] = []

    def handler(_session: Session, job: Job) -> Chunk:
        n: int = job.cursor.get("n", 0)
        tries.append(n)
        if tries.count(n) < jobs.MAX_ATTEMPTS:
            raise Killed
        return Chunk({"n": n + 1} if n < 10 else None)

    enqueue(parts, "a")
    killed = 0
    while state(parts)[0][0] != "done":
        try:
            assert Runner(parts.database, clock, {"count": handler}, turn=0).run_one()
        except Killed:
            killed += 1
            with parts.database.write() as session:
                jobs.give_back(session, at=clock.now())
    assert killed == 11 * (jobs.MAX_ATTEMPTS - 1)


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


def test_slow_work_holds_no_lock_and_keeps_its_job(parts: Parts, clock: FakeClock) -> None:
    """Before the transaction others write, and the lease is as long as the work may take."""
    enqueue(parts, "a")
    rival = Runner(parts.database, clock, {"count": lambda _session, _job: Chunk(None)})
    taken: list[bool] = []

    def prepare(job: Job) -> str:
        clock.advance(seconds=jobs.LEASE.total_seconds() + 1)
        taken.append(rival.run_one())
        assert enqueue(parts, f"written beside {job.cursor.get('n', 0)}")
        taken.append(rival.run_one())
        return f"read {job.cursor.get('n', 0)}"

    told: list[str] = []

    def commit(_session: Session, job: Job, prepared: str) -> Chunk:
        told.append(prepared)
        return Chunk({"n": 1} if not job.cursor else None)

    steps = Steps(prepare, commit, lambda _session, _job: None, lease=2 * jobs.LEASE)
    assert Runner(parts.database, clock, {"count": steps}).run_one()
    assert told == ["read 0", "read 1"]
    assert taken == [False, True, False, True]
    assert [row[0] for row in state(parts)] == ["done"] * 3


def test_slow_work_past_its_lease_is_rolled_back(parts: Parts, clock: FakeClock) -> None:
    enqueue(parts, "a")
    rival = Runner(parts.database, clock, {"count": lambda _session, _job: Chunk(None)})

    def prepare(_job: Job) -> None:
        clock.advance(seconds=2 * jobs.LEASE.total_seconds() + 1)
        assert rival.run_one()

    def commit(session: Session, _job: Job, _prepared: None) -> Chunk:
        jobs.enqueue(session, "count", "b", {}, at=clock.now())
        return Chunk({"n": 1})

    steps = Steps(prepare, commit, lambda _session, _job: None, lease=2 * jobs.LEASE)
    Runner(parts.database, clock, {"count": steps}).run_one()
    assert state(parts) == [("done", {}, None)]


def test_who_gives_up_tells_in_the_same_transaction(parts: Parts, clock: FakeClock) -> None:
    def prepare(_job: Job) -> None:
        raise OSError("no room left")

    def given_up(session: Session, job: Job) -> None:
        jobs.enqueue(session, "told", f"told {job.key}", {}, at=clock.now())

    enqueue(parts, "a")
    steps = Steps(prepare, lambda _session, _job, _prepared: Chunk(None), given_up)
    runner = Runner(parts.database, clock, {"count": steps})
    for _ in range(jobs.MAX_ATTEMPTS):
        assert len(state(parts)) == 1
        assert runner.run_one()
        clock.advance(seconds=601)
    assert [row[0] for row in state(parts)] == ["failed", "waiting"]


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
    ended, cursor, reason = state(parts)[0]
    assert (ended, cursor) == ("failed", {})
    assert reason is not None
    assert reason.startswith("ValueError（")
    assert "the file is gone" not in reason  # a message may repeat what people entered


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
