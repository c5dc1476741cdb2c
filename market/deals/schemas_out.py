"""Wire types of deals: what goes out."""

from datetime import date, datetime

from market.accounts.policy import Relation
from market.catalog.vocabulary import ListingKind
from market.deals.vocabulary import (
    Audience,
    ContractState,
    ContractType,
    DealState,
    InquiryState,
    IntroductionState,
    Licence,
    LineKind,
    LostReason,
    ObjectionState,
    PayMethod,
    Phase,
    PricingPathKind,
    PricingState,
    RoyaltyBase,
    RoyaltyTrend,
    Side,
    StageEntered,
    StopReason,
)
from market.kit.wire import Out


class Ref(Out):
    id: str
    name: str


class NamedListing(Out):
    id: str
    number: str | None
    kind: ListingKind
    title: str


class ContactOut(Out):
    name: str
    phone: str
    email: str


class InquiryOut(Out):
    """`asker` and `owner` are null while masked, the other side's contact until answered."""

    id: str
    relation: Relation
    listing: NamedListing
    own_listing: NamedListing | None
    owner: Ref | None
    asker: Ref | None
    message: str
    state: InquiryState
    answer: str
    owner_contact: ContactOut | None
    asker_contact: ContactOut | None
    close_reason: str
    deal: str | None
    created_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None


class Inquiries(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[InquiryOut]
    total: int


class IntroductionOut(Out):
    """`seller` and `buyer` are null while masked."""

    id: str
    relation: Relation
    broker: Ref
    seller: Ref | None
    buyer: Ref | None
    achievement: NamedListing
    demand: NamedListing
    message: str
    state: IntroductionState
    decline_reason: str
    may_decide: bool
    deal: str | None
    seller_accepted_at: datetime | None
    buyer_accepted_at: datetime | None
    created_at: datetime
    decided_at: datetime | None


class Introductions(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[IntroductionOut]
    total: int


class InstalmentOut(Out):
    amount_fen: int
    due: str


class ChangeOut(Out):
    """What one version of the terms says otherwise than the one before; "" for nothing."""

    label: str
    before: str
    after: str


class TermsOut(Out):
    """One offer. `royalty_rate` is in hundredths of a per cent; `licence` null for no licence."""

    version: int
    side: Side
    mode: str
    licence: Licence | None
    amount_fen: int
    pay_method: PayMethod
    entry_fen: int | None
    royalty_base: RoyaltyBase | None
    royalty_rate: int | None
    royalty_trend: RoyaltyTrend | None
    instalments: list[InstalmentOut]
    term_months: int | None
    territory: str
    text: str
    changes: list[ChangeOut]
    proposed_at: datetime


class PartyOut(Out):
    """A further party; `confirmed_version` is of the terms in which it agreed to its share."""

    id: str
    name: str
    side: Side
    share: int | None
    note: str
    confirmed_version: int


class FileOut(Out):
    """A file that the reader may see; `own` where its organisation put it there."""

    id: str
    name: str
    size: int
    note: str
    audience: Audience
    organisation: str
    own: bool
    at: datetime


class PlanOut(Out):
    """The reader's organisation's own next step."""

    text: str
    due_on: date
    person: str


class StageOut(Out):
    stage: StageEntered
    entered_at: datetime


class ObjectionOut(Out):
    """An objection against the 公示, for the seller."""

    id: str
    name: str
    contact: str
    text: str
    state: ObjectionState
    handling: str
    evidence: bool
    created_at: datetime
    handled_at: datetime | None


class ObjectionSentOut(Out):
    """What the sender of an objection is told."""

    publicity: str
    created_at: datetime


class PricingOut(Out):
    """`ends_on`, `earliest_signing` and `provisional` are of a running 公示."""

    id: str
    path: PricingPathKind
    state: PricingState
    name: str
    summary: str
    mode: str
    price_fen: int
    interested: bool
    interest_note: str
    published_on: date | None
    days: int | None
    cleared_on: date | None
    ends_on: date | None
    earliest_signing: date | None
    provisional: bool | None
    exchange: str
    exchange_number: str
    listed_on: date | None
    listed_until: date | None
    dealt_on: date | None
    dealt_fen: int | None
    dealt_number: str
    bidders: int | None
    stop_reason: StopReason | None
    stop_note: str
    stopped_on: date | None


class PublicityOut(Out):
    """One 公示, open to everyone."""

    id: str
    state: PricingState
    seller: str
    name: str
    summary: str
    mode: str
    price_fen: int
    interested: bool
    interest_note: str
    published_on: date
    days: int
    ends_on: date
    provisional: bool
    objections: int
    open_objections: int
    stop_reason: StopReason | None
    stop_note: str
    stopped_on: date | None


class LineOut(Out):
    name: str
    kind: LineKind
    amount_fen: int
    reasonable_quantity: bool


class ContractOut(Out):
    id: str
    number: str
    state: ContractState
    type: ContractType
    sub_type: str
    project_name: str
    field: int
    seller_name: str
    buyer_name: str
    seller_region: str
    buyer_region: str
    seller_credit_code: str
    buyer_credit_code: str
    total_fen: int
    technical_fen: int
    lines: list[LineOut]
    pay_method: PayMethod
    begins_on: date
    ends_on: date
    seller_confirmed_at: datetime | None
    buyer_confirmed_at: datetime | None
    signed_on: date | None
    seller_agrees_public: bool
    buyer_agrees_public: bool


class MomentOut(Out):
    at: datetime
    text: str
    person: str
    organisation: str
    audience: Audience | None


class BrokerOut(Out):
    id: str
    name: str
    as_seller: bool
    as_buyer: bool
    valid_until: date


class DealOut(Out):
    id: str
    number: str
    title: str
    relation: Relation
    state: DealState
    phase: Phase
    stage: str
    plan_due_on: date | None
    seller: Ref
    buyer: Ref
    terms_version: int
    seller_confirmed: int
    buyer_confirmed: int
    agreed_at: datetime | None
    concluded_at: datetime | None
    lost_reason: LostReason | None
    lost_note: str
    lost_by: Side | None
    created_at: datetime
    updated_at: datetime


class Deals(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[DealOut]
    total: int


class DealWhole(DealOut):
    """`obstacle` says why the drafted contract may not be signed today; `differences` in what it
    leaves the agreed terms (`before`) and the price found by law.
    """

    achievement: str | None
    demand: str | None
    terms: list[TermsOut]
    pricing: PricingOut | None
    contract: ContractOut | None
    obstacle: str | None
    differences: list[ChangeOut]
    brokers: list[BrokerOut]
    further_parties: list[PartyOut]
    further_listings: list[NamedListing]
    introduced_by: list[Ref]
    files: list[FileOut]
    plan: PlanOut | None
    stages: list[StageOut]
    objections: list[ObjectionOut]
    timeline: list[MomentOut]
