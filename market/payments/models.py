"""Fees, payments, and what came in, went back and went on of them.

Amounts in fen. What may be given back or sent on is held by CHECK constraints of the capture from
which it goes: `reserved_fen` is asked for or done, `refunded_fen` done.
"""

from datetime import date, datetime

from sqlalchemy import Date, UniqueConstraint
from sqlmodel import Field

from market.kit.columns import (
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
    prose,
    public_id,
    unique_where,
    words,
)
from market.kit.ids import (
    AttemptId,
    CaptureId,
    CommissionId,
    DealId,
    FeeId,
    OrganisationId,
    PaymentId,
    PersonId,
    PublicId,
    RefundId,
)
from market.payments.states import (
    ENDED,
    LIVE_ATTEMPT,
    AttemptState,
    PaymentState,
    Purpose,
    RefundState,
    TransferState,
    Way,
    among,
)

_ALIVE = f"state NOT IN ({among(frozenset(ENDED))})"


class Fee(Table, table=True):
    """A line of the fee schedule, from a day on until one of the same code follows, or until the
    morning of `ends_on` where it is ended without one. 收费标准

    Fixed, or for earnest money a rate of the agreed amount (basis points) within bounds. `source`
    is the decision that sets it.
    """

    __tablename__ = "fee"
    __table_args__ = (
        one_of("purpose", Purpose),
        check("purpose_of_schedule", "purpose IN ('service_fee', 'earnest')"),
        check("fixed_or_rate", "(amount_fen IS NULL) = (rate_bp IS NOT NULL)"),
        check("rate_is_earnest", "rate_bp IS NULL OR purpose = 'earnest'"),
        check("amount_positive", "amount_fen IS NULL OR amount_fen > 0"),
        check("rate_possible", "rate_bp IS NULL OR rate_bp BETWEEN 1 AND 10000"),
        check(
            "bounds_ordered",
            "least_fen > 0 AND most_fen >= least_fen",
        ),
        check("ends_later", "ends_on IS NULL OR ends_on > effective_from"),
        UniqueConstraint("code", "effective_from"),
    )

    id: FeeId = pk()
    public_id: PublicId = public_id()
    code: str = words(40)
    name: str = words(100)
    purpose: str = choice()
    amount_fen: int | None = fen(nullable=True)
    rate_bp: int | None = Field(default=None)
    least_fen: int = fen()
    most_fen: int = fen()
    effective_from: date = day()
    ends_on: date | None = day(nullable=True)
    source: str = words(300)
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()


class CardLimit(Table, table=True):
    """The smallest and largest amount that Stripe takes in CNY from a day on, with its source.

    `checked_on` is when somebody held it against the source.
    """

    __tablename__ = "card_limit"
    __table_args__ = (check("bounds_ordered", "least_fen > 0 AND most_fen >= least_fen"),)

    id: int = pk()
    effective_from: date = Field(sa_type=Date, unique=True)
    least_fen: int = fen()
    most_fen: int = fen()
    source: str = words(300)
    checked_on: date | None = day(nullable=True)
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()


