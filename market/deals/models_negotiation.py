"""What stands beside a deal while it is negotiated: its further parties and listings, the stages it
went through, files, each side's next step, and the objections that a 公示 drew.
"""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from market.deals.vocabulary import Audience, ObjectionState, Side, StageEntered
from market.kit.columns import (
    Table,
    check,
    choice,
    day,
    fen,
    fk,
    moment,
    one_of,
    pk,
    prose,
    public_id,
    unique_where,
    words,
)
from market.kit.ids import DealId, ListingId, OrganisationId, PersonId, PublicId


class DealStage(Table, table=True):
    """That a deal entered a stage, and when: never changed. Going back is one more row."""

    __tablename__ = "deal_stage"
    __table_args__ = (
        one_of("stage", StageEntered),
        Index("ix_deal_stage_deal", "deal_id", "id"),
        Index("ix_deal_stage_stage", "stage", "entered_at"),
    )

    id: int = pk()
    deal_id: DealId = fk("deal.id", index=False)
    stage: str = choice()
    entered_at: datetime = moment()


class DealParty(Table, table=True):
    """A further party of a side, beside the one that leads it and signs. 共同卖方、共同买方

    `share` is its part of its side's price or duty, in hundredths of a per cent; None where it has
    none of its own. `confirmed_version` is the version of the terms in which it agreed to that.
    """

    __tablename__ = "deal_party"
    __table_args__ = (
        one_of("side", Side),
        check("share_possible", "share IS NULL OR share BETWEEN 1 AND 10000"),
        UniqueConstraint("deal_id", "organisation_id"),
    )

    id: int = pk()
    deal_id: DealId = fk("deal.id", index=False)
    organisation_id: OrganisationId = fk("organisation.id")
    side: str = choice()
    share: int | None = Field(default=None)
    note: str = words(200, default="")
    confirmed_version: int = Field(default=0)
    added_by: PersonId = fk("person.id", index=False)
    created_at: datetime = moment()


class DealListing(Table, table=True):
    """A further achievement or demand that a deal is about, beside the leading ones."""

    __tablename__ = "deal_listing"
    __table_args__ = (UniqueConstraint("deal_id", "listing_id"),)

    id: int = pk()
    deal_id: DealId = fk("deal.id", index=False)
    listing_id: ListingId = fk("listing.id")
    added_by: PersonId = fk("person.id", index=False)
    created_at: datetime = moment()


class TermsInstalment(Table, table=True):
    """One payment of a price paid in several; those of one proposal sum to its amount."""

    __tablename__ = "terms_instalment"
    __table_args__ = (
        check("amount_positive", "amount_fen > 0"),
        UniqueConstraint("terms_id", "position"),
    )

    id: int = pk()
    terms_id: int = fk("terms.id", index=False)
    position: int
    amount_fen: int = fen()
    due: str = words(120)


class DealFile(Table, table=True):
    """A file that one organisation put to a deal, for the audience it chose."""

    __tablename__ = "deal_file"
    __table_args__ = (one_of("audience", Audience),)

    id: int = pk()
    deal_id: DealId = fk("deal.id")
    file_id: int = fk("stored_file.id", unique=True, index=False)
    audience: str = choice()
    note: str = words(200, default="")
    organisation_id: OrganisationId = fk("organisation.id", index=False)
    person_id: PersonId = fk("person.id")
    at: datetime = moment()


class NextStep(Table, table=True):
    """What one organisation means to do next in a deal, by when, and who: its own business.

    One of an organisation waits in a deal; `done` tells a step that was done from one replaced.
    """

    __tablename__ = "next_step"
    __table_args__ = (
        check("done_has_ended", "NOT done OR ended_at IS NOT NULL"),
        unique_where(
            "uq_next_step_waiting", "deal_id", "organisation_id", where="ended_at IS NULL"
        ),
    )

    id: int = pk()
    deal_id: DealId = fk("deal.id")
    organisation_id: OrganisationId = fk("organisation.id", index=False)
    text: str = words(200)
    due_on: date = day()
    person_id: PersonId = fk("person.id")
    set_by: PersonId = fk("person.id", index=False)
    set_at: datetime = moment()
    done: bool = Field(default=False)
    ended_at: datetime | None = moment(nullable=True)


class Objection(Table, table=True):
    """An objection against a 公示, by anyone; while one is open no contract is signed. 异议

    Who objects and how to reach them is for the seller alone.
    """

    __tablename__ = "objection"
    __table_args__ = (
        one_of("state", ObjectionState),
        check("handled_whole", "(state = 'open') = (handled_at IS NULL)"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    pricing_path_id: int = fk("pricing_path.id")
    name: str = words(60)
    contact: str = words(200)
    text: str = prose()
    state: str = choice(default=ObjectionState.OPEN)
    handling: str = words(1000, default="")
    evidence_id: int | None = fk("stored_file.id", nullable=True)
    created_by: PersonId | None = fk("person.id", nullable=True)
    created_at: datetime = moment()
    handled_by: PersonId | None = fk("person.id", nullable=True, index=False)
    handled_at: datetime | None = moment(nullable=True)
