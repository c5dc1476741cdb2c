"""The SQL of what waits in the catalogue."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.accounts.models import Organisation
from market.catalog.models import Listing, ListingRevision, Review
from market.catalog.models import ReviewState as R
from market.kit.ids import ListingId, OrganisationId, PublicId


def in_review(session: Session, organisation_id: OrganisationId) -> bool:
    """Return whether an organisation has anything that waits for the bureau's answer."""
    query = select(col(Listing.id)).where(
        col(Listing.organisation_id) == organisation_id,
        col(Listing.review_state) == R.SUBMITTED,
    )
    return session.execute(query.limit(1)).first() is not None


def owners_in_review(session: Session) -> set[OrganisationId]:
    return set(
        session.scalars(
            select(col(Listing.organisation_id))
            .join(Review, col(Review.listing_id) == col(Listing.id))
            .where(col(Review.state) == R.SUBMITTED)
            .distinct()
        )
    )


def refused(
    session: Session, ids: Collection[ListingId] | None = None
) -> list[tuple[Listing, str, str]]:
    """Return listings, all or those of `ids`, whose newest submission was refused: (listing, its
    title, the reason).
    """
    any_of_it = aliased(Review)
    newest = (
        select(func.max(col(any_of_it.id)))
        .where(col(any_of_it.listing_id) == col(Listing.id))
        .correlate(Listing)
        .scalar_subquery()
    )
    query = (
        select(Listing, col(ListingRevision.title), col(Review.note))
        .join(ListingRevision, col(ListingRevision.id) == col(Listing.working_revision_id))
        .join(Review, col(Review.id) == newest)
        .where(col(Listing.review_state) == R.REFUSED)
    )
    if ids is not None:
        query = query.where(col(Listing.id).in_(list(ids)))
    rows = session.execute(query)
    return [(row[0], row[1], row[2]) for row in rows]


class Submission(NamedTuple):
    review: Review
    listing: Listing
    revision: ListingRevision
    organisation: Organisation


class Heap(NamedTuple):
    """What an organisation has handed in: by one import, or by hand where `run_id` is None."""

    organisation: Organisation
    run_id: int | None
    waiting: int


def heaps(session: Session) -> list[Heap]:
    """Return what waits for review by organisation and import, the largest heap first."""
    count = func.count()
    rows = session.execute(
        select(Organisation, col(Listing.import_run_id), count)
        .join(Listing, col(Listing.organisation_id) == col(Organisation.id))
        .where(col(Listing.review_state) == R.SUBMITTED)
        .group_by(col(Organisation.id), col(Listing.import_run_id))
        .order_by(count.desc(), col(Organisation.id))
        .limit(50)
    )
    return [Heap(*row) for row in rows]


def submissions(
    session: Session,
    *,
    offset: int,
    limit: int,
    heap: tuple[PublicId, int | None] | None = None,
) -> tuple[int, list[Submission]]:
    """Return (how many wait, a page of them), the longest waiting first.

    `heap` is (organisation, import or None for what was handed in by hand).
    """
    query = (
        select(Review, Listing, ListingRevision, Organisation)
        .join(Listing, col(Listing.id) == col(Review.listing_id))
        .join(ListingRevision, col(ListingRevision.id) == col(Review.revision_id))
        .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
        .where(col(Review.state) == R.SUBMITTED)
    )
    if heap is not None:
        query = query.where(
            col(Organisation.public_id) == heap[0], col(Listing.import_run_id).is_(heap[1])
        )
    rows = session.execute(query.order_by(col(Review.id)).offset(offset).limit(limit))
    return _counted(session, query), [Submission(*row) for row in rows]


def submissions_waiting(session: Session) -> int:
    count: int = session.execute(
        select(func.count()).select_from(Review).where(col(Review.state) == R.SUBMITTED)
    ).scalar_one()
    return count


def _counted(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    counted = query.with_only_columns(func.count(), maintain_column_froms=True)
    count: int = session.execute(counted).scalar_one()
    return count