class Payment(Table, table=True):
    """What an organisation owes the platform, for one purpose. 款项

    `reference` is what a bank transfer quotes. `paid_fen` and `refunded_fen` are of this payment;
    what came in beyond the amount is surplus of its captures. `seen` rises with each change.
    """

    __tablename__ = "payment"
    __table_args__ = (
        one_of("purpose", Purpose),
        one_of("state", PaymentState),
        check(
            "one_purpose",
            "(purpose = 'service_fee') = (deal_id IS NULL AND commission_id IS NULL)"
            " AND (purpose = 'earnest') = (deal_id IS NOT NULL)"
            " AND (purpose = 'commission') = (commission_id IS NOT NULL)"
            " AND (purpose <> 'commission') = (fee_id IS NOT NULL)",
        ),
        check("amount_positive", "amount_fen > 0"),
        check("paid_within", "paid_fen BETWEEN 0 AND amount_fen"),
        check("refunded_within", "refunded_fen BETWEEN 0 AND paid_fen"),
        check(
            "state_by_sums",
            "(state IN ('due', 'cancelled')) = (paid_fen = 0)"
            " AND (state NOT IN ('part_refunded', 'refunded') OR refunded_fen > 0)"
            " AND (state <> 'refunded' OR refunded_fen = paid_fen)"
            " AND (state <> 'paid' OR paid_fen = amount_fen)",
        ),
        unique_where(
            "uq_payment_earnest",
            "deal_id",
            "organisation_id",
            where=f"deal_id IS NOT NULL AND {_ALIVE}",
        ),
        unique_where(
            "uq_payment_commission",
            "commission_id",
            "organisation_id",
            where=f"commission_id IS NOT NULL AND {_ALIVE}",
        ),
    )

    id: PaymentId = pk()
    public_id: PublicId = public_id()
    reference: str = Field(max_length=12, unique=True)
    organisation_id: OrganisationId = fk("organisation.id")
    purpose: str = choice()
    fee_id: FeeId | None = fk("fee.id", nullable=True)
    deal_id: DealId | None = fk("deal.id", nullable=True)
    commission_id: CommissionId | None = fk("commission.id", nullable=True)
    title: str = words(200)
    amount_fen: int = fen()
    paid_fen: int = big(default=0)
    refunded_fen: int = big(default=0)
    state: str = choice(default=PaymentState.DUE)
    seen: int = Field(default=0)
    created_by: PersonId = fk("person.id")
    created_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class Attempt(Table, table=True):
    """One Checkout session of Stripe for a payment; one lives at a time.

    Its public id with `unanswered` is the idempotency key of making the session: Stripe repeats a
    500 under its key, so that whoever was not answered and finds nothing asks under another.
    `asked` counts how often it was asked for, `session` and `intent` are Stripe's ids, `url` where
    the browser goes.
    """

    __tablename__ = "card_attempt"
    __table_args__ = (
        one_of("state", AttemptState),
        check("amount_positive", "amount_fen > 0"),
        check("open_has_session", "state NOT IN ('open', 'processing', 'paid') OR session <> ''"),
        unique_where(
            "uq_card_attempt_live",
            "payment_id",
            where=f"state IN ({among(frozenset(LIVE_ATTEMPT))})",
        ),
        unique_where("uq_card_attempt_session", "session", where="session <> ''"),
    )

    id: AttemptId = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    amount_fen: int = fen()
    state: str = choice(default=AttemptState.WANTED, index=True)
    asked: int = Field(default=0)
    unanswered: int = Field(default=0)
    session: str = words(255, default="")
    intent: str = words(255, default="")
    url: str = prose(default="")
    back: str = words(300, default="")
    expires_at: datetime = moment()
    created_by: PersonId = fk("person.id")
    created_at: datetime = moment()


class Capture(Table, table=True):
    """Money that came in for a payment: by one attempt or by one confirmed bank credit, once.

    `applied_fen` went to the payment, `surplus_fen` is more than it needed and is to be returned.
    """

    __tablename__ = "capture"
    __table_args__ = (
        one_of("way", Way),
        check(
            "one_source",
            "(way = 'card') = (attempt_id IS NOT NULL)"
            " AND (way = 'bank') = (bank_credit_id IS NOT NULL)",
        ),
        check("amount_positive", "applied_fen + surplus_fen > 0"),
        check("parts_not_negative", "applied_fen >= 0 AND surplus_fen >= 0"),
        check("refund_within", "0 <= refunded_fen AND refunded_fen <= reserved_fen"),
        check("sent_on_within", "sent_on_fen >= 0 AND reserved_fen + sent_on_fen <= applied_fen"),
        check(
            "returned_within",
            "0 <= returned_fen AND returned_fen <= returning_fen AND returning_fen <= surplus_fen",
        ),
    )

    id: CaptureId = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    way: str = choice()
    attempt_id: AttemptId | None = fk("card_attempt.id", nullable=True, unique=True, index=False)
    bank_credit_id: int | None = fk("bank_credit.id", nullable=True, unique=True, index=False)
    applied_fen: int = fen()
    surplus_fen: int = fen()
    reserved_fen: int = big(default=0)
    refunded_fen: int = big(default=0)
    returning_fen: int = big(default=0)
    returned_fen: int = big(default=0)
    sent_on_fen: int = big(default=0)
    at: datetime = moment()


