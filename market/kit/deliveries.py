"""What consumers of the change log have not heard of yet, and what they heard of long ago."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.kit.changes import HIDES, Change, Consumer, Delivery, DeliveryState, SubjectKind
from market.kit.db import changed


def hidden(session: Session, subject: SubjectKind, consumer: Consumer) -> set[int]:
    """Return the subjects of changes that hide something and that a consumer has not heard of.

    Cheap behind any backlog: of the changes since the oldest one owed, only the hiding ones are
    looked at.
    """
    states = [one for one in DeliveryState if one is not DeliveryState.DONE]
    of_each = select(func.min(col(Delivery.change_id))).where(col(Delivery.consumer) == consumer)
    oldest = [session.scalar(of_each.where(col(Delivery.state) == state)) for state in states]
    known = [one for one in oldest if one is not None]
    if not known:
        return set()
    rows = (
        select(col(Change.subject_id))
        .join(Delivery, col(Delivery.change_id) == col(Change.id))
        .where(
            col(Change.kind).in_(HIDES),
            col(Change.id) >= min(known),
            col(Change.subject_kind) == subject,
            col(Delivery.consumer) == consumer,
            col(Delivery.state).in_(states),
        )
    )
    return set(session.scalars(rows))


def expire(session: Session, now: datetime, limit: int, *, keep: timedelta) -> int:
    """Delete at most `limit` deliveries that were done `keep` ago, of changes that no consumer is
    still to hear of; the changes stay. Return how many.
    """
    other = aliased(Delivery)
    owed = select(col(other.id)).where(
        col(other.change_id) == col(Delivery.change_id), col(other.state) != DeliveryState.DONE
    )
    old = (
        select(col(Delivery.id))
        .where(
            col(Delivery.state) == DeliveryState.DONE,
            col(Delivery.done_at) < now - keep,
            ~owed.exists(),
        )
        .order_by(col(Delivery.id))
        .limit(limit)
    )
    return changed(session, delete(Delivery).where(col(Delivery.id).in_(old)))
