"""Work that must happen: a row written in the transaction that causes it.

A job runs in chunks, one transaction each; its cursor is saved in the same transaction as the
chunk's effects, so a killed worker loses and doubles nothing. The lease is renewed with every
chunk, conditionally on still owning it: a worker that was too slow finds its chunk rolled back.

A long job lets others go first after each turn. `attempts` counts how often it was taken up since
it last finished a chunk or was given back in order: a job that kills its worker again and again is
given up like one that fails.

Slow work that needs no transaction (reading a file) is done before it: see `Steps`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import JSON
from sqlmodel import Field, Session, col

from market.kit import faults, notify
from market.kit.clock import Clock
from market.kit.columns import Table, big, choice, moment, one_of, pk, words
from market.kit.db import Database, changed, is_sqlite
from market.kit.ids import new_public_id

LEASE = timedelta(seconds=120)
TURN = 2.0
"""Seconds after which a job lets others go first, at the end of the chunk in hand."""
MAX_ATTEMPTS = 5
FAILED = "job.failed"
"""The task that waits for an operator until a job that was given up gets through after all."""
DIED = "处理它的进程多次中途断掉，没有做完一步；可能是内存不够"

Cursor = dict[str, Any]


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Table, table=True):
    __tablename__ = "job"
    __table_args__ = (
        one_of("state", JobState),
        Index("ix_job_open", "state", "available_at"),
    )

    id: int = pk()
    kind: str = words(60)
    key: str = Field(max_length=120, unique=True)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    cursor: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = choice(default=JobState.WAITING)
    owner: str | None = words(20, nullable=True)
    attempts: int = Field(default=0)
    available_at: datetime = moment()
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    error: str | None = words(500, nullable=True)
    organisation_id: int | None = big(nullable=True)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk left: where to go on, or nothing where the job is done."""

    cursor: Cursor | None


ChunkHandler = Callable[[Session, Job], Chunk]


@dataclass(frozen=True, slots=True)
class Steps:
    """A job each of whose chunks has a part before its transaction.

    `prepare` may take as long as `lease`; doing it twice must do no harm. `commit` gets what it
    returned. `given_up` runs in the transaction that sets the job aside as failed.
    """

    prepare: Callable[[Job], Any]
    commit: Callable[[Session, Job, Any], Chunk]
    given_up: Callable[[Session, Job], None]
    lease: timedelta = LEASE


Handler = ChunkHandler | Steps


def enqueue(
    session: Session,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    *,
    at: datetime,
    organisation_id: int | None = None,
) -> bool:
    """Owe a job once for each `key`; `organisation_id` says for whom, where it is for one.

    Return False where the key is already there.
    """
    row = {
        "kind": kind,
        "key": key,
        "payload": dict(payload),
        "cursor": {},
        "state": JobState.WAITING,
        "attempts": 0,
        "available_at": at,
        "created_at": at,
        "organisation_id": organisation_id,
    }
    dialect = sqlite if is_sqlite(session) else postgresql
    write = dialect.insert(Job).on_conflict_do_nothing(index_elements=["key"])
    session.flush()
    # Whether a row comes back: the count of this INSERT is unknown on PostgreSQL.
    return session.scalars(write.values(**row).returning(col(Job.id))).first() is not None


def waiting(session: Session, kind: str | None = None) -> int:
    """Return how many jobs are not finished (failed ones not counted)."""
    query = (
        select(func.count())
        .select_from(Job)
        .where(col(Job.state).in_([JobState.WAITING, JobState.RUNNING]))
    )
    if kind is not None:
        query = query.where(col(Job.kind) == kind)
    count: int = session.execute(query).scalar_one()
    return count


def give_back(session: Session, *, at: datetime, owner: str | None = None) -> int:
    """Free the jobs of workers that are gone, of one or of all there were, before their leases
    lapse; return how many.

    Should one live after all, its next chunk is rolled back. That they were taken up still counts
    as an attempt: they may be what ended it.
    """
    held = [col(Job.state) == JobState.RUNNING]
    if owner is not None:
        held.append(col(Job.owner) == owner)
    return changed(
        session,
        update(Job).where(*held).values(state=JobState.WAITING, owner=None, available_at=at),
    )


def owners(session: Session) -> list[str]:
    """Return the workers that have a job in hand."""
    held = select(col(Job.owner)).where(col(Job.state) == JobState.RUNNING).distinct()
    return [one for one in session.scalars(held) if one is not None]


def _subject(job_id: int) -> notify.Subject:
    return notify.Subject("job", str(job_id))


def _tell_operators(session: Session, job_id: int, now: datetime) -> None:
    notify.tell(
        session,
        notify.To(role="operator"),
        FAILED,
        _subject(job_id),
        f"后台任务{job_id}多次没有完成，已停下",
        detail="原因和重新执行在“运行”页",
        key=f"{FAILED}:{job_id}",
        at=now,
        waits=True,
    )


class Lost(Exception):
    """The lease was taken by another worker; the chunk must be rolled back."""


