"""The SQL of imports."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session, SQLModel, col

from market.catalog.models import (
    AchievementFacts,
    DemandFacts,
    ImportProblem,
    ImportRun,
    Listing,
    ListingRevision,
    Review,
    ReviewState,
)
from market.catalog.schemas import AchievementText
from market.catalog.texts import Text, fact_columns, shared_columns
from market.catalog.vocabulary import ListingKind
from market.kit.files import StoredFile
from market.kit.ids import ListingId, OrganisationId, PublicId, RevisionId
from market.kit.jobs import Job, JobState


def run(session: Session, run_id: int) -> ImportRun:
    return session.get_one(ImportRun, run_id)


def run_by_public_id(session: Session, public_id: PublicId) -> ImportRun | None:
    return session.scalars(select(ImportRun).where(col(ImportRun.public_id) == public_id)).first()


def runs(
    session: Session, organisation_id: OrganisationId, limit: int
) -> list[tuple[ImportRun, str]]:
    """Return the newest runs of an organisation, each with the name of its file."""
    rows = session.execute(
        select(ImportRun, col(StoredFile.name))
        .join(StoredFile, col(StoredFile.id) == col(ImportRun.file_id))
        .where(col(ImportRun.organisation_id) == organisation_id)
        .order_by(col(ImportRun.id).desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def file_of(session: Session, one: ImportRun) -> StoredFile:
    return session.get_one(StoredFile, one.file_id)


def problems(session: Session, run_id: int, limit: int) -> list[ImportProblem]:
    return list(
        session.scalars(
            select(ImportProblem)
            .where(col(ImportProblem.run_id) == run_id)
            .order_by(col(ImportProblem.row), col(ImportProblem.id))
            .limit(limit)
        )
    )


def failed_jobs(session: Session, keys: Sequence[str]) -> set[str]:
    """Return those of the jobs that were given up."""
    return set(
        session.scalars(
            select(col(Job.key)).where(col(Job.key).in_(keys), col(Job.state) == JobState.FAILED)
        )
    )


def listings_by_own_number(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, numbers: Iterable[str]
) -> dict[str, Listing]:
    """Return listings by own number, locked for this transaction."""
    rows = session.scalars(
        select(Listing)
        .where(
            col(Listing.organisation_id) == organisation_id,
            col(Listing.kind) == kind,
            col(Listing.own_number).in_(list(numbers)),
        )
        .order_by(col(Listing.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.own_number: row for row in rows if row.own_number is not None}


def listings_by_content(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, digests: Iterable[str]
) -> dict[str, Listing]:
    """Return listings without an own number by the digest of their import row, locked."""
    rows = session.scalars(
        select(Listing)
        .where(
            col(Listing.organisation_id) == organisation_id,
            col(Listing.kind) == kind,
            col(Listing.content_hash).in_(list(digests)),
            col(Listing.own_number).is_(None),
        )
        .order_by(col(Listing.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.content_hash: row for row in rows}


def insert_listings(session: Session, rows: list[dict[str, Any]]) -> list[ListingId]:
    """Insert listings without revisions. Return their ids in the order of `rows`."""
    if not rows:
        return []
    added = session.execute(
        insert(Listing).returning(col(Listing.public_id), col(Listing.id)), rows
    )
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
    added = session.execute(
        insert(ListingRevision).returning(col(ListingRevision.listing_id), col(ListingRevision.id)),
        rows,
    )
    ids = {row[0]: row[1] for row in added}
    facts = AchievementFacts if isinstance(texts[0][2], AchievementText) else DemandFacts
    session.execute(
        insert(facts),
        [fact_columns(text) | {"revision_id": ids[one]} for one, _, text in texts],
    )
    return [ids[one] for one, _, _ in texts]


def update_listings(session: Session, rows: list[dict[str, Any]]) -> None:
    """Set columns of listings by `id`; every row names the same columns."""
    session.execute(update(Listing), rows)


def mark(session: Session, ids: Sequence[ListingId], run_id: int) -> None:
    """Note that a run has met these listings."""
    if ids:
        session.execute(
            update(Listing).where(col(Listing.id).in_(ids)).values(import_run_id=run_id)
        )


def close_reviews(session: Session, ids: Sequence[ListingId]) -> None:
    """Take back the open reviews of listings that an import changes."""
    session.execute(
        update(Review)
        .where(col(Review.listing_id).in_(ids), col(Review.state) == ReviewState.SUBMITTED)
        .values(state=ReviewState.DRAFT)
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


def add_all(session: Session, rows: Iterable[SQLModel]) -> None:
    session.add_all(rows)
    session.flush()
