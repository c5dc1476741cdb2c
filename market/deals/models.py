"""From a question to a signed contract: inquiries, introductions, deals, pricing, contracts.

Each is a row of its own with its own states; none is moved by another's side.
"""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from market.deals.vocabulary import (
    Audience,
    ContractState,
    ContractType,
    DealState,
    InquiryState,
    IntroductionState,
    LineKind,
    LostReason,
    PayMethod,
    Phase,
    PricingPathKind,
    PricingState,
    RoyaltyBase,
    RoyaltyTrend,
    Side,
    StopReason,
)
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
from market.kit.ids import (
    ContractId,
    DealId,
    InquiryId,
    IntroductionId,
    ListingId,
    MandateId,
    OrganisationId,
    PersonId,
    PublicId,
)


class Inquiry(Table, table=True):
    """One organisation's question about another's listing. 询问

    The contacts of both sides are shown to both once the owner has answered, never before; so is
    the asker's name where `show_name` is off.
    """

    __tablename__ = "inquiry"
    __table_args__ = (
        one_of("state", InquiryState),
        check("not_own", "asker_id <> owner_id"),
        unique_where("uq_inquiry_open", "listing_id", "asker_id", where="state = 'open'"),
        # A person who takes the data along or goes is found by the address that was typed.
        Index("ix_inquiry_contact_email", "contact_email"),
        Index("ix_inquiry_owner_contact_email", "owner_contact_email"),
    )

    id: InquiryId = pk()
    public_id: PublicId = public_id()
    listing_id: ListingId = fk("listing.id")
    own_listing_id: ListingId | None = fk("listing.id", nullable=True, index=False)
    asker_id: OrganisationId = fk("organisation.id")
    owner_id: OrganisationId = fk("organisation.id")
    show_name: bool
    message: str = prose()
    contact_name: str = words(60)
    contact_phone: str = words(60, default="")
    contact_email: str = words(200, default="")
    state: str = choice(default=InquiryState.OPEN)
    answer: str = prose(default="")
    owner_contact_name: str = words(60, default="")
    owner_contact_phone: str = words(60, default="")
    owner_contact_email: str = words(200, default="")
    close_reason: str = words(500, default="")
    closed_by_id: OrganisationId | None = fk("organisation.id", nullable=True, index=False)
    deal_id: DealId | None = fk("deal.id", nullable=True)
    created_by: PersonId = fk("person.id")
    # None too for an answer from before this was written down.
    answered_by: PersonId | None = fk("person.id", nullable=True)
    created_at: datetime = moment()
    answered_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)


class Introduction(Table, table=True):
    """A broker's proposal that an achievement and a demand be brought together. 引荐

    Each side's consent has its time and who gave it; None too for one from before this was kept.
    """

    __tablename__ = "introduction"
    __table_args__ = (
        one_of("state", IntroductionState),
        check("two_sides", "seller_id <> buyer_id"),
        unique_where(
            "uq_introduction_open",
            "broker_id",
            "achievement_id",
            "demand_id",
            where="state IN ('proposed', 'accepted_seller', 'accepted_buyer')",
        ),
    )

    id: IntroductionId = pk()
    public_id: PublicId = public_id()
    broker_id: OrganisationId = fk("organisation.id")
    mandate_id: MandateId = fk("mandate.id", index=False)
    seller_id: OrganisationId = fk("organisation.id")
    buyer_id: OrganisationId = fk("organisation.id")
    achievement_id: ListingId = fk("listing.id")
    demand_id: ListingId = fk("listing.id")
    message: str = prose()
    state: str = choice(default=IntroductionState.PROPOSED)
    decline_reason: str = words(500, default="")
    declined_by_id: OrganisationId | None = fk("organisation.id", nullable=True, index=False)
    seller_accepted_at: datetime | None = moment(nullable=True)
    seller_accepted_by: PersonId | None = fk("person.id", nullable=True, index=False)
    buyer_accepted_at: datetime | None = moment(nullable=True)
    buyer_accepted_by: PersonId | None = fk("person.id", nullable=True, index=False)
    deal_id: DealId | None = fk("deal.id", nullable=True)
    created_by: PersonId = fk("person.id")
    created_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)


