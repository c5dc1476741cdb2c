"""The SQL of listings brought in by file: a chunk at a time, locked while it is decided on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlmodel import Session, col

from market.catalog.models import (
    AchievementFacts,
    DemandFacts,
    Listing,
    ListingRevision,
    ListingState,
    Proof,
    Review,
    ReviewState,
)
from market.catalog.repository import revisions
from market.catalog.schemas import AchievementText
from market.catalog.texts import Text, fact_columns, shared_columns, text_of
from market.catalog.vocabulary import ListingKind
from market.kit.db import table_of
from market.kit.ids import ListingId, OrganisationId, RevisionId


def own_listings_locked(
    session: Session,
    organisation_id: OrganisationId,
    kind: ListingKind,
    condition: ColumnElement[bool],
) -> list[Listing]:
    """Return listings of an organisation that were not removed, locked for this transaction."""
    return list(
        session.scalars(
            select(Listing)
            .where(
                col(Listing.organisation_id) == organisation_id,
                col(Listing.kind) == kind,
                col(Listing.removed_at).is_(None),
                condition,
            )
            .order_by(col(Listing.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def by_own_number(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, numbers: Iterable[str]
) -> dict[str, Listing]:
    """Return listings by own number, locked."""
    condition = col(Listing.own_number).in_(list(numbers))
    found = own_listings_locked(session, organisation_id, kind, condition)
    return {row.own_number: row for row in found if row.own_number is not None}


def by_content(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, digests: Iterable[str]
) -> dict[str, Listing]:
    """Return listings without an own number by the digest of their import row, locked."""
    condition = col(Listing.content_hash).in_(list(digests)) & col(Listing.own_number).is_(None)
    found = own_listings_locked(session, organisation_id, kind, condition)
    return {row.content_hash: row for row in found}


def by_reference(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, ids: Iterable[str]
) -> dict[str, Listing]:
    """Return listings by public id, locked."""
    condition = col(Listing.public_id).in_(list(ids))
    found = own_listings_locked(session, organisation_id, kind, condition)
    return {row.public_id: row for row in found}


def locked(session: Session, ids: Iterable[int]) -> dict[int, Listing]:
    """Return listings by id, locked."""
    rows = session.scalars(
        select(Listing)
        .where(col(Listing.id).in_(list(ids)))
        .order_by(col(Listing.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def insert_listings(session: Session, rows: list[dict[str, Any]]) -> list[ListingId]:
    """Insert listings without revisions. Return their ids in the order of `rows`."""
    if not rows:
        return []
    table = table_of(Listing)
    added = session.execute(insert(table).returning(table.c.public_id, table.c.id), rows)
    ids = {row[0]: row[1] for row in added}
    return [ids[row["public_id"]] for row in rows]


def insert_texts(
    session: Session,
    texts: Sequence[tuple[ListingId, int, Text]],
    *,
    by: int | None,
    at: datetime,
) -> list[RevisionId]:
    """Insert one revision (listing, seq, text) each of different listings of one kind.

    Return their ids in the order of `texts`.
    """
    rows = [
        {"listing_id": one, "seq": seq, "created_by": by, "created_at": at} | shared_columns(text)
        for one, seq, text in texts
    ]
    table = table_of(ListingRevision)
    added = session.execute(insert(table).returning(table.c.listing_id, table.c.id), rows)
    ids = {row[0]: row[1] for row in added}
    facts = AchievementFacts if isinstance(texts[0][2], AchievementText) else DemandFacts
    session.execute(
        insert(table_of(facts)),
        [fact_columns(text) | {"revision_id": ids[one]} for one, _, text in texts],
    )
    return [ids[one] for one, _, _ in texts]


def update_listings(session: Session, rows: list[dict[str, Any]]) -> None:
    """Set columns of listings by `id`; every row names the same columns."""
    if rows:
        session.flush()
        table = table_of(Listing)
        values: dict[str, Any] = {one: bindparam(one) for one in rows[0] if one != "id"}
        session.execute(
            update(table).where(table.c.id == bindparam("which")).values(values),
            [{"which": row["id"]} | {name: row[name] for name in values} for row in rows],
        )


def close_reviews(
    session: Session, ids: Sequence[ListingId], to: ReviewState, *, by: int | None, at: datetime
) -> None:
    """Close the open reviews of listings: taken back (DRAFT) or approved."""
    decided = {"decided_by": by, "decided_at": at} if to is ReviewState.APPROVED else {}
    session.execute(
        update(Review)
        .where(col(Review.listing_id).in_(ids), col(Review.state) == ReviewState.SUBMITTED)
        .values(state=to, **decided)
    )


def insert_reviews(
    session: Session,
    submitted: Sequence[tuple[ListingId, RevisionId]],
    *,
    by: int | None,
    at: datetime,
) -> None:
    if submitted:
        session.execute(
            insert(Review),
            [
                {
                    "listing_id": listing_id,
                    "revision_id": revision_id,
                    "state": ReviewState.SUBMITTED,
                    "note": "",
                    "submitted_by": by,
                    "submitted_at": at,
                }
                for listing_id, revision_id in submitted
            ],
        )


def remove(session: Session, ids: Sequence[ListingId], at: datetime) -> None:
    """Take listings out of everything. Their numbers of their owner are free for others."""
    session.execute(
        update(Listing)
        .where(col(Listing.id).in_(ids))
        .values(
            removed_at=at,
            updated_at=at,
            state=ListingState.PRIVATE,
            review_state=ReviewState.DRAFT,
            own_number=None,
            content_hash="",
        )
    )


def with_proofs(session: Session, ids: Iterable[int]) -> set[int]:
    """Return those of the listings that have files attached."""
    return set(
        session.scalars(select(col(Proof.listing_id)).where(col(Proof.listing_id).in_(list(ids))))
    )


def all_of(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, step: int = 500
) -> Iterator[tuple[Listing, Text]]:
    """Yield all listings of an organisation with their working text, oldest first."""
    after = 0
    while True:
        page = session.scalars(
            select(Listing)
            .where(
                col(Listing.organisation_id) == organisation_id,
                col(Listing.kind) == kind,
                col(Listing.removed_at).is_(None),
                col(Listing.id) > after,
            )
            .order_by(col(Listing.id))
            .limit(step)
        ).all()
        if not page:
            return
        texts = revisions(session, [one.working_revision_id for one in page])
        for one in page:
            assert one.working_revision_id is not None  # written with the listing
            yield one, text_of(*texts[one.working_revision_id])
        after = page[-1].id
        session.expunge_all()
