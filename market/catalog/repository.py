"""The SQL of listings, reviews and proofs (import files: `repository_intake.py`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.accounts.models import Organisation, Verification
from market.catalog.models import (
    AchievementFacts,
    DemandFacts,
    Listing,
    ListingRevision,
    ListingState,
    Numbering,
    Proof,
    Review,
    ReviewState,
)
from market.catalog.texts import Facts, Text, fact_columns, shared_columns
from market.catalog.vocabulary import ListingKind
from market.kit.db import is_sqlite, must_change
from market.kit.files import StoredFile
from market.kit.ids import ListingId, OrganisationId, PersonId, PublicId, RevisionId

S, R = ListingState, ReviewState
STATE_EDGES: dict[ListingState, frozenset[ListingState]] = {
    S.PRIVATE: frozenset({S.PUBLISHED}),
    S.PUBLISHED: frozenset({S.WITHDRAWN}),
    S.WITHDRAWN: frozenset({S.PUBLISHED}),
}
REVIEW_EDGES: dict[ReviewState, frozenset[ReviewState]] = {
    R.DRAFT: frozenset({R.SUBMITTED, R.APPROVED}),  # approved at once: own leave to publish
    R.SUBMITTED: frozenset({R.DRAFT, R.REFUSED, R.APPROVED}),
    R.REFUSED: frozenset({R.DRAFT, R.SUBMITTED, R.APPROVED}),
    R.APPROVED: frozenset({R.DRAFT}),
}


class Standing(NamedTuple):
    """Where a listing stands: what is public, and how far the working revision has come."""

    state: ListingState
    review: ReviewState


class Shelf(StrEnum):
    """How an owner sorts the own list; a published listing with an edit under way is on two."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


_SHELVES: dict[Shelf, ColumnElement[bool]] = {
    Shelf.DRAFT: and_(col(Listing.review_state) == R.DRAFT, col(Listing.state) != S.WITHDRAWN),
    Shelf.SUBMITTED: col(Listing.review_state) == R.SUBMITTED,
    Shelf.REFUSED: col(Listing.review_state) == R.REFUSED,
    Shelf.PUBLISHED: col(Listing.state) == S.PUBLISHED,
    Shelf.WITHDRAWN: col(Listing.state) == S.WITHDRAWN,
}


def standing(listing: Listing) -> Standing:
    return Standing(ListingState(listing.state), ReviewState(listing.review_state))


def listing(session: Session, listing_id: ListingId) -> Listing:
    return session.get_one(Listing, listing_id)


def listings(session: Session, ids: Iterable[ListingId]) -> dict[ListingId, Listing]:
    rows = session.scalars(select(Listing).where(col(Listing.id).in_(set(ids))))
    return {row.id: row for row in rows}


def listing_by_public_id(
    session: Session, public_id: PublicId, *, lock: bool = False
) -> Listing | None:
    """Return a listing; with `lock` held until the end of the transaction, as it stands now."""
    query = select(Listing).where(
        col(Listing.public_id) == public_id, col(Listing.removed_at).is_(None)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).first()


def listing_by_own_number(
    session: Session, organisation_id: OrganisationId, kind: ListingKind, own_number: str
) -> Listing | None:
    return session.scalars(
        select(Listing).where(
            col(Listing.organisation_id) == organisation_id,
            col(Listing.kind) == kind,
            col(Listing.own_number) == own_number,
        )
    ).first()


def own_listings(
    session: Session,
    organisation_id: OrganisationId,
    *,
    kind: ListingKind | None,
    shelf: Shelf | None,
    words: str,
    offset: int,
    limit: int,
) -> tuple[int, list[tuple[Listing, str]]]:
    """Return (how many, a page of (listing, title of the working revision)), newest change first.

    `words` is matched literally in the title, either number.
    """
    query = (
        select(Listing, col(ListingRevision.title))
        .join(ListingRevision, col(ListingRevision.id) == col(Listing.working_revision_id))
        .where(col(Listing.organisation_id) == organisation_id, col(Listing.removed_at).is_(None))
    )
    if kind is not None:
        query = query.where(col(Listing.kind) == kind)
    if shelf is not None:
        query = query.where(_SHELVES[shelf])
    if words:
        columns = (col(ListingRevision.title), col(Listing.number), col(Listing.own_number))
        query = query.where(or_(*(one.icontains(words, autoescape=True) for one in columns)))
    order = (col(Listing.updated_at).desc(), col(Listing.id).desc())
    rows = session.execute(query.order_by(*order).offset(offset).limit(limit))
    return _count(session, query), [(row[0], row[1]) for row in rows]


