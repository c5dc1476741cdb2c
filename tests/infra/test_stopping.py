"""SIGTERM, as systemd and Docker send it: what is under way ends, nothing is lost, exit code 0."""

import signal
import socket
import time
from collections.abc import Iterator

import pytest
from sqlmodel import col, select

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.work import Parts
from market.kit import jobs
from market.kit.changes import Consumer, Delivery, DeliveryState, SubjectKind, record
from market.kit.jobs import Job, JobState
from market.operations.models import ProcessSeen
from tests.support.processes import program, until
from tests.support.trade import trade

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def real(settings: Settings) -> Iterator[Parts]:
    """Parts on the system's clock, as the processes have it."""
    built = build_parts(settings)
    yield built
    close_parts(built)


def seen(parts: Parts) -> set[str]:
    with parts.database.read() as session:
        return set(session.scalars(select(ProcessSeen.kind)))


def test_an_upload_under_way_is_answered_before_the_web_process_ends(
    settings: Settings, real: Parts
) -> None:
    body = b'{"email": "nobody@example.com", "password": "not the right one"}'
    half = len(body) // 2
    with program(settings, "serve") as web:
        until(lambda: "web" in seen(real))
        with socket.create_connection(("127.0.0.1", web.port)) as idle:
            client = socket.create_connection(("127.0.0.1", web.port))
            client.sendall(
                b"POST /api/v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
                + body[:half]
            )
            time.sleep(0.5)
            web.process.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            assert web.process.poll() is None, "it waits for the request under way"
            client.sendall(body[half:])
            client.settimeout(20)
            answer = client.recv(65536)
            client.close()
            assert answer.startswith(b"HTTP/1.1 422"), answer[:200]
            assert web.process.wait(20) == 0
            idle.settimeout(5)
            assert idle.recv(1) == b"", "who only holds a connection is not waited for"
    assert "web" not in seen(real), "its sign of life went with it"
    assert "Traceback" not in web.said()


def test_a_web_process_does_not_wait_for_ever(settings: Settings, real: Parts) -> None:
    with program(settings, "serve", ZHIHE_STOP_SECONDS="2") as web:
        client = socket.create_connection(("127.0.0.1", web.port))
        client.sendall(
            b"POST /api/v1/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{"
        )
        time.sleep(0.5)
        begun = time.monotonic()
        assert web.stop() == 0
        assert time.monotonic() - begun < 8
        client.close()


SLOW = """
import time
from infra import worker
from infra.settings import load
from market.kit.jobs import Chunk

def slow(session, job):
    time.sleep(0.3)
    n = job.cursor.get("n", 0) + 1
    return Chunk({"n": n} if n < 12 else None)

worker.handlers = lambda *_given: {"slow": slow}
worker.run(load())
"""


def the_job(parts: Parts) -> Job:
    with parts.database.read() as session:
        return session.scalars(select(Job).where(col(Job.kind) == "slow")).one()


def test_a_worker_gives_its_job_back_after_the_chunk_in_hand(
    settings: Settings, real: Parts
) -> None:
    with real.database.write() as session:
        jobs.enqueue(session, "slow", "slow", {}, at=real.clock.now())
    with program(settings, "worker", script=SLOW) as worker:
        until(lambda: the_job(real).cursor.get("n", 0) >= 2)
        assert worker.stop() == 0, worker.said()
    left = the_job(real)
    assert (left.state, left.owner) == (JobState.WAITING, None)
    assert 2 <= left.cursor["n"] < 12, "it did not go on to the end of the job"
    with program(settings, "worker", script=SLOW) as worker:
        until(lambda: the_job(real).state == JobState.DONE)
        assert worker.stop() == 0, worker.said()
    assert the_job(real).attempts == 1, "being stopped is no failed attempt"


def test_an_indexer_ends_with_nothing_in_hand(settings: Settings, real: Parts) -> None:
    made = trade(real)
    ids = (made.achievement.id, made.demand.id)

    def open_ones() -> list[str]:
        with real.database.read() as session:
            query = select(Delivery.state).where(col(Delivery.consumer) == Consumer.INDEX)
            return [one for one in session.scalars(query) if one != DeliveryState.DONE]

    for _ in range(3):
        with real.database.write() as session:
            for _ in range(200):
                for one in ids:
                    record(
                        session,
                        SubjectKind.LISTING,
                        one,
                        "edited",
                        at=real.clock.now(),
                        actor_id=None,
                    )
        with program(settings, "indexer") as indexer:
            until(lambda: "indexer" in seen(real))
            assert indexer.stop() == 0, indexer.said()
        assert DeliveryState.CLAIMED not in open_ones()
    with program(settings, "indexer") as indexer:
        until(lambda: not open_ones() and "indexer" in seen(real))
        assert indexer.stop() == 0, indexer.said()
