"""The change log: what must be told to the index and to the matcher, and in which order.

`record` runs in the transaction of the change itself. It raises the subject's document version
(one counter a subject: a renamed organisation changes a listing's document without touching the
listing's row), writes one change row, and one delivery row per consumer. Each delivery is claimed,
retried and set aside on its own.

Ids are given before commit, so `id > last` would skip a transaction that commits late. Readers
of “since N” use `seq`, which the one indexer stamps on committed changes, gapless.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, Select, UniqueConstraint, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, col

from market.kit import notify
from market.kit.columns import BIG, Table, big, choice, fk, moment, one_of, pk, words
from market.kit.db import changed, is_sqlite, table_of

MAX_ATTEMPTS = 8
LEASE = timedelta(seconds=60)
LOOKED_AT = 10_000
"""Deliveries at the front of a backlog of which it is asked whether another consumer is through."""
ASIDE = "delivery.aside"
"""The task that waits for an operator while deliveries of a consumer are set aside."""


class SubjectKind(StrEnum):
    LISTING = "listing"
    ORGANISATION = "organisation"


class Consumer(StrEnum):
    INDEX = "index"
    MATCH = "match"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    DONE = "done"
    ASIDE = "aside"


_TAKEN = (DeliveryState.CLAIMED, DeliveryState.WAITING)


class SubjectVersion(Table, table=True):
    """The document version of one subject; counts every change of what its document shows."""

    __tablename__ = "subject_version"
    __table_args__ = (one_of("subject_kind", SubjectKind),)

    subject_kind: str = Field(primary_key=True, max_length=32)
    subject_id: int = Field(primary_key=True, sa_type=BIG)
    version: int = big()


_UNSTAMPED = text("seq IS NULL")
HIDES = ("masked", "withdrawn", "import undone")  # less may be seen after: deliveries.hidden
_HIDES = text(f"kind IN ({', '.join(repr(kind) for kind in HIDES)})")


class Change(Table, table=True):
    __tablename__ = "change"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        Index("ix_change_unstamped", "id", sqlite_where=_UNSTAMPED, postgresql_where=_UNSTAMPED),
        Index("ix_change_subject", "subject_kind", "subject_id"),
        Index("ix_change_hides", "id", sqlite_where=_HIDES, postgresql_where=_HIDES),
    )

    id: int = pk()
    subject_kind: str = choice()
    subject_id: int = big()
    kind: str = words(40)
    version: int = big()
    actor_id: int | None = big(nullable=True)
    at: datetime = moment()
    seq: int | None = Field(default=None, sa_type=BIG, nullable=True, unique=True)


class Delivery(Table, table=True):
    __tablename__ = "delivery"
    __table_args__ = (
        one_of("consumer", Consumer),
        one_of("state", DeliveryState),
        UniqueConstraint("change_id", "consumer"),
        Index("ix_delivery_open", "consumer", "state", "change_id"),
    )

    id: int = pk()
    change_id: int = fk("change.id")
    consumer: str = choice()
    state: str = choice(default=DeliveryState.WAITING)
    attempts: int = Field(default=0)
    available_at: datetime = moment()
    error: str | None = words(500, nullable=True)
    done_at: datetime | None = moment(nullable=True)


class ChangeHead(Table, table=True):
    """The last sequence number stamped; one row."""

    __tablename__ = "change_head"

    id: int = Field(primary_key=True)
    seq: int = big()


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in hand: the change's subject and the version it raised."""

    delivery_id: int
    change_id: int
    subject_kind: SubjectKind
    subject_id: int
    version: int
    attempts: int


def record(
    session: Session,
    subject: SubjectKind,
    subject_id: int,
    kind: str,
    *,
    at: datetime,
    actor_id: int | None,
) -> int:
    """Record one change and owe it to every consumer. Return the new document version."""
    return record_many(session, subject, [subject_id], kind, at=at, actor_id=actor_id)[subject_id]