class Runner:
    """Runs jobs of the registered kinds, one chunk at a time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        handlers: Mapping[str, Handler],
        stopping: Callable[[], bool] = lambda: False,
        turn: float = TURN,
    ) -> None:
        """`stopping` is asked after each chunk: a job given back then goes on where it stands.

        `turn`: seconds after which it is given back for others to go first.
        """
        self._stopping = stopping
        self._turn = turn
        self._database = database
        self._clock = clock
        self._handlers = dict(handlers)
        self.owner = new_public_id()

    def run_one(self) -> bool:
        """Run the next due job to its end or for a turn. Return False where none is due."""
        claimed = self._claim()
        if claimed is None:
            return False
        until = time.monotonic() + self._turn
        try:
            while self._chunk(claimed):
                if self._stopping() or time.monotonic() >= until:
                    self._release(claimed)
                    break
        except Lost:
            pass
        except Exception as error:  # noqa: BLE001  a failing job must not end the worker
            self._fail(claimed, error)
        return True

    def _claim(self) -> int | None:
        now = self._clock.now()
        with self._database.write() as session:
            while (job := self._due(session, now)) is not None:
                if job.attempts < MAX_ATTEMPTS:
                    job.state, job.owner = JobState.RUNNING, self.owner
                    job.attempts += 1
                    job.available_at = now + LEASE
                    return job.id
                job.state, job.error = JobState.FAILED, DIED
                self._given_up(session, job, now)
        return None

    def _due(self, session: Session, now: datetime) -> Job | None:
        due = (
            select(Job)
            .where(
                # A running job whose lease has lapsed belongs to a dead worker.
                col(Job.state).in_([JobState.WAITING, JobState.RUNNING]),
                col(Job.available_at) <= now,
                col(Job.kind).in_(self._handlers),
            )
            .order_by(col(Job.available_at), col(Job.id))
            .limit(1)
        )
        if not is_sqlite(session):
            due = due.with_for_update(skip_locked=True)
        return session.scalars(due).first()

    def _given_up(self, session: Session, job: Job, now: datetime) -> None:
        """Say that a job was set aside, in the transaction that does it."""
        _tell_operators(session, job.id, now)
        handler = self._handlers[job.kind]
        if isinstance(handler, Steps):
            handler.given_up(session, job)

    def _chunk(self, job_id: int) -> bool:
        prepared = self._prepare(job_id)
        with self._database.write() as session:
            job = session.get_one(Job, job_id)
            handler = self._handlers[job.kind]
            if isinstance(handler, Steps):
                chunk = handler.commit(session, job, prepared)
            else:
                chunk = handler(session, job)
            now = self._clock.now()
            done = chunk.cursor is None
            values: dict[str, Any] = (
                {"state": JobState.DONE, "finished_at": now, "error": None}
                if chunk.cursor is None
                else {"cursor": chunk.cursor, "available_at": now + LEASE, "attempts": 1}
            )
            self._change_owned(session, job_id, values)
            if done:
                notify.settle(session, FAILED, [_subject(job_id)], at=now)
        return not done

    def _release(self, job_id: int) -> None:
        free = {
            "state": JobState.WAITING,
            "owner": None,
            "attempts": 0,
            "available_at": self._clock.now(),
        }
        with self._database.write() as session:
            self._change_owned(session, job_id, free)

    def _prepare(self, job_id: int) -> Any:
        """Do what a chunk needs before its transaction, under a lease as long as that may take."""
        with self._database.read() as session:
            job = session.get_one(Job, job_id)
        handler = self._handlers[job.kind]
        if not isinstance(handler, Steps):
            return None
        if handler.lease > LEASE:
            with self._database.write() as session:
                until = self._clock.now() + handler.lease
                self._change_owned(session, job_id, {"available_at": until})
        return handler.prepare(job)

    def _change_owned(self, session: Session, job_id: int, values: dict[str, Any]) -> None:
        """Change the job in hand. Raises Lost where another worker has it by now."""
        owned = and_(
            col(Job.id) == job_id,
            col(Job.state) == JobState.RUNNING,
            col(Job.owner) == self.owner,
        )
        if changed(session, update(Job).where(owned).values(**values)) != 1:
            raise Lost

    def _fail(self, job_id: int, error: Exception) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            job = session.get_one(Job, job_id)
            last = job.attempts >= MAX_ATTEMPTS
            owned = changed(
                session,
                update(Job)
                .where(col(Job.id) == job_id, col(Job.owner) == self.owner)
                .values(
                    state=JobState.FAILED if last else JobState.WAITING,
                    available_at=now + timedelta(seconds=min(4**job.attempts, 600)),
                    error=faults.told(error),
                ),
            )
            if last and owned:
                self._given_up(session, job, now)


def expire(session: Session, now: datetime, limit: int, *, keep: timedelta) -> int:
    """Delete at most `limit` jobs that were done `keep` ago. Return how many.

    What was given up stays: an operator is to see to it.
    """
    old = (
        select(col(Job.id))
        .where(col(Job.state) == JobState.DONE, col(Job.finished_at) < now - keep)
        .order_by(col(Job.id))
        .limit(limit)
    )
    return changed(session, delete(Job).where(col(Job.id).in_(old)))