def _count(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    counted = query.with_only_columns(func.count(), maintain_column_froms=True)
    count: int = session.execute(counted).scalar_one()
    return count


def shelf_counts(
    session: Session, organisation_id: OrganisationId
) -> dict[tuple[ListingKind, Shelf | None], int]:
    """Return how many listings the organisation has by kind, in all (None) and on each shelf."""
    shelves = [func.sum(case((condition, 1), else_=0)) for condition in _SHELVES.values()]
    rows = session.execute(
        select(col(Listing.kind), func.count(), *shelves)
        .where(col(Listing.organisation_id) == organisation_id, col(Listing.removed_at).is_(None))
        .group_by(col(Listing.kind))
    )
    return {
        (ListingKind(row[0]), shelf): count
        for row in rows
        for shelf, count in zip((None, *_SHELVES), row[1:], strict=True)
    }


def revisions(
    session: Session, ids: Iterable[RevisionId | None]
) -> dict[RevisionId, tuple[ListingRevision, Facts]]:
    """Return revisions with the facts of their kind, in one statement."""
    rows = session.execute(
        select(ListingRevision, AchievementFacts, DemandFacts)
        .outerjoin(AchievementFacts, col(AchievementFacts.revision_id) == col(ListingRevision.id))
        .outerjoin(DemandFacts, col(DemandFacts.revision_id) == col(ListingRevision.id))
        .where(col(ListingRevision.id).in_({one for one in ids if one is not None}))
    )
    return {row[0].id: (row[0], row[1] or row[2]) for row in rows}


def add_revision(
    session: Session, listing: Listing, seq: int, text: Text, *, by: PersonId | None, at: datetime
) -> RevisionId:
    row = ListingRevision(
        listing_id=listing.id, seq=seq, created_by=by, created_at=at, **shared_columns(text)
    )
    session.add(row)
    session.flush()
    facts = AchievementFacts if listing.kind == ListingKind.ACHIEVEMENT else DemandFacts
    session.add(facts(revision_id=row.id, **fact_columns(text)))
    session.flush()
    return row.id


def move_listing(
    session: Session, listing: Listing, to: Standing, message: str | None = None, **values: Any
) -> None:
    """Bring a listing from where the row says it stands to `to`, with further columns.

    Raises Conflict with `message` where another transaction moved it, or changed its working
    revision, since the row was read.
    """
    now = standing(listing)
    assert to.state == now.state or to.state in STATE_EDGES[now.state], (now, to)
    assert to.review == now.review or to.review in REVIEW_EDGES[now.review], (now, to)
    must_change(
        session,
        update(Listing)
        .where(
            col(Listing.id) == listing.id,
            col(Listing.state) == now.state,
            col(Listing.review_state) == now.review,
            col(Listing.working_revision_id) == listing.working_revision_id,
            col(Listing.edits) == listing.edits,
        )
        .values(state=to.state, review_state=to.review, **values)
        .execution_options(synchronize_session=False),
        message,
    )
    session.refresh(listing)


def next_numbers(session: Session, series: str, count: int) -> range:
    """Take the next `count` numbers of a series; the row stays locked until commit, so gapless."""
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    last: int = session.execute(
        dialect_insert(Numbering)
        .values(series=series, last=count)
        .on_conflict_do_update(
            index_elements=["series"], set_={"last": col(Numbering.last) + count}
        )
        .returning(col(Numbering.last))
    ).scalar_one()
    return range(last - count + 1, last + 1)


def add_review(
    session: Session, listing: Listing, revision_id: RevisionId, *, by: PersonId, at: datetime
) -> None:
    row = Review(
        listing_id=listing.id,
        revision_id=revision_id,
        state=R.SUBMITTED,
        submitted_by=by,
        submitted_at=at,
    )
    session.add(row)
    session.flush()


def move_review(
    session: Session,
    listing: Listing,
    to: ReviewState,
    *,
    by: PersonId | None,
    at: datetime,
    note: str = "",
) -> None:
    """Close the open review of a listing. Raises Conflict where there is none any more."""
    must_change(
        session,
        update(Review)
        .where(col(Review.listing_id) == listing.id, col(Review.state) == R.SUBMITTED)
        .values(state=to, decided_by=by, decided_at=at, note=note),
        "这次提交已被撤回或已有审核结果，请刷新后再看",
    )


def newest_review(session: Session, listing_id: ListingId) -> Review | None:
    return session.scalars(
        select(Review)
        .where(col(Review.listing_id) == listing_id)
        .order_by(col(Review.id).desc())
        .limit(1)
    ).first()


def proofs(session: Session, listing_id: ListingId) -> list[tuple[Proof, StoredFile]]:
    rows = session.execute(
        select(Proof, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(Proof.file_id))
        .where(col(Proof.listing_id) == listing_id)
        .order_by(col(Proof.id))
    )
    return [(row[0], row[1]) for row in rows]


def add_proof(session: Session, listing_id: ListingId, file_id: int, at: datetime) -> None:
    session.add(Proof(listing_id=listing_id, file_id=file_id, created_at=at))
    session.flush()


def remove_proof(session: Session, proof: Proof) -> None:
    session.delete(proof)
    session.flush()


def touch(session: Session, listing: Listing, at: datetime) -> None:
    """Note a change beside the text; on PostgreSQL it also makes a second one wait for this."""
    move_listing(session, listing, standing(listing), updated_at=at)


_VISIBLE = and_(
    col(Listing.state) == S.PUBLISHED, col(Organisation.verification) == Verification.VERIFIED
)


_VISIBLE_BY_ID = and_(
    # Hidden in an expression: SQLite would go through all published listings by the index of states
    # rather than fetch a handful by id.
    func.coalesce(col(Listing.state), "") == S.PUBLISHED,
    col(Organisation.verification) == Verification.VERIFIED,
)
# Columns, not entities: a page of results and every batch of documents reads these rows, and a
# mapped object of each table took three times as long as the rest of it.
_PUBLIC: Any = (
    select(
        col(Listing.id).label("listing_id"),
        *(
            getattr(Listing, name).label(name)
            for name in ("public_id", "number", "kind", "masked", "published_at")
        ),
        *(
            getattr(Organisation, name).label(f"organisation_{name}")
            for name in ("id", "public_id", "name", "kind", "region", "demo")
        ),
        *(
            column
            for column in (
                *ListingRevision.__table__.columns,  # type: ignore[attr-defined]
                *AchievementFacts.__table__.columns,  # type: ignore[attr-defined]
                *DemandFacts.__table__.columns,  # type: ignore[attr-defined]
            )
            if column.name not in {"id", "listing_id", "revision_id"}
        ),
    )
    .join(ListingRevision, col(ListingRevision.id) == col(Listing.public_revision_id))
    .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
    .outerjoin(AchievementFacts, col(AchievementFacts.revision_id) == col(ListingRevision.id))
    .outerjoin(DemandFacts, col(DemandFacts.revision_id) == col(ListingRevision.id))
    .where(_VISIBLE_BY_ID)
)


def public(session: Session, ids: Sequence[ListingId]) -> Iterator[Mapping[str, Any]]:
    """Return those of the listings that are publicly visible, in one statement.

    A row has the listing's `listing_id`, `public_id`, `number`, `kind`, `masked`, `published_at`;
    its organisation's columns by `organisation_…`; and all that is said in its public revision,
    whose `created_at` it has.
    """
    rows = session.execute(_PUBLIC.where(col(Listing.id).in_(ids)))
    names = tuple(rows.keys())
    return (dict(zip(names, row, strict=True)) for row in rows)


def public_ids(
    session: Session,
    kind: ListingKind | None,
    *,
    after_id: int,
    limit: int,
    organisation_id: OrganisationId | None,
) -> list[ListingId]:
    """Return ids of publicly visible listings, ascending, those after `after_id`."""
    query = (
        select(col(Listing.id))
        .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
        .where(_VISIBLE_BY_ID, col(Listing.id) > after_id)
        .order_by(col(Listing.id))
        .limit(limit)
    )
    if kind is not None:
        query = query.where(col(Listing.kind) == kind)
    if organisation_id is not None:
        query = query.where(col(Listing.organisation_id) == organisation_id)
    return list(session.scalars(query))


def newest_public_ids(session: Session, kind: ListingKind, limit: int) -> list[ListingId]:
    return list(
        session.scalars(
            select(col(Listing.id))
            .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
            .where(_VISIBLE, col(Listing.kind) == kind)
            .order_by(col(Listing.published_at).desc(), col(Listing.id).desc())
            .limit(limit)
        )
    )


def public_counts(session: Session) -> dict[ListingKind, int]:
    rows = session.execute(
        select(col(Listing.kind), func.count())
        .join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
        .where(_VISIBLE)
        .group_by(col(Listing.kind))
    )
    return dict.fromkeys(ListingKind, 0) | {ListingKind(row[0]): row[1] for row in rows}
