"""The SQL of what waits in the catalogue."""

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.catalog.models import Listing, ListingRevision, Review
from market.catalog.models import ReviewState as R
from market.kit.ids import OrganisationId


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
    session: Session, organisation_id: OrganisationId | None = None
) -> list[tuple[Listing, str, str]]:
    """Return listings, of all or of one owner, whose newest submission was refused: (listing, its
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
    if organisation_id is not None:
        query = query.where(col(Listing.organisation_id) == organisation_id)
    rows = session.execute(query)
    return [(row[0], row[1], row[2]) for row in rows]
