"""Locks of PostgreSQL sessions: one at a time, free when the session ends, and no write after."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text

from infra.migrate import migrate
from market.kit.db import Database
from market.kit.holding import Fenced, Lost, NumberedLock, SessionLock
from tests.support.processes import until


@pytest.fixture
def database(database_url: Callable[..., str]) -> Iterator[Database]:
    opened = Database(database_url(migrate))
    yield opened
    opened.close()


def cut(database: Database) -> None:
    """End the sessions that have advisory locks, as a broken connection does."""
    with database.write() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )


def wait_for(lock: SessionLock) -> None:
    until(lock.take, 5)


def test_one_at_a_time(database: Database) -> None:
    first, second = SessionLock(database.url, "a"), SessionLock(database.url, "a")
    assert first.take()
    assert first.take()
    assert not second.take()
    other = SessionLock(database.url, "b")
    assert other.take()
    assert not other.is_free("a")
    first.release()
    wait_for(second)
    second.release()  # the server learns a moment later that the session has ended
    until(lambda: other.is_free("a"), 5)
    assert second.take(), "looking whether it is free took nothing"
    second.release()
    other.release()


def test_a_holder_that_was_cut_off_notices(database: Database) -> None:
    lock = SessionLock(database.url, "a")
    assert lock.take()
    cut(database)
    with pytest.raises(Lost):
        lock.take()
    assert lock.take(), "and may take it again"
    lock.release()


def test_nothing_is_written_under_an_earlier_term(database: Database) -> None:
    first, second = NumberedLock(database, "a"), NumberedLock(database, "a")
    fenced = Fenced(database, first)
    assert first.take()
    for _ in range(2):
        with fenced.write() as session:
            session.execute(
                text("INSERT INTO change_head (id, seq) VALUES (1, 0) ON CONFLICT DO NOTHING")
            )
    cut(database)
    wait_for(second)
    with pytest.raises(Lost), fenced.write() as session:
        session.execute(text("UPDATE change_head SET seq = 99"))
    with database.read() as session:
        assert session.execute(text("SELECT seq FROM change_head")).scalar_one() == 0
    with Fenced(database, second).write() as session:
        session.execute(text("UPDATE change_head SET seq = 1"))
    second.release()
    first.release()


def test_a_new_term_waits_for_the_writes_of_the_last(database: Database) -> None:
    first, second = NumberedLock(database, "a"), NumberedLock(database, "a")
    assert first.take()
    told: list[str] = []

    def succeed() -> None:
        wait_for(second)
        told.append("successor")

    thread = threading.Thread(target=succeed)
    with Fenced(database, first).write() as session:
        cut(database)
        thread.start()
        time.sleep(0.3)
        session.execute(text("INSERT INTO change_head (id, seq) VALUES (1, 7)"))
        told.append("predecessor")
    thread.join()
    assert told == ["predecessor", "successor"]
    first.release()
    second.release()


def test_without_a_server_it_says_so() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(psycopg.OperationalError):
        SessionLock(away.url, "a").take()