class Deal(Table, table=True):
    """One negotiation of a seller and a buyer. 洽谈

    `seller_id` and `buyer_id` lead their sides: they move the deal and sign; further parties stand
    in `deal_party`. `phase` is how far the talks are while they go on, `terms_version` the newest
    proposal, `*_confirmed` the version that each side confirmed. `concluded_at` is set when a
    contract is signed; from then on the pair may open another deal.
    """

    __tablename__ = "deal"
    __table_args__ = (
        one_of("state", DealState),
        one_of("phase", Phase),
        one_of("lost_reason", LostReason, nullable=True),
        one_of("lost_by", Side, nullable=True),
        check("two_sides", "seller_id <> buyer_id"),
        check("about_something", "achievement_id IS NOT NULL OR demand_id IS NOT NULL"),
        check("lost_has_reason", "(state = 'lost') = (lost_reason IS NOT NULL)"),
        unique_where(
            "uq_deal_open_achievement",
            "achievement_id",
            "buyer_id",
            where="state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NOT NULL",
        ),
        unique_where(
            "uq_deal_open_demand",
            "demand_id",
            "seller_id",
            where="state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NULL",
        ),
    )

    id: DealId = pk()
    public_id: PublicId = public_id()
    number: str = Field(max_length=20, unique=True)
    title: str = words(200)
    seller_id: OrganisationId = fk("organisation.id")
    buyer_id: OrganisationId = fk("organisation.id")
    achievement_id: ListingId | None = fk("listing.id", nullable=True)
    demand_id: ListingId | None = fk("listing.id", nullable=True)
    state: str = choice(default=DealState.NEGOTIATION)
    phase: str = choice(default=Phase.CONTACT)
    terms_version: int = Field(default=0)
    seller_confirmed: int = Field(default=0)
    buyer_confirmed: int = Field(default=0)
    agreed_at: datetime | None = moment(nullable=True)
    concluded_at: datetime | None = moment(nullable=True)
    lost_reason: str | None = choice(nullable=True)
    lost_note: str = words(500, default="")
    lost_by: str | None = choice(nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Terms(Table, table=True):
    """One proposal of what the deal is to be; never changed, only followed by another.

    `amount_fen` is the whole price; of a royalty, which nobody knows yet, the sum that the parties
    expect. `entry_fen` is the part paid beforehand (入门费); `royalty_rate` is in hundredths of a
    per cent of `royalty_base`. Instalments stand in `terms_instalment`.
    """

    __tablename__ = "terms"
    __table_args__ = (
        one_of("side", Side),
        one_of("pay_method", PayMethod),
        one_of("royalty_base", RoyaltyBase, nullable=True),
        one_of("royalty_trend", RoyaltyTrend, nullable=True),
        check("amount_positive", "amount_fen > 0"),
        check("entry_within", "entry_fen IS NULL OR (entry_fen > 0 AND entry_fen <= amount_fen)"),
        check("entry_with_royalty", "(pay_method = 'royalty_entry') = (entry_fen IS NOT NULL)"),
        check(
            "royalty_whole",
            "(pay_method IN ('royalty', 'royalty_entry')) = (royalty_base IS NOT NULL)"
            " AND (royalty_base IS NULL) = (royalty_rate IS NULL)"
            " AND (royalty_base IS NULL) = (royalty_trend IS NULL)",
        ),
        check("rate_possible", "royalty_rate IS NULL OR royalty_rate BETWEEN 1 AND 10000"),
        check("term_positive", "term_months IS NULL OR term_months > 0"),
        UniqueConstraint("deal_id", "version"),
    )

    id: int = pk()
    deal_id: DealId = fk("deal.id", index=False)
    version: int
    side: str = choice()
    mode: str = words(20)
    amount_fen: int = fen()
    pay_method: str = choice(default=PayMethod.LUMP)
    entry_fen: int | None = fen(nullable=True)
    royalty_base: str | None = choice(nullable=True)
    royalty_rate: int | None = Field(default=None)
    royalty_trend: str | None = choice(nullable=True)
    term_months: int | None = Field(default=None)
    territory: str = words(120, default="")
    text: str = prose(default="")
    proposed_by: PersonId = fk("person.id")
    proposed_at: datetime = moment()


class DealEvent(Table, table=True):
    """What happened in a deal, in words, seen by both parties and their brokers."""

    __tablename__ = "deal_event"
    __table_args__ = (
        # Counted on every front page: what was agreed to be public changes public totals.
        Index(
            "ix_deal_event_disclosure",
            "id",
            sqlite_where=text("kind = 'disclosure'"),
            postgresql_where=text("kind = 'disclosure'"),
        ),
    )

    id: int = pk()
    deal_id: DealId = fk("deal.id")
    kind: str = words(40)
    text: str = words(500)
    organisation_id: OrganisationId = fk("organisation.id", index=False)
    person_id: PersonId = fk("person.id", index=False)
    at: datetime = moment()


class DealNote(Table, table=True):
    __tablename__ = "deal_note"
    __table_args__ = (one_of("audience", Audience),)

    id: int = pk()
    deal_id: DealId = fk("deal.id")
    audience: str = choice()
    text: str = prose()
    organisation_id: OrganisationId = fk("organisation.id", index=False)
    person_id: PersonId = fk("person.id")
    at: datetime = moment()


class PricingPath(Table, table=True):
    """How the price of one deal is found, and for 协议定价 its 公示, whose page is public.

    The last day of the 公示 is counted from `published_on` and `days` whenever it is asked for,
    so that a holiday table that comes later corrects a provisional date. It is `cleared` by the
    first signature that its last day allows; a trigger holds that, and that no contract is signed
    before (`kit/triggers_pricing.py`).
    """

    __tablename__ = "pricing_path"
    __table_args__ = (
        one_of("path", PricingPathKind),
        one_of("state", PricingState),
        one_of("stop_reason", StopReason, nullable=True),
        check("stopped_has_reason", "(state = 'stopped') = (stop_reason IS NOT NULL)"),
        check("publicised_has_day", "path <> 'agreement' OR published_on IS NOT NULL"),
        check("cleared_has_day", "state <> 'cleared' OR cleared_on IS NOT NULL"),
        check("dealt_whole", "state <> 'dealt' OR (dealt_on IS NOT NULL AND dealt_fen > 0)"),
        check("listed_ordered", "listed_until IS NULL OR listed_until >= listed_on"),
        unique_where("uq_pricing_path_live", "deal_id", where="state <> 'stopped'"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    deal_id: DealId = fk("deal.id")
    path: str = choice()
    state: str = choice()
    name: str = words(200)
    summary: str = words(1000, default="")
    mode: str = words(20)
    price_fen: int = fen()
    interested: bool = Field(default=False)
    interest_note: str = words(300, default="")
    published_on: date | None = day(nullable=True)
    days: int | None = Field(default=None)
    cleared_on: date | None = day(nullable=True)
    exchange: str = words(120, default="")
    exchange_number: str = words(60, default="")
    listed_on: date | None = day(nullable=True)
    listed_until: date | None = day(nullable=True)
    dealt_on: date | None = day(nullable=True)
    dealt_fen: int | None = fen(nullable=True)
    dealt_number: str = words(60, default="")
    bidders: int | None = Field(default=None)
    evidence_id: int | None = fk("stored_file.id", nullable=True)
    stop_reason: str | None = choice(nullable=True)
    stop_note: str = words(500, default="")
    stopped_on: date | None = day(nullable=True)
    created_by: PersonId = fk("person.id", index=False)
    created_at: datetime = moment()


class Contract(Table, table=True):
    """One draft of a contract, never rewritten: a new draft drops the old one. 合同

    Names, regions and credit codes are a snapshot of the day it was drafted; `technical_fen` is
    derived from the lines. `number` is the parties' own.
    """

    __tablename__ = "contract"
    __table_args__ = (
        one_of("state", ContractState),
        one_of("type", ContractType),
        one_of("pay_method", PayMethod),
        check("field_known", "field BETWEEN 1 AND 11"),
        check("amounts", "technical_fen > 0 AND technical_fen <= total_fen"),
        check("signed_has_day", "(state = 'signed') = (signed_on IS NOT NULL)"),
        check("term_ordered", "begins_on <= ends_on"),
        unique_where("uq_contract_live", "deal_id", where="state <> 'dropped'"),
        Index("ix_contract_signed", "state", "signed_on"),
    )

    id: ContractId = pk()
    public_id: PublicId = public_id()
    deal_id: DealId = fk("deal.id")
    number: str = words(60, default="")
    state: str = choice(default=ContractState.DRAFTED)
    type: str = choice()
    sub_type: str = words(40)
    project_name: str = words(200)
    field: int
    seller_id: OrganisationId = fk("organisation.id")
    buyer_id: OrganisationId = fk("organisation.id")
    seller_name: str = words(120)
    buyer_name: str = words(120)
    seller_region: str = words(6)
    buyer_region: str = words(6)
    seller_credit_code: str = words(18, default="")
    buyer_credit_code: str = words(18, default="")
    total_fen: int = fen()
    technical_fen: int = fen()
    pay_method: str = choice()
    begins_on: date = day()
    ends_on: date = day()
    seller_confirmed_at: datetime | None = moment(nullable=True)
    buyer_confirmed_at: datetime | None = moment(nullable=True)
    signed_on: date | None = day(nullable=True)
    seller_agrees_public: bool = Field(default=False)
    buyer_agrees_public: bool = Field(default=False)
    drafted_by: PersonId = fk("person.id")
    created_at: datetime = moment()


class ContractLine(Table, table=True):
    """One line of the amount. A `reasonable_quantity` of non-technical deliverables counts as
    technical (合理数量的样品、样机 …); the rest is deducted.
    """

    __tablename__ = "contract_line"
    __table_args__ = (
        one_of("kind", LineKind),
        check("amount_positive", "amount_fen > 0"),
        UniqueConstraint("contract_id", "position"),
    )

    id: int = pk()
    contract_id: ContractId = fk("contract.id", index=False)
    position: int
    name: str = words(120)
    kind: str = choice()
    amount_fen: int = fen()
    reasonable_quantity: bool = Field(default=False)