def record_many(
    session: Session,
    subject: SubjectKind,
    ids: Sequence[int],
    kind: str,
    *,
    at: datetime,
    actor_id: int | None,
) -> dict[int, int]:
    """Record the same change of several different subjects. Return their new versions."""
    if not ids:
        return {}
    session.flush()
    raised = _raise_versions(session, subject, ids)
    added = session.execute(
        insert(table_of(Change)).returning(table_of(Change).c.id),
        [
            {
                "subject_kind": subject,
                "subject_id": subject_id,
                "kind": kind,
                "version": version,
                "actor_id": actor_id,
                "at": at,
            }
            for subject_id, version in raised.items()
        ],
    )
    session.execute(
        insert(table_of(Delivery)),
        [
            {
                "change_id": change_id,
                "consumer": consumer,
                "state": DeliveryState.WAITING,
                "attempts": 0,
                "available_at": at,
            }
            for change_id in added.scalars()
            for consumer in Consumer
        ],
    )
    return raised


def _raise_versions(session: Session, subject: SubjectKind, ids: Sequence[int]) -> dict[int, int]:
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    table = table_of(SubjectVersion)
    rows = session.execute(
        dialect_insert(table)
        .on_conflict_do_update(
            index_elements=["subject_kind", "subject_id"],
            set_={"version": table.c.version + 1},
        )
        .returning(table.c.subject_id, table.c.version),
        # In one order everywhere, so that two transactions never wait for each other.
        [{"subject_kind": subject, "subject_id": one, "version": 1} for one in sorted(ids)],
    )
    return {row[0]: row[1] for row in rows}


