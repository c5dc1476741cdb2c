"""Who may act for whom, and who has learnt whose masked name."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field

from market.access.fees import Fee, FeeBase, FeeKind, Payer
from market.kit.columns import (
    BIG,
    Table,
    big,
    check,
    choice,
    day,
    fen,
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

FEE_HAS_FIGURE = (
    "(fee_kind = 'rate') = (fee_rate_bp IS NOT NULL)"
    " AND (fee_kind = 'fixed') = (fee_fixed_fen IS NOT NULL)"
    " AND (fee_rate_bp IS NULL OR fee_rate_bp BETWEEN 1 AND 10000)"
    " AND (fee_fixed_fen IS NULL OR fee_fixed_fen > 0)"
)
_OPEN = text("state IN ('offered', 'live')")


class Mandate(Table, table=True):
    """A principal's order to an agency to act for it as seller, as buyer, or both. 委托

    In force while `state` is live and today lies between `valid_from` and `valid_until`, both
    included. The fee is by agreement: no statutory rate exists (民法典 963–965). `fee` is what was
    agreed beside its figure, `fee_rate_bp` ten-thousandths, `cost_fen` the necessary cost owed
    without success, 0 for none; `evidence_file_id` the signed paper, put in by the principal.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        one_of("state", MandateState),
        check("covers_a_side", "as_seller OR as_buyer"),
        check("term_ordered", "valid_from <= valid_until"),
        check("two_organisations", "agency_id <> principal_id"),
        one_of("fee_kind", FeeKind),
        one_of("fee_base", FeeBase),
        one_of("fee_payer", Payer),
        check("fee_has_figure", FEE_HAS_FIGURE),
        check("cost_not_negative", "cost_fen >= 0"),
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
    fee_kind: str = choice(default=FeeKind.NONE)
    fee_rate_bp: int | None = Field(default=None)
    fee_fixed_fen: int | None = fen(nullable=True)
    fee_base: str = choice(default=FeeBase.TOTAL)
    fee_payer: str = choice(default=Payer.UNSAID)
    cost_fen: int = big(default=0)
    evidence_file_id: int | None = fk("stored_file.id", nullable=True, index=False)
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

    @property
    def agreed_fee(self) -> Fee:
        return Fee(
            FeeKind(self.fee_kind),
            self.fee_rate_bp,
            self.fee_fixed_fen,
            FeeBase(self.fee_base),
            Payer(self.fee_payer),
            self.cost_fen,
        )


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
