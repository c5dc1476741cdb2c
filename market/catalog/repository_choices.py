"""The SQL of what one may choose from the catalogue."""

from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from market.accounts.models import Organisation, Verification
from market.catalog.models import Listing, ListingRevision, ListingState
from market.catalog.vocabulary import ListingKind
from market.kit.ids import ListingId, OrganisationId


def public_of(
    session: Session,
    kind: ListingKind,
    owners: Iterable[OrganisationId],
    *,
    words: str,
    limit: int,
) -> tuple[int, list[ListingId]]:
    """Return (how many, the newest ids of) the public listings of verified owners with `words`."""
    query = (
        select(col(Listing.id))
        .join(ListingRevision, col(ListingRevision.id) == col(Listing.public_revision_id))
        .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
        .where(
            col(Listing.organisation_id).in_(set(owners)),
            col(Listing.kind) == kind,
            col(Listing.state) == ListingState.PUBLISHED,
            col(Organisation.verification) == Verification.VERIFIED,
        )
    )
    if words:
        columns = (col(ListingRevision.title), col(Listing.number))
        query = query.where(or_(*(one.icontains(words, autoescape=True) for one in columns)))
    count = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    order = (col(Listing.published_at).desc(), col(Listing.id).desc())
    return count, list(session.scalars(query.order_by(*order).limit(limit)))