def versions(session: Session, subject: SubjectKind, ids: Sequence[int]) -> dict[int, int]:
    """Return the present document version of each subject that has one."""
    rows = session.execute(
        select(col(SubjectVersion.subject_id), col(SubjectVersion.version)).where(
            col(SubjectVersion.subject_kind) == subject, col(SubjectVersion.subject_id).in_(ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def stamp(session: Session, limit: int = 1000) -> int:
    """Give committed changes their gapless sequence numbers. Only the indexer calls this."""
    ids = session.scalars(
        select(col(Change.id))
        .where(col(Change.seq).is_(None))
        .order_by(col(Change.id))
        .limit(limit)
    ).all()
    if not ids:
        return 0
    head = session.get(ChangeHead, 1)
    if head is None:
        head = ChangeHead(id=1, seq=0)
        session.add(head)
    session.execute(
        update(Change),
        [{"id": change_id, "seq": head.seq + n} for n, change_id in enumerate(ids, start=1)],
    )
    head.seq += len(ids)
    session.flush()
    return len(ids)


def claim(
    session: Session,
    consumer: Consumer,
    *,
    now: datetime,
    limit: int,
    after: Consumer | None = None,
) -> list[Claimed]:
    """Claim up to `limit` deliveries: claims that lapsed first, then the oldest change.

    With `after`, a delivery is taken only where that consumer has done its part of the change, or
    has set it aside: what one cannot read must not hold up the other for ever.
    """
    ids: list[int] = []
    for state in _TAKEN:
        due = _due(session, consumer, state, now, after).limit(limit - len(ids))
        if not is_sqlite(session):
            due = due.with_for_update(skip_locked=True)
        ids += session.scalars(due)
    if not ids:
        return []
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(
            state=DeliveryState.CLAIMED,
            attempts=col(Delivery.attempts) + 1,
            available_at=now + LEASE,
        )
    )
    return _claimed(session, ids)


def _due(
    session: Session,
    consumer: Consumer,
    state: DeliveryState,
    now: datetime,
    after: Consumer | None,
) -> Select[int]:
    """Return what may be claimed of one state, by change: each state by itself stands in
    ix_delivery_open in that order, so that nobody sorts a backlog to take its front.
    """
    mine = (col(Delivery.consumer) == consumer, col(Delivery.state) == state)
    due = select(col(Delivery.id)).where(*mine, col(Delivery.available_at) <= now)
    due = due.order_by(col(Delivery.change_id))
    if after is None:
        return due
    # Both go by the same order: far behind the front, nothing is done by the other either.
    order = select(col(Delivery.change_id)).where(*mine).order_by(col(Delivery.change_id))
    edge = session.scalar(order.offset(LOOKED_AT).limit(1))
    if edge is not None:
        due = due.where(col(Delivery.change_id) < edge)
    first = aliased(Delivery)
    return due.where(
        select(col(first.id))
        .where(
            col(first.change_id) == col(Delivery.change_id),
            col(first.consumer) == after,
            col(first.state).in_([DeliveryState.DONE, DeliveryState.ASIDE]),
        )
        .exists()
    )


def _claimed(session: Session, ids: Sequence[int]) -> list[Claimed]:
    rows = (
        select(
            col(Delivery.id),
            col(Delivery.change_id),
            col(Change.subject_kind),
            col(Change.subject_id),
            col(Change.version),
            col(Delivery.attempts),
        )
        .join(Change, col(Change.id) == col(Delivery.change_id))
        .where(col(Delivery.id).in_(ids))
        .order_by(col(Delivery.change_id))
    )
    return [
        Claimed(row[0], row[1], SubjectKind(row[2]), row[3], row[4], row[5])
        for row in session.execute(rows)
    ]


def done(session: Session, delivery_ids: Sequence[int], *, now: datetime) -> int:
    """Mark deliveries as done; one done already stays so. Return how many were marked."""
    if not delivery_ids:
        return 0
    return changed(
        session,
        update(Delivery)
        .where(col(Delivery.id).in_(delivery_ids), col(Delivery.state) == DeliveryState.CLAIMED)
        .values(state=DeliveryState.DONE, done_at=now, error=None),
    )


def give_back(session: Session, consumer: Consumer, *, now: datetime) -> int:
    """Free every claim of a consumer, as if it had not been made; return how many there were.

    For a consumer's one process, which knows that whoever claimed is gone or has failed.
    """
    return changed(
        session,
        update(Delivery)
        .where(col(Delivery.consumer) == consumer, col(Delivery.state) == DeliveryState.CLAIMED)
        .values(
            state=DeliveryState.WAITING,
            attempts=col(Delivery.attempts) - 1,
            available_at=now,
        ),
    )


def due(
    session: Session, consumer: Consumer, *, now: datetime, after: Consumer | None = None
) -> bool:
    """Tell whether a consumer has deliveries to claim, so that idle polling never writes."""
    return any(
        session.scalars(_due(session, consumer, state, now, after).limit(1)).first() is not None
        for state in _TAKEN
    )


def failed(session: Session, claimed: Claimed, error: str, *, now: datetime) -> None:
    """Give a delivery back with growing delay, or set it aside after MAX_ATTEMPTS."""
    aside = claimed.attempts >= MAX_ATTEMPTS
    changed(
        session,
        update(Delivery)
        .where(
            col(Delivery.id) == claimed.delivery_id, col(Delivery.state) == DeliveryState.CLAIMED
        )
        .values(
            state=DeliveryState.ASIDE if aside else DeliveryState.WAITING,
            available_at=now + timedelta(seconds=min(2**claimed.attempts, 300)),
            error=error[:500],
        ),
    )
    if aside:
        _tell_operators(session, claimed, now)


def _tell_operators(session: Session, claimed: Claimed, now: datetime) -> None:
    """One task a consumer, however many are set aside while it is open."""
    consumer = session.get_one(Delivery, claimed.delivery_id).consumer
    if consumer in notify.open_tasks(session, ASIDE):
        return
    notify.tell(
        session,
        notify.To(role="operator"),
        ASIDE,
        notify.Subject("delivery", consumer),
        "有变更多次没有送到搜索或匹配，已搁置",
        detail="原因和重新投递在“运行”页",
        key=f"{ASIDE}:{claimed.delivery_id}:{now.timestamp():.0f}",
        at=now,
        waits=True,
    )
