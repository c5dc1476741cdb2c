"""The change log on both databases: versions, deliveries, order."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from market.accounts.work import Parts
from market.kit import changes
from market.kit.changes import Consumer, SubjectKind
from tests.support.clock import FakeClock
from tests.support.deliveries import backlog

pytestmark = pytest.mark.usefixtures("both_databases")


def record(parts: Parts, subject: int) -> int:
    with parts.database.write() as session:
        return changes.record(
            session, SubjectKind.LISTING, subject, "edited", at=parts.clock.now(), actor_id=None
        )


def claim(parts: Parts, consumer: Consumer, after: Consumer | None = None) -> list[int]:
    with parts.database.write() as session:
        taken = changes.claim(session, consumer, now=parts.clock.now(), limit=100, after=after)
        return [c.delivery_id for c in taken]


def test_version_counts_one_subject(parts: Parts) -> None:
    assert [record(parts, 7), record(parts, 7), record(parts, 8)] == [1, 2, 1]
    with parts.database.read() as session:
        assert changes.versions(session, SubjectKind.LISTING, [7, 8, 9]) == {7: 2, 8: 1}


def test_rolled_back_change_owes_nothing(parts: Parts) -> None:
    def work() -> None:
        with parts.database.write() as session:
            changes.record(
                session, SubjectKind.LISTING, 1, "edited", at=parts.clock.now(), actor_id=None
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert claim(parts, Consumer.INDEX) == []
    assert record(parts, 1) == 1


def test_match_waits_for_the_index_of_the_same_change(parts: Parts) -> None:
    record(parts, 1)
    record(parts, 2)
    assert claim(parts, Consumer.MATCH, after=Consumer.INDEX) == []
    first, second = claim(parts, Consumer.INDEX)
    with parts.database.write() as session:
        assert changes.done(session, [first], now=parts.clock.now()) == 1
    assert len(claim(parts, Consumer.MATCH, after=Consumer.INDEX)) == 1
    with parts.database.write() as session:
        changes.done(session, [second], now=parts.clock.now())
    assert len(claim(parts, Consumer.MATCH, after=Consumer.INDEX)) == 1


def test_claim_lapses_and_is_taken_again(parts: Parts, clock: FakeClock) -> None:
    record(parts, 1)
    taken = claim(parts, Consumer.INDEX)
    assert claim(parts, Consumer.INDEX) == []
    clock.advance(seconds=changes.LEASE.total_seconds() + 1)
    assert claim(parts, Consumer.INDEX) == taken


def test_poison_is_set_aside_alone(parts: Parts, clock: FakeClock) -> None:
    record(parts, 1)
    for _ in range(changes.MAX_ATTEMPTS):
        with parts.database.write() as session:
            (bad,) = changes.claim(session, Consumer.INDEX, now=clock.now(), limit=10)
            changes.failed(session, bad, "boom", now=clock.now())
        clock.advance(seconds=600)
    record(parts, 2)
    assert len(claim(parts, Consumer.INDEX)) == 1
    with parts.database.read() as session:
        assert backlog(session, Consumer.INDEX) == 1


@pytest.mark.parametrize("after", [None, Consumer.INDEX])
def test_a_claim_costs_the_same_behind_any_backlog(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, after: Consumer | None
) -> None:
    """An import of a million listings owes a million deliveries: whoever took its front by looking
    at all of them would take longer for each the more there are.
    """
    monkeypatch.setattr(changes, "LOOKED_AT", 50)
    steps = [_steps_of_a_claim(parts, more, after) for more in (200, 2_000)]
    # PostgreSQL counts none; the statements are the same.
    assert steps[1] < 1.5 * steps[0] or not parts.database.sqlite, steps


def _steps_of_a_claim(parts: Parts, more: int, after: Consumer | None) -> int:
    """Return what SQLite's machine takes to look at the front after so many more changes."""
    with parts.database.write() as session:
        subjects = list(range(more, 2 * more))
        changes.record_many(
            session, SubjectKind.LISTING, subjects, "edited", at=parts.clock.now(), actor_id=None
        )
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with parts.database.write() as session:
        connection: Any = session.connection().connection.driver_connection
        if parts.database.sqlite:
            connection.set_progress_handler(count, 1)
        taken = changes.claim(session, Consumer.MATCH, now=parts.clock.now(), limit=5, after=after)
        if parts.database.sqlite:
            connection.set_progress_handler(None, 0)
        session.rollback()
    assert len(taken) == (0 if after else 5)
    return counted


def test_matching_goes_on_past_what_the_index_cannot_take(parts: Parts, clock: FakeClock) -> None:
    """What is tried again stands at the front for minutes, and is not what matching waits for."""
    for subject in (1, 2, 3):
        record(parts, subject)
    with parts.database.write() as session:
        bad, *good = changes.claim(session, Consumer.INDEX, now=clock.now(), limit=3)
        changes.failed(session, bad, "boom", now=clock.now())
        changes.done(session, [one.delivery_id for one in good], now=clock.now())
    assert len(claim(parts, Consumer.MATCH, after=Consumer.INDEX)) == 2


def test_sequence_is_gapless_and_skips_no_late_commit(parts: Parts) -> None:
    """A transaction that took its id first and commits last still gets a number, later."""
    late_began, go = threading.Event(), threading.Event()

    def late() -> None:
        with parts.database.write() as session:
            changes.record(
                session, SubjectKind.LISTING, 1, "late", at=parts.clock.now(), actor_id=None
            )
            late_began.set()
            go.wait(5)

    thread = threading.Thread(target=late)
    thread.start()
    late_began.wait(5)
    if parts.database.sqlite:
        go.set()  # one writer at a time: nothing can overtake
        thread.join()
    record(parts, 2)
    with parts.database.write() as session:
        stamped = changes.stamp(session)
    go.set()
    thread.join()
    with parts.database.write() as session:
        stamped += changes.stamp(session)
    assert stamped == 2
    with parts.database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT seq, kind FROM change ORDER BY seq")
        seqs = [row[0] for row in rows]
    assert seqs == [1, 2]


def test_concurrent_changes_of_one_subject_lose_no_version(parts: Parts) -> None:
    def work() -> None:
        for _ in range(20):
            record(parts, 5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert record(parts, 5) == 81


def test_done_twice_counts_once(parts: Parts) -> None:
    record(parts, 1)
    taken = claim(parts, Consumer.INDEX)
    with parts.database.write() as session:
        assert changes.done(session, taken, now=parts.clock.now()) == 1
        assert changes.done(session, taken, now=parts.clock.now() + timedelta(1)) == 0
