"""Notes of reads: written in the background, which outlives a note that cannot be written."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import Session

from market.accounts.work import Parts
from market.kit import journal
from market.kit.db import Database
from market.kit.journal import Journal


@pytest.mark.on_postgres
def test_two_processes_that_write_the_same_lose_nothing(parts: Parts) -> None:
    other = Database(parts.database.url.render_as_string(hide_password=False))
    with parts.database.write() as session:
        session.execute(text("CREATE TABLE noted (name text PRIMARY KEY, times int)"))
    names = [f"{number:02}" for number in range(20)]

    def noting(name: str) -> Callable[[Session], None]:
        more = "INSERT INTO noted VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET times = "

        def write(session: Session) -> None:
            session.execute(text(more + "noted.times + 1"), {"name": name})
            time.sleep(0.005)

        return write

    kept = Journal(parts.database), Journal(other)
    for one, order in zip(kept, (names, names[::-1]), strict=True):
        for name in order:
            one.add(name, noting(name))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Journal.flush, kept))
        list(pool.map(Journal.close, kept))
    with parts.database.read() as session:
        assert session.scalar(text("SELECT sum(times) FROM noted")) == 2 * len(names)
    other.close()


def test_a_note_that_fails_does_not_end_the_writing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 0.01)
    kept = Journal(parts.database)
    written: list[str] = []

    def fails(_: Session) -> None:
        written.append("failed")
        raise OSError

    kept.add("bad", fails)
    until = time.monotonic() + 10
    while "good" not in written and time.monotonic() < until:
        if written:
            kept.add("good", lambda _: written.append("good"))
        time.sleep(0.01)
    kept.close()
    assert written[:2] == ["failed", "good"]