class Refund(Table, table=True):
    """Money that goes back from a capture: of what was applied, or of its surplus (退回多付的).

    Its public id is the idempotency key at Stripe. By bank a second person confirms that it left.
    `uncovered` is what went back at Stripe without us and is more than the capture had left, for it
    had gone on to an agency: the platform bears it.
    """

    __tablename__ = "refund"
    __table_args__ = (
        one_of("way", Way),
        one_of("state", RefundState),
        check("amount_positive", "amount_fen > 0"),
        check("four_eyes", "confirmed_by IS NULL OR confirmed_by <> wanted_by"),
        check(
            "bank_needs_second",
            "way <> 'bank' OR state <> 'done' OR (confirmed_by IS NOT NULL AND bank_text <> '')",
        ),
        check("one_pocket", "NOT (surplus AND uncovered)"),
        unique_where(
            "uq_refund_stripe", "stripe_id", "surplus", "uncovered", where="stripe_id <> ''"
        ),
        unique_where("uq_refund_bank", "bank_text", where="bank_text <> ''"),
    )

    id: RefundId = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    capture_id: CaptureId = fk("capture.id")
    way: str = choice()
    surplus: bool = Field(default=False)
    uncovered: bool = Field(default=False)
    amount_fen: int = fen()
    reason: str = words(300)
    state: str = choice(default=RefundState.WANTED, index=True)
    stripe_id: str = words(255, default="")
    bank_text: str = words(100, default="")
    wanted_by: PersonId | None = fk("person.id", nullable=True, index=False)
    wanted_at: datetime = moment()
    confirmed_by: PersonId | None = fk("person.id", nullable=True, index=False)
    done_at: datetime | None = moment(nullable=True)


class Transfer(Table, table=True):
    """Commission that goes on from a capture to an agency: over Stripe Connect to its `account`, or
    by bank. A second person confirms either; by bank, that it left.

    Its public id is the idempotency key at Stripe.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        one_of("way", Way),
        one_of("state", TransferState),
        check("amount_positive", "amount_fen > 0"),
        check("done_has_id", "(state = 'done') = (stripe_id <> '' OR bank_text <> '')"),
        check("four_eyes", "confirmed_by IS NULL OR confirmed_by <> wanted_by"),
        check("needs_second", "state = 'wanted' OR confirmed_by IS NOT NULL"),
        check("sent_by_card", "state <> 'sent' OR way = 'card'"),
        unique_where("uq_transfer_bank", "bank_text", where="bank_text <> ''"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    capture_id: CaptureId = fk("capture.id")
    organisation_id: OrganisationId = fk("organisation.id")
    way: str = choice()
    account: str = words(60, default="")
    amount_fen: int = fen()
    state: str = choice(default=TransferState.WANTED, index=True)
    stripe_id: str = words(255, default="")
    bank_text: str = words(100, default="")
    wanted_by: PersonId = fk("person.id", index=False)
    wanted_at: datetime = moment()
    confirmed_by: PersonId | None = fk("person.id", nullable=True, index=False)
    done_at: datetime | None = moment(nullable=True)


class ConnectedAccount(Table, table=True):
    """The account of an agency at Stripe, as the operators entered it."""

    __tablename__ = "connected_account"

    id: int = pk()
    organisation_id: OrganisationId = fk("organisation.id", unique=True, index=False)
    account: str = Field(max_length=60, unique=True)
    entered_by: PersonId = fk("person.id", index=False)
    entered_at: datetime = moment()


class Invoice(Table, table=True):
    """The number of a 发票 that was made elsewhere for a payment. Recorded here, never made.

    One that was entered wrongly is voided (作废): it stays to be seen and counts no more.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        check("amount_positive", "amount_fen > 0"),
        check("voided_has_person", "(voided_at IS NULL) = (voided_by IS NULL)"),
        unique_where("uq_invoice_number", "number", where="voided_at IS NULL"),
    )

    id: int = pk()
    payment_id: PaymentId = fk("payment.id")
    number: str = words(20)
    amount_fen: int = fen()
    issued_on: date = day()
    entered_by: PersonId = fk("person.id", index=False)
    entered_at: datetime = moment()
    voided_by: PersonId | None = fk("person.id", nullable=True, index=False)
    voided_at: datetime | None = moment(nullable=True)
