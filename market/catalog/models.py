"""Listings (成果, 需求): one row each, immutable revisions of their text, and their reviews.

A published listing keeps its public revision while the edited one waits for review.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from market.catalog.vocabulary import MATURITY_SCALE, ListingKind, PriceBasis, PriceForm
from market.kit.columns import (
    BIG,
    Table,
    big,
    check,
    choice,
    day,
    fen,
    fk,
    json_list,
    moment,
    one_of,
    pk,
    prose,
    public_id,
    words,
)
from market.kit.ids import ListingId, OrganisationId, PublicId, RevisionId


class ListingState(StrEnum):
    PRIVATE = "private"  # never published
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class ReviewState(StrEnum):
    """Where the working revision stands; a review's row at `draft` was taken back."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    APPROVED = "approved"


class Listing(Table, table=True):
    """One achievement or demand.

    `number` (A-2026-00412) is given at first publication, so that numbers reveal no drafts.
    `public_revision_id` is what others see, `working_revision_id` the newest text; they are equal
    where nothing is pending. `own_number` is the organisation's own, the key of imports;
    `content_hash` is that of the row as an import last brought it ("" for none), and
    `import_run_id` the run that last wrote it. One with `removed_at` was created by an import that
    was undone: it is on no list, and its own number is free.
    """

    __tablename__ = "listing"
    __table_args__ = (
        one_of("kind", ListingKind),
        one_of("state", ListingState),
        one_of("review_state", ReviewState),
        UniqueConstraint("organisation_id", "kind", "own_number"),
        Index("ix_listing_public", "state", "kind", "published_at"),
        Index("ix_listing_import", "organisation_id", "content_hash"),
        Index("ix_listing_review", "organisation_id", "review_state"),
    )

    id: ListingId = pk()
    public_id: PublicId = public_id()
    number: str | None = Field(default=None, max_length=20, unique=True)
    kind: str = choice()
    organisation_id: OrganisationId = fk("organisation.id")
    own_number: str | None = words(80, nullable=True)
    # Raised by every edit of the owner, of the text or of what stands beside it.
    edits: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    masked: bool = Field(default=False)
    state: str = choice(default=ListingState.PRIVATE)
    review_state: str = choice(default=ReviewState.DRAFT)
    public_revision_id: RevisionId | None = big(nullable=True)
    working_revision_id: RevisionId | None = big(nullable=True)
    content_hash: str = words(64, default="")
    import_run_id: int | None = big(nullable=True)
    created_by: int | None = big(nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()
    published_at: datetime | None = moment(nullable=True)
    removed_at: datetime | None = moment(nullable=True)


class ListingRevision(Table, table=True):
    """One immutable text of a listing, with the columns that both kinds share."""

    __tablename__ = "listing_revision"
    __table_args__ = (
        one_of("price_form", PriceForm),
        one_of("price_basis", PriceBasis),
        check("field_known", "field IS NULL OR (field BETWEEN 1 AND 11)"),
        check("price_low_positive", "price_low_fen IS NULL OR price_low_fen >= 0"),
        check("price_high_positive", "price_high_fen IS NULL OR price_high_fen >= 0"),
        check(
            "price_ordered",
            "price_low_fen IS NULL OR price_high_fen IS NULL OR price_low_fen <= price_high_fen",
        ),
        UniqueConstraint("listing_id", "seq"),
        Index("ix_listing_revision_created_by", "created_by"),
    )

    id: RevisionId = pk()
    listing_id: ListingId = fk("listing.id", index=False)
    seq: int
    title: str = words(200)
    summary: str = words(500, default="")
    body: str = prose(default="")
    keywords: list[str] = json_list()
    field: int | None = Field(default=None)
    region: str = words(6, default="")
    modes: list[str] = json_list()
    price_form: str = choice(default=PriceForm.NONE)
    price_basis: str = choice(default=PriceBasis.TOTAL)
    price_low_fen: int | None = fen(nullable=True)
    price_high_fen: int | None = fen(nullable=True)
    created_by: int | None = big(nullable=True)
    created_at: datetime = moment()


class AchievementFacts(Table, table=True):
    """What only an achievement has. Maturity is {scale, level}; level None where not stated."""

    __tablename__ = "achievement_facts"

    revision_id: RevisionId = Field(
        primary_key=True, sa_type=BIG, foreign_key="listing_revision.id"
    )
    maturity_scale: str = words(4, default=MATURITY_SCALE)
    maturity_level: int | None = Field(default=None)
    application: str = words(1000, default="")
    advantage: str = words(1000, default="")
    ip_status: str = words(60, default="")
    ip_numbers: str = words(500, default="")
    completers: str = words(300, default="")


class DemandFacts(Table, table=True):
    """What only a demand has; three texts of the provincial demand form, and what it needs."""

    __tablename__ = "demand_facts"

    revision_id: RevisionId = Field(
        primary_key=True, sa_type=BIG, foreign_key="listing_revision.id"
    )
    problem: str = prose(default="")
    key_technology: str = prose(default="")
    expected_goal: str = prose(default="")
    deadline: date | None = day(nullable=True)
    need_maturity: int | None = Field(default=None)


_OPEN = text("state = 'submitted'")


class Review(Table, table=True):
    """One submission of one revision for review, and the bureau's answer."""

    __tablename__ = "review"
    __table_args__ = (
        one_of("state", ReviewState),
        Index("ix_review_listing", "listing_id", "id"),
        Index("ix_review_state", "state", "id"),
        Index("ix_review_submitted_by", "submitted_by"),
        Index("ix_review_decided_by", "decided_by"),
        Index(
            "uq_review_open", "listing_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
    )

    id: int = pk()
    listing_id: ListingId = fk("listing.id", index=False)
    revision_id: RevisionId = fk("listing_revision.id")
    state: str = choice()
    note: str = words(500, default="")
    submitted_by: int | None = big(nullable=True)
    submitted_at: datetime = moment()
    decided_by: int | None = big(nullable=True)
    decided_at: datetime | None = moment(nullable=True)


class Proof(Table, table=True):
    """A file that backs a listing (检测报告, 专利证书); seen by the owner and the reviewer."""

    __tablename__ = "proof"
    __table_args__ = (UniqueConstraint("listing_id", "file_id"),)

    id: int = pk()
    listing_id: ListingId = fk("listing.id", index=False)
    file_id: int = fk("stored_file.id")
    created_at: datetime = moment()


class Numbering(Table, table=True):
    """The last number given in each series and year (A-2026, D-2026, N-2026)."""

    __tablename__ = "numbering"

    series: str = Field(primary_key=True, max_length=20)
    last: int
