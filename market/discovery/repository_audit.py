"""What the index was ever told of, and what is still owed to it: no audit may call it missing."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlmodel import Session, col

from market.catalog.models import Listing
from market.discovery.tasks import ORGANISATION
from market.kit.changes import (
    Change,
    Consumer,
    Delivery,
    DeliveryState,
    SubjectKind,
    SubjectVersion,
)
from market.kit.ids import ListingId
from market.kit.jobs import Job, JobState


def recorded(session: Session) -> list[ListingId]:
    """Return all listings that were ever published, by id."""
    rows = select(col(SubjectVersion.subject_id)).where(
        col(SubjectVersion.subject_kind) == SubjectKind.LISTING
    )
    return [
        ListingId(one) for one in session.scalars(rows.order_by(col(SubjectVersion.subject_id)))
    ]


def owed(session: Session, ids: Collection[ListingId] | None = None) -> set[ListingId]:
    """Return those of the listings, or of all, that changed and whose change the index is still to
    take in.
    """
    own = select(col(Change.subject_id)).where(col(Change.subject_kind) == SubjectKind.LISTING)
    theirs = select(col(Listing.id))
    if ids is not None:
        own = own.where(col(Change.subject_id).in_(ids))
        theirs = theirs.where(col(Listing.id).in_(ids))
    told = set(session.scalars(_open(own)))
    renamed = _changing_organisations(session)
    if renamed:
        theirs = theirs.where(col(Listing.organisation_id).in_(renamed))
        told |= set(session.scalars(theirs))
    return {ListingId(one) for one in told}


def undelivered(session: Session, ids: Collection[ListingId]) -> set[ListingId]:
    """Return those of the listings of which a change has not come to the index, or is set aside."""
    rows = (
        select(col(Change.subject_id))
        .join(Delivery, col(Delivery.change_id) == col(Change.id))
        .where(
            col(Change.subject_kind) == SubjectKind.LISTING,
            col(Change.subject_id).in_(ids),
            col(Delivery.consumer) == Consumer.INDEX,
            col(Delivery.state) != DeliveryState.DONE,
        )
    )
    return {ListingId(one) for one in session.scalars(rows)}


def _changing_organisations(session: Session) -> set[int]:
    """Return organisations whose change has not come to their listings yet."""
    changed = select(col(Change.subject_id)).where(
        col(Change.subject_kind) == SubjectKind.ORGANISATION
    )
    jobs = select(Job).where(
        col(Job.kind) == ORGANISATION, col(Job.state).in_([JobState.WAITING, JobState.RUNNING])
    )
    return {
        *session.scalars(_open(changed)),
        *(int(job.payload["organisation_id"]) for job in session.scalars(jobs)),
    }


def _open(query: Select[int]) -> Select[int]:
    return query.join(Delivery, col(Delivery.change_id) == col(Change.id)).where(
        col(Delivery.consumer) == Consumer.INDEX,
        col(Delivery.state).in_([DeliveryState.WAITING, DeliveryState.CLAIMED]),
    )
