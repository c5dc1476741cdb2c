"""What does not go on by itself, and how an operator sets it going again: jobs that failed and
deliveries that were set aside. Nothing here drops work.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from market.kit import notify
from market.kit.changes import ASIDE, Change, Consumer, Delivery, DeliveryState, SubjectKind
from market.kit.db import changed, must_change
from market.kit.jobs import Job, JobState

_OPEN_JOBS = (JobState.WAITING, JobState.RUNNING, JobState.FAILED)
_OPEN_DELIVERIES = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.ASIDE)


@dataclass(frozen=True, slots=True)
class Load:
    """How much of one kind stands in one state, and since when the oldest of it."""

    kind: str
    state: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Aside:
    """A delivery that was set aside: the change that it cannot bring on, and why."""

    id: int
    consumer: Consumer
    subject_kind: SubjectKind
    subject_id: int
    attempts: int
    changed_at: datetime
    error: str


def job_loads(session: Session) -> list[Load]:
    """Return the jobs that are not done, by kind and state."""
    rows = session.execute(
        select(col(Job.kind), col(Job.state), func.count(), func.min(col(Job.created_at)))
        .where(col(Job.state).in_(_OPEN_JOBS))
        .group_by(col(Job.kind), col(Job.state))
        .order_by(col(Job.kind), col(Job.state))
    )
    return [Load(*row) for row in rows]


def retrying(session: Session) -> int:
    """Return how many jobs and deliveries failed and will be tried again by themselves."""
    jobs = select(func.count()).where(
        col(Job.state).in_([JobState.WAITING, JobState.RUNNING]),
        col(Job.attempts) > 0,
        col(Job.error).is_not(None),
    )
    deliveries = select(func.count()).where(
        col(Delivery.consumer).in_(list(Consumer)),
        col(Delivery.state) == DeliveryState.WAITING,
        col(Delivery.attempts) > 0,
    )
    found: int = session.execute(jobs).scalar_one() + session.execute(deliveries).scalar_one()
    return found


def delivery_loads(session: Session) -> list[Load]:
    """Return the deliveries that are not done, by consumer and state."""
    loads = []
    for consumer in Consumer:
        for state in _OPEN_DELIVERIES:
            # Each by the front of ix_delivery_open: those done are never looked at.
            open_ones = (col(Delivery.consumer) == consumer, col(Delivery.state) == state)
            count, first = session.execute(
                select(func.count(), func.min(col(Delivery.change_id))).where(*open_ones)
            ).one()
            if first is not None:
                oldest = session.get_one(Change, first).at
                loads.append(Load(consumer, state, count, oldest))
    return loads


def lags(session: Session, consumer: Consumer, *, last: int, since: datetime) -> list[float]:
    """Return, of the last changes since then that a consumer has done, the seconds each took."""
    rows = session.execute(
        select(col(Change.at), col(Delivery.done_at))
        .join(Change, col(Change.id) == col(Delivery.change_id))
        .where(
            col(Delivery.consumer) == consumer,
            col(Delivery.state) == DeliveryState.DONE,
            col(Delivery.done_at).is_not(None),
            col(Change.at) >= since,
        )
        .order_by(col(Delivery.change_id).desc())
        .limit(last)
    )
    return [(done_at - at).total_seconds() for at, done_at in rows]


def open_jobs(session: Session, state: JobState, *, limit: int) -> Sequence[Job]:
    """Return jobs in a state, the longest there first."""
    query = select(Job).where(col(Job.state) == state).order_by(col(Job.id)).limit(limit)
    return session.scalars(query).all()


def set_aside(session: Session, *, limit: int) -> list[Aside]:
    """Return the deliveries set aside, the oldest change first."""
    rows = session.execute(
        select(
            col(Delivery.id),
            col(Delivery.consumer),
            col(Change.subject_kind),
            col(Change.subject_id),
            col(Delivery.attempts),
            col(Change.at),
            col(Delivery.error),
        )
        .join(Change, col(Change.id) == col(Delivery.change_id))
        .where(col(Delivery.consumer).in_(list(Consumer)))
        .where(col(Delivery.state) == DeliveryState.ASIDE)
        .order_by(col(Delivery.change_id), col(Delivery.id))
        .limit(limit)
    )
    return [
        Aside(r[0], Consumer(r[1]), SubjectKind(r[2]), r[3], r[4], r[5], r[6] or "") for r in rows
    ]


def retry_job(session: Session, job_id: int, *, at: datetime) -> None:
    """Let a failed job run again from where it stopped. Raises Conflict where it has not failed.

    Its task is settled when it gets through.
    """
    query = update(Job).where(col(Job.id) == job_id, col(Job.state) == JobState.FAILED)
    must_change(
        session, query.values(**_anew(at)), "这个任务没有处在失败状态，可能已经有人让它重新执行"
    )


def retry_jobs(session: Session, *, at: datetime) -> int:
    """Let every failed job run again; return how many."""
    return changed(
        session, update(Job).where(col(Job.state) == JobState.FAILED).values(**_anew(at))
    )


def _anew(at: datetime) -> dict[str, object]:
    return {"state": JobState.WAITING, "attempts": 0, "owner": None, "available_at": at}


def retry_delivery(session: Session, delivery_id: int, *, at: datetime) -> None:
    """Let a delivery set aside be tried again. Raises Conflict where it is not set aside.

    An old change does no harm: whoever delivers re-reads the row as it is now.
    """
    query = update(Delivery).where(
        col(Delivery.id) == delivery_id, col(Delivery.state) == DeliveryState.ASIDE
    )
    values = {"state": DeliveryState.WAITING, "attempts": 0, "available_at": at}
    must_change(session, query.values(**values), "这条变更不在搁置状态，可能已经有人让它重新投递")
    _settle_deliveries(session, at)


def retry_deliveries(session: Session, *, at: datetime) -> int:
    """Let every delivery set aside be tried again; return how many."""
    values = {"state": DeliveryState.WAITING, "attempts": 0, "available_at": at}
    query = update(Delivery).where(
        col(Delivery.consumer).in_(list(Consumer)), col(Delivery.state) == DeliveryState.ASIDE
    )
    count = changed(session, query.values(**values))
    _settle_deliveries(session, at)
    return count


def overtaken(
    session: Session, consumer: Consumer, kind: SubjectKind, ids: Collection[int], *, at: datetime
) -> int:
    """Call done what was set aside of subjects that got through since: with any of their changes,
    they are taken as they are now. Return how much that was.
    """
    aside = (col(Delivery.consumer) == consumer, col(Delivery.state) == DeliveryState.ASIDE)
    if not ids or session.scalars(select(col(Delivery.id)).where(*aside).limit(1)).first() is None:
        return 0
    theirs = select(col(Change.id)).where(
        col(Change.subject_kind) == kind, col(Change.subject_id).in_(ids)
    )
    query = update(Delivery).where(*aside, col(Delivery.change_id).in_(theirs))
    count = changed(session, query.values(state=DeliveryState.DONE, done_at=at))
    if count:
        _settle_deliveries(session, at)
    return count


def _settle_deliveries(session: Session, at: datetime) -> None:
    """End the task about a consumer of which nothing is set aside any more."""
    left = {one.kind for one in delivery_loads(session) if one.state == DeliveryState.ASIDE}
    gone = [notify.Subject("delivery", consumer) for consumer in Consumer if consumer not in left]
    notify.settle(session, ASIDE, gone, at=at)
