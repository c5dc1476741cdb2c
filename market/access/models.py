"""Who may act for whom, and who has learnt whose masked name."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field

from market.kit.columns import (
    BIG,
    Table,
    check,
    choice,
    day,
    fk,
    moment,
    one_of,
    pk,
    public_id,
    words,
)
from market.kit.ids import ListingId, MandateId, OrganisationId, PersonId, PublicId


class MandateState(StrEnum):
    OFFERED = "offered"
    LIVE = "live"
    REFUSED = "refused"
    ENDED = "ended"


MANDATE_EDGES: dict[MandateState, frozenset[MandateState]] = {
    MandateState.OFFERED: frozenset({MandateState.LIVE, MandateState.REFUSED, MandateState.ENDED}),
    MandateState.LIVE: frozenset({MandateState.ENDED}),
    MandateState.REFUSED: frozenset(),
    MandateState.ENDED: frozenset(),
}

_OPEN = text("state IN ('offered', 'live')")


class Mandate(Table, table=True):
    """A principal's order to an agency to act for it as seller, as buyer, or both. 委托

    In force while `state` is live and today lies between `valid_from` and `valid_until`, both
    included. The fee is by agreement: no statutory rate exists (民法典 963–965).
    """

    __tablename__ = "mandate"
    __table_args__ = (
        one_of("state", MandateState),
        check("covers_a_side", "as_seller OR as_buyer"),
        check("term_ordered", "valid_from <= valid_until"),
        check("two_organisations", "agency_id <> principal_id"),
        Index(
            "uq_mandate_open",
            "principal_id",
            "agency_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: MandateId = pk()
    public_id: PublicId = public_id()
    agency_id: OrganisationId = fk("organisation.id")
    principal_id: OrganisationId = fk("organisation.id")
    as_seller: bool
    as_buyer: bool
    scope: str = words(1000, default="")
    fee: str = words(500, default="")
    exclusive: bool = Field(default=False)
    valid_from: date = day()
    valid_until: date = day()
    state: str = choice(default=MandateState.OFFERED)
    refuse_reason: str = words(500, default="")
    ended_by_id: OrganisationId | None = fk("organisation.id", nullable=True, index=False)
    created_by: PersonId = fk("person.id")
    created_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class NameDisclosure(Table, table=True):
    """An organisation that knows who stands behind a masked listing: an answered inquiry or a
    common deal told it. Written by those nouns, kept here, never taken back.
    """

    __tablename__ = "name_disclosure"

    listing_id: ListingId = Field(primary_key=True, sa_type=BIG, foreign_key="listing.id")
    organisation_id: OrganisationId = Field(
        primary_key=True, sa_type=BIG, foreign_key="organisation.id"
    )
    at: datetime = moment()
