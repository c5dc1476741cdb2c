"""The SQL of matches over all listings of an organisation."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from market.catalog.models import Listing, ListingState
from market.catalog.vocabulary import ListingKind
from market.discovery.models import Match, MatchChoice
from market.kit.ids import ListingId, OrganisationId


def _of(owners: Collection[OrganisationId], kind: ListingKind, *columns: Any) -> Select[Any]:
    """Select of the undecided matches of these owners' public listings, this side of them."""
    side = col(Match.demand_id if kind is ListingKind.DEMAND else Match.achievement_id)
    return (
        select(side, *columns)
        .join(Listing, col(Listing.id) == side)
        .where(
            col(Listing.organisation_id).in_(owners),
            col(Listing.state) == ListingState.PUBLISHED,
            col(Match.state) == MatchChoice.NEW,
        )
        .group_by(side)
    )


def matched_count(session: Session, owners: Collection[OrganisationId], kind: ListingKind) -> int:
    """Return how many listings have matches that nobody has decided about."""
    query = select(func.count()).select_from(_of(owners, kind).subquery())
    count: int = session.execute(query).scalar_one()
    return count


def matched(
    session: Session,
    owners: Collection[OrganisationId],
    kind: ListingKind,
    *,
    offset: int,
    limit: int,
) -> list[tuple[ListingId, int, datetime]]:
    """Return (listing, how many matches wait, when the newest was found), the newest first."""
    newest = func.max(col(Match.found_at))
    query = _of(owners, kind, func.count(), newest)
    side = query.selected_columns[0]
    rows = session.execute(query.order_by(newest.desc(), side).offset(offset).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows]
