"""The SQL of a market that is filled at once: the rows that publishing leaves, without its log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from market.accounts.models import Organisation
from market.catalog.models import AchievementFacts, DemandFacts, Listing, ListingRevision
from market.catalog.vocabulary import ListingKind
from market.kit.changes import Change, Consumer, Delivery, SubjectVersion
from market.kit.columns import Table

FACTS: dict[ListingKind, type[Table]] = {
    ListingKind.ACHIEVEMENT: AchievementFacts,
    ListingKind.DEMAND: DemandFacts,
}


def add_organisations(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    session.execute(insert(Organisation), list(rows))


def add_listings(
    session: Session,
    kind: ListingKind,
    listings: Sequence[dict[str, Any]],
    revisions: Sequence[dict[str, Any]],
    facts: Sequence[dict[str, Any]],
) -> None:
    """Insert listings of one kind with their ids given, each with a document of version 1."""
    session.execute(insert(Listing), list(listings))
    session.execute(insert(ListingRevision), list(revisions))
    session.execute(insert(FACTS[kind]), list(facts))
    session.execute(
        insert(SubjectVersion),
        [{"subject_kind": "listing", "subject_id": one["id"], "version": 1} for one in listings],
    )


def waits(session: Session, consumer: Consumer, *, after: int) -> list[float]:
    """Return the seconds from each change to the end of its delivery, of changes after this one."""
    rows = session.execute(
        select(col(Change.at), col(Delivery.done_at))
        .join(Delivery, col(Delivery.change_id) == col(Change.id))
        .where(
            col(Delivery.consumer) == consumer,
            col(Change.id) > after,
            col(Delivery.done_at).is_not(None),
        )
    )
    return [(done - at).total_seconds() for at, done in rows]
